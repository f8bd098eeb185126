"""Everything that is measured of one sound."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from benchmarks.life import modulation, movement, notes, partials, pitch
from benchmarks.life.sound import Sound

UNITS = {
    "level": "dB",
    "vibrato": "c",
    "jitter": "c",
    "centroid": "st",
    "flux": "dB",
    "flutter": "dB",
    "coherence": "",
    "attack": "ms",
    "harmonics to noise": "dB",
}
"""Name of each measure and its unit."""
DIGITS = {"coherence": 2, "attack": 0, "harmonics to noise": 1, "vibrato": 1}


@dataclasses.dataclass
class Measured:
    """What was measured of one sound, or is the mean of several.

    Attributes:
        values: measure -> value, NaN where the sound does not tell.
        modulation: [3, 6] dB: pitch, level and centroid in octave bands from 0.5 to 32 Hz.
        weight: [3, 6] s, of sound behind each.
        attacks: of every note, in s.
        held: seconds in which notes are held.
    """

    values: dict[str, float]
    modulation: np.ndarray
    weight: np.ndarray
    attacks: np.ndarray
    held: float

    def record(self) -> dict[str, float]:
        """As one flat row."""
        spectra = {
            f"{name} {band} Hz": float(self.modulation[i, k])
            for i, name in enumerate(modulation.FLOOR)
            for k, band in enumerate(modulation.BANDS)
        }
        return {**self.values, **spectra, "held": self.held}


def measure(sound: Sound | str | Path) -> Measured:
    """Measure a sound, or a sound file."""
    if not isinstance(sound, Sound):
        sound = Sound.read(sound)
    cents = pitch.cents(sound)
    flutter = partials.flutter(sound)
    attacks = notes.attacks(sound)
    values = {
        "level": movement.level(sound),
        "vibrato": pitch.movement(sound, cents, pitch.VIBRATO),
        "jitter": pitch.movement(sound, cents, pitch.JITTER),
        "centroid": movement.centroid(sound),
        "flux": movement.flux(sound),
        "flutter": flutter.decibels,
        "coherence": flutter.coherence,
        "attack": 1000 * float(np.median(attacks)) if len(attacks) else float("nan"),
        "harmonics to noise": notes.harmonicity(sound),
    }
    curves = {"pitch": cents, "level": sound.level, "centroid": movement.brightness(sound)}
    spectra, weights = zip(*(modulation.spectrum(sound, curves[n], f) for n, f in modulation.FLOOR.items()))
    held = sum(part.stop - part.start for part in sound.held) / sound.frame_rate
    return Measured(values, np.asarray(spectra), np.asarray(weights), attacks, held)


def together(measured: list[Measured]) -> Measured:
    """Mean over several sounds; of the attacks the median over all notes."""
    attacks = np.concatenate([one.attacks for one in measured])
    values = {}
    for name in UNITS:
        known = [one.values[name] for one in measured if np.isfinite(one.values[name])]
        values[name] = float(np.mean(known)) if known else float("nan")
    values["attack"] = 1000 * float(np.median(attacks)) if len(attacks) else float("nan")
    weights = [one.weight for one in measured]
    spectrum = modulation.mean([one.modulation for one in measured], weights)
    return Measured(values, spectrum, np.sum(weights, axis=0), attacks, sum(one.held for one in measured))


def cell(name: str, value: float) -> str:
    """A value as tables show it."""
    unit = UNITS[name]
    return "-" if not np.isfinite(value) else f"{value:.{DIGITS.get(name, 2)}f}{' ' if unit else ''}{unit}"
