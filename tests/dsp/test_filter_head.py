"""Raw outputs become filters of the right height, and pitch and voicing in their places."""

import numpy as np
import pytest
import torch

from vqsynth.dsp.filter_head import FilterHead


@pytest.fixture(scope="module")
def head():
    return FilterHead(44_100, 2048, 112, 64, 144)


def test_parts_are_in_order(head):
    outputs = torch.zeros(1, 3, head.n_outputs)
    outputs[..., :112] = 1.0
    outputs[..., 112:176] = 2.0
    outputs[..., 176 + 24] = 5.0
    outputs[..., -1] = 7.0
    harmonic, noise = head(outputs)
    logits, voicing = head.pitch(outputs)
    assert harmonic.shape == noise.shape == (1, 3, 1025)
    # Knots are joined by lines, so that equal knots are one height; noise starts four nepers below.
    assert torch.allclose(harmonic, torch.full_like(harmonic, float(np.e)), rtol=1e-5)
    assert torch.allclose(noise, torch.full_like(noise, float(np.exp(-2.0))), rtol=1e-5)
    assert logits.shape[-1] == 144
    assert (logits.argmax(-1) == 24).all()
    assert (voicing == 7.0).all()


def test_filters_stay_within_bounds(head):
    for value, bound in ((1e4, 8.0), (-1e4, -16.0)):
        for part in head(torch.full((1, 1, head.n_outputs), value)):
            assert torch.allclose(part.log(), torch.full_like(part, bound), atol=1e-4)
