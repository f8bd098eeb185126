"""The measures of life read what was put into a sound, and nothing where nothing was."""

import itertools

import numpy as np
import pytest

from benchmarks.life import modulation, movement, notes, partials, pitch, recordings, renders, table
from benchmarks.life.measures import UNITS, Measured, measure, together
from benchmarks.life.sound import Sound, around_mean, band

RATE, SECONDS = 44_100, 4.0
TIME = np.arange(int(RATE * SECONDS)) / RATE


def tone(f0=440.0, cents=0.0, level=0.0, single=0.0, harmonics=10, noise_db=None, seconds=SECONDS) -> np.ndarray:
    """A tone of ``1 / k`` harmonics: pitch offset in cents, level in dB, offsets of partials [k, samples] in dB."""
    time = np.arange(int(RATE * seconds)) / RATE
    phase = 2 * np.pi * np.cumsum(f0 * 2 ** (cents / 1200 + 0 * time)) / RATE
    single = np.broadcast_to(single, (harmonics, len(time)))
    parts = [10 ** (single[k - 1] / 20) / k * np.sin(k * phase + k * k) for k in range(1, harmonics + 1)]
    audio = 0.1 * 10 ** (level / 20) * np.sum(parts, axis=0)
    if noise_db is not None:
        rng = np.random.default_rng(0)
        audio = audio + np.sqrt(np.mean(audio**2)) * 10 ** (-noise_db / 20) * rng.standard_normal(len(audio))
    return audio


def sound(**given) -> Sound:
    return Sound(tone(**given), RATE)


@pytest.mark.parametrize("f0", [98.0, 440.0, 1568.0])
def test_a_steady_tone_stands_still(f0):
    it = sound(f0=f0)
    cents = pitch.cents(it)
    assert np.nanmax(np.abs(cents[50:-50] - 1200 * np.log2(f0))) < 0.1
    assert pitch.movement(it, cents, pitch.VIBRATO) < 0.02
    assert pitch.movement(it, cents, pitch.JITTER) < 0.05
    assert movement.level(it) < 0.03
    assert movement.centroid(it) < 0.05
    assert movement.flux(it) < 0.3
    assert partials.flutter(it).decibels < 0.1


@pytest.mark.parametrize("f0", [220.0, 880.0])
def test_vibrato_and_jitter_are_read_apart(f0):
    it = sound(f0=f0, cents=15 * np.sin(2 * np.pi * 6 * TIME) + 3 * np.sin(2 * np.pi * 23 * TIME))
    cents = pitch.cents(it)
    assert pitch.movement(it, cents, pitch.VIBRATO) == pytest.approx(15 / np.sqrt(2), rel=0.06)
    assert pitch.movement(it, cents, pitch.JITTER) == pytest.approx(
        3 / np.sqrt(2), rel=0.2
    )  # low notes need long windows


def test_level_movement_is_read_within_its_band():
    assert movement.level(sound(level=2 * np.sin(2 * np.pi * 6 * TIME))) == pytest.approx(2 / np.sqrt(2), rel=0.08)
    assert movement.level(sound(level=6 * TIME)) < 0.1  # a crescendo is no movement
    assert movement.level(sound(level=2 * np.sin(2 * np.pi * 60 * TIME))) < 0.15


