"""Frames joined to sound, as a stream."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.stft import hann, overlap_add


class OverlapAdd(nn.Module):
    """Spectra of windowed frames to sound: weighted overlap-add.

    Args:
        n_fft: frame length in samples.
        inner: hear the middle two hops of every frame only, in crossfades of one hop: less latency, and nothing
            of the frames' edges. Otherwise the whole frame, windowed again.
        hop_length: samples between frames: a quarter of a frame, or less where the inner part is heard.

    Attributes:
        latency: samples from a frame's first sample that comes out to its centre.
    """

    window: Tensor
    state: Tensor

    def __init__(self, n_fft: int, inner: bool = False, hop_length: int | None = None) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length or n_fft // 4
        window = hann(n_fft)
        if inner:
            self.first, self.length = n_fft // 2 - self.hop_length, 2 * self.hop_length
            shape = hann(self.length) / window[self.first : self.first + self.length]
        else:
            self.first, self.length = 0, n_fft
            shape = window / (window.square().sum() / self.hop_length)
        self.latency = self.length // 2
        self.register_buffer("window", shape.clone(), persistent=False)
        self.register_buffer("state", torch.zeros(1, self.length - self.hop_length), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.state = torch.zeros(batch, self.length - self.hop_length, device=self.window.device)

    def whole(self, spectra: Tensor) -> Tensor:
        """Join frames apart from any stream; differentiable.

        Shape:
            [batch, frames, n_fft // 2 + 1] complex -> [batch, length + (frames - 1) * hop_length]
        """
        frames = torch.fft.irfft(spectra, n=self.n_fft)[..., self.first : self.first + self.length] * self.window
        return overlap_add(frames, self.hop_length)

    @torch.jit.export
    def peek(self, spectra: Tensor) -> Tensor:
        """What :meth:`forward` would give, and the tail beyond it that is not finished; changes no state.

        Shape:
            [batch, frames, n_fft // 2 + 1] complex -> [batch, length + (frames - 1) * hop_length]
        """
        audio = self.whole(spectra)
        audio[:, : self.state.shape[1]] += self.state
        return audio

    def forward(self, spectra: Tensor) -> Tensor:
        """Take more frames, give the samples that are finished.

        Shape:
            [batch, frames, n_fft // 2 + 1] complex -> [batch, frames * hop_length]
        """
        audio, done = self.peek(spectra), spectra.shape[1] * self.hop_length
        self.state = audio[:, done:].clone()
        return audio[:, :done]
