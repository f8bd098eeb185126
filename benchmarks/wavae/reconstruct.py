"""Held-out recordings through the vocoder alone, the whole model, and generators trained beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.tables import percent
from benchmarks.tracking.measure import pitch
from benchmarks.wavae.material import Material
from benchmarks.wavae.melgan import resynthesise
from benchmarks.wavae.rows import Row, collect, row
from vqsynth.dsp.losses import multi_resolution_stft
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.training.quality import mel_distance

NAME = "reconstruction"
TEXT = """Recordings that no training saw, at the level of training. *Vocoder*: the vocoder on the recording's own
mel frames; *whole*: encoded and decoded; *melGAN*, *Vocos*: generators of the published sizes on the recording's own
mel frames, trained on the same recordings, beside each other.
Mel: mean absolute distance in dB over 128 log-mel bands, frames within 40 dB of the loudest; STFT: multi-resolution
distance (Yamamoto et al. 2020; 4096, 2048, 1024, 256); f0: median of the frames that both are voiced in, by Praat,
and share of frames whose voicing agrees. Means are weighted by length."""

PITCH_RANGE = (80.0, 1000.0)
"""Hz; the search reaches an octave beyond."""
SHORTEST = 4096


@torch.no_grad()
def vocoder_alone(model: Wavae, audio: np.ndarray, chunk: int = 512) -> np.ndarray:
    """A sound's own mel frames through the vocoder, with their own loudness. Shape: [samples] -> [samples]."""
    config = model.config
    hop, half = config.hop_length, config.n_fft // 2
    before = half + 16 * hop  # the network's past is silence, as in a stream
    padded = torch.nn.functional.pad(torch.from_numpy(audio)[None], (before, half + 4 * hop))
    stream = model.stream()
    mel, controls = stream.analyze(padded)
    parts = [stream.sound(*part)[0] for part in zip(mel.split(chunk, 1), model.known(controls).split(chunk, 1))]
    # A stream's first sample lies one hop before its first frame's centre, which is two hops into the padding.
    return torch.cat(parts)[before - hop : before - hop + len(audio)].numpy()


def pitch_agreement(audio: np.ndarray, reference: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances in cents where both are voiced [n], and whether voicing agrees [frames]."""
    found, wanted = (pitch(sound, sample_rate, *PITCH_RANGE)[1] for sound in (audio, reference))
    voiced, both = np.isfinite(wanted), np.isfinite(found) & np.isfinite(wanted)
    return 1200 * np.abs(np.log2(found[both] / wanted[both])), np.isfinite(found) == voiced


def run(material: Material) -> list[Row]:
    """Rows of every domain."""

    def measure(name: str) -> list[Row]:
        domain = material.domain(name)
        model, rate = domain.model, domain.config.sample_rate
        ways: dict[str, Callable] = {
            "vocoder": lambda r: vocoder_alone(model, r.audio),
            "whole": lambda r: domain.decode(r.path),
        }
        for generator, training in material.trained_beside(name):
            ways[training["kind"]] = lambda r, g=generator: resynthesise(g, torch.from_numpy(r.audio)).numpy()
            own = domain.card["training"].get("seconds")
            told = f"{training['seconds']:.0f} s ({training['steps']} steps), the domain {own} s"
            print(f"{name}: {training['kind']} trained {told}", flush=True)
        others = [way for way in ways if way not in ("vocoder", "whole")]
        found: dict[str, list] = {way: [] for way in ways}
        weights = []
        for recording in material.recordings(name):
            if len(recording.audio) < SHORTEST:
                continue
            weights.append(len(recording.audio))
            for way, make in ways.items():
                sound = make(recording)
                spectral = multi_resolution_stft(torch.from_numpy(sound)[None], torch.from_numpy(recording.audio)[None])
                found[way].append(
                    (
                        mel_distance(model, sound, recording.audio),
                        float(spectral),
                        *pitch_agreement(sound, recording.audio, rate),
                    )
                )
        mean = {way: np.average([row[:2] for row in rows], axis=0, weights=weights) for way, rows in found.items()}
        limit = np.min([mean[way] for way in others], axis=0) if others else (np.nan, np.nan)
        rows = [Row(NAME, name, "recordings", len(weights), f"{len(weights)}, {sum(weights) / rate:.0f} s")]
        for index, (measured, digits, unit) in enumerate((("mel", 2, " dB"), ("STFT", 3, ""))):
            for way in ways:
                to_beat = way not in others and bool(others)
                beaten = (lambda value, index=index: value < limit[index]) if to_beat else None
                goal = "under the others'" if to_beat else ""
                rows.append(row(NAME, name, f"{measured}, {way}", mean[way][index], digits, unit, goal, beaten))
        for way, measured in found.items():
            cents = np.concatenate([m[2] for m in measured])
            found_f0 = row(NAME, name, f"f0, {way}", np.median(cents) if len(cents) else np.nan, 1, " c")
            found_f0.text += f", {percent(np.concatenate([m[3] for m in measured]).mean(), 0)}"
            rows.append(found_f0)
        return rows

    return collect(NAME, material.names, measure)
