"""The source-filter law: two excitations, a filter for each, partials beside them, a gain.

A frame of the output is ``g * (H_h U_h + H_n U_n) / level``: the spectra of a pulse train
and of white noise, each times a decoded magnitude filter, scaled so that gain 1 always has
the same loudness. Source-filter form after Serra & Smith (1990) and Engel et al. (2020,
DDSP); filtering and overlap-add as in Bitton et al. (2020).
"""

import dataclasses

import torch
from torch import Tensor, nn

from vqsynth.dsp.excitation import dispersion_phase
from vqsynth.dsp.loudness import UNIT_LUFS, power_weights
from vqsynth.dsp.stft import hann

CALIBRATION_DB = 0.691
"""Offset of ITU-R BS.1770-4, eq. 2."""


@dataclasses.dataclass
class Frames:
    """What a decoder says of every frame.

    Shape:
        f0: [..., frames] Hz; voicing: [..., frames] 0..1;
        harmonic: [..., frames, n_fft // 2 + 1] linear filter magnitudes
        noise: [..., frames, n_fft // 2 + 1] linear filter magnitudes
    """

    f0: Tensor
    voicing: Tensor
    harmonic: Tensor
    noise: Tensor

    def __len__(self) -> int:
        return self.f0.shape[-1]

    def __getitem__(self, index: slice) -> "Frames":
        return Frames(
            self.f0[..., index], self.voicing[..., index], self.harmonic[..., index, :], self.noise[..., index, :]
        )

    @staticmethod
    def cat(parts: "list[Frames]") -> "Frames":
        """Join along time."""
        return Frames(
            torch.cat([p.f0 for p in parts], -1),
            torch.cat([p.voicing for p in parts], -1),
            torch.cat([p.harmonic for p in parts], -2),
            torch.cat([p.noise for p in parts], -2),
        )

    def bend(self, cents: Tensor) -> "Frames":
        """Move f0 by ``cents`` [frames]; the filters stay."""
        return dataclasses.replace(self, f0=self.f0 * torch.exp2(cents / 1200))


class SourceFilter(nn.Module):
    """Spectra of output frames from spectra of the excitations.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
    """

    window: Tensor
    weights: Tensor
    dispersion: Tensor

    def __init__(self, sample_rate: int, n_fft: int) -> None:
        super().__init__()
        self.sample_rate, self.n_fft = sample_rate, n_fft
        window = hann(n_fft)
        self.noise_power = float(window.square().sum())
        self.unit = 10 ** ((UNIT_LUFS + CALIBRATION_DB) / 20)
        dispersion = torch.polar(torch.ones(n_fft // 2 + 1), dispersion_phase(sample_rate, n_fft))
        self.register_buffer("window", window.clone(), persistent=False)
        self.register_buffer("weights", power_weights(sample_rate, n_fft).clone(), persistent=False)
        self.register_buffer("dispersion", dispersion, persistent=False)

    def forward(
        self,
        pulses: Tensor,
        noise: Tensor,
        harmonic: Tensor,
        noise_filter: Tensor,
        gain: Tensor,
        partials: Tensor | None = None,
    ) -> Tensor:
        """Filter the excitations and bring every frame to its loudness.

        Shape:
            pulses: [..., frames, bins] complex
            noise: [..., frames, bins] complex
            harmonic: [..., frames, bins]
            noise_filter: [..., frames, bins]
            gain: [..., frames] linear
            partials: [..., frames, bins] complex, added as they are -> [..., frames, bins] complex
        """
        power = self.harmonic_power(pulses, harmonic) + self.noise_power_of(noise_filter)
        spectra = self.filtered(pulses, noise, harmonic, noise_filter)
        if partials is not None:
            power = power + partials.real.square() + partials.imag.square()
            spectra = spectra + partials
        return self.level(spectra, power, gain, None)

    @torch.jit.export
    def harmonic_power(self, pulses: Tensor, harmonic: Tensor) -> Tensor:
        """Power of the filtered pulses. Shape: [..., frames, bins] complex and real -> [..., frames, bins]."""
        return (pulses.real.square() + pulses.imag.square()) * harmonic.square()

    @torch.jit.export
    def noise_power_of(self, noise_filter: Tensor) -> Tensor:
        """Expected power of the filtered noise. Shape: [..., frames, bins] -> [..., frames, bins]."""
        return self.noise_power * noise_filter.square()

    @torch.jit.export
    def filtered(self, pulses: Tensor, noise: Tensor, harmonic: Tensor, noise_filter: Tensor) -> Tensor:
        """Sum of the filtered excitations, before any gain. Shape: as :meth:`forward`."""
        return pulses * (harmonic * self.dispersion) + noise * noise_filter

    @torch.jit.export
    def level(self, spectra: Tensor, power: Tensor, gain: Tensor, shape: Tensor | None = None) -> Tensor:
        """Bring frames to their loudness.

        Args:
            spectra: [..., frames, bins] complex.
            power: expected power of the frames, [..., frames, bins].
            gain: linear, [..., frames]; 1 is -20 LUFS.
            shape: a further filter, whose own level does not count, [..., frames, bins].
        """
        if shape is None:
            level = (power @ self.weights).clamp_min(1e-12).sqrt()
            return spectra * (gain * self.unit / level)[..., None]
        level = ((power * shape.square()) @ self.weights).clamp_min(1e-12).sqrt()
        return spectra * (shape * (gain * self.unit / level)[..., None])
