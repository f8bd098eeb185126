"""A playground that is served, and its page in a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import vqsynth

CHROMIUM = shutil.which("chromium")
WAIT = 90_000


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """Where the playground is served; models that are trained go to a folder of the test."""
    pytest.importorskip("starlette")
    pytest.importorskip("uvicorn")
    pytest.importorskip("torch")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "import vqsynth.cli; vqsynth.cli.main()",
        "play",
        "--no-browser",
        "--port",
        str(port),
    ]
    folder = tmp_path_factory.mktemp("play")
    log = folder / "log"
    paths = os.pathsep.join([str(Path(vqsynth.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, env={**os.environ, "PYTHONPATH": paths})
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url + "api/hello", timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """Chromium without a screen."""
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium here: the page needs a browser")
    with api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, address) -> Iterator:
    """The page; whatever its console complains of (a broken security policy, too) is a failure."""
    window = browser.new_page(viewport={"width": 1280, "height": 1000})
    wrong: list[str] = []
    window.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    window.on("pageerror", lambda error: wrong.append(str(error)))
    window.set_default_timeout(WAIT)
    sessions: list[str] = []
    window.on("request", lambda request: sessions.append(request.headers.get("x-session", "")))
    window.goto(address)
    window.wait_for_selector("body[data-ready]")
    window.wrong = wrong
    window.session = lambda: next(s for s in reversed(sessions) if s)
    window.ask = lambda path: urllib.request.urlopen(
        urllib.request.Request(f"{address}api{path}", headers={"X-Session": window.session()})
    ).read()
    yield window
    window.close()
    assert not wrong, wrong
