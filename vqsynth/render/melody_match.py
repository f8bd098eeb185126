"""Find codes that can sing a melody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vqsynth.render.match import FrameCosts, PathSettings, jump_costs, path

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre
    from vqsynth.vqvae.code_spectra import CodeSpectra

_TOLERANCE = 0.25  # semitones by which a code may miss its pitch at a cost of 1; bending does the rest
_RARE = 0.003  # share of playing at either end of the pitch range that may be a slip of the tracker
_APART = 1 / 12  # octaves without a code, beyond which lies the slip
_LATENT_WEIGHT = 12.0  # cost of being twice as far as the nearest code
_KNOWN = 0.025  # dB for a unit of latent cost
_OFF = 0.1  # dB for a semitone off a code's pitch


def reachable_f0(timbre: Timbre) -> tuple[float, float] | None:
    """Lowest and highest pitch in Hz that a timbre's recordings play, or None if its codes have none.

    Codes count by how often the recordings use them; a few stray ones beyond a gap are no range.
    """
    if "f0" not in timbre.table.names:
        return None
    f0, usage = timbre.table.column("f0"), np.asarray(timbre.table.usage, float)
    sung = np.isfinite(f0)
    if not sung.any():
        return None
    weights = usage[sung] if usage[sung].any() else np.ones(int(sung.sum()))
    order = np.argsort(f0[sung])
    pitch, share = f0[sung][order], np.cumsum(weights[order]) / weights.sum()
    low, high = np.searchsorted(share, [_RARE, 1 - _RARE])
    # Slips lie apart; the last note of a scale, which few frames play, does not.
    gaps = np.flatnonzero(np.diff(np.log2(pitch)) > _APART)
    first, last = [0, *(gaps[gaps < low] + 1)][-1], [*gaps[gaps >= high], -1][0]
    return float(pitch[first]), float(pitch[last])


class PitchedCosts:
    """Cost of every code in every frame: its distance in latent space, and from the wanted pitch.

    Distances are in units of the mean distance of a frame to its nearest code, so that a sound unlike
    anything the encoder has heard is judged by the same measure.

    Shape:
        latents [frames, dim]; codebook [codes, dim]; code_f0 [codes] Hz, NaN without pitch; f0 [frames] Hz,
        0 where unvoiced: those frames go by the latent alone
    """

    def __init__(self, latents: np.ndarray, codebook: np.ndarray, code_f0: np.ndarray, f0: np.ndarray) -> None:
        self.latents, self.codebook = latents, codebook
        self.code_pitch = np.where(
            np.isfinite(code_f0), 12 * np.log2(np.where(code_f0 > 0, code_f0, 1.0)), np.nan
        ).astype(np.float32)
        self.pitch = np.where(f0 > 0, 12 * np.log2(np.maximum(f0, 1.0)), np.nan).astype(np.float32)
        sample = slice(None, None, max(1, len(latents) // 4096))
        nearest = ((latents[sample] ** 2).sum(1) + self._distance(sample).min(1)).mean()
        self.unit = max(float(nearest), 0.1 * float(codebook.var(0).sum()), 1e-9) / _LATENT_WEIGHT

    def _distance(self, frames: slice) -> np.ndarray:
        return (self.codebook**2).sum(1) - 2 * self.latents[frames] @ self.codebook.T

    def latent(self, frames: slice) -> np.ndarray:
        """Share of the latents in the costs. Shape: [frames, codes]."""
        distance = self._distance(frames)
        return (distance - distance.min(1, keepdims=True)) / self.unit

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Costs of frames ``start`` to ``stop``: float32 [frames, codes]."""
        cost = self.latent(slice(start, stop))
        off = ((self.pitch[start:stop, None] - self.code_pitch) / _TOLERANCE) ** 2
        # A code without pitch is worse than any wrong note, but only where a note is wanted.
        wanted = np.isfinite(self.pitch[start:stop, None])
        cost += np.where(wanted, np.nan_to_num(off, nan=1e4), 0.0)
        return cost.astype(np.float32)


def codes_at_pitch(latents: np.ndarray, f0: np.ndarray, timbre: Timbre) -> np.ndarray:
    """The smoothest sequence of codes that are near the sound and near its pitch.

    Shape: latents [frames, dim], f0 [frames] Hz, 0 where unvoiced -> [frames] int64
    """
    costs = PitchedCosts(latents, timbre.model.codebook.numpy(), timbre.table.column("f0"), f0)
    return _smoothest(costs, len(latents), timbre, PathSettings(jump=0.1))


def _smoothest(costs: FrameCosts, frames: int, timbre: Timbre, settings: PathSettings) -> np.ndarray:
    roughness = timbre.card.get("quality", {}).get("roughness_real")
    jumps = jump_costs(timbre.model.codebook.numpy(), roughness, timbre.transitions, settings)
    return path(costs, frames, jumps, settings)


class SoundCosts:
    """Cost of every code in every frame: its sound's distance from the frame's, a little of latent and of pitch.

    An encoder names what it has heard. A recording of another instrument of the kind, or in another room, is nearest
    to codes that sound otherwise; comparing what would be heard (analysis by synthesis) finds better ones.

    Shape:
        spectra [frames, n_mels] dB relative to loudness; latents [frames, dim]; codebook [codes, dim];
        code_f0 [codes] Hz, NaN without pitch; f0 [frames] Hz, 0 where unvoiced
    """

    def __init__(
        self,
        codes: CodeSpectra,
        spectra: np.ndarray,
        latents: np.ndarray,
        codebook: np.ndarray,
        code_f0: np.ndarray,
        f0: np.ndarray,
    ) -> None:
        self.codes, self.spectra, self.f0 = codes, spectra, f0
        self.known = PitchedCosts(latents, codebook, code_f0, f0)

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Costs of frames ``start`` to ``stop``: float32 [frames, codes] dB."""
        frames = slice(start, stop)
        cost = self.codes.distances(self.spectra[frames], self.f0[frames])
        cost += _KNOWN * self.known.latent(frames)
        wanted = np.isfinite(self.known.pitch[frames, None])
        off = np.abs(self.known.pitch[frames, None] - self.known.code_pitch)
        return (cost + _OFF * np.where(wanted, np.nan_to_num(np.minimum(off, 24), nan=24), 0.0)).astype(np.float32)


def codes_of_sound(spectra: np.ndarray, latents: np.ndarray, f0: np.ndarray, timbre: Timbre) -> np.ndarray:
    """The smooth sequence of codes that sounds most like the recording.

    Shape: spectra [frames, n_mels] dB relative to loudness, latents [frames, dim], f0 [frames] Hz, 0 where unvoiced
    -> [frames] int64
    """
    codebook = timbre.model.codebook.numpy()
    costs = SoundCosts(timbre.spectra, spectra, latents, codebook, timbre.table.column("f0"), f0)
    return _smoothest(costs, len(latents), timbre, PathSettings(jump=0.3))
