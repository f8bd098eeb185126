"""A timbre that plays what it hears."""

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import UNIT_LUFS
from vqsynth.export.build import control_voice
from vqsynth.export.timbre import TimbreInstrument, timbre_instrument
from vqsynth.library.timbre import Timbre
from vqsynth.live.controls import Controls
from vqsynth.streaming.adapter import BlockAdapter
from vqsynth.streaming.module import reset, scripted
from vqsynth.vqvae.live import LiveTimbre, live_stream


class FastStream(nn.Module):
    """The exported method ``fast`` as a stream of one channel. Shape: 2 x [batch, n * hop_length]."""

    def __init__(self, instrument: TimbreInstrument) -> None:
        super().__init__()
        self.instrument = instrument

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.instrument.reset(batch)

    def forward(self, audio: Tensor) -> Tensor:
        return self.instrument.fast(audio[:, None])[:, 0]


class TransferVoice:
    """Live transfer: the pitch and the loudness are the input's. A :class:`~vqsynth.live.models.voice.Voice`.

    Args:
        timbre: whose model it is.
        name: as it is asked for.
        seed: of the noise.
        fast: a third of the delay; no decoder looks ahead, codes are heard as they sound while they last.
    """

    follows: frozenset[str] = frozenset()
    axes = 0
    hears = True

    def __init__(self, timbre: Timbre, name: str, seed: int = 0, fast: bool = False) -> None:
        self.name, self.sample_rate, self.level = name, timbre.config.sample_rate, UNIT_LUFS
        self.hop = timbre.config.hop_length
        if fast:
            instrument = timbre_instrument(control_voice(timbre, seed), LiveTimbre(timbre.model, seed))
            stream = BlockAdapter(FastStream(instrument), instrument.hop_length, instrument.latency["fast"])
        else:
            stream = live_stream(timbre.model, seed)
        self.latency = stream.latency
        self.stream = scripted(stream, torch.zeros(1, self.hop))

    @torch.inference_mode()
    def push(self, audio: np.ndarray, controls: Controls) -> np.ndarray:
        """Shape: [n] -> [n] float32."""
        return self.stream(torch.from_numpy(audio)[None])[0].numpy()

    def reset(self) -> None:
        """Begin anew."""
        reset(self.stream)
