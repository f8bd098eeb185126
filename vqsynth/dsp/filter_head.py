"""From raw network outputs to what the source-filter law needs: two filters and a pitch."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.mel import band_interpolation


class FilterHead(nn.Module):
    """Splits the outputs of a frame into filter knots, pitch and voicing logits, and draws the filters.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
        n_harmonic_bands: knots of the filter of the pulses.
        n_noise_bands: knots of the filter of the noise.
        pitch_bins: half-semitone bins of the pitch distribution; 0 where the network says nothing of pitch.

    Attributes:
        n_outputs: raw outputs a frame.
    """

    harmonic_bands: Tensor
    noise_bands: Tensor

    def __init__(
        self, sample_rate: int, n_fft: int, n_harmonic_bands: int, n_noise_bands: int, pitch_bins: int
    ) -> None:
        super().__init__()
        self.sizes = [n_harmonic_bands, n_noise_bands, pitch_bins, min(pitch_bins, 1)]
        self.n_outputs = sum(self.sizes)
        harmonic = band_interpolation(sample_rate, n_fft, n_harmonic_bands)
        noise = band_interpolation(sample_rate, n_fft, n_noise_bands)
        self.register_buffer("harmonic_bands", harmonic, persistent=False)
        self.register_buffer("noise_bands", noise, persistent=False)

    def forward(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Filters of pulses and of noise.

        Shape:
            [..., frames, n_outputs] -> 2 x [..., frames, n_fft // 2 + 1] linear magnitudes
        """
        parts = outputs.split(self.sizes, -1)
        return (
            torch.exp((parts[0] @ self.harmonic_bands).clamp(-16.0, 8.0)),
            torch.exp(self.noise_log(outputs).clamp(-16.0, 8.0)),
        )

    @torch.jit.export
    def noise_log(self, outputs: Tensor) -> Tensor:
        """Log magnitudes of the noise filter. Shape: [..., n_outputs] -> [..., n_fft // 2 + 1]."""
        # Noise starts well below the harmonics and has to be earned.
        return outputs.split(self.sizes, -1)[1] @ self.noise_bands - 4

    @torch.jit.export
    def harmonic_log(self, outputs: Tensor) -> Tensor:
        """Log magnitudes of the pulses' filter. Shape: [..., n_outputs] -> [..., n_fft // 2 + 1]."""
        return outputs.split(self.sizes, -1)[0] @ self.harmonic_bands

    @torch.jit.export
    def pitch(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Pitch logits [..., frames, pitch_bins] and voicing logit [..., frames] of raw outputs."""
        parts = outputs.split(self.sizes, -1)
        return parts[2], parts[3][..., 0]
