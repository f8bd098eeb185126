"""A whole session on a clock in place of a device: OSC in, meters and state out, changes, troubles."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest
import soundfile

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.live.ports.osc_codec import decode, encode
from vqsynth.live.session import LiveSettings, Session


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


@pytest.fixture
def ear():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(10)
        yield ear


def settings(**more):
    return LiveSettings(output="none", hears=False, block=512, osc_port=0, **more)


def answers(ear, until):
    found = {}
    while until not in found:
        found |= {address: arguments for _, address, arguments in decode(ear.recv(65_536))}
    return found


def test_played_by_osc_it_sounds_and_says_so(ear, tmp_path):
    out = f"127.0.0.1:{ear.getsockname()[1]}"
    with Session("violin", settings(osc_out=out, record=tmp_path / "take.wav")) as session:
        ear.sendto(encode("/note", ["C5", 0.8]), session.osc.address)
        ear.sendto(encode("/gain", [-3.0]), session.osc.address)
        ear.sendto(encode("/gain", [float("nan")]), session.osc.address)
        wait_for(lambda: session.status().reached.get("f0"))
        found = answers(ear, "/reached/f0")
        while found["/reached/f0"] != [1]:  # what was sent before the note began
            found = answers(ear, "/reached/f0")
        # The light is green within 20 cents.
        assert found["/measured/f0"][0] == pytest.approx(523.25, rel=0.0117)
        assert {"/load", "/xruns", "/delay"} <= found.keys()
        status = session.status()
        assert status.model == "violin" and status.refused == 1 and status.asked["f0"] == pytest.approx(523.25, abs=0.1)
        ear.sendto(encode("/state"), session.osc.address)
        state = answers(ear, "/state/end")
        assert state["/gain"] == [-3.0] and state["/note"] == pytest.approx([72, 0.8]) and state["/model"] == ["violin"]
        ear.sendto(encode("/model", ["flute"]), session.osc.address)
        wait_for(lambda: session.engine.voice.name == "flute")
        session.watch()
        time.sleep(0.2)
    audio, _ = soundfile.read(tmp_path / "take.wav")
    assert np.abs(audio).max() > 0.02
    assert "/model flute" in (tmp_path / "take.txt").read_text()
    assert not (tmp_path / "take_input.wav").exists()


def test_a_device_that_is_pulled_is_tried_again(monkeypatch):
    from vqsynth.live.ports import device

    monkeypatch.setattr(device, "look_again", lambda: None)
    monkeypatch.setattr("vqsynth.live.session.RETRY_SECONDS", 0.05)
    with Session("violin", settings()) as session:
        session.watch()
        assert not session.engine.notices
        session.device.close()  # as if its cable were pulled
        broken = [VqsynthError("gone"), VqsynthError("gone"), None]
        opened = session._open

        def reopen():
            error = broken.pop(0)
            if error is not None:
                raise error
            return opened()

        monkeypatch.setattr(session, "_open", reopen)
        for _ in range(60):
            session.watch()
            time.sleep(0.02)
        assert [n.split()[1:3] for n in session.engine.notices] == [["is", "gone;"], ["is", "back"]]
        before = session.engine.position
        wait_for(lambda: session.engine.position > before)


def test_a_driver_that_does_not_let_go_is_left_alone(monkeypatch):
    from vqsynth.live.ports import device

    monkeypatch.setattr(device, "look_again", lambda: pytest.fail("PortAudio is not to be touched"))
    with Session("violin", settings()) as session:
        closed = session.device.close
        closed()
        monkeypatch.setattr(session.device, "close", lambda: False)
        for _ in range(3):
            session.watch()
        assert "start it again" in session.engine.notices[-1] and len(session.engine.notices) == 2
        assert session.status().device == "gone"


@pytest.mark.parametrize(
    "wrong, field",
    [({"block": 3}, "block"), ({"buffer": -1}, "buffer"), ({"rate": 3}, "rate"), ({"osc_out": "x"}, "osc_out")],
)
def test_settings_that_make_no_sense_are_said(wrong, field):
    with pytest.raises(UsageError) as error:
        Session("violin", LiveSettings(**{"output": "none", "hears": False, **wrong}))
    assert error.value.field == field


def test_a_session_that_cannot_begin_leaves_nothing_behind(tmp_path):
    import threading

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        before = threading.active_count()
        use = LiveSettings(output="none", hears=False, osc_port=taken.getsockname()[1], record=tmp_path / "take.wav")
        with pytest.raises(UsageError, match="choose another"), Session("violin", use):
            pass
        assert threading.active_count() == before
