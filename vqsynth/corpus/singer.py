"""A synthesised female singer: random scores sung by the statistical voice inside the ``pysinsy`` package.

The voice (NIT SONG070 F001) was trained on one Japanese singer by hidden Markov models. What it
does with a score, measured:

- below C#4 it turns voiceless, and towards both ends of its range the sung pitch lags up to two
  semitones behind the written one; what is written here comes out as about D4 to D#5;
- single notes come out up to 12 dB louder than their neighbours, so levels are evened out;
- it sings without vibrato; varying the recordings while training adds pitch movement.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.corpus.score import random_song
from vqsynth.errors import VqsynthError

if TYPE_CHECKING:
    import pysinsy

LOW, HIGH = 61, 77
_BARS = 12
_TEMPI = (72.0, 84.0, 96.0, 108.0, 120.0)
_WINDOW_SECONDS = 0.05


def sing(
    seed: int = 0, seconds: float = 180.0, progress: Callable[[float], None] | None = None
) -> tuple[list[np.ndarray], int]:
    """Return songs of about half a minute, each float32 [samples] peaking at 0.7, and their rate in Hz.

    Songs are added until they last ``seconds`` together; song ``i`` is scored with ``seed + i``.

    Raises:
        VqsynthError: the package ``pysinsy`` is not installed, or did not sing.
    """
    voice = _load_voice()
    songs: list[np.ndarray] = []
    total, rate = 0.0, 0
    while total < seconds:
        number = len(songs)
        score = random_song(seed + number, _BARS, LOW, HIGH, _TEMPI[number % len(_TEMPI)])
        audio, rate = _sing_score(voice, score)
        songs.append(even_level(audio, rate))
        total += len(audio) / rate
        if progress is not None:
            progress(min(1.0, total / seconds))
    return songs, rate


def even_level(audio: np.ndarray, sample_rate: int, peak: float = 0.7, headroom_db: float = 4.0) -> np.ndarray:
    """Turn down what is louder than the median level plus ``headroom_db``, then scale to ``peak``.

    The level is the rms of 50 ms windows and the gain is interpolated between their centres, after a
    minimum over each window's neighbours, so that an onset does not slip through. ``audio`` [samples].
    """
    audio = np.asarray(audio, dtype=np.float64)
    size = max(1, round(_WINDOW_SECONDS * sample_rate))
    count = -(-len(audio) // size)
    padded = np.zeros(count * size)
    padded[: len(audio)] = audio
    rms = np.sqrt((padded.reshape(count, size) ** 2).mean(axis=1))
    active = rms[rms > 0.01 * rms.max()] if rms.max() > 0 else np.ones(1)
    limit = float(np.median(active)) * 10 ** (headroom_db / 20)
    gain = np.minimum(1.0, limit / np.maximum(rms, 1e-12))
    gain = np.minimum(gain, np.minimum(np.r_[gain[1:], 1.0], np.r_[1.0, gain[:-1]]))
    centres = (np.arange(count) + 0.5) * size
    audio = audio * np.interp(np.arange(len(audio)), centres, gain)
    return (audio * (peak / max(float(np.abs(audio).max()), 1e-12))).astype(np.float32)


def _load_voice() -> pysinsy.Sinsy:
    try:
        import pysinsy
    except ImportError as error:
        raise VqsynthError(
            f"the singer needs the package pysinsy ({error}); "
            "install it with pip install 'vqsynth[sing]', which compiles it with a C++ compiler"
        ) from error
    voice = pysinsy.Sinsy()
    if not voice.setLanguages("j", pysinsy.get_default_dic_dir()) or not voice.loadVoices(
        pysinsy.get_default_htsvoice()
    ):
        raise VqsynthError("pysinsy did not load its own voice; install it again")
    return voice


def _sing_score(voice: pysinsy.Sinsy, score: str) -> tuple[np.ndarray, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "score.xml"
        path.write_text(score, encoding="utf-8")
        if not voice.loadScoreFromMusicXML(str(path)):
            raise VqsynthError("pysinsy did not read the generated score; install version 0.0.5")
        audio, rate = voice.synthesize()
        voice.clearScore()
    audio = np.asarray(audio, dtype=np.float64)
    if not len(audio) or not np.isfinite(audio).all() or not audio.any():
        raise VqsynthError("pysinsy returned no sound; install version 0.0.5")
    return audio, int(rate)
