"""Phrases from sampled notes: fills the gaps between pitches and joins notes.

A set of samples holds a few pitches, steady, each from silence to silence. Playing does
not: it glides, swells and joins. Each phrase takes real notes, moves their pitch by
time-varying resampling (never further than the gap between samples asks for), draws a level
curve with soft playing darker than loud, starts half of them inside their sustain, and
crossfades the joins.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import scipy.fft
import soxr

OVERSAMPLING = 2
DARKENING_DB = 4.0
"""Tilt of the softest playing against the loudest, dB an octave above the fundamental."""


@dataclasses.dataclass
class Note:
    """One steady note.

    Attributes:
        audio: float32 [samples], from onset to end, oversampled by ``OVERSAMPLING``.
        dark: the same, as if played softly.
        pitch: median pitch in MIDI note numbers.
        sustain: sample (oversampled) from which the note is steady.
    """

    audio: np.ndarray
    dark: np.ndarray
    pitch: float
    sustain: int


def find_note(
    audio: np.ndarray, sample_rate: int, f0: np.ndarray, loudness: np.ndarray, hop_length: int
) -> Note | None:
    """Return the note in ``audio``, or None where it is not one steady note.

    Shape:
        audio: [samples]; f0: [frames] Hz, 0 where unvoiced; loudness: [frames] dB
    """
    active = np.flatnonzero(loudness > loudness.max() - 45)
    if len(active) < 12 or loudness.max() < -70:
        return None
    start, end = active[0], active[-1] + 1
    voiced = f0[start:end][f0[start:end] > 0]
    if len(voiced) < 0.5 * (end - start):
        return None
    pitch = 69 + 12 * np.log2(voiced / 440)
    centre = float(np.median(pitch))
    if np.percentile(np.abs(pitch - centre), 80) > 0.7:
        return None
    first = max(0, (start - 1) * hop_length)
    piece = audio[first : end * hop_length].astype(np.float32)
    loudest = int(np.argmax(loudness[start:end])) * hop_length
    sustain = min(loudest, len(piece) // 3) * OVERSAMPLING
    fundamental = 440 * 2 ** ((centre - 69) / 12)
    bright, dark = (
        soxr.resample(x, sample_rate, OVERSAMPLING * sample_rate)
        for x in (piece, darken(piece, sample_rate, fundamental))
    )
    return Note(bright, dark, centre, sustain)


def darken(audio: np.ndarray, sample_rate: int, fundamental: float) -> np.ndarray:
    """Tilt a note by ``-DARKENING_DB`` an octave above its ``fundamental`` in Hz. Shape: [samples] -> [samples]."""
    size = scipy.fft.next_fast_len(len(audio) + 4096, real=True)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / sample_rate) / fundamental, 1))
    gain = 10 ** (-np.minimum(DARKENING_DB * octaves, 40) / 20)
    return scipy.fft.irfft(scipy.fft.rfft(audio, size) * gain, size)[: len(audio)].astype(np.float32)


def read_at(audio: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Read ``audio`` at fractional positions with cubic Hermite interpolation."""
    index = np.clip(position.astype(np.int64), 1, len(audio) - 3)
    x = (position - index).astype(np.float32)
    a, b, c, d = (audio[index + offset] for offset in (-1, 0, 1, 2))
    return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))


def largest_gap(pitches: np.ndarray) -> float:
    """Largest distance between neighbouring pitches, in semitones."""
    return float(np.max(np.diff(np.sort(pitches)), initial=0.0))


def _event(note: Note, target: float, sample_rate: int, limit: float, random: np.random.Generator) -> np.ndarray:
    """One varied note near pitch ``target``."""
    count = int(random.uniform(0.3, 2.5) * sample_rate)
    time = np.arange(count) / sample_rate
    pitch = np.full(count, target)
    if random.random() < 0.33:
        begin, length = random.uniform(0, 0.5), random.uniform(0.1, 0.5)
        ramp = np.clip((np.linspace(0, 1, count) - begin) / length, 0, 1)
        pitch += random.uniform(-3, 3) * (3 * ramp**2 - 2 * ramp**3)
    if random.random() < 0.3:
        pitch += random.uniform(0.1, 0.5) * np.sin(2 * np.pi * random.uniform(4, 7) * time + random.uniform(0, 6.28))
    ratio = OVERSAMPLING * 2 ** (np.clip(pitch - note.pitch, -limit, limit) / 12)
    start = 0 if random.random() < 0.5 else random.uniform(note.sustain, max(note.sustain + 1, 0.6 * len(note.audio)))
    position = start + np.cumsum(ratio)
    position = position[position < len(note.audio) - 4]
    decibels = np.interp(np.arange(len(position)), [0, count / 2, count], random.uniform(-18, 0, 3))
    softness = (random.uniform(0, 1) * decibels / -18).astype(np.float32)
    tone = read_at(note.audio, position) * (1 - softness) + read_at(note.dark, position) * softness
    return tone * (10 ** (decibels / 20)).astype(np.float32)


def phrases(
    notes: list[Note], sample_rate: int, seconds: float, seed: int, phrase_seconds: float = 12.0
) -> Iterator[np.ndarray]:
    """Yield varied phrases, about ``seconds`` in all. Shape of each: [samples] float32."""
    random = np.random.default_rng(seed)
    pitches = np.array([note.pitch for note in notes])
    limit = max(1.0, largest_gap(pitches) / 2 + 0.5)
    low, high = pitches.min() - 1, pitches.max() + 1
    for _ in range(max(1, round(seconds / phrase_seconds))):
        phrase = np.zeros(int(phrase_seconds * sample_rate), np.float32)
        cursor = 0
        while cursor < len(phrase) - sample_rate // 4:
            target = random.uniform(low, high)
            distance = np.abs(pitches - target)
            near = np.flatnonzero(distance <= max(distance.min() + 0.5, limit * 0.7))
            event = _event(notes[random.choice(near)], target, sample_rate, limit, random)
            fade = min(int(random.uniform(0.02, 0.12) * sample_rate), len(event) // 3)
            if fade < 16:
                continue
            ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
            event[:fade] *= ramp
            event[-fade:] *= ramp[::-1]
            event = event[: len(phrase) - cursor]
            phrase[cursor : cursor + len(event)] += event
            cursor += max(1, len(event) - fade)
            if random.random() < 0.08:
                cursor += int(random.uniform(0.05, 0.2) * sample_rate)
        yield phrase
