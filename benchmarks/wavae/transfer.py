"""A cat, speech and singing through the domains: do they arrive, and do pitch and loudness come along?"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from benchmarks.tracking.measure import pitch
from benchmarks.wavae.material import Material
from benchmarks.wavae.reconstruct import PITCH_RANGE
from benchmarks.wavae.rows import Gap, Row, collect, row
from vqsynth import descriptors
from vqsynth.dsp.loudness import loudness
from vqsynth.errors import VqsynthError
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.effects.input import encode_recording
from vqsynth.wavae.effects.transfer import carry

NAME, FIRST = "transfer", "from, to"
TEXT = """A cat's meow, held-out speech and held-out singing through every other domain, as `vqsynth wavae transfer`
does it. Distances are Fréchet's (mean and covariance of frames within 40 dB of the loudest) from the output to
recordings of the target domain and to the input: on 128 log-mel bands relative to the frame's level (dB), and on
descriptors (centroid, bandwidth and rolloff in octaves, flatness; each in its standard deviation over target and
input). The goal is to be closer to the target: the first below the second. Pitch, by Praat: correlation of the
contours (log f0) and median distance, over frames that both are voiced in and whose pitch the domain's recordings
have (p2 to p98); their share of the input's voiced frames. Loudness: correlation of the contours in dB."""

SECONDS, REFERENCE_SECONDS = 12.0, 120.0
ACTIVE_DB = 40.0
TIMBRE = ("bandwidth", "centroid", "flatness", "rolloff")
FEWEST = 20
"""Frames of pitch that a correlation needs."""


@dataclasses.dataclass
class Frames:
    """What is compared of sounds. mel: [frames, n_mels] dB; timbre: [frames, descriptors]."""

    mel: np.ndarray
    timbre: np.ndarray


def frames_of(domain: Domain, sounds: list[np.ndarray]) -> Frames:
    """Mel and descriptor frames of sounds, where they are heard."""
    config, mels, timbres = domain.config, [], []
    for audio in sounds:
        half = config.n_fft // 2
        mel, controls = domain.model.analysis(torch.nn.functional.pad(torch.from_numpy(audio)[None], (half, half)))
        level = controls[0, :, 0].numpy()
        mels.append((40 * mel[0].numpy() - 30)[level > level.max() - ACTIVE_DB])
        measured = descriptors.measure(TIMBRE, audio, config.sample_rate, config.n_fft, config.hop_length)
        count = min(len(level), *(len(m.values) for m in measured.values()))
        good = (level > level.max() - ACTIVE_DB)[:count] & np.all([m.valid[:count] for m in measured.values()], 0)
        logs = [
            np.log2(np.maximum(measured[n].values[:count], 1.0)) if n != "flatness" else measured[n].values[:count]
            for n in TIMBRE
        ]
        timbres.append(np.stack(logs, -1)[good])
    return Frames(np.concatenate(mels), np.concatenate(timbres))


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of two Gaussians (Dowson & Landau 1982) fitted to frames. Shape: [n, dim], [m, dim]."""
    mean = np.square(a.mean(0) - b.mean(0)).sum()
    one, two = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ two @ root), 0)).sum()
    return float(np.sqrt(max(mean + np.trace(one) + np.trace(two) - 2 * cross, 0)))


def compare(output: Frames, target: Frames, source: Frames) -> dict[str, tuple[float, float]]:
    """Distances of the output to target and to source, on mel and on descriptors."""
    scale = np.concatenate([target.timbre, source.timbre]).std(0) + 1e-6
    return {
        "mel": (frechet(output.mel, target.mel), frechet(output.mel, source.mel)),
        "descriptors": (
            frechet(output.timbre / scale, target.timbre / scale),
            frechet(output.timbre / scale, source.timbre / scale),
        ),
    }


def contours(sounds: list[np.ndarray], rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Pitch [frames] Hz (NaN unvoiced) of sounds one after the other, and their loudness [frames] dB."""
    return (
        np.concatenate([pitch(audio, rate, *PITCH_RANGE)[1] for audio in sounds]),
        np.concatenate([loudness(audio, rate) for audio in sounds]),
    )


