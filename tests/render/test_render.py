"""A whole render: the sound, the files beside it, and what is refused."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from vqsynth import descriptors
from vqsynth.control.request import Request
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.render.played.play import PlayedOptions
from vqsynth.render.render import RenderSettings, render
from vqsynth.storage import spool

STILL = PlayedOptions(life=0)
EXACT = RenderSettings(duration=4, played=STILL)


def test_files_beside_the_sound_agree_with_it(tiny_timbre, tmp_path):
    done = render(tiny_timbre, [Request("centroid", "sin")], EXACT, output=tmp_path / "out.wav")
    audio, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate == 44_100 and len(audio) == 4 * rate and 0.02 < np.abs(audio).max() < 1
    assert {p.name for p in tmp_path.iterdir()} == {"out.wav", "out.png", "out.csv", "out.json"}
    with open(tmp_path / "out.csv") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 1 + len(audio) // 512 and {"time", "target_centroid", "measured_centroid", "code"} <= set(
        rows[0]
    )
    measured = descriptors.measure(["centroid"], audio, rate)["centroid"].values
    assert np.allclose([float(r["measured_centroid"]) for r in rows[5:-5]], measured[5:-5], rtol=0.02)
    report = json.loads((tmp_path / "out.json").read_text())
    assert report == json.loads(json.dumps(done.report))
    result = report["descriptors"]["centroid"]
    assert result["pearson"] > 0.9 and result["median_relative_error"] < 0.05
    assert result["low"] < result["high"] and report["seed"] == 0 and report["versions"]["vqsynth"]
    assert report["settings"]["duration"] == 4 and report["settings"]["played"]["life"] == 0
    assert report["roughness"]["ratio"] == pytest.approx(
        report["roughness"]["value"] / report["roughness"]["real_playing"]
    )


def test_trims_bring_the_sound_nearer(tiny_timbre):
    errors = []
    for refine in (0, 1, 3):
        _, report = tiny_timbre.render(centroid="sin", duration=6, refine=refine, hold=None, life=0)
        errors.append(report["descriptors"]["centroid"]["median_relative_error"])
    assert errors[2] < 0.8 * min(errors[:2]) and errors[2] < 0.006


def test_pitch_follows_while_brightness_follows(tiny_timbre):
    audio, report = tiny_timbre.render(f0=("sin", "p30:p70"), centroid="line", duration=6, weights={"f0": 2}, life=0)
    assert len(audio) == 6 * 44_100
    assert report["descriptors"]["f0"]["median_cents"] < 20 and report["descriptors"]["f0"]["voiced_fraction"] > 0.9
    assert report["descriptors"]["centroid"]["range"] == "p10:p90"


def test_the_same_seed_gives_the_same_sound(tiny_timbre):
    first, second, other = (tiny_timbre.render(centroid="walk", duration=2, seed=seed)[0] for seed in (5, 5, 6))
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_a_long_sound_through_the_disk_is_the_short_one_in_memory(tiny_timbre, tmp_path, monkeypatch):
    request, settings = [Request("centroid", "sin:2")], RenderSettings(duration=15, bits="32f")
    memory = render(tiny_timbre, request, settings).audio
    monkeypatch.setattr(spool, "IN_MEMORY", 1000)
    render(tiny_timbre, request, settings, output=tmp_path / "out.wav", figure=False)
    assert np.array_equal(soundfile.read(tmp_path / "out.wav", dtype="float32")[0], memory)
    assert {p.name for p in tmp_path.iterdir()} == {"out.wav", "out.csv", "out.json"}


def test_the_report_is_of_the_file_with_its_rounding(tiny_timbre, tmp_path):
    settings = RenderSettings(duration=3, gain=-35, hold="none", played=STILL)
    done = render(
        tiny_timbre, [Request("bandwidth", "constant")], settings, output=tmp_path / "quiet.wav", figure=False
    )
    audio, rate = soundfile.read(tmp_path / "quiet.wav", dtype="float32")
    measured = descriptors.measure(["bandwidth"], audio, rate)["bandwidth"].values
    assert np.allclose(done.curves["measured_bandwidth"][4:-4], measured[4:-4], rtol=0.03)


def test_memory_does_not_grow_with_duration(tiny_timbre, tmp_path):
    """Three times the sound, whose spectra alone would take 55 MB more, costs little."""
    program = (
        "import resource, sys\n"
        "from vqsynth.library.timbre import load\n"
        "from vqsynth.storage import spool\n"
        "from vqsynth.render.render import *\n"
        "spool.IN_MEMORY = 1000\n"
        "t = load(sys.argv[1]); out = sys.argv[2]\n"
        "def peak(s):\n"
        "    settings = RenderSettings(duration=s, refine=0)\n"
        "    render(t, [Request('centroid', 'sin')], settings, output=out, figure=False)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "peak(40.0); print(peak(40.0), peak(120.0))"
    )
    command = [sys.executable, "-c", program, str(tiny_timbre.path), str(tmp_path / "o.wav")]
    short, long = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert long - short < 45


def test_codes_come_back_as_the_same_sound(tiny_timbre, tmp_path):
    settings = RenderSettings(duration=3, tilt=False, hold=None, played=STILL)
    first = render(tiny_timbre, [Request("f0", "line")], settings, keep_codes=tmp_path / "c.npz")
    again = render(tiny_timbre, [], RenderSettings(tilt=False), codes=tmp_path / "c.npz")
    assert np.array_equal(first.curves["code"], again.curves["code"])
    length = min(len(first.audio), len(again.audio)) - 1024
    assert np.corrcoef(first.audio[:length], again.audio[:length])[0, 1] > 0.99


def test_the_gain_curve_is_the_loudness_of_the_sound(tiny_timbre):
    audio, report = tiny_timbre.render(centroid="constant", gain="line", gain_range="-30:0", duration=4, life=0)
    level = descriptors.measure(["loudness"], audio, 44_100)["loudness"].values[4:-4]
    wanted = np.linspace(-50, -20, len(level))
    assert np.median(np.abs(level - wanted)) < 1
    _, report = tiny_timbre.render(loudness=("sin", "-40:-20"), centroid="constant", duration=4, life=0)
    assert (
        report["descriptors"]["loudness"]["pearson"] > 0.98 and report["descriptors"]["loudness"]["median_error_db"] < 1
    )


def test_a_loud_render_is_turned_down_whole(tiny_timbre, warned):
    audio, report = tiny_timbre.render(centroid="constant", gain=30, duration=2)
    assert 0.98 < np.abs(audio).max() <= 0.991
    assert report["level"]["scaled_db"] < -3 and "turned down by" in " ".join(warned)


def test_nearest_is_the_original_method(tiny_timbre):
    _, report = tiny_timbre.render(centroid="sin", matcher="nearest", duration=3)
    assert report["trims"]["rounds"] == 0 and report["trims"]["mean_bend_cents"] == 0
    assert set(report["descriptors"]) == {"centroid"}


def test_duration_is_that_of_the_targets_file(tiny_timbre, tmp_path):
    (tmp_path / "curve.csv").write_text("time,value\n0,0.2\n1.5,0.8\n")
    audio, _ = tiny_timbre.render(centroid=(str(tmp_path / "curve.csv"), "p20:p80"))
    assert len(audio) == round(1.5 * 44_100)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "nothing to render"),
        ({"centroid": "sin", "matcher": "best"}, "matcher best"),
        ({"centroid": "sin", "refine": -1}, "refine -1"),
        ({"centroid": "sin", "duration": float("nan")}, "duration nan"),
        ({"centroid": "sin", "gain": 200}, "far above full scale"),
        ({"centroid": "sin", "loudness": "sin", "gain": 0}, "one of the two"),
        ({"centroid": ("sin", "10:20")}, "reaches"),
        ({"centroid": "sin", "targets": {"brightness": "sin"}}, "brightness"),
        ({"centroid": "sin", "weights": {"f0": 2}}, "weights f0"),
    ],
)
def test_bad_requests_are_refused(tiny_timbre, options, said):
    with pytest.raises(UsageError, match=said):
        tiny_timbre.render(**options)


def test_an_output_that_cannot_be_is_refused_before_any_work(tiny_timbre, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(VqsynthError, match="cannot be made"):
        render(tiny_timbre, [Request("centroid", "sin")], output=tmp_path / "file" / "out.wav")
    with pytest.raises(UsageError, match="must end in"):
        render(tiny_timbre, [Request("centroid", "sin")], output=tmp_path / "out.mp3")


def test_the_files_of_a_render_appear_together_or_not_at_all(tiny_timbre, tmp_path, monkeypatch):
    request, settings = Request("centroid", "sin"), RenderSettings(duration=0.4)
    with monkeypatch.context() as patch:
        patch.setattr("vqsynth.render.report.roughness", lambda *_: {"value": float("inf")})
        with pytest.raises(VqsynthError, match=r"nothing was written: roughness.value came out as inf"):
            render(tiny_timbre, [request], settings, output=tmp_path / "a" / "o.wav")
    assert not list(tmp_path.iterdir())
    (tmp_path / "o.csv").mkdir()
    with pytest.raises(VqsynthError, match=r"o.csv: could not be written"):
        render(tiny_timbre, [request], settings, output=tmp_path / "o.wav", keep_codes=tmp_path / "o.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["o.csv"]
    render(tiny_timbre, [request], settings, output=tmp_path / "new" / "deep" / "o.wav")
    assert sorted(p.name for p in (tmp_path / "new" / "deep").iterdir()) == ["o.csv", "o.json", "o.png", "o.wav"]


def test_a_long_render_needs_no_folder(tiny_timbre, tmp_path, monkeypatch):
    monkeypatch.setattr("vqsynth.storage.spool.IN_MEMORY", 1000)
    request, settings = Request("centroid", "sin"), RenderSettings(duration=0.4)
    render(tiny_timbre, [request], settings, output=tmp_path / "new" / "o.wav", figure=False)
    assert (tmp_path / "new" / "o.wav").is_file()
    monkeypatch.setattr("vqsynth.render.report.roughness", lambda *_: {"value": float("inf")})
    with pytest.raises(VqsynthError, match="came out as inf"):
        render(tiny_timbre, [request], settings, output=tmp_path / "b" / "o.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("gain", [float("nan"), float("inf"), 1e6])
def test_gains_that_cannot_be(tiny_timbre, tmp_path, gain):
    for given in (gain, str(gain)):
        with pytest.raises(UsageError, match="not a usable number|at most 60 dB"):
            render(tiny_timbre, [Request("centroid", "sin")], RenderSettings(gain=given), output=tmp_path / "o.wav")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing_behind(tiny_timbre, tmp_path):
    """The limit on a process's file size stands for the disk: writes beyond it fail as on a full one."""
    program = (
        "import resource, signal, sys; from vqsynth.library.timbre import load; from vqsynth.render.render import *\n"
        "from vqsynth.errors import VqsynthError\n"
        "t = load(sys.argv[1]); t.model, t.table; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: render(t, [Request('centroid', 'sin')], RenderSettings(duration=10.0), output=sys.argv[2])\n"
        "except VqsynthError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(tiny_timbre.path), str(tmp_path / "o.wav")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "could not be written" in said and not list(tmp_path.iterdir())
