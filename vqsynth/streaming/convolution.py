"""Causal convolutions that carry their own state: streaming is a mode of the layer.

Offline and streaming use the same left padding, so there is only one sound. A network's
look-ahead is given to it as delayed output, never as right padding inside a layer.
"""

from __future__ import annotations

import copy
import warnings

import torch
from torch import Tensor, nn


class CausalConv1d(nn.Module):
    """1-D convolution that sees the present and the past only.

    Shape:
        [batch, in_channels, frames] -> [batch, out_channels, frames]

    While ``streaming`` is true the last ``(kernel_size - 1) * dilation`` inputs are kept
    between calls; the state starts as zeros, which is what the offline padding is.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, dilation: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, dilation=dilation, groups=groups)
        self.context = (kernel_size - 1) * dilation
        self.dense, self.depthwise = groups == 1 == dilation, groups == in_channels == out_channels and dilation == 1
        self.streaming = False
        self.register_buffer("state", torch.zeros(1, in_channels, self.context), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.context == 0:
            return self.conv(x)
        if not self.streaming:
            return self.conv(nn.functional.pad(x, (self.context, 0)))
        state = self.state
        if state.shape[0] != x.shape[0]:
            state = torch.zeros(x.shape[0], x.shape[1], self.context, dtype=x.dtype, device=x.device)
            self.state = state
        x = torch.cat([state, x], dim=2)
        state.copy_(x[:, :, x.shape[2] - self.context :].detach())
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


class StreamState:
    """The past of every streaming layer of a module, kept outside of it.

    Within ``with state:`` the module goes on where this state's last block ended, so several
    streams can share one set of weights.
    """

    def __init__(self, module: nn.Module) -> None:
        self.layers = [layer for layer in module.modules() if isinstance(layer, CausalConv1d)]
        self._own = [layer.state for layer in self.layers]
        self.buffers = [torch.zeros_like(state[:1]) for state in self._own]

    def __enter__(self) -> StreamState:
        # Past nn.Module's own attributes, which would cost more time than a convolution.
        for layer, buffer in zip(self.layers, self.buffers):
            layer._buffers["state"], layer.__dict__["streaming"] = buffer, True
        return self

    def __exit__(self, *_: object) -> None:
        self.buffers = [layer._buffers["state"] for layer in self.layers]
        for layer, own in zip(self.layers, self._own):
            layer._buffers["state"], layer.__dict__["streaming"] = own, False


def compiled(module: nn.Module, *example: Tensor) -> nn.Module:
    """A streaming copy of a module in TorchScript, with a past of its own and the same weights.

    A small network spends half of its time between the layers; compiled it does not. Making one takes half a second.

    Args:
        example: inputs of the usual shape, on which it warms up.
    """
    twin = copy.deepcopy(module, {id(weight): weight for weight in module.parameters()})
    layers = [layer for layer in twin.modules() if isinstance(layer, CausalConv1d)]
    for layer in layers:
        layer.streaming = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        script = torch.jit.script(twin)
    with torch.inference_mode():
        for _ in range(8):
            script(*example)
        for name, buffer in script.named_buffers():
            if name.endswith("state"):
                buffer.zero_()
    return script
