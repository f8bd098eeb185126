"""The engine: one sound for every size of block, messages at their sample, nothing that hurts."""

from __future__ import annotations

import numpy as np
import pytest

from vqsynth.descriptors import measure
from vqsynth.errors import UsageError
from vqsynth.live.engine import FADE, MOST_WAITING, Engine
from vqsynth.live.messages import read
from vqsynth.live.offline import play

RATE = 44_100
CEILING = 10 ** (-0.5 / 20)


def run(engine, audio, events=(), block=512):
    return np.concatenate(list(play(engine, audio, [(t, read(a, v)) for t, a, *v in events], block)))


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


PLAYED = [
    (0.05, "/note", "A4", 0.8),
    (0.31, "/descriptor/centroid", 2600.0),
    (0.4001, "/gain", -6.0),
    (0.5, "/feedback", 900.0, 5.0, 1.5),
    (0.62, "/note", "A4", 0.0),
]


@pytest.mark.parametrize("name, hears", [("violin", False), ("violin", True), ("strings", True)])
def test_blocks_of_any_size_give_one_sound(voice, note, name, hears):
    events = [e for e in PLAYED if not hears or "descriptor" not in e[1]]
    if name == "strings":
        events += [(0.2, "/latent/1", 1.5), (0.55, "/scale", 0.5)]
    audio = note[: round(0.9 * RATE)]
    whole = run(Engine(voice(name, hears)), audio, events, 4096)
    for block in (64, 777):
        np.testing.assert_allclose(run(Engine(voice(name, hears)), audio, events, block), whole, atol=1e-6)
    assert np.abs(whole).max() > 0.01


def test_a_loop_does_not_know_the_size_of_blocks(wire):
    burst = np.random.default_rng(0).uniform(-0.1, 0.1, 30_000).astype(np.float32)
    events = [(0.101, "/feedback", 900.0, 5.0, 1.5), (0.4, "/feedback", 500.0, 5.0, 0.0)]
    runs = [run(Engine(wire(700)), burst, events, block) for block in (64, 1000, 30_000)]
    for other in runs[1:]:
        np.testing.assert_allclose(other, runs[0], atol=1e-6)
    assert np.abs(runs[0] - run(Engine(wire(700)), burst)).max() > 0.01


def test_untouched_it_is_the_model(voice, note):
    from vqsynth.wavae import load

    with load("strings").streaming() as stream:
        expected = np.concatenate([stream.push(b) for b in np.array_split(note, 40)])
    engine = Engine(voice("strings"))
    made = run(engine, note)
    late = engine.latency - stream.latency
    np.testing.assert_allclose(made[late:], expected[: len(made) - late], atol=1e-4)


def test_fast_transfer_is_the_same_melody_sooner(note):
    from vqsynth.live.models.voice import load_voice

    voice = load_voice("violin", fast=True)
    whole = run(Engine(voice), note)
    voice.reset()
    np.testing.assert_allclose(run(Engine(voice), note, block=333), whole, atol=1e-6)
    assert 1000 * Engine(voice).latency / RATE < 40
    late = Engine(voice).latency
    pitch = [measure(["f0"], a, RATE)["f0"] for a in (note[:-late], whole[late:])]
    both = pitch[0].valid & pitch[1].valid
    assert both.mean() > 0.7
    assert np.abs(1200 * np.log2(pitch[1].values[both] / pitch[0].values[both])).mean() < 30


def test_a_note_has_its_pitch_its_beginning_and_its_end(voice):
    engine = Engine(voice("violin", False))
    events = [(0, "/life", 0.0), (0.5, "/note", "C5", 0.8), (1.5, "/note", "C5", 0)]
    made = run(engine, silence(2.3), events)
    asked, usual = round(0.5 * RATE), np.abs(made[RATE : RATE + 9000]).max()
    assert not made[: asked + engine.limiter_latency].any()
    # Half of the level is there within twenty milliseconds.
    assert np.abs(made[asked : asked + 882]).max() > 0.4 * usual
    # It dies away with a time constant of 60 ms: after nine of them nothing is left.
    assert np.abs(made[round(1.5 * RATE) :][round(0.25 * RATE) :]).max() < 0.05 * usual
    assert not made[-100:].any()
    began = asked
    f0 = measure(["f0"], made[began + 4096 : round(1.4 * RATE)], RATE)["f0"]
    cents = 1200 * np.log2(f0.values[f0.valid] / 523.251)
    assert f0.valid.mean() > 0.9 and np.abs(np.median(cents)) < 5


