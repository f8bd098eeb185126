"""Minutes on a JACK server without hardware, the other core busy: how many blocks come too late?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time

RATE = 44_100


def xruns(model: str, hears: bool, block: int, minutes: float, fast: bool = False) -> tuple[int, float] | None:
    """Late blocks and the mean load of ``vqsynth live``, or None where JACK is not installed."""
    if not (shutil.which("jackd") and shutil.which("jack_lsp")):
        return None
    name = f"vqsynth-{os.getpid()}"
    environment = {**os.environ, "JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    # Half of what there is is kept busy, beside the sound.
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(max(1, (os.cpu_count() or 2) // 2))
    ]
    server = ["jackd", "-R", "-n", name, "-d", "dummy", "-r", str(RATE), "-p", str(block)]
    jack = subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if subprocess.run(["jack_lsp"], env=environment, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        command = [sys.executable, "-m", "vqsynth", "live", model, "--output", "system", "--block", str(block)]
        command += ["--input", "system"] if hears else ["--no-input"]
        command += ["--fast"] * fast
        command += ["-d", str(60 * minutes), "--osc-port", str(20_000 + os.getpid() % 20_000)]
        live = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        if not hears:
            time.sleep(4)
            _play(20_000 + os.getpid() % 20_000)
        out, _ = live.communicate(timeout=60 * minutes + 120)
        found = re.search(r"load (\d+)%, (\d+) xruns", out)
        return (int(found.group(2)), int(found.group(1)) / 100) if found else None
    finally:
        jack.terminate()
        jack.wait(10)
        for process in busy:
            process.kill()


def _play(port: int) -> None:
    """A note that lasts."""
    import socket

    from vqsynth.live.ports.osc_codec import encode

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(encode("/note", ["A4", 0.8]), ("127.0.0.1", port))
