"""A real sound server without hardware: JACK with its dummy driver, reached through PortAudio."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

RATE, PERIOD = 44_100, 1024
pytestmark = pytest.mark.skipif(
    not (shutil.which("jackd") and shutil.which("jack_rec")), reason="jackd and jack_rec are not installed (jackd2)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The environment of programs that find the server, and its log."""
    name, log = f"vqsynth-{os.getpid()}", tmp_path_factory.mktemp("jack") / "log"
    with open(log, "w") as out:
        jack = subprocess.Popen(
            ["jackd", "-r", "-n", name, "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD)], stdout=out, stderr=out
        )
        environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
        for _ in range(100):
            if subprocess.run(["jack_lsp"], env=environment, capture_output=True).returncode == 0:
                break
            if jack.poll() is not None:
                pytest.skip(f"jackd does not run here: {log.read_text()[-300:]}")
            time.sleep(0.1)
        yield environment
        jack.terminate()
        jack.wait(10)


def has_portaudio(environment):
    program = "import sounddevice as s; print([h['name'] for h in s.query_hostapis()])"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    return "JACK" in done.stdout


def test_a_known_tone_arrives_and_nothing_is_lost(server, tmp_path):
    if not has_portaudio(server):
        pytest.skip("PortAudio with JACK is not installed (libportaudio2)")
    command = [sys.executable, "-m", "vqsynth", "live", "violin", "--no-input", "--output", "system", "--osc-port", "0"]
    command += ["--block", str(PERIOD), "-d", "9", "--record", str(tmp_path / "take.wav")]
    # The note comes by a script's way: OSC on a port that nobody else has.
    command[command.index("--osc-port") + 1] = str(port := 20_000 + os.getpid() % 20_000)
    live = subprocess.Popen(command, env=server, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            ports = subprocess.run(["jack_lsp"], env=server, capture_output=True, text=True).stdout
            if "PortAudio:out_0" in ports:
                break
            time.sleep(0.1)
        import socket

        from vqsynth.live.ports.osc_codec import encode

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(encode("/note", ["A4", 0.8]), ("127.0.0.1", port))
        time.sleep(0.5)
        heard = tmp_path / "heard.wav"
        record = ["jack_rec", "-f", str(heard), "-d", "3", "PortAudio:out_0"]
        assert subprocess.run(record, env=server, capture_output=True, timeout=30).returncode == 0
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