def test_the_last_note_that_is_held_sounds(voice):
    engine = Engine(voice("violin", False))
    events = [(0, "/note", 60, 0.8), (0.3, "/note", 72, 0.8), (0.6, "/note", 72, 0), (0.65, "/note", 50, 0)]
    made = run(engine, silence(1.2), events)
    found = [
        float(np.median(measure(["f0"], made[round(a * RATE) : round((a + 0.2) * RATE)], RATE)["f0"].values[4:-4]))
        for a in (0.08, 0.38, 0.8)
    ]
    assert found == pytest.approx([261.63, 523.25, 261.63], rel=0.01)


def test_brightness_goes_where_it_is_asked(voice):
    engine = Engine(voice("violin", False))
    events = [(0, "/descriptor/f0", 440.0), (0, "/descriptor/centroid", 1500.0), (1, "/descriptor/centroid", 3000.0)]
    made = run(engine, silence(2), events)
    centroid = measure(["centroid"], made, RATE)["centroid"].values
    dark, bright = np.median(centroid[30:80]), np.median(centroid[110:165])
    assert dark == pytest.approx(1500, rel=0.03) and bright == pytest.approx(3000, rel=0.03)
    assert engine.asked() == {"f0": 440.0, "centroid": 3000.0}
    assert engine.reached() == {"f0": True, "centroid": True}


