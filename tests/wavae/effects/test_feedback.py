"""The feedback loop: it lives, it follows, it stays within its bounds."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import torch

from vqsynth.dsp.loudness import loudness
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.wavae.effects.feedback import FeedbackSettings, feedback
from vqsynth.wavae.effects.feedback_curves import read_loop_curve
from vqsynth.wavae.effects.feedback_loop import FeedbackLoop
from vqsynth.wavae.network.stream import Stream

RATE = 44_100
CEILING = 10 ** (-0.5 / 20)


@pytest.fixture(scope="module")
def sweep(domain):
    """The band up and down over 3.7 octaves in ten seconds."""
    return feedback(domain, FeedbackSettings(frequency="sin@300:4000", q=5, feedback=1.5, duration=10))


def test_the_centroid_follows_the_band(sweep):
    measured = sweep.report["measured"]
    assert measured["centroid_follows_frequency_spearman"] >= 0.8
    assert measured["silent_share_while_factor_above_1"] == 0
    assert np.abs(sweep.audio).max() <= CEILING


def test_the_same_seed_gives_the_same_sound_and_another_one_another(domain):
    runs = [feedback(domain, FeedbackSettings(duration=0.6, seed=seed)).audio for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.abs(runs[0] - runs[2]).max() > 1e-3


def test_above_one_it_grows_to_its_ceiling_and_never_over(domain):
    for factor, over in ((1.3, 0.6), (100.0, 10.0)):
        done = feedback(domain, FeedbackSettings(frequency=800.0, q=8.0, feedback=factor, duration=4))
        level = loudness(done.audio, RATE)[200:-10]
        assert abs(np.median(level) - domain.level - over) < 4
        assert level.min() > -50
        assert np.abs(done.audio).max() <= CEILING


def test_below_one_it_dies_as_fast_as_the_factor_says_and_comes_back(domain):
    factor = np.repeat([2.0, 0.7, 3.0], [40, 50, 50])
    done = feedback(domain, FeedbackSettings(frequency=700.0, q=3.0, feedback=factor, duration=7))
    level = loudness(done.audio, RATE)
    second = RATE / 512
    # A pass takes 3,071 samples and 3.1 dB.
    asked = 20 * np.log10(0.7) * RATE / done.report["pass_samples"]
    fall = level[int(2.8 * second)] - level[int(2.3 * second)]
    assert fall == pytest.approx(asked / 2, rel=0.35)
    assert level[int(4.3 * second)] < -55
    assert level[int(5.8 * second) : int(6.9 * second)].min() > -30


def test_a_factor_of_zero_opens_the_loop(domain, note):
    done = feedback(domain, FeedbackSettings(feedback=0, duration=1.0), source=note)
    alone = Stream(domain.model).push(torch.from_numpy(note[:RATE])).numpy()
    # But for the fade at the end.
    np.testing.assert_allclose(done.audio[: RATE - 300], alone[: RATE - 300], atol=1e-4)


def test_a_pass_takes_the_model_a_block_and_what_is_added(domain, note):
    click = np.zeros(RATE, np.float32)
    click[:2000] = note[20_000:22_000]
    for block, delay in ((512, 200.0), (1024, 300.0)):
        done = feedback(
            domain,
            FeedbackSettings(frequency=400.0, q=1.0, feedback=0.9, duration=1.0, block=block, delay_ms=delay),
            source=click,
        )
        assert done.report["pass_samples"] == 2559 + block + round(delay / 1000 * RATE)
        power = np.convolve(done.audio**2, np.ones(1024), "same")
        first = np.argmax(power[:8000])
        again = 8000 + np.argmax(power[8000:20_000])
        assert again - first == pytest.approx(done.report["pass_samples"], abs=1800)


def test_a_block_of_any_size(domain):
    for block in (16, 700, 4096):
        done = feedback(domain, FeedbackSettings(duration=0.4 if block == 16 else 1.5, block=block))
        assert np.isfinite(done.audio).all() and np.abs(done.audio).max() > 1e-3


def test_files_tell_all(domain, tmp_path):
    curves = tmp_path / "c.csv"
    curves.write_text("time,frequency,q,feedback\n0,300,2,3\n1,2kHz,9,1.5\n")
    settings = FeedbackSettings(str(curves), str(curves), str(curves), seed=5, bits="24")
    done = feedback(domain, settings, output=tmp_path / "o.wav")
    audio, rate = soundfile.read(tmp_path / "o.wav", dtype="float32")
    assert (len(audio), rate, soundfile.info(tmp_path / "o.wav").subtype) == (RATE, RATE, "PCM_24")
    np.testing.assert_allclose(audio, done.audio, atol=1e-6)
    report = json.loads((tmp_path / "o.json").read_text())
    assert report["settings"]["seed"] == 5 and report["settings"]["frequency"] == str(curves)
    assert report["curves"] == {
        "frequency": {"low": 300, "high": pytest.approx(2000, rel=0.01)},
        "q": {"low": 2, "high": pytest.approx(9, rel=0.01)},
        "feedback": {"low": pytest.approx(1.5, rel=0.01), "high": 3},
    }
    assert report["versions"]["vqsynth"]
    assert (tmp_path / "o.png").stat().st_size > 20_000


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("figure", [True, False])
def test_a_short_loop_is_measured_too(domain, tmp_path, seconds, figure):
    settings = FeedbackSettings(frequency="line@300:3000", duration=seconds)
    done = feedback(domain, settings, output=tmp_path / "new" / "o.wav", figure=figure)
    assert len(done.audio) == round(seconds * RATE) and np.isfinite(done.audio).all()
    names = ["o.json", "o.png", "o.wav"] if figure else ["o.json", "o.wav"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    assert sorted(path.name for path in done.files) == names


def test_curves_are_read_and_bounded():
    def values(name, drawn):
        return read_loop_curve(name, drawn, 0, RATE).sample(RATE, RATE)

    assert values("frequency", "A4")[5] == 440
    shape = values("frequency", "sin:3@100:900")
    assert (shape.min(), shape.max()) == (pytest.approx(100, rel=0.01), pytest.approx(900, rel=0.01))
    assert values("q", np.array([1.0, 3.0]))[-1] == pytest.approx(3, rel=0.01)
    assert values("feedback", 0)[0] == 0


@pytest.mark.parametrize(
    ("name", "drawn", "message"),
    [
        ("feedback", "101", "feedback 101: asks for 101 at 0.00 s; give 0 to 100"),
        ("feedback", "-1", "give 0 to 100"),
        ("feedback", "nan", "not a usable number"),
        ("feedback", "inf", "not a usable number"),
        ("feedback", np.array([1.0, np.nan]), "must be finite"),
        ("feedback", "line@0:500", "give 0 to 100"),
        ("feedback", "6dB", "is in dB; give a plain number"),
        ("feedback", "voice.wav", "cannot be measured on a recording"),
        ("frequency", "5Hz", "give 20 to 16000 Hz"),
        ("frequency", "30kHz", "give 20 to 16000 Hz"),
        ("frequency", "sine", "unknown; did you mean"),
        ("frequency", "440@100:900", "leave @100:900 out"),
        ("frequency", "sin@p10:p90", "no table to take percentiles of"),
        ("q", "0", "give 0.1 to 100"),
        ("q", "440Hz", "is in Hz; give a plain number"),
    ],
)
def test_curves_that_make_no_sense(name, drawn, message):
    with pytest.raises(UsageError) as caught:
        read_loop_curve(name, drawn, 0, RATE).sample(RATE, RATE)
    assert message in str(caught.value)


def test_settings_that_make_no_sense(domain):
    for settings, message in (
        (dict(block=8), "block 8: give 16 to 16384"),
        (dict(delay_ms=-1.0), "delay_ms -1"),
        (dict(breath_db=3.0), "breath_db 3"),
        (dict(breath_db=float("nan")), "breath_db nan"),
        (dict(duration=0.0), "duration 0: give 0.1 to 3600 s"),
        (dict(duration=1e9), "duration 1e"),
    ):
        with pytest.raises(UsageError, match=message.replace("+", r"\+")):
            feedback(domain, FeedbackSettings(**settings))
    with pytest.raises(VqsynthError, match="finite samples"):
        feedback(domain, FeedbackSettings(duration=1), source=np.array([0.0, np.nan]))


def test_wild_input_stays_under_the_ceiling(domain):
    loop = FeedbackLoop(domain)
    noise = np.random.default_rng(0)
    peaks = []
    for number in range(60):
        audio = noise.standard_normal(512) * (1000.0 if number % 3 else 0.0)
        frequency = np.full(512, 100.0 if number % 2 else 10_000.0)
        peaks.append(np.abs(loop.push(audio, frequency, np.full(512, 50.0), np.full(512, 100.0))).max())
    assert np.isfinite(peaks).all() and max(peaks) <= CEILING + 1e-6


def test_the_loop_compiles_and_takes_a_batch(domain, note):
    """Two loops side by side are what each is alone, and in TorchScript the same."""
    noise, sounds = np.random.default_rng(1).standard_normal((2, 40, 512)), (note[:20_480], 0.3 * note[20_480:40_960])
    blocks = torch.from_numpy(np.stack(sounds)).double().split(512, 1)
    frequency = torch.tensor([[300.0], [1200.0]]).expand(2, 512)
    quality, factor = torch.full((2, 512), 5.0), torch.full((2, 512), 0.9)

    def played(loop, rows):
        loop.reset(len(rows))
        with torch.inference_mode():
            return torch.cat(
                [
                    loop(block[rows], torch.from_numpy(noise[rows, k]), frequency[rows], quality[rows], factor[rows])
                    for k, block in enumerate(blocks)
                ],
                1,
            )

    loop = FeedbackLoop(domain)
    together = played(loop, [0, 1])
    alone = played(loop, [0])
    assert torch.allclose(together[0, :8192], alone[0, :8192], atol=1e-3)
    assert not torch.allclose(together[0], together[1], atol=1e-2)
    compiled = played(torch.jit.script(loop), [0, 1])
    assert torch.allclose(compiled[:, :8192], together[:, :8192], atol=1e-3)
