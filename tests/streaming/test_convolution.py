import pytest
import torch

from vqsynth.streaming.convolution import CausalConv1d, StreamState


@pytest.mark.parametrize("kernel_size", [1, 2, 5])
@pytest.mark.parametrize("dilation", [1, 3])
@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_chunked_equals_whole(kernel_size, dilation, size):
    torch.manual_seed(0)
    layer = CausalConv1d(4, 6, kernel_size, dilation)
    x = torch.randn(2, 4, 50)
    state = StreamState(layer)
    parts = []
    for chunk in x.split(size, 2):
        with state:
            parts.append(layer(chunk))
    assert torch.allclose(torch.cat(parts, 2), layer(x), atol=1e-6)


def test_the_future_is_not_heard():
    layer = CausalConv1d(1, 1, 5)
    x = torch.zeros(1, 1, 20)
    x[..., 10] = 1
    change = layer(x) - layer(torch.zeros_like(x))
    assert not change[..., :10].any()
    assert change[..., 10:15].any()


def test_two_streams_share_one_layer():
    torch.manual_seed(1)
    layer = CausalConv1d(1, 1, 5)
    a, b = torch.randn(2, 1, 1, 20)
    states = StreamState(layer), StreamState(layer)
    parts = ([], [])
    for index in range(20):
        for signal, state, out in zip((a, b), states, parts):
            with state:
                out.append(layer(signal[..., index : index + 1]))
    assert torch.allclose(torch.cat(parts[0], 2), layer(a), atol=1e-6)
    assert torch.allclose(torch.cat(parts[1], 2), layer(b), atol=1e-6)


def test_layers_are_scriptable():
    torch.manual_seed(2)
    layer = CausalConv1d(2, 3, 4)
    x = torch.randn(1, 2, 16)
    assert torch.allclose(torch.jit.script(layer)(x), layer(x), atol=1e-6)
