"""A timbre as an instrument: played by descriptors, by codes, or by any sound."""

import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.export.control import ATTACK_SECONDS, RELEASE_SECONDS, ControlVoice
from vqsynth.export.signal import finite, within_one
from vqsynth.streaming.adapter import BlockAdapter
from vqsynth.streaming.module import twin
from vqsynth.vqvae.live import LiveTimbre


class TimbreInstrument(nn.Module):
    """A timbre for hosts; methods ``control``, ``forward``, ``fast``, ``encode`` and ``codes``.

    - ``control``: centroid, bandwidth and pitch in Hz (0: as the timbre has it), gain in dB (0 is -20 LUFS) and
      velocity (0 to 1; 0 ends a note, so nothing connected is silence) to sound. Codes are looked up, faded and
      trimmed inside.
    - ``forward``: any sound, played in the timbre at its own melody and loudness.
    - ``fast``: the same with half the delay; codes as they sound while they last, no network decodes them.
    - ``encode``: sound to code, pitch in Hz (0: none) and loudness in dB.
    - ``codes``: code, pitch in Hz (0: the code's own), gain in dB, and velocity to sound.

    All frames come a hop apart, 256 samples.

    Attributes for hosts: ``life`` (share of the player's movement around what is asked for, 0 to 1: units are played in
    runs, with their vibrato, attacks and details), ``octaves`` (by which a melody that comes in is moved), ``attack``,
    ``release`` and ``fade`` (of one code into the next) in seconds.

    Args:
        voice: of the timbre.
        live: the timbre's live transfer.

    Attributes:
        latency: of each method, samples.
        hop_length: samples that every method's blocks are made of.
    """

    control_params: Tensor
    forward_params: Tensor
    fast_params: Tensor
    encode_params: Tensor
    codes_params: Tensor
    life_params: Tensor
    octaves_params: Tensor
    attack_params: Tensor
    release_params: Tensor
    fade_params: Tensor
    state_input: Tensor
    state_output: Tensor
    state_heard: Tensor
    latency: dict[str, int]

    def __init__(self, voice: ControlVoice, live: LiveTimbre) -> None:
        super().__init__()
        self.voice, self.hop_length, self.sample_rate = voice, voice.hop_length, live.sample_rate
        self.block, self.n_codes, self.floor_db = live.hop_length, len(voice.outputs), live.floor_db
        self.live = BlockAdapter(live, self.block, live.latency, self.hop_length)
        self.batch, self.wait = 1, self.block - self.hop_length
        half = live.n_fft // 2
        self.latency = {
            "control": voice.latency,
            "forward": self.live.latency,
            # The mean of the frames that a hop is played in, less the hop itself.
            "fast": half + (voice.latency + self.block) // 2 - self.block + self.wait,
            "encode": half,
            "codes": voice.latency,
        }
        for name, shape in (
            ("control", [5, self.hop_length, 1, 1]),
            ("forward", [1, 1, 1, 1]),
            ("fast", [1, 1, 1, 1]),
            ("encode", [1, 1, 3, self.hop_length]),
            ("codes", [4, self.hop_length, 1, 1]),
            ("life", [2]),
            ("octaves", [1]),
            ("attack", [2]),
            ("release", [2]),
            ("fade", [2]),
        ):
            self.register_buffer(f"{name}_params", torch.tensor(shape))
        self.register_buffer("state_input", torch.zeros(1, 0))
        self.register_buffer("state_output", torch.zeros(1, self.wait))
        self.register_buffer("state_heard", torch.zeros(1, 3, 1))
        self.life = (0.0,)
        self.octaves, self.attack, self.release, self.fade = (0,), (ATTACK_SECONDS,), (RELEASE_SECONDS,), (0.03,)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.batch = batch
        self.voice.reset(batch)
        self.live.reset(batch)
        self.state_input = torch.zeros(batch, 0)
        self.state_output = torch.zeros(batch, self.wait)
        nothing = torch.zeros(batch, 3, 1)
        nothing[:, 2] = self.floor_db
        self.state_heard = nothing

    @torch.jit.export
    def control(self, x: Tensor) -> Tensor:
        """Descriptors to sound. Shape: [batch, 5, n] -> [batch, 1, n * hop_length]."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        return within_one(self.voice(finite(x)))[:, None]

    def forward(self, x: Tensor) -> Tensor:
        """Sound to sound. Shape: [batch, 1, n * hop_length] -> the same."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        return within_one(self.live(finite(x[:, 0], 16.0)))[:, None]

    @torch.jit.export
    def fast(self, x: Tensor) -> Tensor:
        """Sound to sound, sooner. Shape: [batch, 1, n * hop_length] -> the same."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        heard = self.hear(finite(x[:, 0], 16.0))
        ready = self.state_output
        if heard.shape[2] > 0:
            heard = heard.repeat_interleave(self.block // self.hop_length, 2)
            level, anew = self.voice.envelope(gain_of_loudness(heard[:, 2].clamp(self.floor_db, 20.0)))
            free = torch.zeros_like(level)
            sound = self.voice.play(heard[:, 0].long(), anew, heard[:, 1], level, free, free, None)
            ready = torch.cat([ready, sound], 1)
        self.state_output = ready[:, x.shape[2] :].clone()
        return within_one(ready[:, : x.shape[2]])[:, None]

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        """Sound to code, pitch and loudness. Shape: [batch, 1, n * hop_length] -> [batch, 3, n]."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        waiting, hops = self.state_input.shape[1] // self.hop_length, x.shape[2] // self.hop_length
        known = torch.cat([self.state_heard, self.hear(finite(x[:, 0], 16.0))], 2)
        # Held until the next one comes: a frame for every hop.
        index = (torch.arange(1, hops + 1, device=x.device) + waiting).div(
            self.block // self.hop_length, rounding_mode="floor"
        )
        self.state_heard = known[:, :, known.shape[2] - 1 :].clone()
        return known[:, :, index.clamp_max(known.shape[2] - 1)]

    @torch.jit.export
    def hear(self, audio: Tensor) -> Tensor:
        """Code, pitch and loudness of the frames that are complete. Shape: [batch, n] -> [batch, 3, frames]."""
        came = torch.cat([self.state_input, audio], 1)
        whole = came.shape[1] // self.block * self.block
        self.state_input = came[:, whole:].clone()
        if whole == 0:
            return came.new_zeros(came.shape[0], 3, 0)
        codes, pitch, loudness = self.live.module.heard(came[:, :whole])  # type: ignore[operator]
        return torch.stack([codes.float(), pitch, loudness], 1)

    @torch.jit.export
    def codes(self, x: Tensor) -> Tensor:
        """Codes to sound. Shape: [batch, 4, n] -> [batch, 1, n * hop_length]."""
        if x.shape[0] != self.batch:
            self.reset(x.shape[0])
        code, pitch, gain, velocity = finite(x).unbind(1)
        velocity = velocity.clamp(0.0, 1.0)
        level, anew = self.voice.envelope(self.voice.loudness(gain, velocity))
        free = torch.zeros_like(level)
        codes = code.round().clamp(0, self.n_codes - 1).long()
        return within_one(self.voice.play(codes, anew, pitch.clamp_min(0.0), level, free, free, None))[:, None]

    @torch.jit.export
    def get_methods(self) -> list[str]:
        """Names of the methods for hosts."""
        return ["control", "forward", "fast", "encode", "codes"]

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        """Names of the attributes for hosts."""
        return ["life", "octaves", "attack", "release", "fade"]

    @torch.jit.export
    def set_life(self, value: float) -> int:
        """Share of the player's movement, 0 to 1; of a timbre without units 0."""
        if not 0 <= value <= 1 or (value > 0 and self.voice.life is None):
            return -1
        self.life = (value,)
        self.voice.alive = value
        return 0

    @torch.jit.export
    def get_life(self) -> tuple[float]:
        """As it was set."""
        return self.life

    @torch.jit.export
    def set_octaves(self, value: int) -> int:
        """Octaves by which a melody that comes in is moved, -4 to 4."""
        if abs(value) > 4:
            return -1
        self.octaves = (value,)
        self.live.module.factor = 2.0**value  # type: ignore[assignment]
        return 0

    @torch.jit.export
    def get_octaves(self) -> tuple[int]:
        """As it was set."""
        return self.octaves

    @torch.jit.export
    def set_attack(self, value: float) -> int:
        """Time constant in which a sound rises, 0.001 to 10 s."""
        if not 0.001 <= value <= 10:
            return -1
        self.attack = (value,)
        self.voice.attack = self.voice.share(value)
        return 0

    @torch.jit.export
    def get_attack(self) -> tuple[float]:
        """As it was set."""
        return self.attack

    @torch.jit.export
    def set_release(self, value: float) -> int:
        """Time constant in which a sound dies away, 0.001 to 10 s."""
        if not 0.001 <= value <= 10:
            return -1
        self.release = (value,)
        self.voice.release = self.voice.share(value)
        return 0

    @torch.jit.export
    def get_release(self) -> tuple[float]:
        """As it was set."""
        return self.release

    @torch.jit.export
    def set_fade(self, value: float) -> int:
        """Time constant in which one code goes over into the next, 0.001 to 10 s."""
        if not 0.001 <= value <= 10:
            return -1
        self.fade = (value,)
        self.voice.fade = self.voice.share(value)
        return 0

    @torch.jit.export
    def get_fade(self) -> tuple[float]:
        """As it was set."""
        return self.fade


def timbre_instrument(voice: ControlVoice, live: LiveTimbre) -> TimbreInstrument:
    """An instrument of its own, in streaming mode; ``torch.jit.script`` compiles it."""
    return twin(TimbreInstrument(voice, live))
