import pytest
import torch

from vqsynth.vqvae.quantizer import Quantizer, kmeans, nearest_codes, perplexity


def clusters(count=8, each=50, spread=0.01, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(count, 4, generator=generator) * 5
    points = centres.repeat_interleave(each, 0) + spread * torch.randn(count * each, 4, generator=generator)
    return centres, points


def test_nearest_is_nearest():
    x, codebook = torch.randn(2, 100, 8)
    assert torch.equal(nearest_codes(x, codebook), torch.cdist(x, codebook).argmin(1))


def test_kmeans_puts_its_centres_on_the_data():
    _, points = clusters()
    found = kmeans(points, 32, torch.Generator().manual_seed(1))
    distance = torch.cdist(points, found).min(1).values
    assert distance.mean() < 0.1


def test_gradient_passes_straight_through():
    quantizer = Quantizer(4, 2)
    quantizer.codebook.copy_(torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]]))
    x = torch.tensor([[0.9, 0.2]], requires_grad=True)
    quantized = quantizer(x)
    assert quantized.latents.tolist() == [[1.0, 0.0]]
    (quantized.latents * torch.tensor([[2.0, 3.0]])).sum().backward()
    assert x.grad.tolist() == [[2.0, 3.0]]


def test_the_codebook_moves_to_its_latents():
    _, points = clusters(spread=0.0)
    quantizer = Quantizer(8, 4)
    quantizer.start(points, torch.Generator().manual_seed(0))
    shifted = points + 0.5
    for step in range(300):
        quantizer.update(shifted, quantizer(shifted).codes, torch.Generator().manual_seed(step))
    assert float(quantizer(shifted).commitment) < 1e-2


def test_dead_codes_come_back():
    _, points = clusters(count=16, each=30)
    quantizer = Quantizer(16, 4)
    quantizer.start(points[:30] + 50, torch.Generator().manual_seed(0))  # far from all of them: one code wins
    restarted = 0
    assert perplexity(quantizer(points).codes, 16) < 3
    for step in range(400):
        restarted += quantizer.update(points, quantizer(points).codes, torch.Generator().manual_seed(step))
    codes = quantizer(points).codes
    assert restarted > 0
    assert perplexity(codes, 16) > 10


def test_perplexity_of_even_and_single_use():
    assert perplexity(torch.arange(64), 64) == pytest.approx(64)
    assert perplexity(torch.zeros(64, dtype=torch.int64), 64) == pytest.approx(1)
