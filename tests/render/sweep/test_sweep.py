"""Sweeps run in parallel, go on where they stopped, and survive single failures."""

from __future__ import annotations

import concurrent.futures
import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from vqsynth.errors import VqsynthError
from vqsynth.render.sweep.recipe import expand
from vqsynth.render.sweep.run import sweep
from vqsynth.storage.lock import locked


@pytest.fixture
def items(tiny_timbre):
    return expand({"timbres": [str(tiny_timbre.path)], "targets": ["sin", "line"], "seeds": [0, 1], "duration": 0.6})


def manifest(folder):
    with open(folder / "manifest.csv", newline="") as handle:
        return list(csv.DictReader(handle))


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.wav")}


def test_a_sweep_renders_all_and_then_only_what_is_missing(items, tmp_path):
    folder, seen = tmp_path / "out", []
    outcomes = sweep(items, folder, jobs=2, progress=lambda *event: seen.append(event))
    assert [o.name for o in outcomes] == [i.name for i in items]
    assert all(o.fresh and not o.error for o in outcomes)
    assert [done for done, _, _ in seen] == [0, 1, 2, 3, 4] and seen[-1] == (4, 0, 4)
    rows = manifest(folder)
    for row, item in zip(rows, items):
        report = json.loads((folder / f"{item.name}.json").read_text())
        assert (
            row["status"] == "done"
            and row["seed"] == str(item.settings["seed"])
            and row["target"] == item.settings["target"]
        )
        assert float(row["centroid_pearson"]) == report["descriptors"]["centroid"]["pearson"]
        assert float(row["roughness_value"]) == report["roughness"]["value"]
        assert float(row["render_seconds"]) > 0
    with Image.open(folder / "contact_sheet.png") as sheet:
        assert sheet.width == 2 * 480 and sheet.height > 400

    before = stamps(folder)
    (folder / f"{items[1].name}.json").unlink()
    (folder / f"{items[2].name}.png").unlink()
    (folder / f"{items[3].name}.json").write_text('{"torn')
    outcomes = sweep(items, folder, jobs=1)
    assert [o.fresh for o in outcomes] == [False, True, True, True]
    after = stamps(folder)
    assert [after[f"{i.name}.wav"] == before[f"{i.name}.wav"] for i in items] == [True, False, False, False]
    assert manifest(folder)[0] == rows[0]


def test_torn_files_are_rendered_again(items, tmp_path):
    folder = tmp_path / "not" / "there" / "out"
    first = sweep(items, folder, jobs=1)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert not any(name.startswith(".") for name in whole)
    cuts = {".wav": (0, 1000), ".csv": (0, 50), ".png": (0, 2000), ".json": (0, 50)}
    for suffix, sizes in cuts.items():
        for item, size in zip(items, sizes):
            with open(folder / f"{item.name}{suffix}", "r+b") as handle:
                handle.truncate(size)
        outcomes = sweep(items, folder, jobs=1)
        assert [o.fresh for o in outcomes] == [True, True, False, False], suffix
        assert all((folder / f"{i.name}.wav").read_bytes() == whole[f"{i.name}.wav"] for i in items)
    assert [o.report["descriptors"] for o in sweep(items, folder)] == [o.report["descriptors"] for o in first]


def test_a_sweep_runs_and_hears_warnings_off_the_main_thread(tiny_timbre, tmp_path):
    loud = expand({"timbres": [str(tiny_timbre.path)], "targets": ["sin"], "gains": [40], "duration": 0.6})
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        (outcome,) = pool.submit(sweep, loud, tmp_path / "out", jobs=1).result()
    assert not outcome.error and "turned down" in outcome.warnings
    assert "turned down" in manifest(tmp_path / "out")[0]["warnings"]


