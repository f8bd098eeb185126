"""The sound of given frames: its pitch, its loudness, its noise, by both synthesizers."""

import numpy as np
import pytest
import torch

from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import UNIT_LUFS, gain_of_loudness, loudness
from vqsynth.dsp.source_filter import Frames
from vqsynth.streaming.frame_synthesizer import FrameSynthesizer
from vqsynth.streaming.module import twin
from vqsynth.streaming.synthesizer import FrameStream, Synthesizer

BINS = 1025


def frames(count, f0=440.0, noise=0.02, seed=None):
    tilt = torch.exp(-torch.arange(BINS) / 90.0).repeat(count, 1)
    f0 = torch.full((count,), float(f0))
    if seed is not None:
        f0 = f0 * torch.exp2(0.2 * torch.randn(count, generator=torch.Generator().manual_seed(seed)))
    return Frames(f0, torch.ones(count), tilt, torch.full((count, BINS), noise))


def by_interpolation(frames: Frames, gain: torch.Tensor, seed: int = 0) -> np.ndarray:
    return Synthesizer().render(frames, gain, seed)


def by_frames(frames: Frames, gain: torch.Tensor, seed: int = 0) -> np.ndarray:
    """The realtime synthesizer, its latency taken out."""
    stream = twin(FrameSynthesizer(44_100, 2048, seed))
    end = frames[-1:]
    longer = Frames.cat([frames, end])
    gain = torch.cat([gain, torch.zeros(1)])
    audio = stream(longer.f0[None], longer.harmonic[None], longer.noise[None], gain[None])[0]
    return audio[stream.latency :].numpy()


both = pytest.mark.parametrize("synthesise", [by_interpolation, by_frames])


@both
@pytest.mark.parametrize("f0", [65.0, 440.0, 1760.0])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_gain_one_has_unit_loudness_at_every_pitch(synthesise, f0, noise):
    audio = synthesise(frames(120, f0, noise), torch.ones(120))
    assert np.median(loudness(audio, 44_100)[8:-8]) == pytest.approx(UNIT_LUFS, abs=0.5)


@both
def test_the_gain_curve_is_the_loudness_curve(synthesise):
    target = torch.linspace(-50, -10, 400)
    audio = synthesise(frames(400), gain_of_loudness(target))
    measured = loudness(audio, 44_100)[:400]
    assert np.abs(measured - target.numpy())[4:-4].max() < 0.5


@both
@pytest.mark.parametrize("f0", [98.0, 440.0, 1318.5])
def test_the_sound_has_the_f0_that_was_asked_for(synthesise, f0):
    audio = synthesise(frames(90, f0), torch.ones(90))
    measured, _, voiced = tracker.track(audio, 44_100, 2048, 512)
    assert voiced[6:-6].all()
    assert np.abs(1200 * np.log2(measured[6:-6] / f0)).max() < 5


@both
def test_a_glide_is_a_glide(synthesise):
    sequence = frames(180)
    sequence.f0 = torch.from_numpy(np.geomspace(220, 660, 180).astype(np.float32))
    audio = synthesise(sequence, torch.ones(180))
    measured, _, voiced = tracker.track(audio, 44_100, 2048, 512)
    cents = 1200 * np.log2(measured[6:174] / sequence.f0.numpy()[6:174])
    assert voiced[6:-6].all()
    assert np.abs(cents).max() < 8


@both
def test_the_filters_are_those_of_the_sound(synthesise):
    """Pulses through a filter that passes 2 to 3 kHz alone have nothing elsewhere; the noise has its own."""
    passed = torch.zeros(60, BINS)
    frequencies = torch.linspace(0, 22_050, BINS)
    passed[:, (frequencies > 2000) & (frequencies < 3000)] = 1.0
    silent = torch.zeros(60, BINS)
    f0 = torch.full((60,), 200.0)
    for sequence in (Frames(f0, f0, passed, silent), Frames(f0, f0, silent, passed)):
        audio = synthesise(sequence, torch.ones(60))[4096:-4096]
        power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
        inside = (np.fft.rfftfreq(len(audio), 1 / 44_100) > 1900) & (np.fft.rfftfreq(len(audio), 1 / 44_100) < 3100)
        assert power[inside].sum() > 0.99 * power.sum()


