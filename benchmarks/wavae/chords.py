"""Several voices at once: chords mixed from held-out notes, and real sections."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable

import numpy as np

from benchmarks.wavae import polyphony
from benchmarks.wavae.material import Material, Recording
from benchmarks.wavae.reconstruct import vocoder_alone
from benchmarks.wavae.rows import Gap, Row, collect, row
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.training.quality import mel_distance
from vqsynth.wavae.training.settings import WavaeSettings

NAME = "chords"
TEXT = """Held-out recordings of single voices, and two, three and four of them mixed (levels within 6 dB, from 0.1 s
before their loudest moment on, 2.5 s, seeded), and held-out recordings of sections. Mel: as above, for the vocoder on
the sound's own mel frames and for the whole model; chords and sections over single voices. Notes: those that
basic-pitch (Bittner et al. 2022) finds in the decoded sound against those it finds in the original; F1 over notes (same
key, begun within 0.1 s) and over frames; *free*: single voices whose pitch is left to the latents."""

SECONDS, LEAD, CHORDS = 2.5, 0.1, 8
LEVEL_DB = 6.0
GOAL, GOAL_F1 = 1.3, 0.8


def is_ensemble(name: str) -> bool:
    """Whether a recording is one of many voices, by its name."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in WavaeSettings().ensembles)


def excerpt(audio: np.ndarray, rate: int) -> np.ndarray:
    """The stretch from just before the loudest quarter of a second on. Shape: [samples] -> [2.5 s or less]."""
    size = rate // 4
    power = np.convolve(audio**2, np.ones(size), "valid") if len(audio) > size else np.zeros(1)
    first = max(0, int(power.argmax()) - round(LEAD * rate))
    first = max(0, min(first, len(audio) - round(SECONDS * rate)))
    return audio[first : first + round(SECONDS * rate)]


def mixtures(recordings: list[Recording], rate: int, voices: int, seed: int = 11) -> list[np.ndarray]:
    """Chords of so many recordings each. Shape: each [samples]."""
    random = np.random.default_rng([seed, voices])
    chords = []
    for _ in range(CHORDS):
        chosen = random.choice(len(recordings), voices, replace=False)
        sounds = [excerpt(recordings[i].audio, rate) for i in chosen]
        length = min(map(len, sounds))
        parts = [s[:length] / np.sqrt(np.mean(s[:length] ** 2) + 1e-9) for s in sounds]
        chord = sum(part * 10 ** (random.uniform(-LEVEL_DB, 0) / 20) for part in parts)
        chords.append((0.05 * chord / np.sqrt(np.mean(chord**2) + 1e-9)).astype(np.float32))
    return chords


def compare(
    domain: Domain, sounds: list[np.ndarray], make: Callable[[np.ndarray], np.ndarray], notes: bool = True
) -> tuple[float, float, float]:
    """Mean log-mel distance, F1 over notes, F1 over frames."""
    rate, distances = domain.config.sample_rate, []
    counted, framed = np.zeros(3), np.zeros(3)
    for audio in sounds:
        output = make(audio)
        distances.append(mel_distance(domain.model, output, audio))
        if notes:
            found, wanted = (polyphony.activations(sound, rate) for sound in (output, audio))
            pair = polyphony.notes_of(found), polyphony.notes_of(wanted)
            counted += polyphony.agreement(*pair)
            framed += polyphony.frame_agreement(*pair, wanted.shape[1])
    return float(np.mean(distances)), polyphony.f1(*counted), polyphony.f1(*framed)


def run(material: Material) -> list[Row]:
    """Rows of every domain."""

    def measure(name: str) -> list[Row]:
        domain = material.domain(name)
        rate = domain.config.sample_rate
        held_out = [r for r in material.recordings(name) if len(r.audio) > 0.5 * rate]
        many = [r for r in held_out if is_ensemble(r.name)]
        alone = [r for r in held_out if r not in many and float(np.mean(r.path.voicing)) > 0.3]
        if len(alone) < 2 and not many:
            raise Gap(f"{len(alone)} held-out recordings of single voices are too few to mix")
        try:
            polyphony.network()
            notes, gaps = True, []
        except FileNotFoundError as error:
            notes, gaps = False, [Row(NAME, name, "", text=str(error))]
        groups = {"single": [excerpt(r.audio, rate) for r in alone]} if alone else {}
        groups |= {f"{voices} voices": mixtures(alone, rate, voices) for voices in (2, 3, 4) if voices <= len(alone)}
        if many:
            groups["sections"] = [excerpt(r.audio, rate) for r in many]
        rows, single = list(gaps), np.nan
        ways = {"whole": lambda audio: domain.model.resynthesise(audio)}
        for label, sounds in groups.items():
            subject = f"{name}, {label}"
            rows.append(Row(NAME, subject, "sounds", len(sounds), str(len(sounds))))
            rows.append(
                row(
                    NAME,
                    subject,
                    "mel, vocoder",
                    compare(domain, sounds, lambda a: vocoder_alone(domain.model, a), False)[0],
                    2,
                    " dB",
                )
            )
            mel, over_notes, over_frames = compare(domain, sounds, ways["whole"], notes)
            rows.append(row(NAME, subject, "mel, whole", mel, 2, " dB"))
            if label == "single":
                single = mel
                free = compare(
                    domain, sounds, lambda a: domain.model.decode(*domain.model.encode(a, True), samples=len(a)), False
                )
                rows.append(row(NAME, subject, "mel, free", free[0], 2, " dB"))
            else:
                rows.append(
                    row(NAME, subject, "over single", mel / single, 2, "", f"{GOAL} or less", lambda v: v <= GOAL)
                )
            if notes:
                rows.append(
                    row(NAME, subject, "F1, notes", over_notes, 2, "", f"{GOAL_F1} or more", lambda v: v >= GOAL_F1)
                )
                rows.append(row(NAME, subject, "F1, frames", over_frames, 2))
        return rows

    return collect(NAME, material.names, measure)
