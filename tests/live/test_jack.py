"""A real sound server without hardware: JACK with its dummy driver, reached through PortAudio."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

from vqsynth.live.ports.osc_codec import encode

RATE, PERIOD = 44_100, 1024
pytestmark = pytest.mark.skipif(
    not (shutil.which("jackd") and shutil.which("jack_rec")), reason="jackd and jack_rec are not installed (jackd2)"
)


@pytest.fixture
def server(tmp_path):
    """A server: the environment of programs that find it, and its process."""
    import torch  # noqa: F401 - what the commands need, where they run

    name, log = f"vqsynth-{os.getpid()}", tmp_path / "jack.log"
    with open(log, "w") as out:
        jack = subprocess.Popen(
            ["jackd", "-r", "-n", name, "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD)], stdout=out, stderr=out
        )
        environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
        try:
            wait_for(lambda: jack.poll() is not None or "system:playback_1" in ports(environment))
            if jack.poll() is not None:
                pytest.skip(f"jackd does not run here: {log.read_text()[-300:]}")
            if not has_portaudio(environment):
                pytest.skip("PortAudio with JACK is not installed (libportaudio2)")
            yield environment, jack
        finally:
            jack.terminate()
            jack.wait(10)


def ports(environment):
    return subprocess.run(["jack_lsp"], env=environment, capture_output=True, text=True).stdout


def wait_for(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def has_portaudio(environment):
    program = "import sounddevice as s; print([h['name'] for h in s.query_hostapis()])"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    return "JACK" in done.stdout


def test_a_known_tone_arrives_and_nothing_is_lost(server, tmp_path):
    environment, _ = server
    port = 20_000 + os.getpid() % 20_000
    command = [
        sys.executable,
        "-m",
        "vqsynth",
        "live",
        "violin",
        "--no-input",
        "--output",
        "system",
        "--osc-port",
        str(port),
    ]
    command += ["--block", str(PERIOD), "-d", "9", "--record", str(tmp_path / "take.wav")]
    live = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: "PortAudio:out_0" in ports(environment))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(encode("/note", ["A4", 0.8]), ("127.0.0.1", port))
        time.sleep(0.5)
        heard = tmp_path / "heard.wav"
        record = ["jack_rec", "-f", str(heard), "-d", "3", "PortAudio:out_0"]
        assert subprocess.run(record, env=environment, capture_output=True, timeout=30).returncode == 0
        out, error = live.communicate(timeout=60)
    finally:
        live.kill()
    assert live.returncode == 0, error
    audio, rate = soundfile.read(heard)
    assert rate == RATE and len(audio) >= 2 * RATE
    part = audio[RATE // 2 : RATE // 2 + 65_536]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    hz = np.fft.rfftfreq(len(part), 1 / RATE)
    low = (hz > 380) & (hz < 520)
    assert abs(1200 * np.log2(hz[low][spectrum[low].argmax()] / 440)) < 5
    # What the server got is what the engine made, without a gap: each block is found in the recording.
    xruns = int(out.split(" xruns")[0].rsplit(" ", 1)[1])
    kept, _ = soundfile.read(tmp_path / "take.wav")
    assert len(kept) > 6 * RATE
    if xruns == 0:
        template = audio[RATE : RATE + 16_384]
        energy = np.convolve(kept**2, np.ones(len(template)), "valid")
        start = int(np.argmin(energy - 2 * correlate(kept, template, "valid")))
        np.testing.assert_allclose(audio[RATE : 2 * RATE], kept[start : start + RATE], atol=1e-3)
    # Other tests run beside this one: a few late blocks are theirs.
    assert xruns < 20, out + error


def test_a_server_that_ends_is_said_and_the_recording_is_whole(server, tmp_path):
    environment, jack = server
    command = [sys.executable, "-m", "vqsynth", "live", "violin", "--no-input", "--output", "system", "--osc-port", "0"]
    command += ["--block", str(PERIOD), "-d", "9", "--record", str(tmp_path / "take.wav")]
    live = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: "PortAudio:out_0" in ports(environment))
        time.sleep(2)
        jack.terminate()
        jack.wait(10)
        _, error = live.communicate(timeout=120)
    finally:
        live.kill()
    assert live.returncode == 0, error
    assert "is gone" in error and "start it again" in error
    audio, _ = soundfile.read(tmp_path / "take.wav")
    assert len(audio) > RATE
