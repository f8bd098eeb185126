"""Sounds go in and come out as they are."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import soundfile

from tests.play.conftest import tone, wav
from vqsynth.play import sessions


def test_an_upload_comes_back(window):
    audio = tone(1.0)
    made = window.upload(wav(audio), "tone.wav").json()["sound"]
    assert made["name"] == "tone.wav" and made["samples"] == 44_100 and not made["recipe"]
    assert np.abs(window.samples(made["id"]) - audio).max() < 1e-4
    for address, kind in (("audio.wav?bits=16", "WAV"), ("audio.wav?bits=32f", "WAV"), ("audio.flac?bits=24", "FLAC")):
        file = soundfile.SoundFile(io.BytesIO(window.get(f"/sounds/{made['id']}/{address}").content))
        assert file.format == kind and np.abs(file.read() - audio).max() < 1e-3
    assert window.get(f"/sounds/{made['id']}/audio.flac?bits=32f").json()["field"] == "bits"
    assert window.client.delete(f"/api/sounds/{made['id']}", headers=window.headers).status_code == 204
    assert window.get(f"/sounds/{made['id']}/samples").status_code == 404


def test_other_rates_and_channels_become_mono_at_the_models_rate(window):
    file = io.BytesIO()
    stereo = np.stack([tone(1.0, rate=48_000)] * 2, 1)
    soundfile.write(file, stereo, 48_000, format="FLAC")
    made = window.upload(file.getvalue(), "stereo.flac").json()["sound"]
    assert made["sample_rate"] == 44_100 and made["seconds"] == pytest.approx(1, abs=0.001)


def test_pictures_of_a_sound(window):
    made = window.upload(wav(np.concatenate([0.1 * tone(0.5), tone(0.5)]))).json()["sound"]["id"]
    peaks = np.frombuffer(window.get(f"/sounds/{made}/peaks?columns=100").content, "<f4").reshape(-1, 2)
    assert len(peaks) == 100 and peaks[80, 1] > 5 * peaks[20, 1] and (peaks[:, 0] <= peaks[:, 1]).all()
    answer = window.get(f"/sounds/{made}/mel")
    mel = np.frombuffer(answer.content, np.uint8).reshape(int(answer.headers["X-Columns"]), 128)
    assert mel.max() == 255 and mel[-len(mel) // 4 :].mean() > mel[: len(mel) // 4].mean()
    assert window.get(f"/sounds/{made}/mel.png").content.startswith(b"\x89PNG")
    assert window.get(f"/sounds/{made}/peaks?columns=nan").json()["field"] == "columns"


def test_a_window_keeps_no_more_than_it_may(window, monkeypatch):
    monkeypatch.setattr(sessions, "SESSION_BYTES", 5 * 4 * 44_100)
    ids = [window.upload(wav(tone(1.0))).json()["sound"]["id"] for _ in range(7)]
    kept = [sound["id"] for sound in window.get("/sounds").json()["sounds"]]
    assert kept == ids[-5:]
    assert window.get(f"/sounds/{ids[0]}/samples").status_code == 404


def again(window, sound: str, folder) -> np.ndarray:
    """What the recipe's command makes in an empty folder from the bundle, without the sound itself."""
    archive = zipfile.ZipFile(io.BytesIO(window.get(f"/sounds/{sound}/bundle.zip").content))
    archive.extractall(folder)
    (folder / "sound.wav").unlink()
    line = (folder / "command.txt").read_text().split("\n")[0]
    import shlex

    words = shlex.split(line)
    assert words[0] == "vqsynth" and not any("/" in word for word in words)
    subprocess.run([sys.executable, "-m", *words], cwd=folder, check=True, capture_output=True)
    made = [*folder.glob("sound.wav"), *folder.glob("made/*.wav")]
    return soundfile.read(made[0], dtype="float32")[0]


def test_a_drawn_curve_is_followed_and_repeats_exactly(window, tmp_path):
    points = [[0, 1500], [0.75, 1500], [2.25, 3200], [3, 3200]]
    body = {"targets": {"centroid": {"points": points}, "f0": {"note": "A4"}}, "duration": 3, "seed": 3}
    result = window.done("/timbres/violin/render", body)
    agreement = result["report"]["descriptors"]["centroid"]["mean"]
    assert agreement["pearson"] > 0.97 and agreement["median_relative_error"] < 0.05
    id = result["sound"]["id"]
    curves = window.get(f"/sounds/{id}/curves").json()
    wanted, found = (np.array(curves[name], float) for name in ("target_centroid", "mean_centroid"))
    assert np.nanmedian(np.abs(found / wanted - 1)) < 0.05
    once_more = window.done("/timbres/violin/render", body)["sound"]["id"]
    assert np.array_equal(window.samples(id), window.samples(once_more))
    assert "/" not in json.dumps(window.get(f"/sounds/{id}/recipe").json()["report"]["settings"])
    assert np.array_equal(again(window, id, tmp_path), window.samples(id))


def test_errors_of_a_render_name_the_field(window):
    body = {"targets": {"centroid": {"points": [[0, 90_000], [1, 90_000]]}}, "duration": 1}
    job = window.post("/timbres/violin/render?wait=20", body).json()["job"]
    assert job["state"] == "failed" and "reach" in job["error"]["error"]


def test_hearing_a_code_and_a_unit(window):
    whole = window.get("/models/timbres/violin").json()
    assert whole["codes"] == 1024 and whole["recordings"]
    heard = window.done("/timbres/violin/hear", {"code": 17, "seconds": 0.5})
    assert np.abs(window.samples(heard["sound"]["id"])).max() > 0.01
    answer = window.get("/timbres/violin/map?kind=units&most=500")
    names = answer.headers["X-Column-Names"].split(",")
    points = np.frombuffer(answer.content, "<f4").reshape(-1, len(names))
    assert 0 < len(points) <= 500 and np.abs(points[:, 1:3]).max() <= 1
    place = window.done("/timbres/violin/hear", {"unit": int(points[9, 0])})["place"]
    assert place["recording"] == whole["recordings"][int(points[9, names.index("recording")])]["name"]
    assert place["licence"] == "CC-BY-3.0"
    histogram = window.get("/timbres/violin/histogram?descriptor=centroid").json()
    assert len(histogram["edges"]) == 61 and 900 < sum(histogram["counts"]) <= 1024
