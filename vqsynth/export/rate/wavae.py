"""A continuous model's instrument at another rate: resampled where sound goes in and out."""

import math

import torch
from torch import Tensor, nn

from vqsynth.export.rate.resampler import Resampler
from vqsynth.export.wavae import WavaeInstrument


class RatedWavae(nn.Module):
    """An instrument with methods and attributes of a :class:`~vqsynth.export.wavae.WavaeInstrument`, at a host's rate.

    Frames are a hop of the host's samples apart; the model's own are held, or taken as they become due.

    Args:
        inner: the instrument.
        sample_rate: of the host, Hz.

    Attributes:
        latency: of each method, samples of the host.
        hop_length: samples of the host that blocks are made of.
    """

    forward_params: Tensor
    encode_params: Tensor
    decode_params: Tensor
    scale_params: Tensor
    bias_params: Tensor
    temperature_params: Tensor
    transpose_params: Tensor
    free_params: Tensor
    state_came: Tensor
    state_ready: Tensor
    state_shown: Tensor
    state_credit: Tensor
    latency: dict[str, int]

    def __init__(self, inner: WavaeInstrument, sample_rate: int) -> None:
        super().__init__()
        self.inner, self.sample_rate, self.hop_length = inner, sample_rate, inner.hop_length
        self.down, self.up = Resampler(sample_rate, inner.sample_rate), Resampler(inner.sample_rate, sample_rate)
        self.batch, self.shown = 1, inner.axes + inner.n_controls
        ratio = sample_rate / inner.sample_rate
        # What may be missing when a block has come: all but one of a hop, and a sample that lies between two.
        self.wait = math.ceil((self.hop_length - 1) * ratio) + 2
        half = inner.n_fft // 2
        self.latency = {
            "forward": round(self.down.latency + (inner.latency + self.up.latency) * ratio) + self.wait,
            "encode": round(self.down.latency + (half + self.hop_length) * ratio),
            "decode": round((inner.latency - half + self.up.latency) * ratio) + self.wait,
        }
        # A model's hop in parts of a host's sample: both are whole.
        common = math.gcd(sample_rate, inner.sample_rate)
        self.parts, self.price = inner.sample_rate // common, self.hop_length * (sample_rate // common)
        for name, buffer in inner.named_buffers():
            if name.endswith("_params"):
                self.register_buffer(name, buffer.clone())
        for name in ("came", "ready", "shown"):
            self.register_buffer(f"state_{name}", torch.zeros(1, 0))
        self.register_buffer("state_credit", torch.zeros((), dtype=torch.int64))
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.batch = batch
        self.inner.reset(batch)
        self.down.reset(batch)
        self.up.reset(batch)
        self.state_came = torch.zeros(batch, 0)
        self.state_ready = torch.zeros(batch, self.wait)
        self.state_shown = torch.zeros(batch, self.shown, 1)
        self.state_credit = torch.zeros_like(self.state_credit)

    @torch.jit.export
    def hops(self, x: Tensor) -> Tensor:
        """Whole hops of the model that a host's sound completes. Shape: [batch, 1, n] -> [batch, 1, m * hop_length]."""
        came = torch.cat([self.state_came, self.down(x[:, 0])], 1)
        whole = came.shape[1] // self.hop_length * self.hop_length
        self.state_came = came[:, whole:].clone()
        return came[:, None, :whole]

    @torch.jit.export
    def given(self, sound: Tensor, samples: int) -> Tensor:
        """A host's samples of the model's sound. Shape: [batch, 1, m * hop_length] -> [batch, 1, samples]."""
        ready = torch.cat([self.state_ready, self.up(sound[:, 0])], 1)
        self.state_ready = ready[:, samples:].clone()
        return ready[:, None, :samples].clamp(-1.0, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Sound to sound. Shape: [batch, 1, n * hop_length] -> the same."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        sound = self.hops(torch.where(x.abs() < 1e30, x, torch.zeros_like(x)))
        if sound.shape[2] > 0:
            sound = self.inner(sound)
        return self.given(sound, x.shape[2])

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        """Sound to frames. Shape: [batch, 1, n * hop_length] -> [batch, axes + controls, n]."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        rows = torch.jit.annotate(list[Tensor], [])
        for block in x.split(self.hop_length, 2):
            sound = self.hops(torch.where(block.abs() < 1e30, block, torch.zeros_like(block)))
            if sound.shape[2] > 0:
                frames = self.inner.encode(sound)
                self.state_shown = frames[:, :, frames.shape[2] - 1 :].clone()
            rows.append(self.state_shown)
        return torch.cat(rows, 2)

    @torch.jit.export
    def decode(self, x: Tensor) -> Tensor:
        """Frames to sound. Shape: [batch, axes + controls, n] -> [batch, 1, n * hop_length]."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        before, each = int(self.state_credit), self.hop_length * self.parts
        credit = before + x.shape[2] * each
        count = credit // self.price
        self.state_credit = torch.full_like(self.state_credit, credit - count * self.price)
        sound = x.new_zeros(x.shape[0], 1, 0)
        if count > 0:
            # The frame during which a hop of the model becomes due.
            due = (torch.arange(1, count + 1, device=x.device) * self.price - before - 1).div(
                each, rounding_mode="floor"
            )
            sound = self.inner.decode(x[:, :, due.clamp(0, x.shape[2] - 1)])
        return self.given(sound, x.shape[2] * self.hop_length)

    @torch.jit.export
    def get_methods(self) -> list[str]:
        """Names of the methods for hosts."""
        return self.inner.get_methods()

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        """Names of the attributes for hosts."""
        return self.inner.get_attributes()

    @torch.jit.export
    def set_scale(self, axis: int, value: float) -> int:
        """Factor of an axis."""
        return self.inner.set_scale(axis, value)

    @torch.jit.export
    def get_scale(self) -> tuple[int, float]:
        """Axis and factor that were set last."""
        return self.inner.get_scale()

    @torch.jit.export
    def set_bias(self, axis: int, value: float) -> int:
        """Standard deviations added to an axis."""
        return self.inner.set_bias(axis, value)

    @torch.jit.export
    def get_bias(self) -> tuple[int, float]:
        """Axis and bias that were set last."""
        return self.inner.get_bias()

    @torch.jit.export
    def set_temperature(self, value: float) -> int:
        """How far all axes wander."""
        return self.inner.set_temperature(value)

    @torch.jit.export
    def get_temperature(self) -> tuple[float]:
        """As it was set."""
        return self.inner.get_temperature()

    @torch.jit.export
    def set_transpose(self, value: float) -> int:
        """Semitones added to the pitch."""
        return self.inner.set_transpose(value)

    @torch.jit.export
    def get_transpose(self) -> tuple[float]:
        """As it was set."""
        return self.inner.get_transpose()

    @torch.jit.export
    def set_free(self, value: bool) -> int:
        """Leave the pitch to the latents."""
        return self.inner.set_free(value)

    @torch.jit.export
    def get_free(self) -> tuple[bool]:
        """As it was set."""
        return self.inner.get_free()
