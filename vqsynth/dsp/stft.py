"""Short-time Fourier transform on the project's frame grid.

Frame ``t`` is centred on sample ``t * hop_length``; a signal of ``n`` samples has
``1 + n // hop_length`` frames. The window is a periodic Hann window.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor


@functools.lru_cache(maxsize=32)
def hann(n_fft: int) -> Tensor:
    """Periodic Hann window, Shape: [n_fft]."""
    # Kept for all who come: whoever asked first may have been in inference mode, the next may train.
    with torch.inference_mode(False):
        return torch.hann_window(n_fft, periodic=True)


def power_spectrogram(audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """Power of the zero-padded, centred STFT.

    Shape:
        audio: [..., samples] -> [..., frames, n_fft // 2 + 1]
    """
    shape = audio.shape[:-1]
    spectrum = torch.stft(
        audio.reshape(-1, audio.shape[-1]),
        n_fft,
        hop_length,
        window=hann(n_fft).to(audio),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()
    return power.transpose(1, 2).reshape(*shape, -1, n_fft // 2 + 1)


def frame_spectra(signal: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """Spectra of the windowed frames that fit wholly inside ``signal`` (no padding).

    Shape:
        signal: [..., samples] -> [..., 1 + (samples - n_fft) // hop_length, n_fft // 2 + 1] complex
    """
    frames = signal.unfold(-1, n_fft, hop_length)
    return torch.fft.rfft(frames * hann(n_fft).to(signal))


def overlap_add(frames: Tensor, hop_length: int) -> Tensor:
    """Sum overlapping frames.

    Shape:
        frames: [batch, frames, length], ``length`` a multiple of ``hop_length``
        -> [batch, length + (frames - 1) * hop_length]
    """
    parts = frames.shape[2] // hop_length
    hops = frames.unflatten(2, (parts, hop_length))
    audio = frames.new_zeros(frames.shape[0], frames.shape[1] + parts - 1, hop_length)
    for part in range(parts):
        audio[:, part : part + frames.shape[1]] += hops[:, :, part]
    return audio.flatten(1)
