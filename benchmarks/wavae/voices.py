"""How alive reconstructions are: noise, movement, attacks and roughness against the recordings' own."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, hilbert, sosfiltfilt

from benchmarks.life import measures
from benchmarks.life.sound import Sound
from benchmarks.wavae.material import Material
from benchmarks.wavae.rows import Gap, Row, collect, row

NAME = "voices"
TEXT = """Held-out recordings encoded and decoded, each measured as the recording itself (at most 6 s each). *Harmonics
to noise*: by Praat, mean over recordings, decoded against recorded; *10 to 16 kHz*: how far the strongest bins of a
band stand above its median bin, which pulses raise and noise lowers. As ratios to the recordings' own, median over
recordings: *level* (movement from 2 to 20 Hz), *partials* (flutter of the partials 1 to 12), *attack* (20 to 3 dB below
the sustain), *roughness* (modulation from 20 to 150 Hz of the envelopes of six octave bands)."""

SECONDS = 6.0
MOST = 24
"""Recordings of a domain that are measured."""
RATIO = (0.7, 1.3)
OCTAVES = (250, 500, 1000, 2000, 4000, 8000)
ROUGH = (20.0, 150.0)
HIGH = (10_000.0, 16_000.0)


def roughness(audio: np.ndarray, rate: int) -> float:
    """Depth of modulation between 20 and 150 Hz, mean over octave bands weighted by their power. Shape: [samples]."""
    depth, power = [], []
    for centre in OCTAVES:
        sos = butter(2, [centre / 2**0.5, min(centre * 2**0.5, 0.45 * rate)], "bandpass", fs=rate, output="sos")
        envelope = np.abs(hilbert(sosfiltfilt(sos, audio)))
        moving = sosfiltfilt(butter(2, ROUGH, "bandpass", fs=rate, output="sos"), envelope)
        slow = sosfiltfilt(butter(2, ROUGH[0], fs=rate, output="sos"), envelope)
        loud = slow > 0.1 * slow.max()
        depth.append(np.sqrt(np.mean((moving[loud] / slow[loud]) ** 2)))
        power.append(np.mean(envelope**2))
    return float(np.average(depth, weights=power))


def prominence(audio: np.ndarray, rate: int, band: tuple[float, float] = HIGH) -> float:
    """How far the strongest tenth of a band's bins stands above its median, dB, over loud frames. Shape: [samples]."""
    size = 4096
    if len(audio) < size:
        return float("nan")
    frames = np.lib.stride_tricks.sliding_window_view(audio, size)[:: size // 4] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames)) ** 2
    loud = power.sum(1) > 1e-3 * power.sum(1).max()
    low, high = (round(edge * size / rate) for edge in band)
    within = 10 * np.log10(power[loud, low:high] + 1e-14)
    return float(np.mean(np.percentile(within, 95, axis=1) - np.median(within, axis=1)))


def describe(audio: np.ndarray, rate: int) -> dict[str, float]:
    """All that is compared. Shape: [samples]."""
    values = measures.measure(Sound(audio, rate)).values
    kept = {name: values[name] for name in ("harmonics to noise", "level", "flutter", "attack")}
    return kept | {"10 to 16 kHz": prominence(audio, rate), "roughness": roughness(audio, rate)}


def run(material: Material) -> list[Row]:
    """Rows of every domain."""

    def measure(name: str) -> list[Row]:
        domain = material.domain(name)
        rate, pairs = domain.config.sample_rate, []
        for recording in material.recordings(name):
            if len(recording.audio) < 0.6 * rate:
                continue
            sounds = (sound[: round(SECONDS * rate)] for sound in (recording.audio, domain.decode(recording.path)))
            pairs.append([describe(sound, rate) for sound in sounds])
            if len(pairs) == MOST:
                break
        if not pairs:
            raise Gap("no held-out recording is long enough")

        def both(what: str) -> np.ndarray:
            values = np.array([[real[what], made[what]] for real, made in pairs])
            return values[np.isfinite(values).all(1)]

        rows = [Row(NAME, name, "recordings", len(pairs), str(len(pairs)))]
        for what in ("harmonics to noise", "10 to 16 kHz"):
            found = both(what)
            real, made = found.mean(0) if len(found) else (np.nan, np.nan)
            rows.append(row(NAME, name, what, made, 1, " dB"))
            rows[-1].text += f" (recorded {real:.1f})"
        for what, label in (
            ("level", "level"), ("flutter", "partials"), ("attack", "attack"), ("roughness", "roughness"),
        ):  # fmt: skip
            found = both(what)
            ratio = float(np.median(found[:, 1] / np.maximum(found[:, 0], 1e-9))) if len(found) else float("nan")
            goal = f"{RATIO[0]} to {RATIO[1]}"
            rows.append(row(NAME, name, label, ratio, 2, "", goal, lambda v: RATIO[0] <= v <= RATIO[1]))
        return rows

    return collect(NAME, material.names, measure)
