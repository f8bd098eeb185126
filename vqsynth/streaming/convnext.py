"""The convolution block that both models are made of, causal and streamable."""

import torch
from torch import Tensor, nn

from vqsynth.streaming.convolution import CausalConv1d


class Block(nn.Module):
    """ConvNeXt block (Liu et al. 2022) in one dimension, with a causal depthwise convolution.

    Shape:
        [batch, width, frames] -> [batch, width, frames]
    """

    def __init__(self, width: int, expansion: int, kernel_size: int) -> None:
        super().__init__()
        self.depthwise = CausalConv1d(width, width, kernel_size, groups=width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, expansion * width)
        self.project = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.3))

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.depthwise.reset(batch)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).transpose(1, 2))
        y = self.project(nn.functional.gelu(self.expand(y)))
        return torch.addcmul(x, self.scale[:, None], y.transpose(1, 2))


class Blocks(nn.Sequential):
    """Blocks one after the other.

    Shape:
        [batch, width, frames] -> [batch, width, frames]
    """

    def __init__(self, count: int, width: int, expansion: int, kernel_size: int) -> None:
        super().__init__(*(Block(width, expansion, kernel_size) for _ in range(count)))

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        for block in self:
            block.reset(batch)  # type: ignore[operator]
