"""What strangers, other sites and broken files may try."""

from __future__ import annotations

import io
import json
import struct
import threading
import time

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tests.play.conftest import PORT, Window, tone, wav
from vqsynth.play.answers import plain
from vqsynth.play.app import application
from vqsynth.play.guard import HEADERS, Gate

MINE = f"http://127.0.0.1:{PORT}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{PORT + 1}"},
        {"Host": f"evil.example:{PORT}"},
        {"Host": "127.0.0.1"},
        {"Host": ""},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_and_foreign_names_are_refused(client, headers):
    for path in ("/", "/api/hello", "/api/models"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 403 and "error" in answer.json()
    assert client.post("/api/session", headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {}])
def test_sockets_of_other_sites_are_refused(client, window, headers):
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"/api/events?session={window.id}", headers={"Host": f"127.0.0.1:{PORT}", **headers}),
    ):
        pass


def test_every_answer_has_the_headers(client):
    for path in ("/", "/api/hello", "/api/nothing", "/nothing.js"):
        answer = client.get(path, headers={"Origin": MINE})
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
    assert "'unsafe-eval'" not in HEADERS["content-security-policy"]


@pytest.mark.parametrize("path", ["/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "//etc/passwd", "/%00", "/.hidden"])
def test_nothing_outside_of_the_page_is_served(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["../violin", "..%2f..%2fetc", "%2fetc%2fpasswd", "codebooks%2fviolin", "nothing"])
def test_names_of_models_are_no_paths(client, window, name):
    assert window.get(f"/models/timbres/{name}").status_code == 404
    assert window.get(f"/models/wavae/{name}").status_code == 404
    job = window.post("/paths/encode", {"model": name, "sound": "x"}, params={"wait": 5}).json()["job"]
    assert job["state"] == "failed"


def test_uploads_are_labelled_not_named(window, tmp_path):
    made = window.upload(wav(tone(0.2)), "../../../etc/evil\n<b>.wav").json()["sound"]
    assert made["name"] == "evil<b>.wav"
    assert window.get(f"/sounds/{made['id']}").status_code in (404, 405)


@pytest.mark.parametrize("target", ["/etc/passwd", "../x.csv", "x.csv", "targets/drawn.csv", "~/x.mid", "C:\\x.csv"])
def test_texts_of_targets_are_no_files(window, target):
    for body in ({"note": target}, {"library": target}):
        job = window.post("/timbres/violin/render?wait=20", {"targets": {"centroid": body}}).json()
        job = job.get("job") or {"state": "failed", "error": job}
        assert job["state"] == "failed" and "error" in job["error"]
    assert window.post("/transfer?wait=5", {"sound": "x", "models": ["strings"], "pitch": target}).json()["job"][
        "error"
    ]


def test_a_header_of_two_gigabytes_is_refused_before_it_is_read(client, window):
    lie = client.build_request("POST", "/api/sounds", headers={**window.headers, "content-length": str(2 << 30)})
    answer = client.send(lie)
    assert answer.status_code == 413 and "MB" in answer.json()["error"]


def test_a_wav_header_that_lies_brings_no_more_than_is_there(window):
    content = bytearray(wav(tone(0.2)))
    content[40:44] = struct.pack("<I", (1 << 31) - 8)
    content[4:8] = struct.pack("<I", (1 << 31) + 28)
    answer = window.upload(bytes(content))
    assert answer.status_code in (413, 415) or answer.json()["sound"]["samples"] == 8820


def test_a_decompression_bomb_is_refused_before_it_is_decoded(window):
    bomb = io.BytesIO()
    with soundfile.SoundFile(bomb, "w", 44_100, 1, "PCM_16", format="FLAC") as file:
        for _ in range(72):
            file.write(np.zeros(44_100 * 10, np.int16))
    assert len(bomb.getvalue()) < 1 << 20
    before = time.monotonic()
    answer = window.upload(bomb.getvalue())
    assert answer.status_code == 413 and "720 s" in answer.json()["error"]
    assert time.monotonic() - before < 2


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all" * 100, b"\0" * 5000])
def test_what_is_no_sound_is_refused(window, content):
    answer = window.upload(content)
    assert answer.status_code == 415 and "/" not in answer.json()["error"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '"1"', "null", "[]"])
def test_curves_hold_numbers_alone(window, value):
    text = f'{{"targets": {{"centroid": {{"points": [[0, 1000], [1, {value}]]}}}}, "duration": 1}}'
    answer = window.client.post("/api/timbres/violin/render", content=text, headers=window.headers)
    assert answer.status_code == 400 and "points" in answer.json()["field"]


def test_a_curve_of_a_million_points_is_refused(window):
    text = json.dumps({"targets": {"centroid": {"points": [[i / 1000, 1] for i in range(1_000_000)]}}})
    answer = window.client.post("/api/timbres/violin/render", content=text, headers=window.headers)
    assert answer.status_code == 413
    fewer = {"targets": {"centroid": {"points": [[i / 1000, 1] for i in range(20_001)]}}}
    assert window.post("/timbres/violin/render", fewer).status_code == 400


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "{", "\xff", '{"targets": {}}', '{"unknown": 1}'])
def test_bodies_that_are_wrong_are_refused(window, text):
    answer = window.client.post("/api/timbres/violin/render", content=text.encode("latin-1"), headers=window.headers)
    assert answer.status_code == 400 and set(answer.json()) <= {"error", "field", "value"}


