"""``vqsynth wavae encode``, ``decode`` and ``bend`` as typed."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

ISSUED = (
    "--scale 1.5 --bias 2=0.3 --randomize 0.2 --reverse --smooth 5 --dim 0 --curve 0=curve.csv --loudness loud.csv"
).split()


@pytest.fixture(scope="module")
def domain():
    from vqsynth.wavae import load

    return load("strings")


@pytest.fixture(scope="module")
def sound(make_tone):
    time = np.arange(44_100) / 44_100
    return (make_tone(330 * 2 ** (np.sin(12 * time) / 24), 1.0) * (0.1 + 0.9 * np.sin(np.pi * time) ** 2)).astype(
        np.float32
    )


@pytest.fixture
def here(command, sound, tmp_path, monkeypatch):
    """A working folder with a sound of a second, its path ``z.npz``, and two curves."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("IN.wav", sound, 44_100, subtype="FLOAT")
    (tmp_path / "curve.csv").write_text("time,value\n0,-1\n0.5,1\n1,0\n")
    (tmp_path / "loud.csv").write_text("time,value\n0,-40\n0.4,-18\n1,-32\n")
    assert command("wavae", "encode", "IN.wav", "--model", "strings", "-o", "z.npz")[0] == 0
    return tmp_path


def test_encode_and_decode_are_the_model_and_its_inverse(command, here, domain, sound):
    code, out, _ = command("wavae", "decode", "z.npz", "-o", "OUT.wav", "--bits", "32f", "--seed", "5")
    assert code == 0 and out == f"OUT.wav: 1.00 s by strings, peak {np.abs(soundfile.read('OUT.wav')[0]).max():.2f}\n"
    written, rate = soundfile.read("OUT.wav", dtype="float32")
    np.testing.assert_array_equal(written, domain.decode(domain.encode(sound), seed=5))
    assert rate == 44_100


def test_recordings_of_any_rate_and_channels(command, here, domain, sound):
    soundfile.write("other.flac", np.stack([sound[::2], sound[::2]], 1), 22_050)
    assert (
        command("wavae", "encode", "other.flac", "-m", "strings")[1]
        == f"other.npz: 45 frames, 1.00 s, {domain.config.latent_dim} dimensions of strings\n"
    )


@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_a_table_decodes_to_the_same_sound(command, here, suffix):
    assert command("wavae", "encode", "IN.wav", "--model", "strings", "-o", f"t.{suffix}")[0] == 0
    code, _, err = command("wavae", "decode", f"t.{suffix}")
    assert code == 2 and "give --model" in err
    assert command("wavae", "decode", f"t.{suffix}", "--model", "strings", "--bits", "32f")[0] == 0
    assert command("wavae", "decode", "z.npz", "--bits", "32f")[0] == 0
    table, exact = soundfile.read("t.wav")[0], soundfile.read("z.wav")[0]
    np.testing.assert_allclose(table[: len(exact)], exact, atol=1e-3)


def test_bend_as_the_manual_has_it(command, here, domain):
    from vqsynth.wavae.paths import path_file

    code, out, _ = command("wavae", "bend", "z.npz", *ISSUED, "-o", "bent.npz")
    assert code == 0
    words = (
        "scale 0=1.5; bias 2=0.3; randomize 0=0.2 seed=0; reverse 0; smooth 0=5; curve 0=curve.csv; loudness loud.csv"
    )
    assert out == f"bent.npz: 45 frames of strings, {words}\n"
    before, bent = path_file.load("z.npz"), path_file.load("bent.npz", domain)
    assert "; ".join(bent.operations) == words
    moved = (bent.coordinates - before.coordinates) / before.pca.std
    np.testing.assert_allclose(
        (bent.coordinates / bent.pca.std)[:, 0], np.interp(bent.times, [0, 0.5, 1], [-1, 1, 0]), atol=1e-4
    )
    np.testing.assert_allclose(moved[:, 2], 0.3, atol=1e-4)
    np.testing.assert_allclose(np.delete(moved, [0, 2], 1), 0, atol=5e-3)


def test_the_drawn_loudness_is_heard(command, here):
    from vqsynth.dsp.loudness import loudness

    command("wavae", "bend", "z.npz", "--loudness", "loud.csv", "-o", "bent.npz")
    assert command("wavae", "decode", "bent.npz")[0] == 0
    audio, rate = soundfile.read("bent.wav", dtype="float32")
    measured = loudness(audio, rate)
    wanted = np.interp(np.arange(len(measured)) * 512 / rate, [0, 0.4, 1], [-40, -18, -32])
    assert np.corrcoef(measured[4:-4], wanted[4:-4])[0, 1] >= 0.95


