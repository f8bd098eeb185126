"""The continuous model in motion: blocks of any size in, blocks of the same size out."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from vqsynth.streaming.adapter import BlockAdapter
from vqsynth.streaming.module import scripted, twin
from vqsynth.wavae.network.model import Wavae

Block = TypeVar("Block", Tensor, np.ndarray)


def whole_stream(model: Wavae, seed: int = 0) -> BlockAdapter:
    """The whole model as one streaming module, [batch, samples] -> [batch, samples], for blocks of any size.

    Args:
        model: whose weights it shares.
        seed: of the noise.

    Returns:
        A twin; ``torch.jit.script`` compiles it.
    """
    stream = model.stream(seed)
    return twin(BlockAdapter(stream, stream.hop_length, stream.latency))


class Stream:
    """A live effect for arrays and tensors of one sound.

    The output trails the input by ``latency`` samples, whatever the sizes of the blocks.

    Args:
        model: whose weights it shares.
        seed: of the noise.
        live: compile the model, which takes half a second and makes small blocks cheaper.
    """

    def __init__(self, model: Wavae, seed: int = 0, live: bool = False) -> None:
        module = whole_stream(model, seed)
        self.latency = module.latency
        self.module = scripted(module, torch.zeros(1, model.hop_length)) if live else module

    @torch.inference_mode()
    def push(self, audio: Block) -> Block:
        """Take a block of sound, give a block of the same length and kind. Shape: [samples] -> [samples]."""
        if isinstance(audio, np.ndarray):
            return self.module(torch.from_numpy(np.ascontiguousarray(audio, np.float32))[None])[0].numpy()
        return self.module(audio[None])[0]
