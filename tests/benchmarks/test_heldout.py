"""The yardstick of reconstructions: known distances and slips are measured as what they are."""

import numpy as np
import pytest

from benchmarks.heldout.__main__ import sets, table
from benchmarks.heldout.measure import Row, log_mel_error, slips

RATE = 44_100


def test_a_gain_is_its_distance_and_silence_does_not_count():
    noise = np.random.default_rng(1).standard_normal(2 * RATE).astype(np.float32) * 0.1
    noise[RATE:] *= 1e-4
    assert log_mel_error(noise, noise, RATE) == pytest.approx(0, abs=1e-6)
    louder = noise * np.where(np.arange(2 * RATE) < RATE, 2.0, 100.0).astype(np.float32)
    assert log_mel_error(louder, noise, RATE) == pytest.approx(6.02, abs=0.1)


def test_bands_deep_under_the_loudest_do_not_count(make_tone):
    tone = make_tone(440.0, 1.0)
    noise = np.random.default_rng(1).standard_normal(len(tone)).astype(np.float32)
    assert log_mel_error(tone + 1e-6 * noise, tone, RATE) < 0.1 < 3 < log_mel_error(tone + 0.01 * noise, tone, RATE)


def test_slips_are_long_and_heard_by_all():
    wanted = np.full(100, 440.0)
    other = wanted.copy()
    other[20:26], other[60:63] = 220.0, 880.0
    one = other.copy()
    one[20:26] = 0.0
    assert slips(wanted, 86.13, other) == 1  # the second lasts 35 ms
    assert slips(wanted, 86.13, other, wanted) == 0
    assert slips(wanted, 86.13, other, one) == 0
    assert slips(wanted, 86.13, other, other) == 1
    assert slips(np.zeros(100), 86.13, other) == 0


def test_the_table_compares_with_the_training_recordings():
    rows = [
        Row("violin", name, 3, 0, {"original": 5.0, "timbre": 4.0, "sound": 3.0, "colour": colour}, 0)
        for name, colour in (("training", 2.0), ("near", 2.6), ("far", 2.7))
    ]
    near, far = table(rows).splitlines()[-2:]
    assert "| 1.30 | pass | 0 |" in near and "| 1.35 | short | 0 |" in far


def test_held_out_recordings_are_not_training(tmp_path, make_tone):
    import soundfile

    for name in ("A4", "G4", "E5"):
        (tmp_path / "violin").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "violin" / f"{name}.wav", make_tone(440.0, 0.1), RATE)
    found = sets("violin", tmp_path, [tmp_path / "others"], 10)
    assert {k: sorted(p.stem for p in v) for k, v in found.items()} == {
        "training": ["A4", "E5"],
        "held out of training": ["G4"],
        "others": [],
    }