def test_pitch_on_the_line(command, here):
    """Of a path with pitch and voicing; a model without them says so."""
    from vqsynth.wavae.paths import path_file

    with np.load("z.npz", allow_pickle=False) as archive:
        sung = {"names": ["loudness", "pitch", "voicing"], "pitch": np.full(45, 300.0), "voicing": np.ones(45)}
        np.savez("sung.npz", **{**archive, **sung})
    line = "--transpose 12 --pitch-scale 2 --voicing 0.5 --dim 0 --bias 1"
    code, out, _ = command("wavae", "bend", "sung.npz", *line.split(), "-o", "bent.npz")
    assert code == 0 and out.endswith("transpose 12; pitch-scale 2; voicing 0.5; bias 0=1\n")
    bent = path_file.load("bent.npz")
    np.testing.assert_allclose(bent.pitch, 600)
    np.testing.assert_allclose(bent.voicing, 0.5)
    assert command("wavae", "bend", "sung.npz", "--pitch", "A4", "-o", "bent.npz")[0] == 0
    np.testing.assert_allclose(path_file.load("bent.npz").pitch, 440)
    code, _, err = command("wavae", "bend", "sung.npz", "--transpose", "90")
    assert code == 2 and "--transpose 90: asks for" in err


def test_encode_and_decode_take_the_pitch(command, here, domain):
    """Of a model that controls it; another encodes as it always does, and says so where a pitch is drawn."""
    from vqsynth.descriptors import f0
    from vqsynth.wavae.paths import path_file

    assert command("wavae", "encode", "IN.wav", "-m", "strings", "--pitch", "free", "-o", "free.npz")[0] == 0
    free = path_file.load("free.npz", domain)
    code, _, err = command("wavae", "decode", "z.npz", "--pitch", "G4", "-o", "OUT.wav")
    if "pitch" not in domain.config.controls:
        np.testing.assert_array_equal(free.z, path_file.load("z.npz").z)
        assert code == 2 and "--pitch: strings controls loudness alone" in err
        return
    assert code == 0 and free.voicing.max() == 0
    audio, rate = soundfile.read("OUT.wav", dtype="float32")
    hz, _, voiced = f0.track(audio, rate)
    assert np.median(np.abs(1200 * np.log2(hz[voiced] / 392.0))) < 20
    assert (
        "--output IN.wav: is the input" in command("wavae", "decode", "z.npz", "--pitch", "IN.wav", "-o", "IN.wav")[2]
    )


def test_the_order_on_the_line_is_the_order_of_the_work(command, here):
    from vqsynth.wavae.paths import path_file

    for name, line in {
        "a": "--scale 2 --bias 1 --scale 0.5 --reverse --reverse --bias=-1",
        "b": "--bias -1 --reverse --scale=.5 --bias 1 --scale 2 --reverse",
    }.items():
        assert command("wavae", "bend", "--seed", "1", *line.split(), "z.npz", "-o", f"{name}.npz")[0] == 0
    first, second = (path_file.load(f"{name}.npz") for name in "ab")
    assert first.operations == (
        "scale all=2",
        "bias all=1",
        "scale all=0.5",
        "reverse all",
        "reverse all",
        "bias all=-1",
    )
    assert second.operations == (
        "bias all=-1",
        "reverse all",
        "scale all=0.5",
        "bias all=1",
        "scale all=2",
        "reverse all",
    )
    before = path_file.load("z.npz")
    for bent, moved in ((first, -0.5), (second, 1.0)):
        np.testing.assert_allclose((bent.coordinates - before.coordinates) / before.pca.std, moved, atol=1e-2)


def test_the_order_is_kept_where_the_app_is_called_from_a_program(here):
    from vqsynth.cli import app
    from vqsynth.wavae.paths import path_file

    for line in ("--bias 1 --dim 0 --scale 2 --dim 3", "--scale 2 --dim 3 --bias 1 --dim 0"):
        result = CliRunner().invoke(app, ["wavae", "bend", "z.npz", *line.split(), "--raw", "-o", "bent.npz"])
        assert result.exit_code == 0, result.output
        operations = path_file.load("bent.npz").operations
        assert operations == (
            ("raw bias 0=1", "raw scale 0=2") if line.startswith("--bias") else ("raw scale 3=2", "raw bias 3=1")
        )


def test_a_model_that_is_not_here_can_be_named_by_its_folder(command, here, domain):
    with np.load("z.npz", allow_pickle=False) as archive:
        np.savez("moved.npz", **{**archive, "domain": "cellos"})
    code, _, err = command("wavae", "decode", "moved.npz")
    assert (
        code == 2
        and "moved.npz: made by cellos, which is not among the models here; give its folder with --model" in err
    )
    assert command("wavae", "decode", "moved.npz", "--model", domain.path)[0] == 0


