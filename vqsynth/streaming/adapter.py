"""Blocks of any size for a module that works in blocks of one size."""

import torch
from torch import Tensor, nn


class BlockAdapter(nn.Module):
    """Feeds a streaming module whole blocks and gives as many samples as came.

    Args:
        module: takes and gives [batch, n * block] samples.
        block: its block in samples.
        latency: of the module, in samples.
        grain: of which all blocks that come are multiples; a divisor of ``block``.

    Attributes:
        latency: of both together, in samples; the same for every size of block.
    """

    state_input: Tensor
    state_output: Tensor

    def __init__(self, module: nn.Module, block: int, latency: int, grain: int = 1) -> None:
        super().__init__()
        self.module, self.block = module, block
        self.wait = block - grain
        self.latency = latency + self.wait
        self.register_buffer("state_input", torch.zeros(1, 0), persistent=False)
        self.register_buffer("state_output", torch.zeros(1, self.wait), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.module.reset(batch)  # type: ignore[operator]
        self.state_input = torch.zeros(batch, 0, device=self.state_input.device)
        self.state_output = torch.zeros(batch, self.wait, device=self.state_input.device)

    def forward(self, audio: Tensor) -> Tensor:
        """Take more samples, give as many, ``latency`` samples late. Shape: [batch, samples] -> [batch, samples]."""
        came = torch.cat([self.state_input, audio], 1)
        whole = came.shape[1] // self.block * self.block
        ready = self.state_output
        if whole > 0:
            ready = torch.cat([ready, self.module(came[:, :whole])], 1)
        self.state_input = came[:, whole:].clone()
        self.state_output = ready[:, audio.shape[1] :].clone()
        return ready[:, : audio.shape[1]]
