"""Sounds and a small trained timbre that tests share."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from threadpoolctl import threadpool_limits

RATE = 44_100


def pytest_configure() -> None:
    """One thread a process, also in those that tests start: the tests themselves run side by side."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    threadpool_limits(1)


def tone(
    f0: np.ndarray | float, seconds: float, brightness: float = 1.0, rate: int = RATE, level: float = 0.2
) -> np.ndarray:
    """A harmonic tone that can glide: ``f0`` in Hz, one number or one a sample. Shape: [samples] float32."""
    f0 = np.broadcast_to(np.asarray(f0, float), (round(seconds * rate),))
    phase = 2 * np.pi * np.cumsum(f0) / rate
    partials = np.arange(1, 25)
    audible = partials[:, None] * f0 < 0.45 * rate
    waves = np.sin(partials[:, None] * phase) * audible * partials[:, None] ** -(2.0 / brightness)
    sound = waves.sum(0)
    fade = np.minimum(1.0, np.minimum(np.arange(len(f0)), np.arange(len(f0))[::-1]) / (0.01 * rate))
    return (level * sound / np.abs(sound).max() * fade).astype(np.float32)


@contextlib.contextmanager
def once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all processes of a test run share, and whether it is still to be filled.

    One process fills it, the others wait.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, done = root / name, root / f"{name}.done"
    with open(root / f"{name}.lock", "w") as lock:
        with contextlib.suppress(ImportError):  # Windows has no such lock; there it is filled twice
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        fresh = not done.exists()
        folder.mkdir(exist_ok=True)
        yield folder, fresh
        done.touch()


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight glides, dull to bright, 220 to 660 Hz, 2 s each."""
    folder = tmp_path_factory.mktemp("recordings")
    for number in range(8):
        glide = np.geomspace(220 + 20 * number, 520 + 20 * number, 2 * RATE)
        audio = tone(glide if number % 2 else glide[::-1], 2.0, 0.7 + 0.25 * number)
        noise = 0.003 * np.random.default_rng(number).standard_normal(len(audio))
        soundfile.write(folder / f"glide{number}.wav", audio + noise, RATE)
    return folder


@pytest.fixture(scope="session")
def tiny_timbre(recordings: Path, tmp_path_factory: pytest.TempPathFactory):
    """A timbre of 64 codes, trained for some seconds on the glides and analyzed: quick, real, not good."""
    import vqsynth
    from vqsynth.vqvae.config import ModelConfig
    from vqsynth.vqvae.training.settings import VqvaeSettings

    config = ModelConfig(width=32, encoder_blocks=1, decoder_blocks=1, n_mels=48, code_dim=8, n_codes=64)
    settings = VqvaeSettings(steps=150, batch_size=4, segment_frames=32, validations=2, vary="off")
    with once(tmp_path_factory, "codebooks") as (folder, fresh):
        if fresh:
            vqsynth.train(recordings, folder / "tiny", config, settings, device="cpu")
    return vqsynth.load(folder / "tiny")


@pytest.fixture(scope="session")
def make_tone():
    """The function :func:`tone`, for test modules, which cannot import this one."""
    return tone


@pytest.fixture(scope="session")
def note(make_tone):
    """Two seconds of a tone with vibrato that swells and fades by 20 dB. Shape: [88200] float32 at 44.1 kHz."""
    time = np.arange(2 * 44_100) / 44_100
    swell = 10 ** (-(np.cos(np.pi * time) ** 2))
    return (make_tone(330 * 2 ** (0.3 * np.sin(2 * np.pi * 5.5 * time) / 12), 2.0, level=0.4) * swell).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def chromium():
    """A browser without a screen, in which pages sound without being clicked on first."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=program, args=["--autoplay-policy=no-user-gesture-required", "--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def warned():
    """The warnings of the test, as they come: a list of texts."""
    from vqsynth.errors import collect_warnings

    with collect_warnings() as messages:
        yield messages


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run ``vqsynth ARGUMENTS`` in this process: (exit code, standard output, standard error)."""
    from vqsynth import cli

    # Nothing that a test checks may be folded at the width of a terminal.
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["vqsynth", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def midi():
    """Writes MIDI files: ``midi.save(path, track, ...)``, a track being (seconds, message) of the other functions."""
    import mido

    def save(path: Path, *tracks: list) -> str:
        file = mido.MidiFile(ticks_per_beat=1000)
        for events in tracks:
            track, now = mido.MidiTrack(), 0
            # Notes end before others begin at the same time; else messages keep their order.
            for seconds, message in sorted(events, key=lambda event: (event[0], event[1].type != "note_off")):
                tick = round(seconds * 2000)
                track.append(message.copy(time=tick - now))
                now = tick
            file.tracks.append(track)
        file.save(path)
        return str(path)

    def message(seconds: float, kind: str, **values: int) -> list:
        return [(seconds, mido.Message(kind, **values))]

    def note(start: float, end: float, pitch: int, velocity: int = 100, channel: int = 0) -> list:
        return [
            *message(start, "note_on", note=pitch, velocity=velocity, channel=channel),
            *message(end, "note_off", note=pitch, channel=channel),
        ]

    def control(seconds: float, number: int, value: int, channel: int = 0) -> list:
        return message(seconds, "control_change", control=number, value=value, channel=channel)

    def registered(seconds: float, number: int, value: int, channel: int = 0) -> list:
        pairs = [(101, number >> 7), (100, number & 127), (6, value)]
        return [event for pair in pairs for event in control(seconds, *pair, channel)]

    return SimpleNamespace(save=save, message=message, note=note, control=control, registered=registered)