def test_life_moves_around_what_is_asked_for(voice):
    def movement(life):
        events = [(0, "/life", life), (0, "/descriptor/centroid", 2200.0), (0, "/note", "A4", 0.7)]
        made = run(Engine(voice("violin", False)), silence(4), events)[RATE // 2 :]
        found = measure(["f0", "loudness", "centroid"], made, RATE)
        inner = slice(5, -5)
        cents = 1200 * np.log2(found["f0"].values[inner] / 440)
        octaves = np.log2(found["centroid"].values[inner] / 2200)
        return cents, found["loudness"].values[inner], octaves

    still, alive, wild = movement(0.0), movement(1.0), movement(2.0)
    assert still[0].std() < 1 and still[1].std() < 0.3
    assert 1 < alive[0].std() < 30 and 0.5 < alive[1].std() < 4
    assert wild[0].std() > 1.4 * alive[0].std() and wild[1].std() > 1.4 * alive[1].std()
    # The mean is the one that was asked for.
    assert abs(np.median(alive[0])) < 6 and abs(np.median(alive[2])) < 0.05


def test_a_held_note_of_a_continuous_model_needs_no_input(voice):
    engine = Engine(voice("strings", False))
    made = run(engine, silence(1.5), [(0.2, "/note", "A3", 0.7), (1.0, "/note", "off")])
    assert np.abs(made[: round(0.2 * RATE)]).max() < 1e-3
    f0 = measure(["f0"], made[round(0.4 * RATE) : round(1.0 * RATE)], RATE)["f0"]
    assert np.median(f0.values[f0.valid]) == pytest.approx(220, rel=0.01)
    assert np.abs(made[round(1.25 * RATE) :]).max() < 1e-2 * np.abs(made).max()


def test_latents_bend_and_are_freed(voice, note):
    plain = run(Engine(voice("strings")), note)
    events = [(0, "/latent/0", 2.0), (0, "/scale", 0.0), (1.0, "/latent/0"), (1.0, "/reset")]
    bent = run(Engine(voice("strings")), note, events)
    centroids = [measure(["centroid"], a, RATE)["centroid"].values for a in (plain, bent)]
    moved = [np.abs(np.log2(centroids[1][part] / centroids[0][part])).mean() for part in np.s_[40:80, 120:160]]
    assert moved[0] > 0.1 and moved[1] < 0.02


def test_a_change_of_model_does_not_click(voice):
    engine = Engine(voice("violin", False), lambda name: voice(name, False))
    made = run(engine, silence(2), [(0, "/note", "A4", 0.8), (1.0, "/model", "flute")])
    assert engine.voice.name == "flute"
    # A click is a step: its second difference stands out of those before and after.
    step = np.abs(np.diff(made.astype(float), 2))
    at = RATE + engine.latency
    around = max(step[at - 9000 : at - 1000].max(), step[at + 2 * FADE : at + 2 * FADE + 8000].max())
    assert step[at - 600 : at + FADE + 1200].max() < 1.5 * around
    level = np.sqrt(np.convolve(made**2, np.ones(1024) / 1024, "same"))[round(0.3 * RATE) : round(1.8 * RATE)]
    assert level.min() > 0.4 * np.median(level)


def test_a_model_that_is_not_there_changes_nothing(wire):
    def load(name):
        raise UsageError(f"{name}: no model of this name")

    engine, plain = Engine(wire(), load), Engine(wire())
    audio = np.random.default_rng(0).uniform(-0.3, 0.3, 5000).astype(np.float32)
    made = run(engine, audio, [(0.01, "/model", "vioola")])
    np.testing.assert_array_equal(made, run(plain, audio))
    assert engine.refused == 1 and "vioola" in engine.notices[-1]


def test_what_a_voice_cannot_do_is_refused_and_said(wire):
    engine = Engine(wire())
    run(engine, silence(0.1), [(0, "/latent/3", 1.0), (0, "/descriptor/centroid", 900.0), (0, "/gain", -3.0)])
    assert engine.refused == 2 and len(engine.notices) == engine.notices.total == 2
    assert engine.controls.gain_db == -3 and not engine.controls.descriptors


def test_messages_of_one_time_keep_their_order(wire):
    engine = Engine(wire())
    run(engine, silence(0.1), [(0.05, "/gain", -3.0), (0.05, "/reset"), (0.05, "/gain", -9.0), (0.01, "/bend", 1.0)])
    assert engine.controls.gain_db == -9 and engine.controls.bend == 0


def test_gain_and_delay_are_exact(wire):
    engine = Engine(wire(200))
    audio = silence(0.5)
    audio[1000] = audio[10_000] = 0.5
    made = run(engine, audio, [(0.1, "/gain", -20.0)], 100)
    assert np.flatnonzero(np.abs(made) > 1e-6).tolist() == [1000 + engine.latency, 10_000 + engine.latency]
    assert made[10_000 + engine.latency] == pytest.approx(0.05, rel=1e-4)


def test_output_stays_below_the_ceiling_whatever_comes(wire, voice):
    loud = np.random.default_rng(1).uniform(-1, 1, RATE).astype(np.float32) * 100
    made = run(Engine(wire(factor=50)), loud, [(0, "/gain", 24.0), (0, "/feedback", 500.0, 3.0, 100.0)])
    assert np.abs(made).max() <= CEILING + 1e-6 and np.isfinite(made).all()
    made = run(Engine(voice("strings")), loud / 100, [(0, "/feedback", 700.0, 8.0, 100.0)])
    assert np.abs(made).max() <= CEILING + 1e-6


def test_feedback_sounds_in_its_band_and_dies_when_it_is_opened(voice):
    burst = silence(5)
    burst[:8000] = 0.05 * np.random.default_rng(0).standard_normal(8000)
    engine = Engine(voice("strings"))
    made = run(engine, burst, [(0, "/feedback", 1500.0, 10.0, 2.0), (3, "/feedback", 1500.0, 10.0, 0.0)])
    sounding, after = made[2 * RATE : 3 * RATE], made[round(4.2 * RATE) :]
    assert np.sqrt(np.mean(sounding**2)) > 0.02
    spectrum = np.abs(np.fft.rfft(sounding * np.hanning(len(sounding)))) ** 2
    hz = np.fft.rfftfreq(len(sounding), 1 / RATE)
    assert spectrum[(hz > 1000) & (hz < 2250)].sum() > 0.5 * spectrum.sum()
    assert np.abs(after).max() < 1e-3


def test_what_is_no_number_does_no_harm(voice, note):
    audio = note[:20_000].copy()
    audio[5000:5100], audio[6000], audio[6001] = np.nan, np.inf, -np.inf
    engine = Engine(voice("strings"))
    assert np.isfinite(run(engine, audio)).all() and engine.faults == 0


def test_a_voice_that_fails_begins_anew(wire):
    class Broken(wire):
        blocks = 0

        def push(self, audio, controls):
            self.blocks += 1
            if self.blocks == 3:
                raise RuntimeError("out of paper")
            return super().push(audio, controls) * (np.nan if self.blocks == 5 else 1)

    engine = Engine(Broken(0))
    made = run(engine, silence(0.2) + 0.25)
    assert np.isfinite(made).all() and engine.faults == 2 and "out of paper" in engine.notices[0]
    assert made[-1] == pytest.approx(0.25)


def test_a_flood_of_messages_is_dropped_and_counted(wire):
    engine = Engine(wire())
    for _ in range(3 * MOST_WAITING):
        engine.post(read("/life", [0.5]), 10**9)
    assert engine.refused == 2 * MOST_WAITING
    audio = np.random.default_rng(0).uniform(-0.3, 0.3, 5000).astype(np.float32)
    np.testing.assert_array_equal(run(engine, audio), run(Engine(wire()), audio))


def test_said_again_its_controls_are_the_same(wire):
    engine, other = Engine(wire()), Engine(wire())
    engine.voice.axes = other.voice.axes = 8
    said = [(0, "/note", "A4", 0.8), (0, "/gain", -3.5), (0, "/bias/3", 0.1), (0, "/scale", 2), (0, "/latent/5", 1.25)]
    run(engine, silence(0.1), [*said, (0, "/bend", 0.3), (0, "/feedback", 500.0, 3.0, 0.5)])
    for message in engine.controls.messages():
        other.post(message)
    run(other, silence(0.1))
    assert {**vars(engine.controls), "changes": 0} == {**vars(other.controls), "changes": 0}
