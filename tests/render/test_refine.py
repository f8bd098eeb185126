"""The loop of synthesis, measurement and correction."""

import numpy as np
import pytest
import torch

from vqsynth import descriptors
from vqsynth.dsp.source_filter import Frames
from vqsynth.render.refine import Shaper, Wanted
from vqsynth.streaming.synthesizer import Synthesizer

RATE = 44_100


def wavering(count: int, seed: int = 0) -> Frames:
    """A tone of 330 Hz whose brightness jumps every 20 frames, with audible noise."""
    random = np.random.default_rng(seed)
    slope = torch.from_numpy(np.repeat(random.uniform(900, 2200, -(-count // 20)), 20)[:count]).float()[:, None]
    frequencies = torch.linspace(0, RATE / 2, 1025)
    noise = 0.01 * torch.exp(-frequencies / 5000).expand(count, -1)
    return Frames(torch.full((count,), 330.0), torch.ones(count), torch.exp(-frequencies / slope), noise.clone())


def shape(frames, wanted, rounds, block):
    shaper, parts, tilts = Shaper(Synthesizer(), seed=3, rounds=rounds), [], []
    for start in range(0, len(frames), block):
        part = slice(start, start + block)
        audio, trim = shaper.push(
            frames[part], torch.ones(len(frames[part])), wanted[part], last=start + block >= len(frames)
        )
        parts.append(audio)
        tilts.append(trim.tilt)
    return np.concatenate(parts), torch.cat(tilts)


def error(audio, target):
    found = descriptors.measure(["centroid"], audio, RATE)["centroid"].values[4 : len(target) - 4]
    return np.abs(found / target[4:-4] - 1)


@pytest.mark.parametrize("block", [7, 64, 200])
def test_with_nothing_wanted_it_is_the_plain_synthesis(block):
    frames = wavering(200)
    audio, tilt = shape(frames, Wanted({}, np.ones(200, bool)), 2, block)
    assert np.allclose(audio, Synthesizer().render(frames, torch.ones(200), seed=3), atol=1e-6)
    assert len(tilt) == 200 and not tilt.any()


def test_the_sound_follows_and_measuring_it_helps():
    frames = wavering(300)
    target = 1500 * 2 ** (0.4 * np.sin(np.linspace(0, 7, 300)))
    wanted = Wanted({"centroid": torch.from_numpy(target).float()}, np.ones(300, bool))
    untouched = error(Synthesizer().render(frames, torch.ones(300), seed=3), target)
    once, twice = (error(shape(frames, wanted, rounds, 300)[0], target) for rounds in (0, 1))
    assert np.median(untouched) > 0.1
    assert np.median(once) < 0.02
    assert np.median(twice) < 0.006 and np.median(twice) < 0.7 * np.median(once)


def test_blocks_of_a_long_sound_are_as_good_as_the_whole():
    frames = wavering(300)
    target = 1500 * 2 ** (0.4 * np.sin(np.linspace(0, 7, 300)))
    wanted = Wanted({"centroid": torch.from_numpy(target).float()}, np.ones(300, bool))
    audio, tilt = shape(frames, wanted, 1, 60)
    assert len(audio) == 300 * 512 and len(tilt) == 300
    assert np.median(error(audio, target)) < 0.006 and error(audio, target).max() < 0.15


def test_frames_that_do_not_count_are_not_chased():
    frames, mask = wavering(120), np.ones(120, bool)
    mask[50:70] = False
    target = np.full(120, 1500.0)
    target[50:70] = 1e4
    odd = Wanted({"centroid": torch.from_numpy(target).float()}, mask)
    assert np.median(error(shape(frames, odd, 1, 120)[0], np.full(120, 1500.0))[:40]) < 0.006
