"""Fundamental frequency.

Conventions: frame ``t`` is centred on sample ``t * hop_length``; there are ``1 + samples // hop_length`` frames;
pitch is in Hz and 0 where a frame is unvoiced.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from vqsynth.descriptors import _harmonics, _swift
from vqsynth.descriptors._base import Descriptor, Measurement, audible
from vqsynth.errors import UsageError

FMIN, FMAX = 46.875, 2800.0
METHODS = ("auto", "swift", "yin", "pyin")
_BLOCK = 4096  # frames analyzed at a time, so that memory does not grow with the recording
_OCTAVES = np.log2([0.25, 1 / 3, 0.5, 2.0, 3.0, 4.0])
_SLIP, _SLIP_HEARD = (0.64, 0.81), (0.4, 0.95)
"""A run is a slip downwards where the note explains more than this share of it, one upwards where it explains
less than this share of what the note does; without and with the network's word for the note."""
_LOW_HZ = 130.0  # below, harmonics need the longer window to stand apart


def track(
    audio: np.ndarray,
    sample_rate: int,
    n_fft: int = 2048,
    hop_length: int = 512,
    fmin: float = FMIN,
    fmax: float = FMAX,
    method: str = "auto",
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Track the pitch of one voice.

    Args:
        audio: float32 ``[samples]``, mono.
        sample_rate: in Hz.
        n_fft: analysis window of ``yin`` and ``pyin``.
        hop_length: samples between frames.
        fmin: lowest pitch in Hz.
        fmax: highest pitch in Hz.
        method: ``auto`` (SwiftF0, octave-checked and sharpened on the harmonics, and its own peak picker where
            SwiftF0 cannot hear), ``swift`` (SwiftF0 alone), ``yin`` or ``pyin`` (librosa).
        threads: CPU threads of the network.

    Returns:
        ``(f0 [frames] Hz, confidence [frames] 0..1, voiced bool [frames])``.

    Raises:
        UsageError: unknown method.
    """
    if method not in METHODS:
        raise UsageError(f"unknown pitch method '{method}'; choose one of {', '.join(METHODS)}")
    audio = np.nan_to_num(np.asarray(audio, dtype=np.float32), posinf=0.0, neginf=0.0)
    n_frames = 1 + len(audio) // hop_length
    heard = audible(audio, hop_length, n_fft)
    if not heard.any():
        return np.zeros(n_frames, np.float32), np.zeros(n_frames, np.float32), heard
    if method in ("yin", "pyin"):
        f0, confidence = _librosa(audio, sample_rate, n_fft, hop_length, fmin, min(fmax, 0.45 * sample_rate), method)
    else:
        f0, confidence = _swift.track(audio, sample_rate, n_frames, hop_length, threads)
        if method == "auto":
            f0, confidence = _verify(audio, sample_rate, hop_length, f0, confidence, heard, fmin, fmax)
    voiced = heard & (confidence >= 0.5) & (f0 >= fmin) & (f0 <= fmax)
    return np.where(voiced, f0, 0.0).astype(np.float32), confidence.astype(np.float32), voiced


def _verify(
    audio: np.ndarray,
    sample_rate: int,
    hop_length: int,
    f0: np.ndarray,
    confidence: np.ndarray,
    heard: np.ndarray,
    fmin: float,
    fmax: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Check octaves, sharpen, and hear what the network cannot: new ``(f0 [T], confidence [T])``."""
    network, f0, confidence = f0, f0.copy(), confidence.copy()
    tonal = np.zeros(len(f0), dtype=bool)
    for start in range(0, len(f0), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(f0)))
        block = block[heard[block]]
        voiced = confidence[block] >= _swift.THRESHOLD
        low = voiced & (f0[block] < _LOW_HZ)
        for frames, seconds in ((block[voiced & ~low], 0.0464), (block[low], 0.0929)):
            if frames.size:
                n_fft = _harmonics.window_length(sample_rate, seconds)
                found = _harmonics.peaks(audio, sample_rate, frames, hop_length, n_fft)
                value = _harmonics.sharpen(found, f0[frames])
                ratio = _harmonics.octave(found, value, fmin, fmax)
                f0[frames] = _harmonics.sharpen(found, value * ratio)
        frames = block[~voiced]
        if frames.size:
            n_fft = _harmonics.window_length(sample_rate, 0.0464)
            found = _harmonics.peaks(audio, sample_rate, frames, hop_length, n_fft)
            value, share = _harmonics.strongest(found, fmin, fmax)
            sure = share > 0.93
            f0[frames[sure]] = _harmonics.sharpen(found, value)[sure]
            tonal[frames[sure]] = True
    # A pure tone lasts and does not leap; a peak of noise does neither.
    steady = tonal & _steady(f0, tonal | (confidence >= _swift.THRESHOLD))
    confidence[steady] = np.maximum(confidence[steady], 0.75)
    f0, confidence = _outvote(f0, confidence, heard)
    return _rejoin(audio, sample_rate, hop_length, f0, heard & (confidence >= _swift.THRESHOLD), network), confidence


