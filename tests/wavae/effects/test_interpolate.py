"""Interpolation: exact weights, stated lengths, and a sound that goes from A to B."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import soundfile
from PIL import Image
from scipy.stats import spearmanr

from vqsynth.descriptors import f0
from vqsynth.dsp.mel import hz_to_mel
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.figures.mel import mel_levels
from vqsynth.wavae.effects.input import encode_recording, loudest
from vqsynth.wavae.effects.interpolate import crossfade, draw, interpolate
from vqsynth.wavae.paths.mixing import FLOOR_DB, mix, ramp, reconcile, resample

RATE = 44_100


@pytest.fixture(scope="module")
def files(note, low_note, make_tone, tmp_path_factory):
    """Four short sounds on disk: a.wav, b.wav, c.wav, d.wav."""
    folder = tmp_path_factory.mktemp("sounds")
    sounds = (note[:RATE], low_note[: RATE // 2], make_tone(440.0, 0.4, 1.5), make_tone(262.0, 0.7, 0.6))
    for name, audio in zip("abcd", sounds):
        soundfile.write(folder / f"{name}.wav", audio, RATE, subtype="FLOAT")
    return [folder / f"{name}.wav" for name in "abcd"]


@pytest.fixture(scope="module")
def pair(path, low_path, domain):
    """Two paths of one length."""
    return reconcile([path, low_path], "longest", domain.model.frames_of)


def crossed(a, b):
    share = ramp(len(a))
    return mix([a, b], np.stack([1 - share, share], -1))


def test_the_formula_holds_in_every_frame(pair):
    a, b = pair
    mixed, count = crossed(a, b), len(a)
    n = np.arange(count)[:, None]
    np.testing.assert_allclose(mixed.z, a.z * (1 - n / count) + b.z * n / count, atol=1e-5)
    np.testing.assert_array_equal(mixed.z[0], a.z[0])
    # The last frame is (N - 1) / N of the way.
    np.testing.assert_allclose(mixed.z[-1], a.z[-1] + (b.z[-1] - a.z[-1]) * (count - 1) / count, atol=1e-5)
    loudness = (
        np.maximum(a.loudness, FLOOR_DB) * (1 - n[:, 0] / count) + np.maximum(b.loudness, FLOOR_DB) * n[:, 0] / count
    )
    np.testing.assert_allclose(mixed.loudness, loudness, atol=1e-4)


def test_between_a_sound_and_itself_is_the_sound(path):
    mixed = crossed(path, path)
    np.testing.assert_allclose(mixed.z, path.z, atol=1e-5)
    np.testing.assert_allclose(mixed.loudness, np.maximum(path.loudness, FLOOR_DB), atol=1e-4)
    assert (mixed.samples, len(mixed)) == (path.samples, len(path))


def test_exchanging_the_sounds_mirrors_the_weights(pair):
    a, b = pair
    weights = np.stack([1 - ramp(len(a)), ramp(len(a))], -1)
    np.testing.assert_allclose(mix([a, b], weights).z, mix([b, a], weights[:, ::-1]).z, atol=1e-6)


def test_silence_counts_as_its_floor_and_centroids_are_mixed_by_octaves(path):
    three = dataclasses.replace(
        path, z=path.z[:3], names=("loudness", "centroid"), controls=np.array([[-120.0, 500.0]] * 3, np.float32)
    )
    other = dataclasses.replace(three, controls=np.array([[-20.0, 2000.0]] * 3, np.float32))
    mixed = mix([three, other], np.full((3, 2), 0.5))
    np.testing.assert_allclose(mixed.controls, [[-45.0, 1000.0]] * 3, rtol=1e-5)


def test_paths_and_weights_that_do_not_fit(path, low_path):
    with pytest.raises(VqsynthError, match="same frames"):
        mix([path, low_path], np.full((len(path), 2), 0.5))
    for weights in (np.full((len(path), 2), 0.6), np.full((len(path), 3), 1 / 3), np.full((3, 2), 0.5)):
        with pytest.raises(VqsynthError, match="rows of weights that sum to 1"):
            mix([path, path], weights)


def test_a_stretched_path_keeps_its_shape(path):
    longer = resample(path, 2 * len(path), 2 * path.samples)
    np.testing.assert_allclose(longer.z[::2], path.z, atol=1e-5)
    np.testing.assert_allclose(longer.z[1:-1:2], (path.z[:-1] + path.z[1:]) / 2, atol=1e-5)
    same = resample(path, len(path), path.samples)
    np.testing.assert_array_equal(same.z, path.z)


def test_lengths_are_reconciled_as_stated(domain, path, low_path):
    frames_of = domain.model.frames_of
    assert low_path.samples < path.samples
    longest = reconcile([path, low_path], "longest", frames_of)
    assert (
        longest[0] is path
        and {len(p) for p in longest} == {len(path)}
        and {p.samples for p in longest} == {path.samples}
    )
    shortest = reconcile([path, low_path], "shortest", frames_of)
    np.testing.assert_array_equal(shortest[0].z, path.z[: len(low_path)])
    np.testing.assert_array_equal(shortest[1].z, low_path.z)
    assert {p.samples for p in shortest} == {low_path.samples}
    given = reconcile([path, low_path], "0.8", frames_of)
    assert {p.samples for p in given} == {round(0.8 * RATE)} and {len(p) for p in given} == {
        frames_of(round(0.8 * RATE))
    }
    for wrong in ("long", "0", "-1", "nan", "inf", "1e9", "0.001"):
        with pytest.raises(UsageError, match=f"length {wrong}"):
            reconcile([path, low_path], wrong, frames_of)


def test_crossfades(tmp_path, files):
    times = np.arange(100) / 50
    np.testing.assert_allclose(crossfade("line", times, 2.0), times / 2)
    np.testing.assert_allclose(crossfade("-line", times, 2.0), 1 - times / 2)
    np.testing.assert_allclose(crossfade("sin:2", times, 2.0), 0.5 + 0.5 * np.sin(2 * np.pi * times), atol=1e-9)
    np.testing.assert_allclose(crossfade("0.3", times, 2.0), 0.3)
    # Drawn values are the weights themselves, not stretched.
    (tmp_path / "curve.csv").write_text("time,value\n0,0.2\n1,0.6\n2,0.2\n")
    np.testing.assert_allclose(
        crossfade(str(tmp_path / "curve.csv"), times, 2.0), 0.6 - 0.4 * np.abs(times - 1), atol=1e-9
    )
    # A recording steers by its loudness.
    heard = crossfade(str(files[0]), np.arange(40) / 43.0, 1.0)
    assert heard.min() == 0 and heard.max() == 1
    (tmp_path / "wide.csv").write_text("0,0\n1,5\n")
    for wrong in ("1.5", "-0.1", "A4", str(tmp_path / "wide.csv")):
        with pytest.raises(UsageError, match="a crossfade goes from 0"):
            crossfade(wrong, times, 2.0)
    with pytest.raises(UsageError, match="did you mean sin"):
        crossfade("sinn", times, 2.0)


def test_the_sound_leaves_a_and_comes_to_b(domain, make_tone, tmp_path):
    """Dark to bright: the distance to A's spectrum grows, that to B's falls."""
    for name, brightness in (("dark", 0.6), ("bright", 2.5)):
        soundfile.write(tmp_path / f"{name}.wav", make_tone(220.0, 3.0, brightness), RATE, subtype="FLOAT")
    dark, bright = tmp_path / "dark.wav", tmp_path / "bright.wav"
    done = interpolate([dark, bright], domain, tmp_path / "out.wav", figure=False)
    spectra = {}
    for path in (dark, bright):
        _, encoded, _ = encode_recording(path, domain)
        spectra[path] = mel_levels(domain.decode(encoded), RATE)
    mixed = mel_levels(done.sounds[-1], RATE)
    # In tenths of the way, without the fades at both ends.
    parts = np.array_split(np.arange(len(mixed))[20:-20], 10)
    distances = {
        path: [np.abs(mixed[part].mean(0) - spectra[path][20:-20].mean(0)).mean() for part in parts] for path in spectra
    }
    assert spearmanr(range(10), distances[dark]).statistic > 0.9
    assert spearmanr(range(10), distances[bright]).statistic < -0.9


def test_two_notes_glide_into_each_other(domain, make_tone, tmp_path):
    """C4 to E4: what is heard goes in a straight line of cents."""
    for name, hz in (("c", 261.63), ("e", 329.63)):
        soundfile.write(tmp_path / f"{name}.wav", make_tone(hz, 2.0), RATE, subtype="FLOAT")
    done = interpolate([tmp_path / "c.wav", tmp_path / "e.wav"], domain, tmp_path / "out.wav", figure=False)
    hz, _, voiced = f0.track(done.sounds[-1], RATE)
    inner = slice(8, -8)
    cents = 1200 * np.log2(hz[inner] / 261.63)
    wanted = 400 * np.arange(len(hz))[inner] * 512 / RATE / done.seconds
    assert voiced[inner].mean() > 0.95
    assert np.percentile(np.abs(cents - wanted)[voiced[inner]], 95) < 20


def test_a_free_pitch_is_not_mixed(domain, files, tmp_path, monkeypatch):
    mixtures = []
    monkeypatch.setattr(
        "vqsynth.wavae.effects.interpolate.decode_file",
        lambda path, *_: mixtures.append(path) or np.zeros(path.samples, np.float32),
    )
    for pitch in ("glide", "free"):
        interpolate(files[:2], domain, tmp_path / "out.wav", pitch=pitch, figure=False)
    assert [path.voicing.max() > 0.9 for path in mixtures] == [True, False] and mixtures[1].voicing.max() == 0


def test_the_figure_shows_the_pitch_where_it_is_heard(path, sing, tmp_path):
    voicing = np.where(path.times < 1, 1.0, 0.0)
    sounds = [np.full(path.samples, 0.1, np.float32)] * 3
    two = np.stack([1 - ramp(len(path)), ramp(len(path))], -1)
    for mixed, lines in ((sing(path, 300.0, voicing), 1), (sing(path, 300.0, 0.0), 0)):
        figure = draw(tmp_path / "out.png", [tmp_path / "a.wav", tmp_path / "b.wav"], sounds, two, mixed)
        assert [len(axes.lines) for axes in figure.axes[:3]] == [0, 0, lines]
        if lines:
            drawn = figure.axes[2].lines[0].get_ydata()
            np.testing.assert_array_equal(np.isfinite(drawn), path.times < 1)
            np.testing.assert_allclose(drawn[0], hz_to_mel(300.0), rtol=1e-6)


def test_files_figure_and_demonstration_of_two(domain, files, tmp_path):
    done = interpolate(files[:2], domain, tmp_path / "AtoB.wav", demo=True, bits="32f")
    assert [path.name for path in done.files] == ["AtoB.wav", "AtoB.png", "AtoB_demo.wav"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in done.files)
    heard, rate = soundfile.read(tmp_path / "AtoB.wav", dtype="float32")
    assert rate == RATE and len(heard) == RATE and done.seconds == 1
    np.testing.assert_array_equal(heard, done.sounds[-1])
    np.testing.assert_allclose(done.weights.sum(1), 1)
    demo, _ = soundfile.read(tmp_path / "AtoB_demo.wav", dtype="float32")
    pause = np.zeros(RATE // 2, np.float32)
    np.testing.assert_array_equal(demo, np.concatenate([done.sounds[0], pause, done.sounds[1], pause, done.sounds[2]]))
    # Both were brought to the level of the training.
    for sound in done.sounds[:2]:
        assert loudest(sound, RATE) == pytest.approx(domain.level, abs=0.05)
    with Image.open(tmp_path / "AtoB.png") as image:
        assert image.size == (1000, 825)


def test_a_corner_of_the_plane_is_the_sound_itself(domain, files, tmp_path):
    corner = interpolate(files, domain, tmp_path / "corner.wav", point="1,0", length="shortest", figure=False).sounds[
        -1
    ]
    itself = interpolate(
        [files[1], files[2]], domain, tmp_path / "two.wav", curve="0", length="shortest", figure=False
    ).sounds[-1]
    assert len(corner) == len(itself) == round(0.4 * RATE)
    # A pitch is rounded on its way through octaves, and its phase adds that up.
    np.testing.assert_allclose(corner, itself, atol=5e-3)


def test_a_way_through_the_plane_and_its_figure(domain, files, tmp_path, warned):
    (tmp_path / "plane.csv").write_text("time,x,y\n0,0,0\n0.5,1,1\n3,0,1\n")
    done = interpolate(files, domain, tmp_path / "out.wav", trajectory=tmp_path / "plane.csv", length="0.9")
    assert done.seconds == pytest.approx(0.9) and done.weights.shape == (done.frames, 4)
    np.testing.assert_allclose(done.weights[0], [1, 0, 0, 0])
    assert done.weights[round(0.5 * domain.config.rate)][3] > 0.9
    # What the sound is too short for is said.
    assert "lasts 3 s, the sound 0.9 s" in warned[0]
    with Image.open(tmp_path / "out.png") as image:
        assert image.size[0] == 1400


def test_the_figure_shows_every_sound_that_was_used(path, tmp_path):
    sounds = [np.full(samples, 0.1, np.float32) for samples in (3 * RATE, path.samples, RATE, 4 * RATE, path.samples)]
    sources = [tmp_path / f"{name}.wav" for name in "abcd"]
    two = np.stack([1 - ramp(len(path)), ramp(len(path))], -1)
    four = np.full((len(path), 4), 0.25)

    def titles(figure):
        return [axes.get_title(loc="left") for axes in figure.axes if axes.images]

    figure = draw(tmp_path / "out.png", sources[:2], [sounds[0], sounds[1], sounds[4]], two, path)
    assert titles(figure) == [
        "A: a.wav (3.00 s; its path is fitted to 2.00 s)",
        "B: b.wav",
        "A to B: interpolation of latent paths, strings",
    ]
    np.testing.assert_allclose(figure.axes[3].lines[1].get_ydata(), ramp(len(path)))
    figure = draw(tmp_path / "out.png", sources, sounds, four, path)
    assert [title[:2] for title in titles(figure)] == ["A:", "B:", "C:", "D:", "be"]
    assert [text.get_text() for text in figure.axes[5].get_legend().get_texts()] == [
        "A 0.25",
        "B 0.25",
        "C 0.25",
        "D 0.25",
    ]
    # What was cut away is not shown.
    figure = draw(tmp_path / "out.png", sources[:2], [sounds[0], sounds[1], sounds[4]], two, path, "shortest")
    assert titles(figure)[0] == "A: a.wav (the first 2.00 s of 3.00 s)" and figure.axes[0].get_xlim() == (0, 2)


def test_level_gain_and_seed(domain, files, tmp_path):
    soft = tmp_path / "soft.wav"
    soundfile.write(soft, 0.1 * soundfile.read(files[0])[0], RATE, subtype="FLOAT")

    def made(first, **options):
        return interpolate([first, files[1]], domain, tmp_path / "out.wav", figure=False, **options).sounds[-1]

    plain = made(files[0])
    np.testing.assert_allclose(made(soft), plain, atol=2e-3)
    assert loudest(made(soft, level="raw"), RATE) < loudest(made(files[0], level="raw"), RATE) - 3
    np.testing.assert_array_equal(made(files[0]), plain)
    assert np.abs(made(files[0], seed=1) - plain).max() > 1e-5
    np.testing.assert_allclose(made(files[0], gain_db=-6.0), plain * 10 ** (-6 / 20), atol=1e-6)


def test_requests_that_make_no_sense_leave_nothing(domain, files, tmp_path):
    way = tmp_path / "plane.csv"
    way.write_text("0,0,0\n1,1,2\n")
    for sounds, options, message in (
        (files[:1], {}, "1 sound"),
        (files[:3], {}, "3 sound"),
        (files, {}, "point=x,y` or `trajectory"),
        (files, {"point": "0,0", "trajectory": way}, "either"),
        (files, {"curve": "sin", "point": "0,0"}, "curve sin"),
        (files[:2], {"point": "0,0"}, "point: lies between four"),
        (files[:2], {"trajectory": way}, "trajectory: lies between four"),
        (files, {"point": "2,0"}, "outside"),
        (files, {"trajectory": way}, "line 2"),
        (files[:2], {"level": "loud"}, "level loud"),
        (files[:2], {"pitch": "track"}, "pitch track: choose glide or free"),
        (files[:2], {"bits": "8"}, "bits 8"),
        (files[:2], {"gain_db": float("nan")}, "gain_db nan"),
    ):
        with pytest.raises(UsageError, match=message):
            interpolate(sounds, domain, tmp_path / "out.wav", **options)
    for other, output in ((files[1], files[1]), (tmp_path / "AtoB_demo.wav", tmp_path / "AtoB.wav")):
        with pytest.raises(UsageError, match="is the input"):
            interpolate([files[0], other], domain, output)
    with pytest.raises(VqsynthError, match="cannot be made"):
        interpolate(files[:2], domain, tmp_path / "plane.csv" / "out.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["plane.csv"]


def test_sounds_that_cannot_be_used_are_named(domain, files, tmp_path):
    bad = {
        "short": (np.ones(1000) * 0.1, "shorter than one latent frame"),
        "silent": (np.zeros(RATE), "silence"),
        "one": (np.zeros(1), "1 sample"),
    }
    for name, (audio, message) in bad.items():
        soundfile.write(tmp_path / f"{name}.wav", audio, RATE)
        with pytest.raises(VqsynthError, match=f"{name}.wav: .*{message}"):
            interpolate([files[0], tmp_path / f"{name}.wav"], domain, tmp_path / "out.wav")
    with pytest.raises(VqsynthError, match="none.wav: no such file"):
        interpolate([tmp_path / "none.wav", files[0]], domain, tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()