def test_windows_do_not_see_each_other(client, window):
    other = Window(client)
    sound = window.upload(wav(tone(0.2))).json()["sound"]["id"]
    assert window.get(f"/sounds/{sound}/samples").status_code == 200
    assert other.get(f"/sounds/{sound}/samples").status_code == 404
    assert other.get("/sounds").json() == {"sounds": []}
    job = window.post("/timbres/violin/hear?wait=1", {"code": 1}).json()["job"]["id"]
    assert other.get(f"/jobs/{job}").status_code == 404
    assert client.get("/api/sounds").status_code == 404


STRANGE = [
    {},
    {"vqsynth_session": 2},
    {"vqsynth_session": 1, "command": "rm"},
    {"vqsynth_session": 1, "sounds": [{"id": "a", "name": "b", "flac": "/etc/passwd"}]},
    {"vqsynth_session": 1, "sounds": [{"id": "a", "name": "b", "flac": "AAAA"}]},
    {"vqsynth_session": 1, "paths": [{"id": "a", "model": "../x", "frames": 1, "samples": 1, "z": "", "controls": ""}]},
    {
        "vqsynth_session": 1,
        "paths": [{"id": "a", "model": "strings", "frames": 9, "samples": 9, "z": "", "controls": ""}],
    },
    {"vqsynth_session": 1, "view": "x" * 300_000},
    [],
]


@pytest.mark.parametrize("content", STRANGE)
def test_session_files_of_strangers_change_nothing(window, content):
    answer = window.post("/session/file", content)
    assert answer.status_code in (400, 404, 413, 415) and "error" in answer.json()
    assert window.get("/sounds").json() == {"sounds": []}


def test_fifty_renders_at_once_are_queued_or_refused(client, window):
    answers = []

    def ask():
        body = {"targets": {"centroid": {"shape": "sin"}}, "duration": 0.5, "life": 0}
        answers.append(window.post("/timbres/violin/render", body))

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {202, 429} and codes.count(202) <= 20
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "waiting" in refused.json()["error"] and refused.headers["retry-after"]
    assert client.get("/api/hello").status_code == 200
    jobs = [answer.json()["job"]["id"] for answer in answers if answer.status_code == 202]
    for job in jobs:
        client.delete(f"/api/jobs/{job}", headers=window.headers)
    assert all(window.wait(job)["state"] in ("cancelled", "done") for job in jobs)


def test_a_socket_that_drops_leaves_the_render_and_the_next_socket_hears_of_it(client, window):
    url, headers = f"/api/events?session={window.id}", {"Origin": MINE, "Host": f"127.0.0.1:{PORT}"}
    with client.websocket_connect(url, headers=headers) as socket:
        body = {"targets": {"centroid": {"shape": "arch"}}, "duration": 2}
        job = window.post("/timbres/violin/render", body).json()["job"]["id"]
        assert socket.receive_json()["job"]["id"] == job
    with client.websocket_connect(url, headers=headers) as socket:
        while (told := socket.receive_json()["job"])["state"] not in ("done", "failed"):
            assert told["id"] == job
    assert told["state"] == "done" and told["result"]["sound"]["seconds"] == pytest.approx(2, abs=0.01)


def test_elsewhere_the_token_opens_once():
    gate = Gate("192.168.7.7", 80)
    with TestClient(application(gate), base_url="http://192.168.7.7") as client:
        assert client.get("/").status_code == 200
        assert client.get("/api/hello").json()["token"] is True
        assert client.get("/api/models").status_code == 401
        assert client.post("/api/session").status_code == 401
        assert client.post("/api/token", json={"token": "x" * 32}).status_code == 401
        token = gate.token
        assert client.post("/api/token", json={"token": token}).status_code == 204
        assert client.post("/api/session").status_code == 201
        assert client.get("/api/hello").json()["token"] is False
        client.cookies.clear()
        assert client.post("/api/token", json={"token": token}).status_code == 401


def test_texts_lose_the_folders_of_this_machine():
    assert plain("/home/somebody/my files/a.wav: bad").count("somebody") == 0
    assert plain("/tmp/vqsynth-play-x/s1/sound.wav: could not be written") == "sound.wav: could not be written"
    assert plain("give 0.5 dB/octave or http://a.b/c") == "give 0.5 dB/octave or http://a.b/c"
