"""Operators on the controls of a path: loudness, pitch, voicing, centroid; the latents stay as they are."""

from __future__ import annotations

import dataclasses

import numpy as np

from vqsynth.dsp.loudness import FLOOR_DB
from vqsynth.errors import UsageError
from vqsynth.wavae.paths.curves import Curve, sample_curve
from vqsynth.wavae.paths.latent_path import HIGHEST_HZ, LOWEST_HZ, LatentPath

LOUDEST_DB = 20.0
LARGEST = 1_000_000
MOST_SEMITONES = 120.0
_VOICED = 0.01
"""Voicing below which nothing is heard of a pitch."""


def with_loudness(path: LatentPath, values: Curve) -> LatentPath:
    """Replace the loudness by a curve in dB (LUFS); a shape runs from -40 to -15 unless a range is written behind it.

    Raises:
        UsageError: a curve that cannot be used, or is far above full scale.
    """
    bent, text = sample_curve(path, values, "loudness")
    return _with_loudness(path, bent, f"loudness {text}")


def scale_loudness(path: LatentPath, factor: float) -> LatentPath:
    """Stretch the dynamics in dB below the loudest frame, which stays: 2 doubles them, 0 plays all as loud.

    Raises:
        UsageError: no usable factor, or below 0.
    """
    if amount("loudness-scale", factor) < 0:
        raise UsageError("give a factor from 0; 1 changes nothing", field="loudness_scale", value=f"{factor:g}")
    loudest = path.loudness.max()
    return _with_loudness(path, loudest + factor * (path.loudness - loudest), f"loudness-scale {factor:g}")


def offset_loudness(path: LatentPath, decibels: float) -> LatentPath:
    """Add ``decibels`` to the loudness; the decoder is told, so that the timbre may follow, unlike a gain.

    Raises:
        UsageError: no usable amount, or far above full scale.
    """
    return _with_loudness(path, path.loudness + amount("loudness-offset", decibels), f"loudness-offset {decibels:g}")


def with_pitch(path: LatentPath, values: Curve) -> LatentPath:
    """Replace the pitch by a curve in Hz, a note (``A4``), or the pitch of a recording; voicing and latents stay.

    A shape runs from 220 to 440 in octaves unless a range is written behind it.

    Raises:
        UsageError: the domain does not control the pitch, or a curve that cannot be used or leaves 20 Hz to 20 kHz.
    """
    _check_controlled(path, "pitch", "pitch")
    bent, text = sample_curve(path, values, "pitch")
    return _with_pitch(path, bent, f"pitch {text}")


def transpose(path: LatentPath, semitones: float) -> LatentPath:
    """Move the pitch by semitones; what sounds at it keeps its latents, and so its timbre.

    Raises:
        UsageError: the domain does not control the pitch, no usable number, or a pitch leaves 20 Hz to 20 kHz.
    """
    _check_controlled(path, "pitch", "transpose")
    if not abs(semitones) <= MOST_SEMITONES:
        raise UsageError(
            f"give semitones from -{MOST_SEMITONES:g} to {MOST_SEMITONES:g}; 12 is an octave up",
            field="transpose",
            value=f"{semitones:g}",
        )
    return _with_pitch(path, path.pitch.astype(np.float64) * 2 ** (semitones / 12), f"transpose {semitones:g}")


def scale_pitch(path: LatentPath, factor: float) -> LatentPath:
    """Stretch vibrato and melody around the mean pitch, in octaves: 1 changes nothing, 0 holds the mean, -1 mirrors.

    The mean counts every frame as much as it has one pitch.

    Raises:
        UsageError: the domain does not control the pitch, no usable factor, or a pitch leaves 20 Hz to 20 kHz.
    """
    _check_controlled(path, "pitch", "pitch-scale")
    octaves = np.log2(path.pitch.astype(np.float64))
    counts = path.voicing if path.voicing.max() > _VOICED else np.ones(len(path))
    mean = np.average(octaves, weights=counts)
    with np.errstate(over="ignore"):
        bent = 2 ** (mean + amount("pitch-scale", factor) * (octaves - mean))
    return _with_pitch(path, bent, f"pitch-scale {factor:g}")