def test_flutter_of_partials_is_what_they_do_alone():
    rng = np.random.default_rng(1)
    own = np.stack([band(rng.standard_normal(len(TIME) // 100), RATE / 100, 3, 10) for _ in range(10)])
    own = 3 * own / own.std(1, keepdims=True)
    own = np.stack([np.interp(TIME, np.arange(len(row)) * 100 / RATE, row) for row in own])
    alone = partials.flutter(sound(single=own))
    assert alone.decibels == pytest.approx(3.0, rel=0.15)
    assert abs(alone.coherence) < 0.2
    common = partials.flutter(sound(level=own[0]))
    assert common.decibels < 0.15
    assert common.coherence > 0.95
    both = partials.flutter(sound(single=own, level=own[0]))
    assert both.decibels == pytest.approx(3.0, rel=0.2)


def test_brightness_and_flux_follow_the_spectrum():
    swing = 3 * np.sin(2 * np.pi * 6 * TIME)
    bright = np.outer(np.log2(np.arange(1, 11)), swing)  # the spectrum tilts by 3 dB an octave
    moving, still = sound(single=bright), sound()
    values = movement.brightness(moving)[200:-200]
    assert movement.centroid(moving) == pytest.approx((values - values.mean()).std(), rel=0.1)
    assert movement.centroid(moving) > 20 * movement.centroid(still)
    assert movement.flux(moving) > 2 * movement.flux(still)


@pytest.mark.parametrize("milliseconds", [30.0, 120.0])
def test_attacks_are_read_at_every_note(milliseconds):
    # Straight in dB from -60 to 0: the 17 dB that are measured take 17/60 of it.
    rise = milliseconds / 1000 * 60 / 17
    level = np.where(TIME % 1.0 > 0.9, -80.0, np.clip(-60 + 60 * (TIME % 1.0) / rise, -60, 0))
    found = notes.attacks(sound(level=level)) * 1000
    assert len(found) == 4
    assert np.median(found) == pytest.approx(milliseconds, abs=4)


def test_a_sound_that_begins_at_once_has_a_short_attack():
    assert notes.attacks(sound())[0] < 0.012


@pytest.mark.parametrize("decibels", [10.0, 25.0])
def test_harmonics_to_noise(decibels):
    assert notes.harmonicity(sound(noise_db=decibels)) == pytest.approx(decibels, abs=1.5)


def test_held_stretches_leave_out_leaps_rests_and_attacks():
    first, second = tone(f0=330, seconds=1.0), tone(f0=392, seconds=1.0)
    it = Sound(np.concatenate([first, second, np.zeros(RATE // 2), first]), RATE)
    assert len(it.held) == 3
    assert sum(part.stop - part.start for part in it.held) / it.frame_rate == pytest.approx(2.25, abs=0.2)
    cents = pitch.cents(it)
    assert pitch.movement(it, cents, pitch.VIBRATO) < 0.5


def test_modulation_spectrum_finds_the_band_and_its_power():
    it = sound(level=2 * np.sin(2 * np.pi * 6 * TIME))
    power, seconds = modulation.spectrum(it, it.level, 0.05)
    assert np.argmax(power) == modulation.BANDS.index("4-8")
    assert power.max() == pytest.approx(10 * np.log10(2.0), abs=1.0)
    assert (seconds > 0).all()
    # Twice the movement: 6 dB more in that band.
    louder = sound(level=4 * np.sin(2 * np.pi * 6 * TIME))
    assert modulation.spectrum(louder, louder.level, 0.05)[0].max() - power.max() == pytest.approx(6.0, abs=0.4)


def test_short_notes_say_nothing_of_slow_movement():
    piece = tone(seconds=0.8)
    it = Sound(np.concatenate([piece, np.zeros(RATE // 3), piece]), RATE)
    power, seconds = modulation.spectrum(it, it.level, 0.05)
    assert np.isnan(power[0]) and seconds[0] == 0
    assert np.isfinite(power[3:]).all()


def test_distance_is_zero_to_itself_and_skips_what_is_missing():
    one = np.arange(18.0).reshape(3, 6)
    assert modulation.distance(one, one) == 0
    assert modulation.distance(one, one + 3) == pytest.approx(3)
    gap = one + 3
    gap[0] = np.nan
    assert modulation.distance(one, gap) == pytest.approx(3)


def test_deviations_do_not_hold_the_mean():
    slow = around_mean(5 * np.sin(2 * np.pi * 0.2 * np.arange(1000) / 250), 250)
    assert slow.std() < 0.35


def test_recordings_are_kept_and_read(tmp_path):
    import soundfile

    rng = np.random.default_rng(2)
    for number in range(4):
        wobble = np.interp(TIME, np.arange(0, 4, 0.1), rng.standard_normal(40))
        soundfile.write(tmp_path / f"n{number}.wav", tone(f0=220 + 30 * number, cents=8 * wobble, level=wobble), RATE)
    rows = recordings.measure_folder(tmp_path, ["n2.wav"], told=lambda _: None)
    assert [row["recordings"] for row in rows] == ["all", "half a", "half b", "held out"]
    path = tmp_path / "kept.csv"
    recordings.keep("thing", rows, path)
    recordings.keep("thing", rows, path)  # takes the place of the first
    assert len(path.read_text().splitlines()) == 5
    real = recordings.kept(path)["thing"]
    whole = together([measure(tmp_path / f"n{number}.wav") for number in range(4)])
    for name in UNITS:
        assert real.values[name] == pytest.approx(whole.values[name], rel=1e-3, nan_ok=True)
    assert real.halves > 0 and real.held_out is not None
    assert modulation.distance(real.modulation, whole.modulation) < 0.01


def test_held_out_files_are_known_by_their_folder_too(tmp_path):
    held = ["male-notes-A3-3.flac", "G4.wav"]
    assert recordings.is_held_out(tmp_path / "notes" / "A3-3.flac", held)
    assert not recordings.is_held_out(tmp_path / "vowels" / "A3-3.flac", held)
    assert recordings.is_held_out(tmp_path / "G4.mp3", held)
    assert not recordings.is_held_out(tmp_path / "A4.mp3", held)


def test_the_melody_has_slow_fast_repeated_and_slurred_notes_and_rests(tmp_path):
    from vqsynth.control.targets.midi import read_midi

    renders.write_melody(tmp_path / "melody.mid", 69)
    found = read_midi(tmp_path / "melody.mid").notes
    assert len(found) == len(renders.MELODY)
    lasts = [note.end - note.start for note in found]
    assert min(lasts) < 0.3 and max(lasts) > 1.4
    pairs = list(itertools.pairwise(found))
    assert any(one.end < other.start - 0.3 for one, other in pairs)
    assert any(one.pitch == other.pitch for one, other in pairs)
    assert any(one.end == other.start and one.pitch != other.pitch for one, other in pairs)


def test_the_mean_is_compared_and_not_what_moves_around_it(tmp_path):
    import soundfile

    grid = np.arange(0, 4, 0.01)
    wanted = 440 * 2 ** (0.2 * np.sin(2 * np.pi * 0.25 * grid))
    cents = 240 * np.sin(2 * np.pi * 0.25 * TIME) + 30 * np.sin(2 * np.pi * 6 * TIME)
    soundfile.write(tmp_path / "a.wav", tone(cents=cents), RATE)
    lines = ["time,target_f0", *(f"{t:.4f},{value:.4f}" for t, value in zip(grid, wanted))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    score = renders.score(tmp_path / "a.wav", "f0")
    assert score.cents < 3 and score.pearson > 0.999


def test_what_is_outside_of_the_recordings_is_marked():
    values = dict.fromkeys(UNITS, 1.0)
    spectrum = np.zeros((3, 6))
    real = {"thing": recordings.Real(values, spectrum, None, 2.0, 2.0)}

    def result(kind, factor, shift):
        own = Measured(dict.fromkeys(UNITS, factor), spectrum + shift, spectrum + 1, np.zeros(1), 9.0)
        return renders.Result(renders.Case("thing", kind), own, {}, 20.0)

    good, bad = result("f0", 1.3, 1.0), result("held", 0.5, 3.0)
    lines = table.life_table([good, bad], real).splitlines()
    assert "**" not in lines[3] and lines[3].startswith("| f0 | 1.30 dB (1.30) |")
    assert lines[4].count("**") == 2 * (len(UNITS) + 1)
    assert "1/2" in table.summary([good, bad], real)
    lost = renders.Result(renders.Case("thing", "f0"), None, {}, np.nan, "did not work")
    assert "did not work" in table.life_table([lost], real)
    assert table.record(lost, real)["error"] == "did not work"


def test_a_dead_render_and_a_living_one_are_told_apart(tmp_path):
    found = {
        life: renders.run(renders.Case("violin", "held", variant), tmp_path)
        for life, variant in ((1, "default"), (0, "life 0"))
    }
    assert not any(result.error for result in found.values())
    own = recordings.kept()["violin"]
    alive, dead = (table.ratios(found[life], own) for life in (1, 0))
    for name in ("level", "vibrato", "jitter", "centroid", "flutter"):
        assert alive[name] > 3 * dead[name]
    assert table.distances(found[1], own)[0] < table.distances(found[0], own)[0]
    assert (tmp_path / "life_0" / "violin" / "held.wav").is_file()
