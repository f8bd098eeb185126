"""Feedback shaping: a model that listens to its own output through a moving band-pass.

    model -> band-pass (frequency, Q) -> times the factor -> delay -> model

Blocks and delays are those of a realtime run: a pass takes the model's delay and one block. Three things
are settled here that a patch leaves to the hand on the slider:

- The factor is the loop's gain in loudness: each pass comes back ``factor`` times as loud as it went in, whatever
  the band-pass took away and the model made of it. Above the loudness of the training recordings every 5 dB become
  one, so above a factor of 1 the sound grows and stays, 1.5 dB over that loudness for 2 and 10 dB over it for 100;
  at 1 it holds, below 1 it dies away.
- Breath: seeded noise in the same band goes with the signal, 20 dB below it. Sent round alone, a narrow band ends
  as a sine wave, which no recording is like: the model answers it with one of a few timbres, wherever the band
  lies. With breath its answer follows the band.
- A noise floor of -70 LUFS in the band never stops (unless the factor is 0, which opens the loop), so that a loop
  that died starts again when the factor rises.

What is heard is the model's output, under a limiter.
"""

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.errors import UsageError
from vqsynth.streaming.limiter import Limiter
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.effects.way_back import WayBack
from vqsynth.wavae.network.stream import whole_stream

BLOCK = 512
BREATH_DB = -20.0
CEILING_DB = -0.5
"""Highest peak of the output, dB of full scale."""


class FeedbackLoop(nn.Module):
    """The feedback loop as a streaming module of whole blocks.

    Args:
        domain: whose model listens to itself.
        block: samples of every block; the loop's own delay is one block.
        delay_ms: further delay in the loop.
        breath_db: noise in the band relative to the signal.
        seed: of all noise.

    Attributes:
        latency: samples by which the output trails the model's.
        pass_length: samples of a whole pass: the model's latency, one block, and what was added.
        model_latency: samples.

    Raises:
        UsageError: a block of other than 16 to 16,384 samples, a delay of other than 0 to 10,000 ms, or breath
            over 0 dB.
    """

    state_returning: Tensor

    def __init__(
        self, domain: Domain, *, block: int = BLOCK, delay_ms: float = 0.0, breath_db: float = BREATH_DB, seed: int = 0
    ) -> None:
        if not 16 <= block <= 16_384:
            raise UsageError("give 16 to 16384 samples", field="block", value=block)
        if not 0 <= delay_ms <= 10_000:
            raise UsageError("give 0 to 10000 ms", field="delay_ms", value=f"{delay_ms:g}")
        if not breath_db <= 0:
            raise UsageError("give dB at or below 0", field="breath_db", value=f"{breath_db:g}")
        super().__init__()
        rate = domain.config.sample_rate
        self.sample_rate, self.block = rate, block
        self.model = whole_stream(domain.model, seed)
        self.limiter = Limiter(rate, 10 ** (CEILING_DB / 20))
        self.random = np.random.default_rng(seed)
        self.latency, self.model_latency = self.limiter.latency, self.model.latency
        self.added = round(delay_ms / 1000 * rate)
        self.pass_length = self.model_latency + block + self.added
        self.way_back = WayBack(
            rate,
            domain.config.n_fft,
            block,
            domain.level,
            breath_db,
            self.model_latency,
            self.model_latency + self.added,
        )
        self.register_buffer("state_returning", torch.zeros(0, dtype=torch.float64), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.model.reset(batch)
        self.limiter.reset(batch)
        self.way_back.reset(batch)
        self.state_returning = torch.zeros(
            batch, self.block + self.added, dtype=torch.float64, device=self.limiter.state_last.device
        )

    def forward(self, audio: Tensor, noise: Tensor, frequency: Tensor, quality: Tensor, factor: Tensor) -> Tensor:
        """Go on by one block.

        Args:
            audio: mixed into the model's input.
            noise: white, of unit variance.
            frequency: centre of the band in Hz.
            quality: its Q.
            factor: 0 to 100.

        Shape:
            5 x [batch, block] -> [batch, block] float64, ``latency`` samples late
        """
        audio = audio.double()
        made = self.model((audio + self.state_returning[:, : self.block]).float()).double()
        back = self.way_back(made, audio, noise, frequency, quality, factor)
        self.state_returning = torch.cat([self.state_returning[:, self.block :], back], 1)
        return self.limiter(made)

    @torch.inference_mode()
    def push(self, audio: np.ndarray, frequency: np.ndarray, quality: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """:meth:`forward` of arrays of one stream, with seeded noise. Shape: 4 x [block] -> [block] float32."""
        arrays = audio, self.random.standard_normal(self.block), frequency, quality, factor
        return self(*(torch.from_numpy(np.asarray(x, np.float64))[None] for x in arrays))[0].float().numpy()
