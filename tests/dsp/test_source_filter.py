import numpy as np
import pytest
import torch

from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import UNIT_LUFS, gain_of_loudness, loudness
from vqsynth.dsp.source_filter import Frames, Synth

BINS = 1025


def frames(count, f0=440.0, noise=0.02, seed=None):
    tilt = torch.exp(-torch.arange(BINS) / 90.0).repeat(count, 1)
    f0 = torch.full((count,), float(f0))
    if seed is not None:
        f0 = f0 * torch.exp2(0.2 * torch.randn(count, generator=torch.Generator().manual_seed(seed)))
    return Frames(f0, torch.ones(count), tilt, torch.full((count, BINS), noise))


@pytest.mark.parametrize("f0", [65.0, 440.0, 1760.0])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_gain_one_has_unit_loudness_at_every_pitch(f0, noise):
    audio = Synth().render(frames(120, f0, noise), torch.ones(120))
    assert np.median(loudness(audio, 44_100)[8:-8]) == pytest.approx(UNIT_LUFS, abs=0.5)


def test_the_gain_curve_is_the_loudness_curve():
    target = torch.linspace(-50, -10, 400)
    audio = Synth().render(frames(400), gain_of_loudness(target))
    measured = loudness(audio, 44_100)[:400]
    assert np.abs(measured - target.numpy())[4:-4].max() < 0.5


@pytest.mark.parametrize("f0", [98.0, 440.0, 1318.5])
def test_the_sound_has_the_f0_that_was_asked_for(f0):
    audio = Synth().render(frames(90, f0), torch.ones(90))
    measured, _, voiced = tracker.track(audio, 44_100, 2048, 512)
    assert voiced[6:-6].all()
    assert np.abs(1200 * np.log2(measured[6:-6] / f0)).max() < 5


@pytest.mark.parametrize("sizes", [[1] * 40, [7] * 6, [1, 2, 30, 7], [40], [0, 39, 1, 0]])
def test_chunked_equals_whole(sizes):
    synth, sequence = Synth(), frames(40, seed=3)
    gain = torch.linspace(0.1, 1, 40)
    whole = synth.render(sequence, gain, seed=5)
    stream, start, parts = synth.stream(seed=5), 0, []
    for index, size in enumerate(sizes):
        last = index == len(sizes) - 1
        parts.append(stream.push(sequence[start : start + size], gain[start : start + size], last=last))
        start += size
    chunked = np.concatenate(parts)
    assert len(chunked) == len(whole) == 40 * 512
    assert np.abs(chunked - whole[: len(chunked)]).max() < 1e-5


def test_magnitudes_foretell_the_sound():
    synth, sequence = Synth(), frames(100, 300.0, 0.0)
    audio = synth.render(sequence, torch.ones(100))
    foretold = synth.magnitudes(sequence)[50].numpy()
    heard = np.abs(np.fft.rfft(audio[50 * 512 - 1024 : 50 * 512 + 1024] * np.hanning(2049)[:-1]))
    loud = foretold > 0.01 * foretold.max()
    bins = np.arange(BINS)
    centroids = [(x * bins)[loud].sum() / x[loud].sum() for x in (foretold, heard)]
    assert centroids[0] == pytest.approx(centroids[1], rel=0.01)


def test_noise_follows_the_seed():
    synth, sequence = Synth(), frames(20, noise=1.0)
    first, again, other = (synth.render(sequence, torch.ones(20), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
