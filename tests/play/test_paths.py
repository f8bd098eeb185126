"""The continuous model through the API."""

from __future__ import annotations

import numpy as np
import pytest

from tests.play.conftest import tone, wav
from tests.play.test_sounds import again


@pytest.fixture
def path(window):
    sound = window.upload(wav(tone(1.0))).json()["sound"]["id"]
    return window.done("/paths/encode", {"model": "strings", "sound": sound})["path"]


def controls(window, path) -> np.ndarray:
    """Curves of a path."""
    return np.frombuffer(window.get(f"/paths/{path['id']}/controls").content, "<f4").reshape(-1, path["frames"])


def axes(window, path, count=4) -> np.ndarray:
    """Axes of a path."""
    answer = window.get(f"/paths/{path['id']}/axes?count={count}")
    return np.frombuffer(answer.content, "<f4").reshape(count, path["frames"]).copy()


def test_a_tone_has_its_pitch(window, path):
    assert path["controls"][:3] == ["loudness", "pitch", "voicing"]
    pitch = controls(window, path)[1]
    assert np.median(pitch) == pytest.approx(440, rel=0.02)


def test_drawing_changes_what_was_drawn_alone(window, path):
    before = axes(window, path)
    step = {"op": "draw", "axis": 1, "start": 10, "values": [1.5] * 8}
    bent = window.post(f"/paths/{path['id']}/edit", {"steps": [step]}).json()["path"]
    after = axes(window, bent)
    assert after[1, 10:18] == pytest.approx(1.5, abs=1e-3)
    others = np.r_[0:10, 18 : path["frames"]]
    assert (
        np.array_equal(after[:, others], before[:, others])
        and np.abs(after[[0, 2, 3]] - before[[0, 2, 3]]).max() < 1e-3
    )
    louder = {"steps": [{"op": "draw", "control": "loudness", "start": 0, "values": [-30.0] * path["frames"]}]}
    quiet = window.post(f"/paths/{bent['id']}/edit", louder).json()["path"]
    assert controls(window, quiet)[0] == pytest.approx(-30)


def test_undo_gives_the_identical_sound_and_the_command_too(window, path, tmp_path):
    first = window.done(f"/paths/{path['id']}/decode", {"seed": 2})["sound"]["id"]
    steps = {"steps": [{"op": "bias", "axes": [0], "amount": 2}, {"op": "transpose", "amount": -5}]}
    bent = window.post(f"/paths/{path['id']}/edit", steps).json()["path"]
    second = window.done(f"/paths/{bent['id']}/decode", {"seed": 2})["sound"]["id"]
    undone = window.done(f"/paths/{path['id']}/decode", {"seed": 2})["sound"]["id"]
    assert np.array_equal(window.samples(first), window.samples(undone))
    assert not np.array_equal(window.samples(first), window.samples(second))
    assert np.array_equal(again(window, second, tmp_path), window.samples(second))


def test_a_drawn_pitch_is_sung(window, path):
    from vqsynth.descriptors import f0

    values = np.linspace(300, 600, path["frames"]).tolist()
    bent = window.post(
        f"/paths/{path['id']}/edit", {"steps": [{"op": "draw", "control": "pitch", "start": 0, "values": values}]}
    ).json()["path"]
    sound = window.done(f"/paths/{bent['id']}/decode", {})["sound"]
    pitch, _, voiced = f0.track(window.samples(sound["id"]), sound["sample_rate"])
    time = np.linspace(0, 1, len(pitch))
    inner = voiced & (time > 0.2) & (time < 0.8)
    assert inner.mean() > 0.3
    assert np.median(np.abs(1200 * np.log2(pitch[inner] / np.interp(time[inner], [0, 1], [300, 600])))) < 60


def test_the_plane_mixes(window, path):
    walk = window.post("/paths/random", {"model": "strings", "like": path["id"], "seed": 4}).json()["path"]
    ends = {"paths": [path["id"], walk["id"]]}
    at = [window.post("/paths/mix", {**ends, "point": [x, 0]}).json()["path"] for x in (0.0, 0.5, 1.0)]
    a, middle, b = (axes(window, item) for item in at)
    assert np.abs(a - axes(window, path)).max() < 1e-3 and np.abs(middle - (a + b) / 2).max() < 1e-3
    moving = {"paths": [path["id"], walk["id"]] * 2, "trajectory": [[0, 0, 0], [1, 1, 0]], "controls": False}
    assert window.post("/paths/mix", moving).status_code == 201
    assert window.post("/paths/mix", {**ends, "point": [2, 0]}).json()["field"] == "point"


@pytest.mark.parametrize(
    "step",
    [
        {"op": "draw", "axis": 0, "start": 10_000, "values": [0.0]},
        {"op": "draw", "axis": 999, "values": [0.0]},
        {"op": "draw", "values": [0.0]},
        {"op": "pitch", "value": "/etc/passwd"},
        {"op": "loudness", "value": "x.csv"},
        {"op": "scale"},
        {"op": "scale", "axes": [-1], "amount": 1},
        {"op": "smooth", "amount": 1e12},
        {"op": "exec", "value": "1"},
    ],
)
def test_edits_that_make_no_sense_are_refused(window, path, step):
    answer = window.post(f"/paths/{path['id']}/edit", {"steps": [step]})
    assert answer.status_code == 400 and "error" in answer.json()


def test_a_session_file_brings_the_work_back(client, window, path):
    from tests.play.conftest import Window

    view = {"tab": "latent", "snapshots": [1, 2]}
    assert client.put("/api/session/view", json=view, headers=window.headers).status_code == 204
    content = window.get("/session/file?audio=1").content
    other = Window(client)
    back = client.post("/api/session/file", content=content, headers=other.headers).json()
    assert back["view"] == view and len(back["sounds"]) == 1 and back["paths"][0]["was"] == path["id"]
    assert np.array_equal(axes(other, back["paths"][0]), axes(window, path))


def test_only_what_follows_a_change_is_decoded_again(window):
    walk = window.post("/paths/random", {"model": "strings", "seconds": 14, "seed": 1}).json()["path"]
    window.done(f"/paths/{walk['id']}/decode", {})
    steps = {"steps": [{"op": "draw", "axis": 0, "start": walk["frames"] - 20, "values": [3.0] * 20}]}
    bent = window.post(f"/paths/{walk['id']}/edit", steps).json()["path"]
    quick = window.done(f"/paths/{bent['id']}/decode", {})
    assert 7 < quick["reused_seconds"] < 14 - 20 / walk["rate"]
    window.done(f"/paths/{walk['id']}/decode", {"seed": 5})  # nothing to take over from
    whole = window.done(f"/paths/{bent['id']}/decode", {})
    assert whole["reused_seconds"] == 0
    assert np.array_equal(window.samples(quick["sound"]["id"]), window.samples(whole["sound"]["id"]))


def test_transfer_and_feedback_repeat_by_their_commands(window, tmp_path):
    sound = window.upload(wav(tone(1.0, 220))).json()["sound"]["id"]
    made = window.done("/transfer", {"sound": sound, "models": ["strings", "timbre:violin"], "seed": 3})["sounds"]
    loop = window.done("/feedback", {"model": "strings", "duration": 1, "frequency": {"points": [[0, 300], [1, 600]]}})
    for number, item in enumerate([*made, loop["sound"]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert np.array_equal(again(window, item["id"], folder), window.samples(item["id"]))
