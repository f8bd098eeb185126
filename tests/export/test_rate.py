"""Instruments at other rates: the same pitch, colour and delay as told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth import descriptors
from vqsynth.descriptors import f0 as tracker
from vqsynth.errors import UsageError
from vqsynth.export.models import instrument_of
from vqsynth.export.rate.resampler import Resampler
from vqsynth.streaming.module import twin


@pytest.mark.parametrize(("before", "after"), [(44_100, 48_000), (48_000, 44_100), (96_000, 44_100), (44_100, 32_000)])
def test_a_resampled_tone_is_the_tone(before, after):
    resampler = twin(Resampler(before, after))
    time = np.arange(before) / before
    audio = torch.from_numpy(np.sin(2 * np.pi * 997.0 * time).astype(np.float32))[None]
    whole = resampler(audio)[0].numpy()
    resampler.reset(1)
    sizes = [1, 0, 511, 512, 3, 1000] * 15
    parts = torch.cat([resampler(part) for part in audio[:, : sum(sizes)].split(sizes, 1)], 1)[0].numpy()
    assert np.abs(parts - whole[: len(parts)]).max() < 1e-6
    assert len(whole) == pytest.approx(after, abs=1)
    wanted = np.sin(2 * np.pi * 997.0 * (np.arange(len(whole)) / after - resampler.latency / before))
    assert np.abs(whole - wanted)[after // 20 :].max() < 1e-3


def test_what_another_rate_cannot_hold_is_silent():
    resampler = twin(Resampler(96_000, 44_100))
    tone = torch.sin(2 * torch.pi * 30_000 * torch.arange(96_000, dtype=torch.float64) / 96_000).float()[None]
    assert resampler(tone)[0, 1000:].abs().max() < 1e-3


@pytest.fixture(scope="module")
def strings(domain):
    """The strings at 48 kHz: instrument, card."""
    return instrument_of(domain, rate=48_000)


@pytest.fixture(scope="module")
def tone48(make_tone):
    """Bursts of a tone. Shape: [1, 1, 81920] at 48 kHz."""
    sound = np.zeros(81_920, np.float32)
    for start in (9000, 45_000):
        sound[start : start + 20_000] = make_tone(330.0, 20_000 / 48_000, rate=48_000)
    return torch.from_numpy(sound)[None, None]


def lag(early, late):
    shapes = [np.sqrt(np.convolve(np.square(x), np.hanning(1024), "same")) for x in (early, late)]
    spectra = [np.fft.rfft(x - x.mean(), 1 << 18) for x in shapes]
    return int(np.argmax(np.fft.irfft(spectra[1] * spectra[0].conj())[: 1 << 14]))


def test_a_continuous_model_at_48_khz(strings, tone48, blockwise):
    instrument, card = strings
    delays = {method.name: method.delay for method in card.methods}
    instrument.reset(1)
    late = blockwise(instrument, tone48, 512)[0]
    instrument.reset(1)
    assert np.abs(blockwise(instrument, tone48, 4096)[0] - late).max() < 1e-4
    found, _, heard = tracker.track(late, 48_000)
    assert np.median(np.abs(1200 * np.log2(found[heard] / 330.0))) < 10
    assert lag(tone48[0, 0].numpy(), late) == pytest.approx(delays["forward"], abs=600)
    assert card.sample_rate == 48_000 and delays["forward"] > 2048


def test_latents_at_48_khz_go_out_and_in(strings, tone48, blockwise):
    instrument, card = strings
    delays = {method.name: method.delay for method in card.methods}
    instrument.reset(1)
    frames = blockwise(instrument.encode, tone48, 1024)
    assert frames.shape == (19, tone48.shape[2] // 512)
    instrument.reset(1)
    assert np.abs(blockwise(instrument.encode, tone48, 512) - frames).max() < 1e-2
    pitch = frames[17][(frames[18] > 0.9) & (frames[16] > -35)]
    assert len(pitch) > 10 and np.median(pitch) == pytest.approx(330, rel=0.01)
    instrument.reset(1)
    sound = blockwise(instrument.decode, torch.from_numpy(frames)[None], 1)[0]
    assert len(sound) == tone48.shape[2]
    assert lag(tone48[0, 0].numpy(), sound) == pytest.approx(delays["encode"] + delays["decode"], abs=800)


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_a_timbre_at_other_rates(violin, rate):
    """Nothing is resampled: all filters are drawn for the rate."""
    instrument, card = instrument_of(violin, rate=rate)
    hop = card.hop_length
    assert card.sample_rate == rate and card.methods[0].delay / rate < 0.0065
    frames = torch.tensor([2400.0, 0.0, 440.0, 0.0, 1.0])[None, :, None].expand(1, 5, 2 * rate // hop)
    with torch.inference_mode():
        audio = instrument.control(frames)[0, 0].numpy()
    n_fft = 2048 * rate // 44_100 if rate == 48_000 else 4096
    n_fft = 1 << (n_fft.bit_length() - 1)
    found = descriptors.measure(["centroid"], audio, rate, n_fft, n_fft // 4)["centroid"].values[20:-8]
    assert np.median(found) == pytest.approx(2400, rel=0.02)
    pitch, _, heard = tracker.track(audio, rate)
    assert heard[10:-10].all()
    assert np.median(np.abs(1200 * np.log2(pitch[10:-10] / 440))) < 5
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    frequencies = np.fft.rfftfreq(len(audio), 1 / rate)
    assert spectrum[frequencies > 22_300].sum() < 1e-6 * spectrum.sum()


def test_a_timbre_at_48_khz_hears(violin, make_tone):
    instrument, _ = instrument_of(violin, rate=48_000)
    sound = make_tone(440.0, 1.2, rate=48_000)[: 112 * 512]
    with torch.inference_mode():
        frames = instrument.encode(torch.from_numpy(sound)[None, None])[0].numpy()
        instrument.reset(1)
        audio = instrument.fast(torch.from_numpy(sound)[None, None])[0, 0].numpy()
    assert np.median(frames[1, 40:-20]) == pytest.approx(440, rel=0.005)
    found, _, heard = tracker.track(audio, 48_000)
    assert np.median(np.abs(1200 * np.log2(found[heard] / 440))) < 10


def test_rates_that_cannot_be(violin):
    with pytest.raises(UsageError, match="32000 to 192000"):
        instrument_of(violin, rate=8000)