def _rejoin(
    audio: np.ndarray,
    sample_rate: int,
    hop_length: int,
    f0: np.ndarray,
    voiced: np.ndarray,
    network: np.ndarray,
    longest: float = 0.2,
    reach: float = 0.5,
) -> np.ndarray:
    """Bring short runs an octave, a twelfth or two octaves off the note around them back to it, unless they sound so.

    The harmonics of the whole run decide. A frame of breath or of a dying note is explained by many pitches; a real
    leap down brings harmonics that the note has not, a real leap up lacks harmonics that the note has.

    Args:
        audio: float32 ``[samples]``.
        sample_rate: in Hz.
        hop_length: samples between frames.
        f0: tracked, ``[T]`` Hz.
        voiced: where ``f0`` counts, ``[T]``.
        network: what the network heard, ``[T]`` Hz.
        longest: seconds of a run that may be a slip.
        reach: seconds to both sides that say what the note is.

    Returns:
        ``[T]`` Hz.
    """
    f0, frames = f0.copy(), np.flatnonzero(voiced)
    if len(frames) < 2:
        return f0
    side = round(reach * sample_rate / hop_length)
    log_f0 = np.where(voiced, np.log2(np.maximum(f0, 1.0)), np.nan)
    torn = (np.abs(np.diff(log_f0[frames])) > 1 / 6) | (np.diff(frames) > side // 4)
    for run in np.split(frames, np.flatnonzero(torn) + 1):
        if len(run) * hop_length > longest * sample_rate:
            continue
        around = np.concatenate([log_f0[max(0, run[0] - side) : run[0]], log_f0[run[-1] + 1 : run[-1] + 1 + side]])
        if np.isfinite(around).sum() < 2 * len(run):
            continue
        moved = np.median(log_f0[run]) + _OCTAVES
        best = np.abs(moved - np.nanmedian(around)).argmin()
        if abs(moved[best] - np.nanmedian(around)) > 1 / 10:
            continue
        note = f0[run] * 2.0 ** _OCTAVES[best]
        # At a real leap the first and the last frames hear the neighbour too.
        core = slice(2, -2) if len(run) > 6 else slice(None)
        n_fft = _harmonics.window_length(
            sample_rate, 0.0464 if min(note.min(), f0[run].min()) > 2 * _LOW_HZ else 0.0929
        )
        found = _harmonics.peaks(audio, sample_rate, run, hop_length, n_fft)
        # Roots: many weak harmonics say more than one strong.
        heard = dataclasses.replace(found, amplitude=np.sqrt(found.amplitude))
        loud = np.zeros(len(run))
        loud[core] = heard.amplitude.sum(1)[core]
        as_is, as_note = (float(_harmonics.explained(heard, value) @ loud) for value in (f0[run], note))
        same = np.abs(np.log2(network[run] / note)) < 1 / 10
        # What the network heard is half of the evidence where noise is the rest.
        limits = _SLIP_HEARD if same.mean() > 0.5 and as_is < 0.85 * loud.sum() else _SLIP
        if (as_note > limits[0] * as_is) if _OCTAVES[best] > 0 else (as_is < limits[1] * as_note):
            f0[run] = _harmonics.sharpen(found, note)
            log_f0[run] = np.log2(f0[run])
    return f0


def _outvote(
    f0: np.ndarray, confidence: np.ndarray, heard: np.ndarray, reach: int = 12, share: float = 0.25
) -> tuple[np.ndarray, np.ndarray]:
    """Move frames that few neighbours agree with to the neighbours' octave, or give them up.

    A real leap has half of its neighbours on its side; an attack or a dying note misread for some frames has not.
    """
    log_f0 = np.where(heard & (confidence >= _swift.THRESHOLD), np.log2(np.maximum(f0, 1.0)), np.nan)
    padded = np.concatenate([np.full(reach, np.nan), log_f0, np.full(reach, np.nan)])
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    known = np.isfinite(around).sum(1)
    agree = (np.abs(around - log_f0[:, None]) < 1 / 6).sum(1)
    f0, confidence = f0.copy(), confidence.copy()
    for t in np.flatnonzero((known >= reach // 2) & np.isfinite(log_f0) & (agree < share * known)):
        moved = log_f0[t] + _OCTAVES
        best = np.abs(moved - np.nanmedian(around[t])).argmin()
        if abs(moved[best] - np.nanmedian(around[t])) < 1 / 8:
            f0[t] = 2.0 ** moved[best]
        else:
            confidence[t] = 0.0
    return f0, confidence


def _steady(f0: np.ndarray, known: np.ndarray, frames: int = 5, cents: float = 60.0) -> np.ndarray:
    """True where a frame lies in a run of at least ``frames`` known frames without a leap."""
    log_f0 = 1200 * np.log2(np.maximum(f0, 1.0))
    joined = np.zeros(len(f0), dtype=bool)
    joined[1:] = known[1:] & known[:-1] & (np.abs(np.diff(log_f0)) < cents)
    run = np.cumsum(~joined)
    length = np.bincount(run, minlength=run.max() + 1)
    return known & (length[run] >= frames)


def _librosa(
    audio: np.ndarray, sample_rate: int, n_fft: int, hop_length: int, fmin: float, fmax: float, method: str
) -> tuple[np.ndarray, np.ndarray]:
    import librosa

    length = n_fft
    while length <= 2 * sample_rate / fmin:
        length *= 2
    if method == "pyin":
        f0, _, probability = librosa.pyin(
            audio, fmin=fmin, fmax=fmax, sr=sample_rate, frame_length=length, hop_length=hop_length, fill_na=None
        )
        flag = np.isfinite(f0) & (f0 > 0)
        return np.where(flag, f0, 0.0), np.where(flag, probability, 0.0)
    f0 = librosa.yin(audio, fmin=fmin, fmax=fmax, sr=sample_rate, frame_length=length, hop_length=hop_length)
    found = _harmonics.peaks(audio, sample_rate, np.arange(len(f0)), hop_length, length)
    # yin answers for every frame; how much of the frame its harmonics explain says whether to believe it.
    return f0, _harmonics.explained(found, f0)


def measure(
    audio: np.ndarray,
    sample_rate: int,
    n_fft: int = 2048,
    hop_length: int = 512,
    method: str = "auto",
    threads: int = 1,
    **hints: Any,
) -> Measurement:
    """Pitch per frame in Hz; valid where voiced. See :func:`track`."""
    f0, _, voiced = track(audio, sample_rate, n_fft, hop_length, method=method, threads=threads)
    return Measurement(f0, voiced)


DESCRIPTOR = Descriptor("f0", "Hz", "log", "fundamental frequency (pitch)", measure)
