"""Causal convolutions that carry their own state: streaming is a mode of the layer.

Offline and streaming use the same left padding, so there is only one sound. A network's
look-ahead is given to it as delayed output, never as right padding inside a layer.
"""

import torch
from torch import Tensor, nn


class CausalConv1d(nn.Module):
    """1-D convolution that sees the present and the past only.

    While ``streaming`` is true the last ``(kernel_size - 1) * dilation`` inputs are kept
    between calls; the state starts as zeros, which is what the offline padding is.

    Shape:
        [batch, in_channels, frames] -> [batch, out_channels, frames]
    """

    state: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, dilation: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, dilation=dilation, groups=groups)
        self.context = (kernel_size - 1) * dilation
        self.dense = groups == 1 == dilation
        self.depthwise = groups == in_channels == out_channels and dilation == 1
        self.streaming = False
        self.register_buffer("state", torch.zeros(1, in_channels, self.context), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        channels, context = self.state.shape[1], self.state.shape[2]
        self.state = torch.zeros(batch, channels, context, dtype=self.state.dtype, device=self.state.device)

    def forward(self, x: Tensor) -> Tensor:
        if self.context == 0:
            return self.conv(x)
        if not self.streaming:
            return self.conv(nn.functional.pad(x, (self.context, 0)))
        x = torch.cat([self.state, x], dim=2)
        self.state.copy_(x[:, :, x.shape[2] - self.context :].detach())
        weight, bias = self.conv.weight, self.conv.bias
        if bias is not None and x.shape[2] <= 4 * self.context:
            # For a few frames, setting up a convolution costs more than computing it.
            if self.depthwise:
                windows = x.unfold(2, self.context + 1, 1)
                return (windows @ weight.transpose(1, 2)).squeeze(3) + bias[:, None]
            if self.dense:
                windows = x.unfold(2, self.context + 1, 1).transpose(1, 2).flatten(2)
                return nn.functional.linear(windows, weight.flatten(1), bias).transpose(1, 2)
        return self.conv(x)


class CausalConv2d(nn.Module):
    """2-D convolution over frames and cells: causal in time, centred and zero-padded over the cells.

    Keeps its past as :class:`CausalConv1d` does.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel: frames and cells that one output sees; the number of cells is odd.
        cells: of every frame.

    Shape:
        [batch, in_channels, frames, cells] -> [batch, out_channels, frames, cells]
    """

    state: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel: tuple[int, int], cells: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=(0, kernel[1] // 2))
        self.context = kernel[0] - 1
        self.streaming = False
        self.register_buffer("state", torch.zeros(1, in_channels, self.context, cells), persistent=False)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        _, channels, context, cells = self.state.shape
        self.state = torch.zeros(batch, channels, context, cells, dtype=self.state.dtype, device=self.state.device)

    def forward(self, x: Tensor) -> Tensor:
        if self.context == 0:
            return self.conv(x)
        if not self.streaming:
            return self.conv(nn.functional.pad(x, (0, 0, self.context, 0)))
        x = torch.cat([self.state, x], dim=2)
        self.state.copy_(x[:, :, x.shape[2] - self.context :].detach())
        return self.conv(x)
