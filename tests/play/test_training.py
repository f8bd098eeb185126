"""Recordings are sent, a model is trained from them, and what it sings is heard."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import soundfile

from vqsynth.descriptors import f0

RATE = 44_100


@pytest.fixture
def trained(window, make_tone, tmp_path, monkeypatch):
    """A window, and the answer of a training that ended; models go to the working folder."""
    monkeypatch.chdir(tmp_path)
    made = window.post("/training").json()["set"]["id"]
    for hz in (220.0, 294.0, 392.0):
        file = io.BytesIO()
        soundfile.write(file, make_tone(hz, 4.0, 0.8), RATE, format="WAV")
        sent = window.client.post(
            f"/api/training/{made}/files",
            params={"name": f"{hz:g}.wav"},
            content=file.getvalue(),
            headers=window.headers,
        )
        assert sent.status_code == 201
    checked = window.done(f"/training/{made}/check")
    assert [row["name"] for row in checked["files"]] == ["220.wav", "294.wav", "392.wav"]
    started = window.post(f"/training/{made}/start", {"name": "mine", "seconds": 5.0})
    assert started.status_code == 202, started.text
    for _ in range(600):
        answer = window.get(f"/training/{made}").json()["training"]
        if answer["state"] != "running":
            return answer
        time.sleep(0.5)
    pytest.fail(f"it has not ended: {answer}")


def test_what_was_trained_is_played(trained, window, make_tone, tmp_path):
    assert (trained["state"], trained["model"]) == ("done", "mine"), trained
    assert (tmp_path / "codebooks" / "wavae" / "mine" / "wavae.toml").is_file()
    assert "mine" in [model["name"] for model in window.get("/models").json()["wavae"]]
    note = io.BytesIO()
    soundfile.write(note, make_tone(330.0, 2.0, 0.8), RATE, format="WAV")
    sound = window.upload(note.getvalue(), "note.wav").json()["sound"]["id"]
    path = window.done("/paths/encode", {"model": "mine", "sound": sound})["path"]["id"]
    heard = window.samples(window.done(f"/paths/{path}/decode", {})["sound"]["id"])
    hz, _, voiced = f0.track(heard, RATE)
    assert voiced.mean() > 0.5 and abs(1200 * np.log2(np.median(hz[voiced]) / 330.0)) < 20