@both
def test_the_sound_starts_where_its_first_frame_is(synthesise):
    """A burst of gain is heard at its frame, within a hop."""
    gain = torch.zeros(80)
    gain[40] = 1.0
    audio = synthesise(frames(80), gain)
    energy = np.square(audio)
    centre = (energy * np.arange(len(audio))).sum() / energy.sum()
    assert centre == pytest.approx(40 * 512, abs=256)


def test_both_synthesizers_make_the_same_spectrum():
    """One law: a steady tone has the same partials and the same noise in either."""
    sequence, gain = frames(120, 330.0, 0.05), torch.ones(120)
    spectra = []
    for synthesise in (by_interpolation, by_frames):
        audio = synthesise(sequence, gain, 1)[8192:49_152]
        pieces = np.lib.stride_tricks.sliding_window_view(audio, 4096)[::1024] * np.hanning(4096)
        power = (np.abs(np.fft.rfft(pieces)) ** 2).mean(0)
        spectra.append(10 * np.log10(power.reshape(-1)[:1860].reshape(-1, 30).sum(1) + 1e-9))
    assert np.abs(spectra[0] - spectra[1]).mean() < 0.7


@pytest.mark.parametrize("sizes", [[1] * 40, [7] * 6, [1, 2, 30, 7], [40], [0, 39, 1, 0]])
def test_chunked_equals_whole(sizes):
    synth, sequence = Synthesizer(), frames(40, seed=3)
    gain = torch.linspace(0.1, 1, 40)
    whole = synth.render(sequence, gain, seed=5)
    stream, start, parts = FrameStream(synth, seed=5), 0, []
    for index, size in enumerate(sizes):
        last = index == len(sizes) - 1
        parts.append(stream.push(sequence[start : start + size], gain[start : start + size], last=last))
        start += size
    chunked = np.concatenate(parts)
    assert len(chunked) == len(whole) == 40 * 512
    assert np.abs(chunked - whole[: len(chunked)]).max() < 1e-5


def test_magnitudes_foretell_the_sound():
    synth, sequence = Synthesizer(), frames(100, 300.0, 0.0)
    audio = synth.render(sequence, torch.ones(100))
    foretold = synth.magnitudes(sequence)[50].numpy()
    heard = np.abs(np.fft.rfft(audio[50 * 512 - 1024 : 50 * 512 + 1024] * np.hanning(2049)[:-1]))
    loud = foretold > 0.01 * foretold.max()
    bins = np.arange(BINS)
    centroids = [(x * bins)[loud].sum() / x[loud].sum() for x in (foretold, heard)]
    assert centroids[0] == pytest.approx(centroids[1], rel=0.01)


def test_noise_follows_the_seed():
    synth, sequence = Synthesizer(), frames(20, noise=1.0)
    first, again, other = (synth.render(sequence, torch.ones(20), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_batch_for_training_is_the_same_law():
    sequence = frames(81, 330.0, 0.02)
    gain = torch.zeros(2, 81)
    gain[0], gain[1, 40] = 1.0, 1.0
    gain.requires_grad_()
    f0, harmonic, noise = (x.expand(2, *x.shape) for x in (sequence.f0, sequence.harmonic, sequence.noise))
    generator = torch.Generator().manual_seed(0)
    audio = FrameSynthesizer(44_100, 2048).synthesise_batch(f0, harmonic, noise, gain, generator)
    assert audio.shape == (2, 80 * 512)
    steady, burst = audio.detach().numpy()
    assert np.median(loudness(steady, 44_100)[8:-8]) == pytest.approx(UNIT_LUFS, abs=0.5)
    measured, _, voiced = tracker.track(steady, 44_100, 2048, 512)
    assert voiced[6:-6].all() and np.abs(1200 * np.log2(measured[6:-6] / 330)).max() < 5
    energy = np.square(burst)
    assert (energy * np.arange(len(burst))).sum() / energy.sum() == pytest.approx(40 * 512, abs=256)
    audio.square().sum().backward()
    assert gain.grad is not None and (gain.grad[0] > 0).all() and gain.grad[1, 40] > 0
