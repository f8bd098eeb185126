"""How well a model resynthesises recordings it was not trained on."""

from __future__ import annotations

import numpy as np
import torch

from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.losses import multi_resolution_stft
from vqsynth.dsp.mel import absolute_mel
from vqsynth.wavae.network.model import Wavae


def mel_frames(model: Wavae, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Absolute log-mel frames in dB [frames, n_mels], and their loudness [frames]."""
    overlap = model.config.n_fft - model.config.hop_length
    mel, controls = model.analysis(torch.nn.functional.pad(torch.from_numpy(audio)[None], (overlap, overlap)))
    return absolute_mel(mel[0], controls[0, :, 0]).numpy(), controls[0, :, 0].numpy()


def mel_distance(model: Wavae, audio: np.ndarray, reference: np.ndarray) -> float:
    """Mean absolute log-mel distance in dB where the reference is within 40 dB of its loudest. Shape: 2 x [samples]."""
    mel, _ = mel_frames(model, audio)
    target, loudness = mel_frames(model, reference)
    active = loudness > loudness.max() - 40
    return float(np.abs(mel - target)[active].mean())


def pitch_error(audio: np.ndarray, reference: np.ndarray, sample_rate: int) -> np.ndarray:
    """Absolute pitch differences in cents over the frames where both are voiced. Shape: 2 x [samples] -> [frames]."""
    f0, _, voiced = tracker.track(audio, sample_rate)
    target, _, target_voiced = tracker.track(reference, sample_rate)
    both = voiced & target_voiced
    return np.abs(1200 * np.log2(f0[both] / target[both]))


@torch.no_grad()
def held_out_quality(model: Wavae, recordings: list[np.ndarray]) -> dict[str, float]:
    """Log-mel distance, spectral distance and pitch error of whole resyntheses; empty without recordings."""
    rate = model.config.sample_rate
    recordings = [audio for audio in recordings if len(audio) >= 4096]
    if not recordings:
        return {}
    distances, spectral, cents = [], [], []
    for audio in recordings:
        output = model.resynthesise(audio)
        distances.append(mel_distance(model, output, audio))
        spectral.append(float(multi_resolution_stft(torch.from_numpy(output)[None], torch.from_numpy(audio)[None])))
        cents.append(pitch_error(output, audio, rate))
    weights = [len(audio) for audio in recordings]
    quality = {
        "log_mel_distance_db": round(float(np.average(distances, weights=weights)), 2),
        "stft_distance": round(float(np.average(spectral, weights=weights)), 3),
    }
    all_cents = np.concatenate(cents)
    if len(all_cents):
        quality["f0_cents_median"] = round(float(np.median(all_cents)), 1)
    return quality