def sources(material: Material) -> dict[str, tuple[str | None, list]]:
    """Label -> the domain it belongs to, and what :func:`encode_recording` reads."""
    found: dict[str, tuple[str | None, list]] = {}
    cats = sorted(material.inputs.rglob("cat.*")) if material.inputs else []
    found["cat"] = (None, cats[:1])
    for label, domain in (("speech", "spoken"), ("singing", "singing")):
        try:
            files = material.files(domain, True)
        except Gap:
            files = []
        found[label] = (domain, [files[i] for i in np.random.default_rng(5).permutation(len(files))])
    return found


def run(material: Material) -> list[Row]:
    """Rows of every source and every domain that is not its own."""
    known = sources(material)
    references: dict[str, tuple[Frames, np.ndarray]] = {}

    def reference(name: str) -> tuple[Frames, np.ndarray]:
        """Frames of a domain's recordings, and the ends of the range of their pitch."""
        if name not in references:
            domain, half = material.domain(name), REFERENCE_SECONDS / 2
            sounds = [
                r.audio
                for held_out in (True, False)
                for r in material.recordings(name, held_out, half)
                if len(r.audio) > 4096
            ]
            f0, _ = contours(sounds, domain.config.sample_rate)
            f0 = f0[np.isfinite(f0)]
            references[name] = (
                frames_of(domain, sounds),
                np.percentile(f0, [2, 98]) if len(f0) else np.array([np.nan, np.nan]),
            )
        return references[name]

    def measure(subject: str) -> list[Row]:
        label, name = subject.split(" to ")
        files = known[label][1]
        if not files:
            raise Gap("no cat.ogg (--inputs DIR)" if label == "cat" else f"no held-out recordings of {known[label][0]}")
        domain = material.domain(name)
        target, (low, high) = reference(name)
        rate, inputs, outputs = domain.config.sample_rate, [], []
        for path in files:
            if sum(map(len, inputs)) > SECONDS * rate:
                break
            try:
                audio, encoded, _ = encode_recording(path, domain)
            except VqsynthError as error:
                print(f"{subject}: {error}", flush=True)
                continue
            inputs.append(audio)
            outputs.append(carry(encoded, domain)[0])
        if not inputs:
            raise Gap(f"none of the recordings of {label} can be used")
        rows = []
        for what, (near, far) in compare(frames_of(domain, outputs), target, frames_of(domain, inputs)).items():
            rows.append(
                Row(
                    NAME,
                    subject,
                    f"{what}, to target : to input",
                    near / far,
                    f"{near:.2f} : {far:.2f}",
                    "first below",
                    bool(near < far),
                )
            )
        (f0_in, level_in), (f0_out, level_out) = contours(inputs, rate), contours(outputs, rate)
        count = min(len(f0_in), len(f0_out))
        f0_in, f0_out = f0_in[:count], f0_out[:count]
        both = np.isfinite(f0_in) & np.isfinite(f0_out) & (f0_in >= low) & (f0_in <= high)
        if both.sum() >= FEWEST:
            a, b = np.log2(f0_in[both]), np.log2(f0_out[both])
            cents, share = 1200 * np.median(np.abs(a - b)), both.sum() / np.isfinite(f0_in).sum()
            kept = row(NAME, subject, "pitch kept", np.corrcoef(a, b)[0, 1])
            kept.text += f", {cents:.0f} c, {100 * share:.0f} % of frames"
        else:
            kept = Row(NAME, subject, "pitch kept", text="out of range")
        heard = level_in > level_in.max() - ACTIVE_DB
        return [
            *rows,
            kept,
            row(NAME, subject, "loudness kept", np.corrcoef(level_in[heard], level_out[heard])[0, 1], 3),
        ]

    pairs = [f"{label} to {name}" for label, (own, _) in known.items() for name in material.names if name != own]
    return collect(NAME, pairs, measure)
