"""The loop that is played block by block: the same sound as the rendered one, and one a window."""

from __future__ import annotations

import json

import numpy as np
import pytest
from starlette.websockets import WebSocketDisconnect

from tests.play.conftest import PORT, Window
from vqsynth.play.routes import loops
from vqsynth.wavae import FeedbackSettings, feedback, load

HEADERS = {"Host": f"127.0.0.1:{PORT}", "Origin": f"http://127.0.0.1:{PORT}"}


def talk(window: Window):
    return window.client.websocket_connect(f"/api/feedback/live?session={window.id}", headers=HEADERS)


def begin(socket) -> dict:
    socket.send_text('{"model": "screams"}')
    return json.loads(socket.receive_text())


def blocks(socket, count: int, **shape: float) -> np.ndarray:
    parts = []
    for _ in range(count):
        socket.send_text(json.dumps({"blocks": 2, "frequency": 600, "q": 5, "feedback": 1.2, **shape}))
        parts.append(np.frombuffer(socket.receive_bytes(), "<f4"))
    return np.concatenate(parts)


def test_held_still_it_is_what_is_rendered(window):
    with talk(window) as socket:
        ready = begin(socket)
        heard = blocks(socket, 45)
    rendered = feedback(load("screams"), FeedbackSettings(600.0, 5.0, 1.2, duration=1.0)).audio
    assert np.abs(rendered).max() > 0.01
    count = len(rendered) - ready["rate"] // 100  # its end is faded
    late = ready["latency"]
    np.testing.assert_allclose(heard[late : late + count], rendered[:count], atol=1e-5)


def test_a_loop_that_is_left_frees_its_place_and_a_factor_of_nothing_is_silence(window):
    for _ in range(loops.MOST_LOOPS + 1):
        with talk(window) as socket:
            begin(socket)
            blocks(socket, 3)
    with talk(window) as socket:
        begin(socket)
        blocks(socket, 20)
        assert np.abs(blocks(socket, 60, feedback=0)[-4096:]).max() < 1e-3


def test_nobody_who_listens_is_an_end(window, monkeypatch):
    monkeypatch.setattr(loops, "IDLE_SECONDS", 0.2)
    with talk(window) as socket:
        begin(socket)
        assert "nobody listened" in json.loads(socket.receive_text())["error"]
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
