import pytest
import torch

from vqsynth.storage.compact import compact, expand


def test_weights_come_back_within_half_a_level():
    generator = torch.Generator().manual_seed(0)
    weights = {
        "wide": torch.randn(64, 48, generator=generator) * torch.logspace(-3, 2, 64)[:, None],
        "deep": torch.randn(32, 8, 3, 5, generator=generator),
        "empty": torch.zeros(64, 64),
        "bias": torch.randn(300, generator=generator),
        "count": torch.tensor(7),
    }
    small = compact(weights)
    assert small["wide"].dtype == torch.int8 and small["bias"].dtype == torch.float16
    assert small["count"] == 7 and small["count"].dtype == torch.int64
    again = expand(small)
    assert set(again) == set(weights)
    for name in ("wide", "deep", "empty"):
        step = weights[name].flatten(1).abs().amax(1) / 127
        assert again[name].shape == weights[name].shape
        assert ((again[name] - weights[name]).flatten(1).abs().amax(1) <= 0.51 * step + 1e-12).all()
    # Rounded once is rounded for good.
    for name, tensor in compact(again).items():
        torch.testing.assert_close(tensor.float(), small[name].float(), rtol=1e-5, atol=1e-12)


def test_scales_must_fit():
    small = compact({"matrix": torch.ones(64, 64)})
    with pytest.raises(ValueError, match="matrix"):
        expand({**small, "matrix.scale": torch.ones(3)})
