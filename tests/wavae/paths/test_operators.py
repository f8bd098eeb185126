"""What every operator does to a path, and what it leaves alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vqsynth.control.targets import parse_target
from vqsynth.dsp.loudness import loudness
from vqsynth.errors import UsageError
from vqsynth.wavae.paths import operators as bend
from vqsynth.wavae.paths.operator_line import apply


@pytest.fixture(scope="session")
def long_path(path):
    """Sixty times the path of the note, 2 minutes."""
    z, controls = (np.tile(values, (60, 1)) for values in (path.z, path.controls))
    return dataclasses.replace(path, z=z, controls=controls, samples=len(z) * 1024)


def units(path, raw=False):
    """The path in standard deviations of the recordings, by definition."""
    if not raw:
        return path.coordinates / path.pca.std
    covariance = path.pca.components.T @ np.diag(path.pca.std.astype(float) ** 2) @ path.pca.components
    return (path.z - path.pca.mean) / np.sqrt(np.diag(covariance))


def assert_bent(bent, path, expected, dims, raw=False):
    """``dims`` are at ``expected`` [frames, dims], within float32; the others and the loudness have not moved."""
    assert bent.z.dtype == np.float32
    np.testing.assert_allclose(units(bent, raw)[:, dims], expected, atol=2e-3)
    rest = np.setdiff1d(np.arange(path.z.shape[1]), dims)
    np.testing.assert_allclose(units(bent, raw)[:, rest], units(path, raw)[:, rest], atol=2e-3)
    if raw:
        np.testing.assert_array_equal(bent.z[:, rest], path.z[:, rest])
    np.testing.assert_array_equal(bent.controls, path.controls)


@pytest.fixture
def dims(request, path, raw):
    """Axes; or of the latents themselves those that move."""
    return [int(n) for n in np.flatnonzero(path.z.std(0) > 1e-3)[request.param]] if raw else request.param


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("dims", [[0], [2, 5], list(range(16))], indirect=True)
class TestEveryDimension:
    def test_scale(self, path, dims, raw):
        assert_bent(bend.scale(path, -1.5, dims, raw), path, -1.5 * units(path, raw)[:, dims], dims, raw)
        ratio = bend.scale(path, 3.0, dims, raw)
        np.testing.assert_allclose(units(ratio, raw)[:, dims].std(0) / units(path, raw)[:, dims].std(0), 3.0, rtol=1e-3)

    def test_bias(self, path, dims, raw):
        assert_bent(bend.bias(path, 0.3, dims, raw), path, units(path, raw)[:, dims] + 0.3, dims, raw)

    def test_reverse(self, path, dims, raw):
        assert_bent(bend.reverse(path, dims, raw), path, units(path, raw)[::-1][:, dims], dims, raw)

    def test_curve(self, path, dims, raw):
        drawn = np.sin(np.arange(len(path)) / 9)
        assert_bent(bend.curve(path, drawn, dims, raw), path, np.repeat(drawn[:, None], len(dims), 1), dims, raw)

    def test_smooth(self, path, dims, raw):
        before, after = units(path, raw)[:, dims], units(bend.smooth(path, 9, dims, raw), raw)[:, dims]
        np.testing.assert_allclose(after.mean(0), before.mean(0), atol=1e-3)
        roughness = [np.abs(np.diff(values, axis=0)).sum(0) for values in (before, after)]
        assert (roughness[1] < 0.9 * roughness[0]).all() and roughness[1].sum() < 0.7 * roughness[0].sum()

    def test_randomize(self, path, dims, raw):
        same = [bend.randomize(path, 0.2, dims, raw, seed=3).z for _ in range(2)]
        np.testing.assert_array_equal(*same)
        assert np.abs(bend.randomize(path, 0.2, dims, raw, seed=4).z - same[0]).max() > 0.01
        alone = units(bend.randomize(path, 0.2, dims[0], raw, seed=3), raw)[:, dims[0]]
        np.testing.assert_allclose(
            units(bend.randomize(path, 0.2, dims, raw, seed=3), raw)[:, dims[0]], alone, atol=2e-3
        )


def test_what_changes_nothing(path):
    for same in (
        bend.scale(path, 1.0),
        bend.bias(path, 0.0),
        bend.randomize(path, 0.0),
        bend.smooth(path, 1),
        bend.scale(path, 1.0, 3, raw=True),
    ):
        np.testing.assert_array_equal(same.z, path.z)
        np.testing.assert_array_equal(same.controls, path.controls)
    np.testing.assert_allclose(bend.scale_loudness(path, 1.0).loudness, path.loudness, atol=1e-5)


def test_no_operator_writes_to_its_path(path):
    before = path.z.copy(), path.controls.copy()
    bent = bend.with_loudness(bend.smooth(bend.reverse(bend.curve(bend.randomize(path, 1.0), "sin", 0)), 9), "sin")
    bent.z[:] = bent.controls[:] = 0.0
    np.testing.assert_array_equal(path.z, before[0])
    np.testing.assert_array_equal(path.controls, before[1])


def test_scale_0_is_the_mean_of_the_recordings(path):
    np.testing.assert_allclose(bend.scale(path, 0.0).z, np.tile(path.pca.mean, (len(path), 1)), atol=1e-5)


def test_the_whole_path_reversed_takes_its_loudness_and_comes_back(path):
    turned = bend.reverse(path)
    np.testing.assert_array_equal(turned.z, path.z[::-1])
    np.testing.assert_array_equal(turned.loudness, path.loudness[::-1])
    np.testing.assert_array_equal(bend.reverse(turned).z, path.z)
    np.testing.assert_array_equal(bend.reverse(turned).controls, path.controls)


def test_the_random_movement_is_smooth_and_as_large_as_asked(long_path):
    moved = (units(bend.randomize(long_path, 0.2)) - units(long_path))[:, :8]
    np.testing.assert_allclose(moved.std(0), 0.2, rtol=0.15)
    assert np.abs(np.corrcoef(moved.T) - np.eye(8)).max() < 0.25
    spectrum = np.abs(np.fft.rfft(moved, axis=0)) ** 2
    frequencies = np.fft.rfftfreq(len(moved), 1 / long_path.rate)
    power = [spectrum[(frequencies >= low) & (frequencies < low + 1)].mean() for low in (0.0, 2.5, 9.0)]
    assert power[1] / power[0] == pytest.approx(0.5, abs=0.2)
    assert power[2] < 0.01 * power[0]


def test_a_smoothed_step_stays_in_its_place(path):
    step = np.where(np.arange(len(path)) < 44, -1.0, 1.0)
    smoothed = units(bend.smooth(bend.curve(path, step, 0), 8, 0))[:, 0]
    np.testing.assert_allclose(smoothed, -smoothed[::-1], atol=1e-4)
    np.testing.assert_allclose(smoothed[[0, 38, 49, -1]], [-1, -1, 1, 1], atol=1e-4)
    assert (np.diff(smoothed) > -1e-4).all()
    np.testing.assert_array_equal(bend.smooth(path, 8).z, bend.smooth(path, 9).z)
    assert np.isfinite(bend.smooth(path, 1001).z).all()


def test_the_order_counts(path):
    one, other = bend.bias(bend.scale(path, 2.0, 0), 1.0, 0), bend.scale(bend.bias(path, 1.0, 0), 2.0, 0)
    np.testing.assert_allclose(units(other)[:, 0] - units(one)[:, 0], 1.0, atol=1e-4)


def test_raw_dimensions_are_not_the_principal_ones(path):
    raw, principal = bend.bias(path, 1.0, 0, raw=True), bend.bias(path, 1.0, 0)
    assert np.count_nonzero(np.abs(raw.z - path.z).max(0)) == 1
    assert np.count_nonzero(np.abs(principal.z - path.z).max(0) > 1e-4) > 1


def test_curves_as_they_are_written(path, tmp_path):
    (tmp_path / "curve.csv").write_text("time,value\n0.5,-1\n1.5,1.5\n")
    times = path.times
    for spec, expected in (
        ("sin:2", 2 * np.sin(2 * np.pi * times)),
        ("line@-1:0.5", np.minimum(times / 2, 1) * 1.5 - 1),
        ("line@p50:p97.72", np.minimum(times / 2, 1) * 2),
        (str(tmp_path / "curve.csv"), np.interp(times, [0.5, 1.5], [-1, 1.5])),
        (f"{tmp_path / 'curve.csv'}@0:1", np.interp(times, [0.5, 1.5], [0, 1])),
        (-0.7, np.full(len(times), -0.7)),
        ("-0.7", np.full(len(times), -0.7)),
        (parse_target("0.4"), np.full(len(times), 0.4)),
    ):
        inside = times < 2  # the very end of a period is not its start
        np.testing.assert_allclose(units(bend.curve(path, spec, 3))[inside, 3], expected[inside], atol=2e-3)


@pytest.mark.parametrize("curve", ["-35", "sin:2", "arch@-50:-20", "drawn"])
def test_a_drawn_loudness_is_that_of_the_sound(domain, path, curve):
    drawn = np.interp(path.times, [0, 0.6, 0.8, 2], [-45, -18, -30, -22]) if curve == "drawn" else curve
    bent = bend.with_loudness(path, drawn)
    np.testing.assert_array_equal(bent.z, path.z)
    audio = domain.decode(bent)
    measured = loudness(audio, 44_100, hop_length=1024)
    wanted = bent.loudness[: len(measured)]
    active = slice(3, -3)
    assert np.abs(measured - wanted)[active].mean() < 1.5
    if wanted.std() > 1:
        assert np.corrcoef(measured[active], wanted[active])[0, 1] >= 0.95


def test_the_loudness_of_a_recording_and_silence_after_it(path, note, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "voice.wav", note[:44_100] * 0.5, 44_100, subtype="FLOAT")
    drawn = bend.with_loudness(path, str(tmp_path / "voice.wav")).loudness
    np.testing.assert_allclose(drawn[3:40], path.loudness[3:40] - 6.02, atol=0.3)
    assert (drawn[46:] == -120).all()


def test_dynamics_and_level(path):
    wide, soft = bend.scale_loudness(path, 2.0), bend.offset_loudness(path, -6.0)
    assert wide.loudness.max() == pytest.approx(path.loudness.max())
    active = path.loudness > path.loudness.max() - 40
    np.testing.assert_allclose(
        (wide.loudness.max() - wide.loudness)[active], 2 * (path.loudness.max() - path.loudness)[active], rtol=1e-4
    )
    np.testing.assert_allclose(soft.loudness[active], path.loudness[active] - 6.0, atol=1e-4)
    assert np.ptp(bend.scale_loudness(path, 0.0).loudness) == 0


def test_a_controlled_centroid_is_drawn_in_octaves(path, speak):
    path = speak(path)
    bright = dataclasses.replace(
        path, names=("loudness", "centroid"), controls=np.hstack([path.controls, np.full((len(path), 1), 900.0)])
    )
    drawn = bend.with_centroid(bright, "line@500:2000")
    assert drawn.controls[43, 1] == pytest.approx(1000, rel=0.01)
    np.testing.assert_array_equal(drawn.loudness, path.loudness)
    with pytest.raises(UsageError, match="strings controls loudness alone"):
        bend.with_centroid(path, "line")
    with pytest.raises(UsageError, match="stay above 20 Hz"):
        bend.with_centroid(bright, "5")


class TestPitchAndVoicing:
    """Of a path that has them; latents and loudness stay."""

    @pytest.fixture
    def sung(self, path, sing):
        """A vibrato of a semitone around 300 Hz; a third of the frames carries on a pitch that is not heard."""
        heard = np.arange(len(path)) % 3 > 0
        return sing(path, np.where(heard, 300 * 2 ** (np.sin(path.times * 20) / 12), 80.0), heard)

    def test_a_pitch_is_drawn_as_it_is_written(self, sung, note, tmp_path):
        import soundfile

        (tmp_path / "pitch.csv").write_text("time,value\n0,220\n2,440\n")
        (tmp_path / "notes.csv").write_text("time,value\n0,A3\n2,A4\n")
        times = sung.times
        for written, expected in (
            ("A4", np.full(len(times), 440.0)),
            (330, np.full(len(times), 330.0)),
            ("2kHz", np.full(len(times), 2000.0)),
            ("line", 220 * 2 ** np.minimum(times / 2, 1)),
            ("sin:2@200:800", 400 * 2 ** np.sin(2 * np.pi * np.minimum(times, 2))),
            (str(tmp_path / "pitch.csv"), np.interp(times, [0, 2], [220, 440])),
            (str(tmp_path / "notes.csv"), np.interp(times, [0, 2], [220, 440])),
            (440 + times, 440 + times),
        ):
            bent = bend.with_pitch(sung, written)
            np.testing.assert_allclose(bent.pitch[:-2], expected[:-2], rtol=1e-4)
            np.testing.assert_array_equal(bent.z, sung.z)
            np.testing.assert_array_equal(bent.controls[:, [0, 2]], sung.controls[:, [0, 2]])
        soundfile.write(tmp_path / "voice.wav", note, 44_100, subtype="FLOAT")
        heard = bend.with_pitch(sung, str(tmp_path / "voice.wav")).pitch[5:-5]
        vibrato = 330 * 2 ** (0.3 * np.sin(2 * np.pi * 5.5 * times[5:-5]) / 12)
        assert np.median(np.abs(1200 * np.log2(heard / vibrato))) < 10

    def test_a_tune_as_midi_is_held_through_its_rests(self, sung, midi, tmp_path):
        notes = [*midi.note(0.0, 0.5, 69), *midi.note(1.0, 2.0, 57)]
        bent = bend.with_pitch(sung, midi.save(tmp_path / "tune.mid", notes)).pitch
        times = sung.times
        np.testing.assert_allclose(bent[times < 0.98], 440, rtol=1e-4)
        np.testing.assert_allclose(bent[times > 1.02], 220, rtol=1e-4)

    def test_transposed_by_semitones(self, sung):
        bent = bend.transpose(sung, 7.5)
        np.testing.assert_allclose(12 * np.log2(bent.pitch / sung.pitch), 7.5, atol=1e-4)
        np.testing.assert_allclose(bend.transpose(bent, -7.5).pitch, sung.pitch, rtol=1e-6)
        np.testing.assert_array_equal(bent.controls[:, [0, 2]], sung.controls[:, [0, 2]])
        # What is not heard may leave the limits, and is held there.
        assert bend.transpose(sung, -30).pitch.min() == 20

    def test_vibrato_is_scaled_around_the_mean_of_what_is_heard(self, sung):
        heard = sung.voicing > 0
        octaves = np.log2(sung.pitch[heard])
        for factor in (2.0, 0.5, 0.0, -1.0):
            bent = np.log2(bend.scale_pitch(sung, factor).pitch[heard])
            np.testing.assert_allclose(bent - octaves.mean(), factor * (octaves - octaves.mean()), atol=1e-4)

    def test_voicing_is_drawn(self, sung):
        np.testing.assert_allclose(bend.with_voicing(sung, 1).voicing, 1)
        np.testing.assert_allclose(bend.with_voicing(sung, "0.25").voicing, 0.25)
        np.testing.assert_allclose(bend.with_voicing(sung, "-line").voicing[:-2], 1 - sung.times[:-2] / 2, atol=1e-6)
        np.testing.assert_array_equal(bend.with_voicing(sung, 0).pitch, sung.pitch)

    def test_the_line_of_the_command(self, sung, warned):
        steps = [("transpose", "12"), ("pitch-scale", "0.5"), ("voicing", "1"), ("pitch", "sin@100:200")]
        bent = apply(sung, steps)
        assert bent.operations == ("transpose 12", "pitch-scale 0.5", "voicing 1", "pitch sin@100:200")
        expected = bend.with_pitch(bend.with_voicing(bend.scale_pitch(bend.transpose(sung, 12), 0.5), 1), "sin@100:200")
        np.testing.assert_array_equal(bent.controls, expected.controls)
        assert not warned
        apply(sung, [("voicing", "0"), ("transpose", "1")])
        assert len(warned) == 1 and "transpose changes nothing that is heard" in warned[0]

    @pytest.mark.parametrize(
        ("step", "message"),
        [
            (("pitch", "10"), "pitch 10: asks for 10 Hz at 0.00 s; stay within 20 Hz and 20000 Hz"),
            (("pitch", "line@30:30k"), "pitch line@30:30k: asks for 215.. Hz at 1.9"),
            (("pitch", "-20dB"), "-20dB is in dB"),
            (("pitch", "loud"), "'loud' is unknown"),
            (("transpose", "80"), "transpose 80: asks for"),
            (("transpose", "1000"), "transpose 1000: give semitones from -120 to 120"),
            (("transpose", "nan"), "transpose nan: give semitones"),
            (("transpose", "octave"), "transpose octave: 'octave' is not a number"),
            (("pitch-scale", "100"), "pitch_scale 100: asks for"),
            (("pitch-scale", "inf"), "pitch_scale inf: give a number"),
            (("voicing", "1.5"), "voicing 1.5: runs from 1.5 to 1.5; stay within 0"),
            (("voicing", "A4"), "voicing A4: is in Hz"),
            (("voicing", "voice.wav"), "cannot be measured on a recording"),
        ],
    )
    def test_wrong_words(self, sung, step, message):
        with pytest.raises(UsageError, match=message) as caught:
            apply(sung, [step])
        assert caught.value.field == step[0].replace("-", "_") and "\n" not in str(caught.value)

    @pytest.mark.parametrize("step", [("pitch", "A4"), ("transpose", "1"), ("pitch-scale", "2"), ("voicing", "1")])
    def test_a_model_without_them(self, path, speak, step):
        with pytest.raises(UsageError, match="strings controls loudness alone") as caught:
            apply(speak(path), [step])
        assert caught.value.field == step[0].replace("-", "_")


def test_operations_are_remembered_in_words(path):
    bent = bend.with_loudness(
        bend.curve(bend.reverse(bend.randomize(bend.scale(path, 1.5, [0, 2], raw=True), 0.2, seed=7)), "sin", 1), -20
    )
    assert bent.operations == (
        "raw scale 0,2=1.5",
        "randomize all=0.2 seed=7",
        "reverse all",
        "curve 1=sin",
        "loudness -20",
    )


class TestTheCommandLinesOrder:
    """:func:`apply` is the functions, in the order of the words."""

    @pytest.mark.parametrize(
        ("steps", "same"),
        [
            ([("scale", "1.5"), ("bias", "2=0.3")], lambda p: bend.bias(bend.scale(p, 1.5), 0.3, 2)),
            ([("bias", "2=0.3"), ("scale", "1.5")], lambda p: bend.scale(bend.bias(p, 0.3, 2), 1.5)),
            (
                [("dim", "0"), ("scale", "2"), ("dim", "1,3"), ("scale", ".5")],
                lambda p: bend.scale(bend.scale(p, 2, 0), 0.5, [1, 3]),
            ),
            ([("scale", "2"), ("dim", "0"), ("smooth", "5")], lambda p: bend.smooth(bend.scale(p, 2, 0), 5, 0)),
            (
                [("dim", "0"), ("bias", "1"), ("dim", "all"), ("reverse", "")],
                lambda p: bend.reverse(bend.bias(p, 1, 0)),
            ),
            ([("reverse", ""), ("dim", "4")], lambda p: bend.reverse(p, 4)),
            (
                [("scale", "0,1=2"), ("curve", "0=sin"), ("bias", "all=1")],
                lambda p: bend.bias(bend.curve(bend.scale(p, 2, [0, 1]), "sin", 0), 1),
            ),
            (
                [("loudness", "-20"), ("loudness-offset", "3"), ("dim", "0")],
                lambda p: bend.offset_loudness(bend.with_loudness(p, -20), 3),
            ),
            (
                [("loudness-scale", "0.5"), ("loudness-scale", "2")],
                lambda p: bend.scale_loudness(bend.scale_loudness(p, 0.5), 2),
            ),
        ],
    )
    def test_steps(self, path, steps, same):
        bent, expected = apply(path, steps), same(path)
        np.testing.assert_array_equal(bent.z, expected.z)
        np.testing.assert_array_equal(bent.controls, expected.controls)
        assert bent.operations == expected.operations

    def test_two_commands_do_what_one_does(self, path):
        noise, smooth = ("randomize", "0.5"), ("smooth", "5")
        whole = apply(path, [noise, smooth, noise], seed=4)
        np.testing.assert_array_equal(whole.z, apply(apply(path, [noise, smooth], seed=4), [noise], seed=4).z)
        assert whole.operations[0].endswith("seed=4") and whole.operations[2].endswith("seed=5")

    @pytest.mark.parametrize(
        ("step", "message"),
        [
            (("dim", "999"), "dim 999: dimension 999: strings has [0-9]+, numbered from 0 to [0-9]+"),
            (("dim", "-1"), "dimension -1: strings has"),
            (("dim", "first"), "dim first: 'first' is no dimension"),
            (("bias", "999=1"), "bias 999=1: dimension 999"),
            (("bias", "=1"), "'' is no dimension"),
            (("scale", "loud"), "scale loud: 'loud' is not a number"),
            (("scale", "nan"), "scale nan: give a number"),
            (("scale", "1e300"), "scale 1e[+]300: give a number between"),
            (("randomize", "inf"), "randomize inf: give a number"),
            (("smooth", "2.5"), "smooth 2.5: give a whole number of frames from 1"),
            (("smooth", "0"), "whole number of frames from 1"),
            (("smooth", "nan"), "whole number of frames from 1"),
            (("smooth", "1000000"), "from 1 to 10,001"),
            (("curve", "sin"), "say which dimension the curve replaces, such as 0=sin"),
            (("curve", "0=sinn"), "'sinn' is unknown; did you mean sin"),
            (("curve", "0=A4"), "A4 is in Hz"),
            (("curve", "0=voice.wav"), "cannot be measured on a recording"),
            (("curve", "0=absent.csv"), "absent.csv: no such file"),
            (("curve", "0=sin@1"), "write two ends with a colon between"),
            (("curve", "0=sin@100Hz:200Hz"), "its range is in Hz"),
            (("curve", "0=1@-1:1"), "fixes its own values; leave @-1:1 out"),
            (("loudness", "30"), "loudness 30: reaches 30 dB, far above full scale"),
            (("loudness-offset", "60"), "far above full scale"),
            (("loudness-scale", "-1"), "loudness_scale -1: give a factor from 0"),
            (("centroid", "500"), "strings controls loudness.* alone"),
            (("wobble", "1"), "unknown operator; .*randomize"),
        ],
    )
    def test_wrong_words_are_answered_in_one_sentence(self, path, step, message):
        with pytest.raises(UsageError, match=message) as caught:
            apply(path, [step])
        assert caught.value.field == step[0].replace("-", "_") and "\n" not in str(caught.value)

    def test_values_of_another_length(self, path):
        with pytest.raises(UsageError, match="values for a path of 88 frames"):
            bend.curve(path, np.zeros(5), 0)
        with pytest.raises(UsageError, match="must be finite"):
            bend.with_loudness(path, np.full(len(path), np.nan))
        with pytest.raises(UsageError, match="no dimension is chosen"):
            bend.scale(path, 2.0, [])
        with pytest.raises(UsageError, match="seed -1"):
            bend.randomize(path, 1.0, seed=-1)
