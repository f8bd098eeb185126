"""YIN finds the pitch of a frame, and none where there is none."""

import numpy as np
import pytest
import torch

from vqsynth.dsp.yin import yin

RATE = 44_100


def frame(f0: float, partials: int = 8) -> torch.Tensor:
    time = np.arange(2048) / RATE
    numbers = [k for k in range(1, partials + 1) if k * f0 < 0.45 * RATE]
    return torch.from_numpy(sum(np.sin(2 * np.pi * f0 * k * time + k) / k for k in numbers).astype(np.float32))


@pytest.mark.parametrize("f0", [65.4, 98.0, 220.0, 440.0, 1000.0, 1760.0])
@pytest.mark.parametrize("level", [1.0, 0.01])
def test_a_tone_has_its_pitch(f0, level):
    assert 1200 * np.log2(float(yin(level * frame(f0), RATE)) / f0) == pytest.approx(0, abs=2.5)


def test_a_missing_fundamental_is_found():
    sound = frame(220.0) - frame(220.0, 1)
    assert float(yin(sound, RATE)) == pytest.approx(220, rel=0.005)


def test_noise_and_silence_have_none():
    noise = torch.randn(40, 2048, generator=torch.Generator().manual_seed(0))
    assert (yin(noise, RATE) > 0).float().mean() < 0.05
    assert not yin(torch.zeros(3, 2048), RATE).any()


def test_it_works_on_any_batch_and_compiles():
    frames = torch.stack([frame(f0) for f0 in (110.0, 330.0, 550.0, 770.0)]).reshape(2, 2, 2048)
    eager = yin(frames, RATE)
    assert eager.shape == (2, 2)
    assert torch.equal(torch.jit.script(yin)(frames, RATE), eager)
