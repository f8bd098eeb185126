"""A timbre as an instrument for any sound: transfer, fast transfer, codes in and out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import loudness
from vqsynth.vqvae.live import live_stream

RATE = 44_100


@pytest.fixture(scope="module")
def melody(make_tone):
    """Three notes of half a second. Shape: [1, 1, 79360], whole blocks of 512."""
    notes = np.concatenate([make_tone(hz, 0.6, 0.8, level=0.3) for hz in (330.0, 440.0, 392.0)])
    return torch.from_numpy(notes[: 155 * 512])[None, None]


@pytest.mark.parametrize("size", [256, 512, 2048])
def test_forward_is_the_live_transfer(violin, instrument, melody, blockwise, size):
    late = blockwise(instrument, melody, size)[0][instrument.latency["forward"] :]
    stream = live_stream(violin.model)
    with torch.inference_mode():
        wanted = stream(melody[:, 0])[0].numpy()[stream.latency :]
    assert np.abs(late[: len(wanted)] - wanted[: len(late)]).max() < 1e-4


@pytest.mark.parametrize("method", ["forward", "fast"])
def test_melody_and_loudness_are_kept_as_late_as_told(instrument, melody, blockwise, method):
    audio = melody[0, 0].numpy()
    late = blockwise(getattr(instrument, method), melody, 512)[0]
    latency = instrument.latency[method]
    wanted, _, asked = tracker.track(audio[: len(audio) - latency], RATE)
    found, _, heard = tracker.track(late[latency:], RATE)
    both = asked & heard
    assert both.mean() > 0.9
    cents = 1200 * np.abs(np.log2(found[both] / wanted[both]))
    assert np.median(cents) < 10 and np.mean(cents < 50) > 0.85
    levels = [loudness(x, RATE) for x in (late[latency:], audio[: len(audio) - latency])]
    assert np.median(np.abs(levels[0] - levels[1])[levels[1] > -40]) < 2


def test_fast_is_under_30_ms(instrument):
    assert instrument.latency["fast"] / RATE < 0.03


def test_a_burst_comes_as_late_as_told(instrument, make_tone, blockwise):
    sound = np.zeros(40_960, np.float32)
    for start in (9000, 25_000):
        sound[start : start + 5000] = make_tone(440.0, 5000 / RATE)
    signal = torch.from_numpy(sound)[None, None]
    for method in ("forward", "fast"):
        instrument.reset(1)
        late = blockwise(getattr(instrument, method), signal, 256)[0]
        shapes = [np.sqrt(np.convolve(x**2, np.hanning(1024), "same")) for x in (sound, late)]
        spectra = [np.fft.rfft(x - x.mean(), 1 << 17) for x in shapes]
        lag = int(np.argmax(np.fft.irfft(spectra[1] * spectra[0].conj())[: 1 << 14]))
        # Loudness is measured every 512 samples; what is fast also rises and falls by itself.
        assert lag == pytest.approx(instrument.latency[method], abs=600), method


@pytest.mark.parametrize("size", [256, 1024])
def test_encode_tells_code_pitch_and_loudness(violin, instrument, melody, blockwise, size):
    frames = blockwise(instrument.encode, melody, size)
    assert frames.shape == (3, melody.shape[2] // 256)
    assert np.array_equal(frames[0], frames[0].round()) and 0 <= frames[0].min() <= frames[0].max() < 1024
    assert len(set(frames[0].tolist())) > 5
    middle = frames[:, round(0.9 * RATE / 256)]
    assert middle[1] == pytest.approx(440, rel=0.01)
    assert middle[2] == pytest.approx(loudness(melody[0, 0].numpy(), RATE)[round(0.9 * RATE / 512)], abs=1.5)


def test_codes_sound_as_the_table_says(violin, instrument, blockwise):
    from vqsynth import descriptors

    usage = violin.table.usage
    for code in np.argsort(usage)[-3:]:
        instrument.reset(1)
        signal = torch.zeros(1, 4, 172)
        signal[0, 0], signal[0, 3] = float(code), 1.0
        audio = blockwise(instrument.codes, signal, 4)[0]
        measured = descriptors.measure(["centroid", "f0"], audio, RATE)
        found = {name: np.nanmedian(m.values[20:-4]) for name, m in measured.items()}
        assert found["centroid"] == pytest.approx(violin.table.column("centroid")[code], rel=0.1)
        assert found["f0"] == pytest.approx(violin.table.column("f0")[code], rel=0.01)


def test_octaves_move_the_melody(instrument, melody, blockwise):
    assert instrument.set_octaves(1) == 0 and instrument.set_octaves(9) == -1
    try:
        audio = blockwise(instrument.fast, melody, 512)[0]
    finally:
        assert instrument.set_octaves(0) == 0
    found, _, heard = tracker.track(audio, RATE)
    assert np.median(np.abs(1200 * np.log2(found[heard][20:50] / 660))) < 20


def test_nothing_connected_is_silence(instrument):
    with torch.inference_mode():
        for method, channels in (("control", 5), ("codes", 4)):
            instrument.reset(1)
            assert not getattr(instrument, method)(torch.zeros(1, channels, 300)).any()
        for method in ("forward", "fast"):
            instrument.reset(1)
            assert getattr(instrument, method)(torch.zeros(1, 1, 51_200)).abs().max() < 1e-4
