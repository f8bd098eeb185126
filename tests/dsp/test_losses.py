"""The distance between waveforms: nothing for the same sound, known for a known change, and a way down."""

import math

import librosa
import numpy as np
import pytest
import torch

from vqsynth.dsp.losses import multi_resolution_stft


def noise(seed: int, level: float = 0.3, batch: int = 1) -> torch.Tensor:
    return level * torch.randn(batch, 16_384, generator=torch.Generator().manual_seed(seed))


def test_equal_sounds_have_no_distance():
    assert float(multi_resolution_stft(noise(0), noise(0))) == 0
    assert float(multi_resolution_stft(torch.zeros(1, 8192), torch.zeros(1, 8192))) == 0


def test_it_grows_with_what_is_added():
    distances = [float(multi_resolution_stft(noise(0) + noise(1, level), noise(0))) for level in (0.01, 0.03, 0.1, 0.3)]
    assert distances == sorted(distances)
    assert 0 < distances[0] < 0.15 * distances[-1]


@pytest.mark.parametrize("size", [256, 1024, 4096])
def test_twice_the_amplitude_costs_one_and_the_logarithm_of_two(size):
    sound = noise(0, 30.0)
    # Convergence 1 (the change is as large as the target), log distance ln 2, both far above the floor.
    assert float(multi_resolution_stft(2 * sound, sound, (size,))) == pytest.approx(1 + math.log(2), abs=2e-3)
    # The other way about: half the target is missing.
    assert float(multi_resolution_stft(sound, 2 * sound, (size,))) == pytest.approx(0.5 + math.log(2), abs=2e-3)


def test_the_sign_of_a_wave_is_not_heard():
    assert float(multi_resolution_stft(-noise(0), noise(0))) == pytest.approx(0, abs=1e-6)


def test_resolutions_and_batches_are_averaged():
    sizes = (2048, 512)
    output, target = noise(0, batch=2), noise(1, batch=2) * torch.tensor([[1.0], [0.1]])
    whole = multi_resolution_stft(output, target, sizes)
    singles = [multi_resolution_stft(output[i : i + 1], target[i : i + 1], (s,)) for i in (0, 1) for s in sizes]
    assert float(whole) == pytest.approx(float(sum(singles)) / 4, rel=1e-5)


def test_the_resolutions_are_the_four_of_the_module():
    output, target = noise(0), noise(1)
    four = [float(multi_resolution_stft(output, target, (size,))) for size in (4096, 2048, 1024, 256)]
    assert float(multi_resolution_stft(output, target)) == pytest.approx(sum(four) / 4, rel=1e-5)


def test_differences_below_the_floor_are_not_heard():
    # One resolution, so that the levels are known: a sine of amplitude A has a magnitude of A / 2.
    time = torch.arange(16_384)
    sine = torch.sin(2 * torch.pi * 64 * time / 1024)[None]
    quiet = multi_resolution_stft(sine + noise(1, 1e-6), sine, (1024,))
    assert float(quiet) < 0.05
    louder_floor = multi_resolution_stft(sine + noise(1, 1e-2), sine, (1024,), floor=1.0)
    finer_floor = multi_resolution_stft(sine + noise(1, 1e-2), sine, (1024,), floor=1e-3)
    assert float(louder_floor) < 0.1 * float(finer_floor)


def test_silence_is_no_answer_and_no_excuse():
    sound, silence = noise(0), torch.zeros(1, 16_384)
    gain = float(multi_resolution_stft(2 * sound, sound))
    # Silence for a sound misses all of it; a sound for silence has no bound but a number.
    assert float(multi_resolution_stft(silence, sound)) > 2 * gain
    assert gain < float(multi_resolution_stft(sound, silence)) < math.inf


def test_descent_leads_to_the_target():
    target = noise(0)
    output = (0.5 * target + noise(1, 0.2)).requires_grad_()
    first = multi_resolution_stft(output, target)
    optimizer = torch.optim.Adam([output], 0.01)
    for _ in range(20):
        optimizer.zero_grad()
        loss = multi_resolution_stft(output, target)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.7 * float(first.detach())
    silent = torch.zeros(1, 8192, requires_grad=True)
    multi_resolution_stft(silent, noise(0)[:, :8192]).backward()
    assert torch.isfinite(silent.grad).all()


@pytest.mark.parametrize("quiet", [0.0, 1e-4, 0.1])
def test_it_is_the_published_distance_with_its_floor(quiet):
    output, target = noise(0), quiet * noise(1)
    magnitudes = [
        np.sqrt(np.abs(librosa.stft(x[0].numpy(), n_fft=512, hop_length=128, pad_mode="constant")) ** 2 + 1e-9) / 256
        for x in (output, target)
    ]
    convergence = np.linalg.norm(magnitudes[0] - magnitudes[1]) / max(np.linalg.norm(magnitudes[1]), 1e-3)
    distance = np.abs(np.log(magnitudes[0] + 1e-4) - np.log(magnitudes[1] + 1e-4)).mean()
    assert float(multi_resolution_stft(output, target, (512,))) == pytest.approx(convergence + distance, rel=1e-3)
