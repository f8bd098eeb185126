"""Sounds made comparable: one rate, one length, one number of channels, one loudness."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy import signal

from vqsynth.corpus.files import probe, stream_channels
from vqsynth.dsp.loudness import loudness
from vqsynth.errors import UsageError, VqsynthError

MOST_SOUNDS = 10
MOST_SECONDS, LEAST_SECONDS = 120.0, 0.2
HIGHEST_RATE = 48_000
LEVEL_LUFS = -20.0
"""Of all sounds, or as much lower as the highest peak of one of them asks for."""
PEAK_DB = -1.0
_SILENT_LUFS = -70.0


@dataclass(frozen=True)
class Sound:
    """A sound of a test.

    Attributes:
        name: of its file.
        audio: float32 [samples, channels].
        sample_rate: Hz.
        own_rate: that of its file, Hz.
        lufs: its own loudness, or None where nobody asked.
        gain_db: by how much it was changed.
    """

    name: str
    audio: np.ndarray
    sample_rate: int
    own_rate: int
    lufs: float | None = None
    gain_db: float = 0.0

    def flac(self) -> bytes:
        """As a FLAC file of 24 bits."""
        held = io.BytesIO()
        soundfile.write(held, self.audio, self.sample_rate, format="FLAC", subtype="PCM_24")
        return held.getvalue()


def comparable(paths: Sequence[Path], start: float, seconds: float | None, match: bool) -> list[Sound]:
    """Read the same part of all files and make them comparable.

    Different rates become the highest of them, at most 48 kHz; lengths become the shortest; mono becomes stereo where
    another sound is. Levels are matched by integrated loudness, or else all are lowered by the same.

    Args:
        paths: of the files.
        start: of the part, seconds.
        seconds: its length; None: to the end.
        match: whether all become equally loud.

    Raises:
        UsageError: too few or too many files, or no such part.
        VqsynthError: a file is missing, damaged, too long, silent or of more than two channels.
    """
    if not 2 <= len(paths) <= MOST_SOUNDS:
        raise UsageError(
            f"a test compares 2 to {MOST_SOUNDS} sounds, and {len(paths)} {'is' if len(paths) == 1 else 'are'} given"
        )
    if len({path.resolve() for path in paths}) < len(paths):
        raise UsageError("a sound is given twice; nobody could tell it from itself")
    if not (np.isfinite(start) and start >= 0):
        raise UsageError("give a moment in seconds, 0 or later", field="start", value=start)
    if seconds is not None and not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise UsageError(f"give {LEAST_SECONDS:g} to {MOST_SECONDS:g} s", field="duration", value=seconds)
    rate = min(HIGHEST_RATE, max(probe(path).sample_rate for path in paths))
    read = [_read(path, start, seconds) for path in paths]
    channels = max(audio.shape[1] for audio, _ in read)
    sounds = []
    for name, (audio, own_rate) in zip(_names(paths), read):
        if own_rate != rate:
            audio = soxr.resample(audio, own_rate, rate, quality="VHQ").reshape(-1, audio.shape[1])
        sounds.append(Sound(name, np.repeat(audio, channels // audio.shape[1], axis=1), rate, own_rate))
    shortest = min(len(sound.audio) for sound in sounds)
    if shortest < LEAST_SECONDS * rate:
        raise VqsynthError(
            f"the shortest sound has less than {LEAST_SECONDS:g} s there; choose another part by `start`"
        )
    return _levelled([replace(sound, audio=sound.audio[:shortest]) for sound in sounds], match)


def lowpassed(sound: Sound, hertz: float) -> Sound:
    """An anchor: the same sound without what is above ``hertz``, without delay."""
    taps = signal.firwin(1023, hertz, fs=sound.sample_rate)
    audio = signal.fftconvolve(sound.audio, taps[:, None], mode="full", axes=0)[511 : 511 + len(sound.audio)]
    return replace(sound, name=f"anchor {hertz / 1000:g} kHz", audio=audio.astype(np.float32))


def integrated(audio: np.ndarray, sample_rate: int) -> float:
    """Loudness of the whole as ITU-R BS.1770-4 gates it, over Hann frames of 400 ms, a quarter apart, in LUFS.

    Shape:
        audio: [samples, channels]
    """
    hop = round(0.1 * sample_rate)
    power = np.sum([10 ** (loudness(part, sample_rate, 4 * hop, hop) / 10) for part in audio.T], axis=0)
    # Frames that lie in the sound as a whole, if there are any.
    whole = power[2 : len(audio) // hop - 1]
    power = whole if len(whole) else power
    loud = power[power > 10 ** (_SILENT_LUFS / 10)]
    if not len(loud):
        return -np.inf
    loud = loud[loud > 0.1 * loud.mean()]
    return float(10 * np.log10(loud.mean()))


def _names(paths: Sequence[Path]) -> list[str]:
    """Names of files, with as many of their folders as tell them apart: listeners need not know whose disk it was."""
    tails = [path.resolve().parts for path in paths]
    depths = [
        next(n for n in range(1, len(own) + 1) if sum(other[-n:] == own[-n:] for other in tails) == 1) for own in tails
    ]
    return ["/".join(own[-depth:]) for own, depth in zip(tails, depths)]


def _read(path: Path, start: float, seconds: float | None) -> tuple[np.ndarray, int]:
    """A part of a file, [samples, channels], and its rate."""
    info = probe(path)
    if info.channels > 2:
        raise VqsynthError(f"{path}: has {info.channels} channels; mix it to one or two")
    most = round(MOST_SECONDS * info.sample_rate)
    first = round(start * info.sample_rate)
    last = None if seconds is None else first + round(seconds * info.sample_rate)
    if first >= info.frames:
        raise UsageError(f"{path}: ends at {info.seconds:.2f} s", field="start", value=start)
    parts: list[np.ndarray] = []
    place = 0
    for block in stream_channels(path):
        part = block[max(0, first - place) : None if last is None else max(0, last - place)]
        parts.append(part)
        place += len(block)
        # Counted as it comes: what a header says of the length need not be true.
        if last is None and place - first > most:
            raise VqsynthError(f"{path}: longer than {MOST_SECONDS:g} s; choose a part by `start` and `duration`")
        if last is not None and place >= last:
            break
    return np.concatenate(parts), info.sample_rate


def _levelled(sounds: list[Sound], match: bool) -> list[Sound]:
    """Sounds with gains that leave room above every peak."""
    peaks = [20 * np.log10(max(float(np.abs(sound.audio).max()), 1e-9)) for sound in sounds]
    if match:
        measured = [integrated(sound.audio, sound.sample_rate) for sound in sounds]
        for sound, lufs in zip(sounds, measured):
            if not np.isfinite(lufs):
                raise VqsynthError(f"{sound.name}: is silent there; choose another part by `start` and `duration`")
        level = min(LEVEL_LUFS, *(lufs + PEAK_DB - peak for lufs, peak in zip(measured, peaks)))
        gains = [level - lufs for lufs in measured]
    else:
        gains = [min(0.0, PEAK_DB - max(peaks))] * len(sounds)
        measured = [integrated(sound.audio, sound.sample_rate) for sound in sounds]
    return [
        replace(
            sound,
            audio=(sound.audio * 10 ** (gain / 20)).astype(np.float32),
            lufs=lufs if np.isfinite(lufs) else None,
            gain_db=gain,
        )
        for sound, lufs, gain in zip(sounds, measured, gains)
    ]