def with_voicing(path: LatentPath, values: Curve) -> LatentPath:
    """Replace the voicing by a curve: 1 sings at the pitch, 0 leaves the pitch to the latents, or sings none.

    Raises:
        UsageError: the domain does not control the pitch, or a curve that cannot be used or leaves 0 to 1.
    """
    _check_controlled(path, "voicing", "voicing")
    bent, text = sample_curve(path, values, "voicing")
    if bent.min() < 0 or bent.max() > 1:
        raise UsageError(
            f"runs from {bent.min():.4g} to {bent.max():.4g}; stay within 0 (no pitch of its own) and 1 (one voice)",
            field="voicing",
            value=text,
        )
    return dataclasses.replace(path.with_control("voicing", bent), operations=(*path.operations, f"voicing {text}"))


def with_centroid(path: LatentPath, values: Curve) -> LatentPath:
    """Replace the controlled centroid by a curve in Hz; a shape runs from 500 to 4000 unless it has a range.

    Raises:
        UsageError: the domain does not control the centroid, or a curve that cannot be used.
    """
    _check_controlled(path, "centroid", "centroid")
    bent, text = sample_curve(path, values, "centroid")
    if bent.min() < 20:
        raise UsageError(f"falls to {bent.min():.4g} Hz; stay above 20 Hz", field="centroid", value=text)
    return dataclasses.replace(path.with_control("centroid", bent), operations=(*path.operations, f"centroid {text}"))


def _check_controlled(path: LatentPath, control: str, operator: str) -> None:
    if control not in path.names:
        raise UsageError(
            f"{path.domain} controls {', '.join(path.names)} alone; bend its dimensions instead",
            field=operator.replace("-", "_"),
        )


def _with_loudness(path: LatentPath, values: np.ndarray, text: str) -> LatentPath:
    if values.max() > LOUDEST_DB:
        name, value = field_of(text)
        raise UsageError(
            f"reaches {values.max():.4g} dB, far above full scale; stay below {LOUDEST_DB:g} dB (LUFS)",
            field=name,
            value=value,
        )
    return dataclasses.replace(
        path.with_control("loudness", np.maximum(values, FLOOR_DB)), operations=(*path.operations, text)
    )


def _with_pitch(path: LatentPath, values: np.ndarray, text: str) -> LatentPath:
    """The path at another pitch; where none is heard it may leave the limits, and is held at them."""
    wrong = ~((values >= LOWEST_HZ) & (values <= HIGHEST_HZ)) & ((path.voicing > _VOICED) | text.startswith("pitch "))
    if wrong.any():
        name, value = field_of(text)
        raise UsageError(
            f"asks for {values[np.argmax(wrong)]:.5g} Hz at {np.argmax(wrong) / path.rate:.2f} s; "
            f"stay within {LOWEST_HZ:g} Hz and {HIGHEST_HZ:g} Hz",
            field=name,
            value=value,
        )
    bent = np.clip(values, LOWEST_HZ, HIGHEST_HZ)
    return dataclasses.replace(path.with_control("pitch", bent), operations=(*path.operations, text))


def field_of(text: str) -> tuple[str, str]:
    """The argument and its value of an operation's text."""
    name, _, value = text.partition(" ")
    return name.replace("-", "_"), value


def amount(what: str, value: float) -> float:
    """A number that an operator can use.

    Raises:
        UsageError: it is not finite, or too large; ``what`` is the operator.
    """
    if not abs(value) <= LARGEST:
        field = what.replace("-", "_")
        raise UsageError(f"give a number between -{LARGEST:,} and {LARGEST:,}", field=field, value=f"{value:g}")
    return float(value)