def test_two_sweeps_do_not_write_to_one_folder(items, tmp_path):
    with locked(tmp_path, "sweep"), pytest.raises(VqsynthError, match=f"another sweep .*process {os.getpid()}"):
        sweep(items, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_same_settings_give_the_same_sound_however_it_is_run(items, tmp_path):
    for name, jobs in (("one", 1), ("two", 2)):
        sweep(items[:2], tmp_path / name, jobs=jobs)
    for item in items[:2]:
        assert (tmp_path / "one" / f"{item.name}.wav").read_bytes() == (
            tmp_path / "two" / f"{item.name}.wav"
        ).read_bytes()
    different = [(tmp_path / "one" / f"{item.name}.wav").read_bytes() for item in items[:2]]
    assert different[0] != different[1]


def test_one_failure_is_recorded_and_the_rest_is_done(tiny_timbre, tmp_path):
    items = expand({"timbres": [str(tiny_timbre.path)], "targets": ["sin", "nothing.csv"], "duration": 0.6})
    outcomes = sweep(items, tmp_path / "out", jobs=2)
    assert [bool(o.error) for o in outcomes] == [False, True]
    done, failed = manifest(tmp_path / "out")
    assert done["status"] == "done"
    assert failed["status"] == "failed" and "nothing.csv" in failed["error"]


def test_killed_and_started_again(tiny_timbre, tmp_path):
    folder = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "vqsynth",
        "sweep",
        "--timbres",
        str(tiny_timbre.path),
        "--targets",
        "sin",
        "--seeds",
        "0:40",
        "--duration",
        "0.6",
        "--jobs",
        "1",
        "-o",
        str(folder),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    try:
        while len(list(folder.glob("tiny*.png"))) < 2 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    before = stamps(folder)
    assert 2 <= len(before) < 40
    complete = {path.stem for path in folder.glob("tiny*.png")}
    items = expand(
        {"timbres": [str(tiny_timbre.path)], "targets": ["sin"], "seeds": list(range(len(before) + 1)), "duration": 0.6}
    )
    outcomes = sweep(items, folder, jobs=1)
    assert not any(o.error for o in outcomes)
    for outcome in outcomes:
        if outcome.name in complete:
            assert not outcome.fresh and stamps(folder)[f"{outcome.name}.wav"] == before[f"{outcome.name}.wav"]


def test_a_folder_that_cannot_be_made(items, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(VqsynthError, match="cannot be made"):
            sweep(items, place)


@pytest.fixture
def cluster(tmp_path):
    """A dask scheduler and two workers, each a process of its own, on the loopback interface."""
    pytest.importorskip("distributed")
    contact, logs, processes = tmp_path / "scheduler.json", tmp_path / "logs", []
    logs.mkdir()
    environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "false", "OMP_NUM_THREADS": "1"}

    def start(module, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--host", "127.0.0.1", *arguments]
        with open(logs / f"{len(processes)}.txt", "w") as log:
            processes.append(
                subprocess.Popen(command, stdout=log, stderr=log, cwd=logs, env=environment, start_new_session=True)
            )

    start("dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(contact))
    for _ in range(2):
        start("dask_worker", "--scheduler-file", str(contact), "--nthreads", "1", "--no-dashboard", "--no-nanny")
    try:
        from distributed import Client

        deadline = time.monotonic() + 180
        while not contact.is_file() and time.monotonic() < deadline:
            time.sleep(0.05)
        address = json.loads(contact.read_text())["address"]
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=180)
        yield address
    finally:
        # Whatever has happened, nothing of it stays.
        for process in reversed(processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_dask_cluster_gives_the_same_sounds(items, cluster, tmp_path):
    from distributed import Client

    outcomes = sweep(items, tmp_path / "dask", dask=cluster)
    assert not [o.error for o in outcomes if o.error]
    sweep(items, tmp_path / "here", jobs=1)
    for item in items:
        assert (tmp_path / "dask" / f"{item.name}.wav").read_bytes() == (
            tmp_path / "here" / f"{item.name}.wav"
        ).read_bytes()
    with Client(cluster, timeout=30) as client:
        workers = client.scheduler_info()["workers"]
        assert len(workers) == 2
        assert all(os.getpid() != pid for pid in client.run(os.getpid).values())


def test_no_cluster_is_a_clear_error(items, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("vqsynth.render.sweep.run.CONNECT_SECONDS", 1)
    with pytest.raises(VqsynthError, match="dask tcp://127.0.0.1:9: no scheduler answers"):
        sweep(items, tmp_path / "out", dask="tcp://127.0.0.1:9")
    assert not list(tmp_path.iterdir())
