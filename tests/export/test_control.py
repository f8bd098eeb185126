"""A timbre played by signals: what is asked for is what is measured, and soon."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth import descriptors
from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import UNIT_LUFS, loudness

RATE, HOP = 44_100, 256
FRAMES = RATE / HOP


def controls(seconds, centroid=0.0, bandwidth=0.0, pitch=0.0, gain=0.0, velocity=1.0):
    """Shape: -> [1, 5, frames]; numbers, or functions of the time in seconds."""
    time = np.arange(round(seconds * FRAMES)) / FRAMES
    rows = [x(time) if callable(x) else np.full(len(time), x) for x in (centroid, bandwidth, pitch, gain, velocity)]
    return torch.from_numpy(np.stack(rows).astype(np.float32))[None]


def played(instrument, signal, frames=4):
    """The sound, its latency taken out. Shape: -> [samples]"""
    with torch.inference_mode():
        sound = torch.cat([instrument.control(block) for block in signal.split(frames, 2)], 2)[0, 0].numpy()
    return sound[instrument.voice.latency :]


def half_seconds(values):
    return np.convolve(values, np.ones(43) / 43, "valid")


def followed(audio, name, wanted):
    """Correlation and mean error of half-second means of a descriptor, against a function of time."""
    found = descriptors.measure([name], audio, RATE)[name].values[6:-6]
    asked = wanted((np.arange(len(found)) + 6) * 512 / RATE)
    found, asked = half_seconds(found), half_seconds(asked)
    r = np.corrcoef(found, asked)[0, 1] if asked.std() > 0 else 1.0
    return r, np.mean(np.abs(found / asked - 1))


@pytest.mark.parametrize(
    "curve",
    [lambda t: 1800 * 2 ** (t / 6), lambda t: 2400 * 2 ** (0.45 * np.sin(2 * np.pi * t / 3))],
    ids=["ramp", "sine"],
)
@pytest.mark.parametrize("glide", [0.0, 0.2])
def test_centroid_and_pitch_follow(instrument, curve, glide):
    def pitch(time):
        return 440 * 2 ** (glide * np.sin(2 * np.pi * time / 6))

    audio = played(instrument, controls(6, curve, pitch=pitch))
    r, error = followed(audio, "centroid", curve)
    assert r > 0.99 and error < 0.02
    found, _, heard = tracker.track(audio, RATE)
    assert heard[4:-4].all()
    cents = 1200 * np.abs(np.log2(found / pitch(np.arange(len(found)) * 512 / RATE) + 1e-9))[4:-4]
    assert np.percentile(cents, 95) < 5
    assert np.abs(loudness(audio, RATE)[8:-8] - UNIT_LUFS).max() < 1.5


def test_bandwidth_follows_with_the_centroid_held(instrument):
    def curve(time):
        return 2300 * 2 ** (0.2 * np.sin(2 * np.pi * time / 3))

    audio = played(instrument, controls(6, 2400.0, curve, pitch=330.0))
    r, error = followed(audio, "bandwidth", curve)
    assert r > 0.97 and error < 0.03
    assert followed(audio, "centroid", lambda t: np.full(len(t), 2400.0))[1] < 0.02


def test_from_control_to_sound_in_less_than_20_ms(instrument):
    """A new pitch, and a note's beginning: the sound has changed within two hops of the frame that asks for it."""
    signal = controls(1.0, 2400.0, pitch=lambda t: np.where(t < 0.5, 440.0, 660.0))
    step = int(np.argmax(signal[0, 2].numpy() > 500)) * HOP
    with torch.inference_mode():
        sound = torch.cat([instrument.control(block) for block in signal.split(1, 2)], 2)[0, 0].numpy()
    # A host hears a frame's control at the end of its hop and plays its samples then.
    heard = step + HOP
    time = np.arange(2048)

    def power(at, hz):
        piece = sound[at : at + 1024] * np.hanning(1024)
        return np.abs(piece @ np.exp(-2j * np.pi * hz / RATE * time[:1024])) ** 2

    assert power(step - 1100, 440) > 100 * power(step - 1100, 660)
    assert power(step + HOP, 660) > 100 * power(step + HOP, 440)
    assert (heard + HOP - step) / RATE < 0.02
    instrument.reset(1)
    begun = played(instrument, controls(0.5, 2400.0, pitch=440.0, velocity=lambda t: (t > 0.2) * 1.0))
    first = int(np.argmax(np.abs(begun) > 1e-3))
    assert abs(first - 0.2 * RATE) < 0.02 * RATE


