"""The command: its port, its page, its end; and what a training says before it runs."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.play.conftest import tone, wav
from vqsynth.errors import UsageError
from vqsynth.play.serve import listening


def test_a_taken_port_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="is taken") as raised:
            listening("127.0.0.1", port)
    assert raised.value.field == "port"
    with pytest.raises(UsageError, match="65535"):
        listening("127.0.0.1", 70_000)


def test_the_command_serves_and_ends():
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "vqsynth", "play", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
            assert found is not None
            with httpx.Client(base_url=found[0], timeout=60) as client:
                page = client.get("/")
                assert page.status_code == 200 and page.headers["cross-origin-embedder-policy"] == "require-corp"
                assert client.get("/api/hello", headers={"Host": "evil.example"}).status_code == 403
                headers = {"X-Session": client.post("/api/session").json()["session"]}
                raw = client.post("/api/sounds", content=wav(tone(0.2)), headers=headers)
                assert raw.status_code == 201
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(30) is not None


def test_a_training_is_checked_and_refuses_names_that_are_none(window):
    set_ = window.post("/training").json()["set"]["id"]
    files = {"long.wav": wav(tone(2.0)), "same.wav": wav(tone(2.0)), "quiet.wav": wav(0 * tone(1.0)), "note.txt": b"x"}
    for name, content in files.items():
        sent = window.client.post(
            f"/api/training/{set_}/files", params={"name": name}, content=content, headers=window.headers
        )
        assert sent.status_code == 201
    report = {row["name"]: row for row in window.done(f"/training/{set_}/check")["files"]}
    assert report["long.wav"]["decision"] != "left out" and "silent" in report["quiet.wav"]["reason"]
    assert report["same.wav"]["reason"] == "the same sound as long.wav"
    for body in (
        {"name": "../x"},
        {"name": "strings"},
        {"name": "new", "from": "nothing"},
        {"name": "n", "seconds": 1},
    ):
        answer = window.post(f"/training/{set_}/start", body)
        assert answer.status_code == 400 and "error" in answer.json()
    assert window.post(f"/training/{set_}/resume").status_code == 400
    assert window.get(f"/training/{set_}").json()["training"]["state"] == "new"
