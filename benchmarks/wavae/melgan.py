"""A melGAN generator of the published size, after Kumar et al. (2019), MelGAN, section 2.1 and appendix A; own code.

Channels 512 to 32, four upsampling stages, residual stacks dilated 1, 3, 9. The paper's 256 samples a frame are
8, 8, 2, 2; here a frame is 512 samples: 8, 8, 4, 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vqsynth.dsp import mel as mels
from vqsynth.streaming.convolution import CausalConv1d
from vqsynth.streaming.module import twin
from vqsynth.wavae.network.analysis import MelAnalysis
from vqsynth.wavae.network.config import WavaeConfig

WIDTH = 512
RATIOS = (8, 8, 4, 2)
DILATIONS = (1, 3, 9)
SLOPE = 0.2


def convolution(before: int, after: int, kernel_size: int, dilation: int, causal: bool) -> nn.Module:
    """A convolution that keeps the length: causal with a past, or symmetric and mirrored at the ends as published."""
    if causal:
        return CausalConv1d(before, after, kernel_size, dilation)
    pad = (kernel_size - 1) // 2 * dilation
    return nn.Conv1d(before, after, kernel_size, dilation=dilation, padding=pad, padding_mode="reflect")


class Upsample(nn.Module):
    """Transposed convolution with stride ``ratio`` and kernel ``2 * ratio``.

    The causal one is computed as a convolution over two frames whose channels become samples: the same sums.
    Shape: [batch, before, frames] -> [batch, after, ratio * frames]
    """

    def __init__(self, before: int, after: int, ratio: int, causal: bool) -> None:
        super().__init__()
        self.ratio, self.causal = ratio, causal
        self.layer = (
            CausalConv1d(before, after * ratio, 2)
            if causal
            else nn.ConvTranspose1d(before, after, 2 * ratio, ratio, padding=ratio // 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        if not self.causal:
            return self.layer(x)
        return self.layer(x).unflatten(1, (-1, self.ratio)).transpose(2, 3).flatten(2)


class Residual(nn.Module):
    """Dilated convolution and a pointwise one, beside a pointwise shortcut."""

    def __init__(self, width: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.dilated = convolution(width, width, 3, dilation, causal)
        self.mix = nn.Conv1d(width, width, 1)
        self.shortcut = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.dilated(nn.functional.leaky_relu(x, SLOPE))
        return self.shortcut(x) + self.mix(nn.functional.leaky_relu(inner, SLOPE))


class MelGan(nn.Module):
    """Absolute log-mel frames to samples.

    Args:
        n_mels: bands of a frame.
        causal: sees the past only, so that it can stream; the published one is symmetric.
    """

    def __init__(self, n_mels: int = WavaeConfig().n_mels, causal: bool = False) -> None:
        super().__init__()
        self.hop_length, self.causal = math.prod(RATIOS), causal
        layers: list[nn.Module] = [convolution(n_mels, WIDTH, 7, 1, causal)]
        width = WIDTH
        for ratio in RATIOS:
            layers += [nn.LeakyReLU(SLOPE), Upsample(width, width // 2, ratio, causal)]
            width //= 2
            layers += [Residual(width, dilation, causal) for dilation in DILATIONS]
        layers += [nn.LeakyReLU(SLOPE), convolution(width, 1, 7, 1, causal), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, mel: Tensor) -> Tensor:
        """Frame ``t`` of the symmetric network is the middle of its own samples.

        Shape: [batch, frames, n_mels] -> [batch, hop_length * frames]
        """
        return self.layers(mel.transpose(1, 2))[:, 0]


def absolute_mel(analysis: MelAnalysis, audio: Tensor) -> Tensor:
    """Log-mel frames with their level: -100 to 20 dB of a full-scale sine become about -1.5 to 1.5.

    Shape: [batch, samples] -> [batch, frames, n_mels], frames that lie wholly inside
    """
    mel, controls = analysis(audio)
    return (mels.absolute_mel(mel, controls[..., 0]).clamp_min(-100) + 40) / 40


@torch.no_grad()
def resynthesise(generator: MelGan, audio: Tensor, chunk: int = 512, context: int = 8) -> Tensor:
    """A sound's mel frames made sound again.

    Args:
        generator: the network.
        audio: the sound.
        chunk: frames computed at once.
        context: more on either side; the network sees 7.

    Shape: [samples] at 44.1 kHz -> [samples]
    """
    config, hop = WavaeConfig(), generator.hop_length
    half = config.n_fft // 2
    mel = absolute_mel(MelAnalysis(config), nn.functional.pad(audio, (half, half + hop))[None])
    parts = []
    for start in range(0, mel.shape[1], chunk):
        first = max(0, start - context)
        made = generator(mel[:, first : start + chunk + context])[0]
        parts.append(made[(start - first) * hop : (start - first + chunk) * hop])
    # The first frame's samples begin half a hop before its time.
    return torch.cat(parts)[hop // 2 : hop // 2 + len(audio)]


class MelGanStream:
    """Sound to sound, block by block, through a causal generator whose convolutions keep their past."""

    def __init__(self, generator: MelGan) -> None:
        config = WavaeConfig()
        self.generator, self.analysis = twin(generator), MelAnalysis(config)
        self.hop, self.overlap = config.hop_length, config.n_fft - config.hop_length
        self.latency = (config.n_fft + self.hop) // 2 - 1
        self.pending, self.ready = torch.zeros(self.overlap), torch.zeros(self.hop - 1)

    @torch.inference_mode()
    def push(self, audio: Tensor) -> Tensor:
        """Shape: [samples] -> [samples]."""
        self.pending = torch.cat([self.pending, audio])
        used = (len(self.pending) - self.overlap) // self.hop * self.hop
        if used:
            mel = absolute_mel(self.analysis, self.pending[None, : used + self.overlap])
            made = self.generator(mel)[0]
            self.ready, self.pending = torch.cat([self.ready, made]), self.pending[used:].clone()
        block, self.ready = self.ready[: len(audio)], self.ready[len(audio) :].clone()
        return block
