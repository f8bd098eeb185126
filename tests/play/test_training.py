"""Recordings are sent, a model is trained from them, and what it sings is heard."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import soundfile

from vqsynth.descriptors import f0

pytest.importorskip("starlette")

from vqsynth.play.app import application
from vqsynth.play.guard import Gate

RATE, PORT = 44_100, 8765


def as_wav(audio):
    file = io.BytesIO()
    soundfile.write(file, audio, RATE, format="WAV")
    return file.getvalue()


def send(window, made, name, content):
    sent = window.client.post(
        f"/api/training/{made}/files", params={"name": name}, content=content, headers=window.headers
    )
    assert sent.status_code == 201, sent.text


def until(window, made, wanted):
    """The first answer for which something is true."""
    for _ in range(1200):
        answer = window.get(f"/training/{made}").json()["training"]
        if wanted(answer):
            return answer
        time.sleep(0.25)
    pytest.fail(f"it has not come: {answer}")


@pytest.fixture
def recordings(window, make_tone, tmp_path, monkeypatch):
    """A set of a window, checked; models go to the working folder."""
    monkeypatch.chdir(tmp_path)
    made = window.post("/training").json()["set"]["id"]
    for hz in (220.0, 247.0, 294.0, 392.0):
        send(window, made, f"{hz:g}.wav", as_wav(make_tone(hz, 4.0, 0.8)))
    send(window, made, "again.wav", as_wav(make_tone(220.0, 4.0, 0.8)))
    send(window, made, "notes.txt", b"not a sound")
    send(window, made, "empty.wav", b"not a sound either")
    return made


def test_every_file_is_accounted_for(window, recordings):
    checked = window.done(f"/training/{recordings}/check")
    rows = {row["name"]: row for row in checked["files"]}
    assert set(rows) == {"220.wav", "247.wav", "294.wav", "392.wav", "again.wav", "notes.txt", "empty.wav"}
    left_out = {name for name, row in rows.items() if row["decision"] == "left out"}
    assert left_out == {"again.wav", "notes.txt", "empty.wav"}
    assert all(rows[name]["reason"] for name in left_out)
    assert "220.wav" in rows["again.wav"]["reason"] and "00000" not in str(checked)
    kept = [row["seconds"] for name, row in rows.items() if name not in left_out]
    assert kept == pytest.approx([4.0] * 4, abs=0.01) and checked["seconds"] == pytest.approx(16.0, abs=0.1)


def test_what_was_trained_is_played(window, client, recordings, make_tone, tmp_path):
    started = window.post(f"/training/{recordings}/start", {"name": "mine", "seconds": 12.0})
    assert started.status_code == 202, started.text
    # A preview comes while it learns: what was held out, then what the model makes of it.
    learning = until(window, recordings, lambda answer: answer["previews"] and answer["left"] is not None)
    assert learning["state"] == "running" and 0 < learning["left"] <= 12.0
    number = learning["previews"][0]["number"]
    parts = {}
    for part in ("recording", "model"):
        answer = window.get(f"/training/{recordings}/previews/{number}.wav", params={"part": part})
        parts[part] = soundfile.read(io.BytesIO(answer.content))[0]
    assert len(parts["recording"]) == len(parts["model"]) > 0.2 * RATE
    assert np.abs(parts["recording"]).max() > 0.01 and np.abs(parts["recording"] - parts["model"]).max() > 1e-3
    assert window.get(f"/training/{recordings}/previews/{number}.png").content[1:4] == b"PNG"
    # However many windows come, and however long this one has slept, the training and its recordings stay.
    desk = client.app.state.desk
    desk.sessions._sessions[window.id].used -= 1e6
    for _ in range(40):
        client.post("/api/session")
    window.post(f"/training/{recordings}/stop")
    stopped = until(window, recordings, lambda answer: answer["state"] != "running")
    assert stopped["state"] == "stopped" and 0 < stopped["share"] < 1 and stopped["history"]
    # Another window may take it over.
    other = type(window)(client)
    assert other.get(f"/training/{recordings}").status_code == 404
    assert {"model": "wavae", "name": "mine", "state": "stopped"} in other.get("/training").json()["unfinished"]
    taken = other.post("/training/open", {"model": "wavae", "name": "mine"}).json()["training"]
    assert taken["id"] == recordings and window.get(f"/training/{recordings}").status_code == 404
    # A server that is started anew knows of it, and goes on where it stopped, from what lies on the disk.
    with type(client)(application(Gate("127.0.0.1", PORT)), base_url=str(client.base_url)) as later:
        finish_and_play(type(window)(later), stopped, as_wav(make_tone(330.0, 2.0, 0.8)))
    assert (tmp_path / "codebooks" / "wavae" / "mine" / "wavae.toml").is_file()


def finish_and_play(window, stopped, note):
    """Go on with a training that was stopped; its model sings a note of 330 Hz at its pitch."""
    unfinished = {"model": "wavae", "name": "mine", "state": "stopped"}
    assert window.get("/training").json() == {"sets": [], "unfinished": [unfinished]}
    opened = window.post("/training/open", {"model": "wavae", "name": "mine"}).json()["training"]
    assert (opened["state"], opened["can_go_on"], opened["name"]) == ("stopped", True, "mine")
    assert [p["step"] for p in opened["previews"]] == [p["step"] for p in stopped["previews"]]
    assert window.post(f"/training/{opened['id']}/resume").status_code == 200
    going = until(window, opened["id"], lambda answer: answer["step"] or answer["state"] != "running")
    assert going["share"] > stopped["share"] - 0.02
    trained = until(window, opened["id"], lambda answer: answer["state"] != "running")
    assert (trained["state"], trained["model"], trained["left"]) == ("done", "mine", None), trained
    assert window.get("/training").json()["unfinished"] == []
    assert "mine" in [model["name"] for model in window.get("/models").json()["wavae"]]
    sound = window.upload(note, "note.wav").json()["sound"]["id"]
    path = window.done("/paths/encode", {"model": "mine", "sound": sound})["path"]["id"]
    heard = window.samples(window.done(f"/paths/{path}/decode", {})["sound"]["id"])
    hz, _, voiced = f0.track(heard, RATE)
    assert voiced.mean() > 0.5 and abs(1200 * np.log2(np.median(hz[voiced]) / 330.0)) < 20


def test_stopping_at_once_is_no_failure(window, recordings):
    window.post(f"/training/{recordings}/start", {"name": "mine", "seconds": 60.0})
    window.post(f"/training/{recordings}/stop")
    assert until(window, recordings, lambda answer: answer["state"] != "running")["state"] == "stopped"
    assert window.post(f"/training/{recordings}/resume").status_code == 400
    # There is nothing yet to go on with: it can begin anew.
    assert window.post(f"/training/{recordings}/start", {"name": "mine", "seconds": 60.0}).status_code == 202
    window.post(f"/training/{recordings}/stop")
    until(window, recordings, lambda answer: answer["state"] != "running")


def test_a_watched_training_is_not_taken_away(window, client, recordings):
    window.post(f"/training/{recordings}/start", {"name": "watched", "seconds": 60.0})
    other = type(window)(client)
    headers = {"Origin": f"http://127.0.0.1:{PORT}", "Host": f"127.0.0.1:{PORT}"}
    with client.websocket_connect(f"/api/events?session={window.id}", headers=headers) as socket:
        assert other.get("/training").json()["unfinished"] == []
        assert other.post("/training/open", {"model": "wavae", "name": "watched"}).status_code == 409
        window.post(f"/training/{recordings}/stop")
        states = set()
        while "stopped" not in states:
            states.add(socket.receive_json().get("training", {}).get("state"))
    # A window that waits for it hears when the other is closed.
    window.post(f"/training/{recordings}/start", {"name": "watched", "seconds": 60.0})
    with client.websocket_connect(f"/api/events?session={other.id}", headers=headers) as waits:
        with client.websocket_connect(f"/api/events?session={window.id}", headers=headers):
            pass
        while "unfinished" not in waits.receive_json():
            pass
    window.post(f"/training/{recordings}/stop")
    until(window, recordings, lambda answer: answer["state"] != "running")
    for wrong in ("../mine", "none"):
        assert other.post("/training/open", {"model": "timbre", "name": wrong}).status_code == 404


def test_a_timbre_becomes_a_network_once(window, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    from vqsynth.export.graph.session import Session

    monkeypatch.chdir(tmp_path)
    first = window.done("/timbres/violin/network")
    assert window.done("/timbres/violin/network")["key"] == first["key"]
    file = tmp_path / "violin.onnx"
    file.write_bytes(window.get(f"/networks/{first['key']}.onnx").content)
    shape = first["card"]["inputs"][0]["shape"]
    asked = np.zeros(shape, np.float32)
    names = [port["name"] for port in first["card"]["methods"][0]["inputs"]]
    asked[0, names.index("pitch")], asked[0, names.index("velocity")] = 440.0, 0.8
    session = Session(file)
    heard = np.concatenate([session(asked)[0, 0] for _ in range(100)])
    hz, _, voiced = f0.track(heard, RATE)
    assert abs(1200 * np.log2(np.median(hz[voiced]) / 440.0)) < 5
    assert window.get("/runtime.wasm").content[:4] == b"\0asm"
    assert window.get("/networks/none.onnx").status_code == 404
    assert window.client.get(f"/api/networks/{first['key']}.onnx").status_code == 404
    job = window.post("/timbres/none/network?wait=20").json()["job"]
    assert job["state"] == "failed" and "no timbre" in job["error"]["error"]
