"""A continuous model that plays what it hears, its latents bent on the way; or notes."""

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import FLOOR_DB
from vqsynth.live.controls import Controls
from vqsynth.streaming.adapter import BlockAdapter
from vqsynth.streaming.module import reset, scripted
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.paths.pca import Pca

QUIET_DB = -70.0
"""Loudness below which an input says nothing: notes are then played with the mean of the recordings."""


class BentStream(nn.Module):
    """The model with its principal axes scaled, moved and held, and its pitch and loudness given.

    Args:
        model: whose weights it shares.
        pca: the axes.
        seed: of the noise.

    Attributes:
        latency: samples.
    """

    mean: Tensor
    components: Tensor
    std: Tensor
    state_scale: Tensor
    state_bias: Tensor
    state_hold: Tensor
    state_held: Tensor
    state_sung: Tensor

    def __init__(self, model: Wavae, pca: Pca, seed: int = 0) -> None:
        super().__init__()
        self.model = model.stream(seed)
        self.hop_length, self.latency, self.quiet = model.hop_length, model.latency, QUIET_DB
        self.centroid = "centroid" in model.config.controls
        for name, array in (("mean", pca.mean), ("components", pca.components), ("std", pca.std)):
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array, np.float32)), persistent=False)
        size = len(pca.mean)
        for name, value in (("scale", 1.0), ("bias", 0.0), ("hold", 0.0), ("held", 0.0)):
            self.register_buffer(f"state_{name}", torch.full((size,), value), persistent=False)
        # Hz, LUFS and Hz of the centroid; 0 leaves the sound's own, as does a loudness above 0.
        self.register_buffer("state_sung", torch.tensor([0.0, 1.0, 0.0]), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams; what was set stays."""
        self.model.reset(batch)

    def forward(self, audio: Tensor) -> Tensor:
        """Take whole hops of sound, give as many, ``latency`` samples late. Shape: 2 x [batch, n * hop_length]."""
        latents, controls = self.model.encode_hops(audio)
        if latents.shape[1] > 0:
            quiet = controls[..., :1] < self.quiet
            latents = self.bent(latents, quiet)
            controls = self.sung(controls, quiet)
        return self.model.paced(latents, controls, audio.shape[1])

    @torch.jit.export
    def bent(self, latents: Tensor, quiet: Tensor) -> Tensor:
        """Shape: [batch, frames, latent_dim], bool [batch, frames, 1] -> [batch, frames, latent_dim]."""
        own = (latents - self.mean) @ self.components.t()
        moved = torch.where(quiet, torch.zeros_like(own), own) * self.state_scale + self.state_bias * self.std
        moved = torch.where(self.state_hold > 0, self.state_held * self.std, moved)
        # By the difference: what is not moved stays exactly as it is.
        return latents + (moved - own) @ self.components

    @torch.jit.export
    def sung(self, controls: Tensor, quiet: Tensor) -> Tensor:
        """Shape: [batch, frames, n_controls], bool [batch, frames, 1] -> [batch, frames, n_controls]."""
        pitch, loudness, centroid = float(self.state_sung[0]), float(self.state_sung[1]), float(self.state_sung[2])
        controls = controls.clone()
        if pitch > 0:
            controls[..., 1] = pitch
        if loudness <= 0:
            controls[..., 0] = loudness
            if pitch > 0:
                # Nothing is heard: it is the note alone that sounds.
                controls[..., 2:3] = torch.where(quiet, torch.ones_like(controls[..., 2:3]), controls[..., 2:3])
        if self.centroid and centroid > 0:
            controls[..., 3] = centroid
        return controls


class DomainVoice:
    """A continuous model. A :class:`~vqsynth.live.models.voice.Voice`.

    Args:
        domain: the model.
        name: as it is asked for.
        seed: of the noise.
        hears: whether anything comes in; else it is silent until it is played.
    """

    def __init__(self, domain: Domain, name: str, seed: int = 0, hears: bool = True) -> None:
        config, self.hears = domain.config, hears
        self.name, self.sample_rate, self.level = name, config.sample_rate, domain.level
        self.axes, self.hop = config.latent_dim, config.hop_length
        own = {"f0": "pitch", "loudness": "loudness", "centroid": "centroid"}
        self.follows = frozenset(name for name, control in own.items() if control in config.controls)
        stream = BentStream(domain.model, domain.pca, seed)
        adapter = BlockAdapter(stream, stream.hop_length, stream.latency)
        self.latency = adapter.latency
        self.stream = scripted(adapter, torch.zeros(1, stream.hop_length))
        self._settings: nn.Module = self.stream.module
        self._changes = -1

    @torch.inference_mode()
    def push(self, audio: np.ndarray, controls: Controls) -> np.ndarray:
        """Shape: [n] -> [n] float32."""
        if controls.changes != self._changes:
            self._set(controls)
        return self.stream(torch.from_numpy(audio)[None])[0].numpy()

    def reset(self) -> None:
        """Begin anew."""
        reset(self.stream)

    def _set(self, controls: Controls) -> None:
        self._changes = controls.changes
        values = {
            "scale": _axes(self.axes, *controls.scale),
            "bias": _axes(self.axes, *controls.bias),
            "hold": _axes(self.axes, 0.0, dict.fromkeys(controls.latents, 1.0)),
            "held": _axes(self.axes, 0.0, controls.latents),
        }
        pitch, loudness, centroid = controls.pitch, controls.loudness, controls.descriptors.get("centroid")
        if not self.hears:
            loudness = FLOOR_DB if controls.alone is None else controls.alone
        values["sung"] = torch.tensor([pitch or 0.0, 1.0 if loudness is None else loudness, centroid or 0.0])
        for name, value in values.items():
            getattr(self._settings, f"state_{name}").copy_(value)


def _axes(size: int, every: float, some: dict[int, float]) -> Tensor:
    values = torch.full((size,), every)
    for axis, value in some.items():
        if axis < size:
            values[axis] = value
    return values