def test_gain_and_velocity(instrument):
    def level(**given):
        instrument.reset(1)
        return float(np.median(loudness(played(instrument, controls(0.6, 2400.0, pitch=440.0, **given)), RATE)[12:-8]))

    plain = level()
    assert level(gain=-12.0) == pytest.approx(plain - 12, abs=0.5)
    assert level(velocity=0.5) == pytest.approx(plain - 12, abs=0.5)


def test_what_is_not_asked_for_is_as_the_timbre_has_it(instrument, violin):
    """Own pitches are those of codes, own colours those of the recordings at this pitch."""
    colour = {}
    for pitch in (220.0, 880.0):
        instrument.reset(1)
        audio = played(instrument, controls(1.5, pitch=pitch))
        colour[pitch] = float(np.median(descriptors.measure(["centroid"], audio, RATE)["centroid"].values[20:-8]))
    near = [violin.table.column("f0") / pitch for pitch in colour]
    for (pitch, found), ratio in zip(colour.items(), near):
        codes = violin.table.column("centroid")[np.abs(np.log2(ratio)) < 0.1]
        assert np.percentile(codes, 2) < found < np.percentile(codes, 98), pitch
    instrument.reset(1)
    audio = played(instrument, controls(1.0, centroid=2000.0))
    found, _, heard = tracker.track(audio, RATE)
    low, high = violin.table.percentile("f0", [0, 100])
    assert heard.mean() > 0.8 and low * 0.97 < np.median(found[heard]) < high * 1.03
    instrument.reset(1)
    soft = played(instrument, controls(1.0, pitch=440.0, velocity=0.4))
    instrument.reset(1)
    loud = played(instrument, controls(1.0, pitch=440.0, velocity=1.0))
    values = [np.median(descriptors.measure(["centroid"], x, RATE)["centroid"].values[20:-8]) for x in (soft, loud)]
    assert values[1] > 1.1 * values[0]


def test_a_choice_stays_where_it_is_good_enough(instrument):
    """A slow sine does not make the codes flutter, and a leap is answered at once."""
    codes = []
    voice = instrument.voice
    hook = voice.choice.register_forward_hook(lambda module, given, made: codes.append(made.numpy().copy()))
    try:
        played(instrument, controls(6, lambda t: 2400 * 2 ** (0.4 * np.sin(2 * np.pi * t / 3)), pitch=440.0))
        changes = np.count_nonzero(np.diff(np.concatenate(codes, 1)[0]))
        assert 3 < changes < 60
        instrument.reset(1)
        codes.clear()
        played(instrument, controls(1, 2400.0, pitch=lambda t: np.where(t < 0.5, 330.0, 880.0)), 1)
        row = np.concatenate(codes, 1)[0]
        leap = int(np.argmax(np.arange(len(row)) / FRAMES >= 0.5))
        assert row[leap - 1] != row[leap + 1]
    finally:
        hook.remove()


def test_notes_are_released_to_silence(instrument):
    audio = played(instrument, controls(1.5, 2400.0, pitch=440.0, velocity=lambda t: np.where(t < 0.5, 1.0, 0.0)))
    envelope = np.abs(audio[: len(audio) // 512 * 512]).reshape(-1, 512).max(1)
    times = np.arange(len(envelope)) * 512 / RATE
    assert envelope[times < 0.45].max() > 0.05
    assert 0.001 < envelope[(times > 0.55) & (times < 0.65)].max() < 0.1
    assert not envelope[times > 1.3].any()


def test_extreme_controls_stay_within_bounds(instrument):
    generator = np.random.default_rng(3)
    signal = torch.from_numpy(
        (10 ** generator.uniform(-3, 6, (1, 5, 400)) * generator.choice([-1, 0, 1], (1, 5, 400))).astype(np.float32)
    )
    with torch.inference_mode():
        sound = instrument.control(signal)
    assert torch.isfinite(sound).all() and sound.abs().max() <= 1
