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


@dataclasses.dataclass(frozen=True)
class LatentPath:
    """Latents and controlled descriptors at one rate, with the axes they are shown in.

    Shape:
        z: [frames, latent_dim] latents; controls: [frames, n_controls], a column for each of ``names``
        (loudness in dB first; centroid in Hz where the domain has it)

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
            largest = LOUDEST_DB if name == "loudness" else LARGEST
            if values.max() > largest or values.min() < -LARGEST:
                raise VqsynthError(
                    f"a latent path must stay within {largest:g}: its {name} reach {np.abs(values).max():.3g}; "
                    "bend it less"
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