def test_seeds_and_histories(command, here):
    def bent(source: str, *arguments: str) -> np.ndarray:
        assert command("wavae", "bend", source, *arguments, "-o", "out.npz")[0] == 0
        with np.load("out.npz", allow_pickle=False) as archive:
            return archive["z"]

    one = bent("z.npz", "--randomize", "0.5", "--seed", "3")
    np.testing.assert_array_equal(bent("z.npz", "--seed", "3", "--randomize", "0.5"), one)
    assert np.abs(bent("z.npz", "--randomize", "0.5") - one).max() > 0.1
    twice = bent("z.npz", "--randomize", "0.5", "--randomize", "0.5")
    bent("z.npz", "--randomize", "0.5")
    np.testing.assert_array_equal(bent("out.npz", "--randomize", "0.5"), twice)


def test_without_operators_the_path_changes_its_format(command, here, domain):
    from vqsynth.wavae.paths import path_file

    assert command("wavae", "bend", "z.npz", "-o", "z.csv")[1] == "z.csv: 45 frames of strings, not bent\n"
    assert command("wavae", "bend", "z.csv", "--model", "strings")[0] == 0
    np.testing.assert_allclose(path_file.load("z_bent.npz").z, path_file.load("z.npz").z, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["encode", "IN.wav", "--model", "string"], 2, "no wavae model of this name; did you mean strings"),
        (["encode", "IN.wav", "--model", "strings", "-o", "z.wav"], 2, "a latent path is kept in .npz"),
        (["encode", "IN.wav", "--model", "strings", "-o", "IN.wav/z.npz"], 1, "IN.wav: this folder cannot be made"),
        (["encode", "none.wav", "--model", "strings"], 1, "none.wav: no such file"),
        (["encode", "curve.csv", "--model", "strings"], 1, "curve.csv: not readable as audio"),
        (["decode", "none.npz"], 1, "none.npz: no such file"),
        (["decode", "IN.wav"], 2, "a latent path is kept in .npz"),
        (["decode", "z.npz", "-o", "OUT.mp3"], 2, "must end in .wav or .flac"),
        (["decode", "z.npz", "-o", "OUT.flac", "--bits", "32f"], 2, "--bits 32f"),
        (["decode", "z.npz", "--gain", "nan"], 2, "--gain nan: give at most 60 dB"),
        (
            ["decode", "curve.csv", "--model", "strings"],
            1,
            "curve.csv: not a latent path, its first line has no time_s",
        ),
        (
            ["bend", "z.npz", "--dim", "999", "--scale", "2"],
            2,
            "--dim 999: dimension 999: strings has ",
        ),
        (["bend", "z.npz", "--scale", "much"], 2, "--scale much: 'much' is not a number"),
        (["bend", "z.npz", "--curve", "curve.csv"], 2, "such as 0=curve.csv"),
        (["bend", "z.npz", "--loudness", "absent.csv"], 2, "absent.csv: no such file"),
        (["bend", "z.npz", "--wobble", "2"], 2, "No such option"),
        (["bend", "z.npz", "--scale"], 2, "requires an argument"),
        (["bend", "z.npz", "-o", "bent.mid"], 2, "bent.mid: a latent path is kept in .npz"),
    ],
)
def test_wrong_requests_say_what_to_do_and_write_nothing(command, here, arguments, code, message):
    before = sorted(here.iterdir())
    result, _, err = command("wavae", *arguments)
    assert result == code and message in err and "Traceback" not in err
    assert sorted(here.iterdir()) == before


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.full(9000, np.nan), "NaN or infinite"),
        (np.full(1000, 0.3), "1000 samples are shorter than one latent frame of strings"),
        (np.full(1, 0.3), "holds 1 sample"),
        (np.zeros(9000), "nothing but silence"),
    ],
)
def test_sounds_that_cannot_be_encoded_are_named(command, here, audio, message):
    soundfile.write("bad.wav", audio, 44_100, subtype="FLOAT")
    code, _, err = command("wavae", "encode", "bad.wav", "--model", "strings")
    assert code == 1 and err.startswith("error: bad.wav: ") and message in err
    assert not (here / "bad.npz").exists()


def test_help_teaches_the_order_and_the_dimensions(command):
    out = command("wavae", "bend", "--help")[1]
    for words in (
        "in the order in which they are written",
        "the latest --dim before it",
        "@LO:HI",
        "Examples:",
        "--curve",
        "(default: PATH_bent.npz)",
    ):
        assert words in out
