"""A continuous model as an instrument: transfer, latents out, latents in."""

import torch
from torch import Tensor, nn

from vqsynth.export.signal import finite, within_one
from vqsynth.streaming.excitation import Noise
from vqsynth.streaming.module import twin
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.paths.pca import Pca

AXES = 16
"""Axes that a host sees: the widest; the rest stays at its mean in ``decode`` and as it is in ``forward``."""
WANDER = 0.95
"""How much of a wandering latent is left from one latent frame to the next."""
LOWEST_HZ, HIGHEST_HZ = 20.0, 20_000.0
LOUDEST_DB = 0.0
FARTHEST = 20.0
"""Standard deviations that a coordinate can be from its mean."""


class WavaeInstrument(nn.Module):
    """A domain for hosts; methods ``forward``, ``encode`` and ``decode``.

    - ``forward``: sound [batch, 1, samples] to sound, ``latency`` samples late.
    - ``encode``: sound to a frame a hop: the widest axes in standard deviations, loudness in dB, pitch in Hz, voicing
      (0 to 1), and centroid in Hz where the model has it. A latent frame lasts two hops and describes the sound
      ``n_fft // 2`` samples before its end.
    - ``decode``: such frames to sound, ``latency - n_fft // 2`` samples late. A frame of loudness 0, as a host gives
      where nothing is connected, is silence; pitch 0 is no pitch.

    Attributes for hosts: ``scale`` and ``bias`` of an axis (axis -1: all), ``temperature`` (standard deviations by
    which all axes wander), ``transpose`` (semitones) and ``free`` (whether the latents decide on the pitch).

    Args:
        model: whose weights it shares.
        pca: the domain's principal axes.
        axes: that encode and decode show.
        seed: of the noise.

    Attributes:
        latency: samples.
        hop_length: samples that every method's blocks are made of.
    """

    mean: Tensor
    components: Tensor
    std: Tensor
    axis_scale: Tensor
    axis_bias: Tensor
    forward_params: Tensor
    encode_params: Tensor
    decode_params: Tensor
    state_wander: Tensor
    state_shown: Tensor
    state_frames: Tensor

    def __init__(self, model: Wavae, pca: Pca, axes: int = AXES, seed: int = 0) -> None:
        super().__init__()
        self.model = model.stream(seed)
        self.noise = Noise(seed + 1)
        self.sample_rate, self.n_fft = model.config.sample_rate, model.config.n_fft
        self.hop_length, self.stride, self.latency = model.hop_length, model.stride, model.latency
        self.size, self.n_controls = model.latent_dim, model.n_controls
        self.axes, self.batch = max(1, min(axes, model.latent_dim)), 1
        self.wander, self.farthest = WANDER, FARTHEST
        self.lowest, self.highest, self.loudest, self.floor_db = LOWEST_HZ, HIGHEST_HZ, LOUDEST_DB, model.floor_db
        self.first_pitch = model.first_pitch
        for name, array in (("mean", pca.mean), ("components", pca.components), ("std", pca.std)):
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32))
        self.register_buffer("axis_scale", torch.ones(self.size))
        self.register_buffer("axis_bias", torch.zeros(self.size))
        shown = self.axes + self.n_controls
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.register_buffer("encode_params", torch.tensor([1, 1, shown, self.hop_length]))
        self.register_buffer("decode_params", torch.tensor([shown, self.hop_length, 1, 1]))
        self.register_buffer("state_wander", torch.zeros(1, 1, self.size))
        self.register_buffer("state_shown", torch.zeros(1, shown, 1))
        self.register_buffer("state_frames", torch.zeros(1, shown, 0))
        # Two numbers are axis and value of the last setting.
        self.scale, self.bias = (-1, 1.0), (-1, 0.0)
        self.temperature, self.transpose, self.free = (0.0,), (0.0,), (False,)
        for name, kinds in (
            ("scale", [1, 2]),
            ("bias", [1, 2]),
            ("temperature", [2]),
            ("transpose", [2]),
            ("free", [0]),
        ):
            self.register_buffer(f"{name}_params", torch.tensor(kinds))
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.batch = batch
        self.model.reset(batch)
        self.noise.reset(batch)
        shown = self.axes + self.n_controls
        self.state_wander = torch.zeros(batch, 1, self.size)
        self.state_shown = torch.zeros(batch, shown, 1)
        self.state_frames = torch.zeros(batch, shown, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Sound to sound. Shape: [batch, 1, n * hop_length] -> the same."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        latents, controls = self.model.encode_hops(finite(x[:, 0], 16.0))
        latents = self.bent(latents)
        parts = [controls[..., :1], self.transposed(controls[..., 1:2]), controls[..., 2:]]
        return within_one(self.model.paced(latents, torch.cat(parts, -1), x.shape[2]))[:, None]

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        """Sound to frames. Shape: [batch, 1, n * hop_length] -> [batch, axes + controls, n]."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        hops = x.shape[2] // self.hop_length
        waiting = self.model.state_mel.shape[1]
        latents, controls = self.model.encode_hops(finite(x[:, 0], 16.0))
        coordinates = ((latents - self.mean) @ self.components.T)[..., : self.axes] / self.std[: self.axes]
        fresh = torch.cat([coordinates, controls], -1).transpose(1, 2)
        # Held until the next one comes: a frame for every hop.
        known = torch.cat([self.state_shown, fresh], 2)
        index = (torch.arange(1, hops + 1, device=x.device) + waiting).div(self.stride, rounding_mode="floor")
        shown = known[:, :, index.clamp_max(known.shape[2] - 1)]
        self.state_shown = known[:, :, known.shape[2] - 1 :].clone()
        return shown

    @torch.jit.export
    def decode(self, x: Tensor) -> Tensor:
        """Frames to sound. Shape: [batch, axes + controls, n] -> [batch, 1, n * hop_length]."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        frames = torch.cat([self.state_frames, finite(x)], 2)
        whole = frames.shape[2] // self.stride * self.stride
        self.state_frames = frames[:, :, whole:].clone()
        newest = frames[:, :, self.stride - 1 : whole : self.stride].transpose(1, 2)
        given = newest[..., : self.axes].clamp(-self.farthest, self.farthest) * self.std[: self.axes]
        latents = given @ self.components[: self.axes] + self.mean
        sound = self.model.paced(self.bent(latents), self.safe(newest[..., self.axes :]), x.shape[2] * self.hop_length)
        return within_one(sound)[:, None]

    @torch.jit.export
    def safe(self, controls: Tensor) -> Tensor:
        """Controls of a host within what the model takes. Shape: [batch, frames, n_controls], the same."""
        loudness, pitch = controls[..., :1], controls[..., 1:2]
        silent = torch.full_like(loudness, self.floor_db)
        loudness = torch.where(loudness == 0, silent, loudness.clamp(self.floor_db, self.loudest))
        voicing = torch.where(pitch > 0, controls[..., 2:3].clamp(0.0, 1.0), torch.zeros_like(pitch))
        pitch = torch.where(pitch > 0, pitch, torch.full_like(pitch, self.first_pitch))
        more = controls[..., 3:]
        more = torch.where(more > 0, more.clamp(self.lowest, self.highest), torch.full_like(more, 1500.0))
        return torch.cat([loudness, self.transposed(pitch), voicing, more], -1)

    @torch.jit.export
    def bent(self, latents: Tensor) -> Tensor:
        """Scale, bias and wandering along the axes. Shape: [batch, frames, latent_dim], the same."""
        count = latents.shape[1]
        temperature = self.temperature[0]
        moved = (self.axis_bias * self.std).expand(latents.shape[0], count, self.size)
        if temperature > 0 and count > 0:
            # The same numbers whatever the division into blocks.
            noise = self.noise(count * self.size).view(latents.shape[0], count, self.size)
            paths = torch.jit.annotate(list[Tensor], [])
            place = self.state_wander
            for frame in range(count):
                place = self.wander * place + (1 - self.wander**2) ** 0.5 * noise[:, frame : frame + 1]
                paths.append(place)
            self.state_wander = place
            moved = moved + temperature * self.std * torch.cat(paths, 1)
        coordinates = (latents - self.mean) @ self.components.T
        # Only what is moved is computed: at rest the latents stay as they are, to the last bit.
        change = coordinates * (self.axis_scale - 1) + moved
        return latents + change @ self.components

    @torch.jit.export
    def transposed(self, pitch: Tensor) -> Tensor:
        """Pitch in Hz, moved and within bounds."""
        return (pitch * 2.0 ** (self.transpose[0] / 12.0)).clamp(self.lowest, self.highest)

    @torch.jit.export
    def get_methods(self) -> list[str]:
        """Names of the methods for hosts."""
        return ["forward", "encode", "decode"]

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        """Names of the attributes for hosts."""
        return ["scale", "bias", "temperature", "transpose", "free"]

    @torch.jit.export
    def set_scale(self, axis: int, value: float) -> int:
        """Factor of an axis, or of all (-1); refused beyond -20 and 20."""
        if axis < -1 or axis >= self.size or not abs(value) <= 20:
            return -1
        changed = self.axis_scale.clone()
        if axis < 0:
            changed = torch.full_like(changed, value)
        else:
            changed[axis] = value
        # A new tensor: what was made in inference mode cannot be written to from outside.
        self.axis_scale, self.scale = changed, (axis, value)
        return 0

    @torch.jit.export
    def get_scale(self) -> tuple[int, float]:
        """Axis and factor that were set last."""
        return self.scale

    @torch.jit.export
    def set_bias(self, axis: int, value: float) -> int:
        """Standard deviations added to an axis, or to all (-1); refused beyond -20 and 20."""
        if axis < -1 or axis >= self.size or not abs(value) <= 20:
            return -1
        changed = self.axis_bias.clone()
        if axis < 0:
            changed = torch.full_like(changed, value)
        else:
            changed[axis] = value
        self.axis_bias, self.bias = changed, (axis, value)
        return 0

    @torch.jit.export
    def get_bias(self) -> tuple[int, float]:
        """Axis and bias that were set last."""
        return self.bias

    @torch.jit.export
    def set_temperature(self, value: float) -> int:
        """How far all axes wander, in standard deviations, 0 to 4."""
        if not 0 <= value <= 4:
            return -1
        self.temperature = (value,)
        return 0

    @torch.jit.export
    def get_temperature(self) -> tuple[float]:
        """As it was set."""
        return self.temperature

    @torch.jit.export
    def set_transpose(self, value: float) -> int:
        """Semitones added to the pitch, -48 to 48."""
        if not abs(value) <= 48:
            return -1
        self.transpose = (value,)
        return 0

    @torch.jit.export
    def get_transpose(self) -> tuple[float]:
        """As it was set."""
        return self.transpose

    @torch.jit.export
    def set_free(self, value: bool) -> int:
        """Leave the pitch to the latents, in forward and encode."""
        self.free = (value,)
        self.model.free = value
        return 0

    @torch.jit.export
    def get_free(self) -> tuple[bool]:
        """As it was set."""
        return self.free


def wavae_instrument(model: Wavae, pca: Pca, axes: int = AXES, seed: int = 0) -> WavaeInstrument:
    """An instrument of its own, in streaming mode; ``torch.jit.script`` compiles it."""
    return twin(WavaeInstrument(model, pca, axes, seed))
