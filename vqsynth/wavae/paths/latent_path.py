"""A latent path: what a sound is to a domain, over time."""

from __future__ import annotations

import dataclasses

import numpy as np

from vqsynth.errors import VqsynthError
from vqsynth.wavae.paths.pca import Pca

LARGEST = 1e9
"""What a latent can be: the networks, which square it, still count with it in single precision."""
LOUDEST_DB = 100.0
"""What a loudness can be: its gain is still a number in single precision."""
LOWEST_HZ, HIGHEST_HZ = 20.0, 20_000.0
"""What a pitch can be."""
_BOUNDS = {
    "loudness": (-LARGEST, LOUDEST_DB, " dB"),
    "pitch": (LOWEST_HZ, HIGHEST_HZ, " Hz"),
    "voicing": (0.0, 1.0, ""),
}


@dataclasses.dataclass(frozen=True)
class LatentPath:
    """Latents and controlled descriptors at one rate, with the axes they are shown in.

    Shape:
        z: [frames, latent_dim] latents; controls: [frames, n_controls], a column for each of ``names``: loudness in
        dB first; where the domain controls them, pitch in Hz (carried on where a frame has none), voicing (how far a
        frame has one pitch: 0 chords, noise, silence; 1 one voice), and centroid in Hz

    Attributes:
        rate: frames a second.
        sample_rate: of the sound, Hz.
        samples: length of the sound.
        domain: name of the domain that made it.
        pca: the domain's principal axes.
        loudness_version: of the loudness function that measured the first control.
        operations: what bent the path since it was encoded, oldest first.
    """

    z: np.ndarray
    controls: np.ndarray
    names: tuple[str, ...]
    rate: float
    sample_rate: int
    samples: int
    domain: str
    pca: Pca
    loudness_version: int
    operations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.z.ndim != 2 or self.controls.shape != (len(self.z), len(self.names)):
            raise VqsynthError(
                f"a latent path needs z [frames, dimensions] and controls [frames, {len(self.names)}], "
                f"not {self.z.shape} and {self.controls.shape}"
            )
        if len(self.z) == 0:
            raise VqsynthError("a latent path needs at least one frame")
        for name, values in (("latents", self.z), *zip(self.names, self.controls.T)):
            bad = ~np.isfinite(values.reshape(len(values), -1)).all(1)
            if bad.any():
                raise VqsynthError(
                    f"a latent path must be finite: its {name} are not in {bad.sum()} of {len(bad)} frames, "
                    f"the first at {np.argmax(bad) / self.rate:.2f} s"
                )
            low, high, unit = _BOUNDS.get(name, (-LARGEST, LARGEST, ""))
            if low == -LARGEST and (values.max() > high or values.min() < low):
                raise VqsynthError(
                    f"a latent path must stay within {high:g}: its {name} reach {np.abs(values).max():.3g}; "
                    "bend it less"
                )
            if values.min() < low or values.max() > high:
                wrong = (values < low) | (values > high)
                raise VqsynthError(
                    f"a latent path's {name} must stay within {low:g} and {high:g}{unit}: it is "
                    f"{values[np.argmax(wrong)]:.4g}{unit} at {np.argmax(wrong) / self.rate:.2f} s"
                )

    def __len__(self) -> int:
        return len(self.z)

    @property
    def times(self) -> np.ndarray:
        """Seconds of the frames, Shape: [frames]."""
        return np.arange(len(self)) / self.rate

    @property
    def loudness(self) -> np.ndarray:
        """Shape: [frames] dB."""
        return self.controls[:, 0]

    @property
    def pitched(self) -> bool:
        """Whether pitch and voicing are among the controls."""
        return "pitch" in self.names

    @property
    def pitch(self) -> np.ndarray:
        """Shape: [frames] Hz; only of a :attr:`pitched` path."""
        return self.controls[:, self.names.index("pitch")]

    @property
    def voicing(self) -> np.ndarray:
        """Shape: [frames] 0..1; only of a :attr:`pitched` path."""
        return self.controls[:, self.names.index("voicing")]

    @property
    def coordinates(self) -> np.ndarray:
        """The path along the principal axes, widest first. Shape: [frames, latent_dim]."""
        return self.pca.coordinates(self.z)

    def with_coordinates(self, coordinates: np.ndarray) -> LatentPath:
        """The same path at other principal coordinates."""
        return dataclasses.replace(self, z=self.pca.latents(coordinates).astype(np.float32))

    def with_control(self, name: str, values: np.ndarray) -> LatentPath:
        """The same path with another curve of a control. Shape: values [frames]."""
        controls = self.controls.copy()
        controls[:, self.names.index(name)] = values
        return dataclasses.replace(self, controls=controls)
