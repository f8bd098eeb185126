"""Style transfer keeps length and loudness, moves towards the domain, and mirrors folders."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import soundfile
from PIL import Image

from vqsynth.descriptors import f0
from vqsynth.dsp.loudness import loudness
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.figures.mel import mel_levels
from vqsynth.wavae import load
from vqsynth.wavae.domain import save
from vqsynth.wavae.effects.melody import draw_melody, fit_melody
from vqsynth.wavae.effects.transfer import carry, transfer, transfer_all
from vqsynth.wavae.paths.moment_matching import CLIP_STD, distance, heard, match_moments
from vqsynth.wavae.training.build import choose_latents

RATE = 44_100


class Display:
    """Keeps what it is told."""

    def __init__(self):
        self.files, self.shares = [], []

    def file(self, name, number=1, total=1):
        self.files.append((name, number, total))

    def part(self, task, share):
        self.shares.append(share)


@pytest.fixture(scope="module")
def other(domain, tmp_path_factory):
    """The same model in a folder of another name."""
    return load(shutil.copytree(domain.path, tmp_path_factory.mktemp("models") / "other"))


@pytest.fixture
def source(note, tmp_path):
    """The swelling note, rather soft, in a file."""
    soundfile.write(tmp_path / "note.wav", 0.3 * note, RATE, subtype="FLOAT")
    return tmp_path / "note.wav"


def test_length_and_loudness_are_those_of_the_source(domain, source, tmp_path):
    (made,) = transfer(source, [domain], tmp_path / "note", bits="32f", figure=False)
    before, after = (soundfile.read(name, dtype="float32")[0] for name in (source, made.output))
    assert made.output == str(tmp_path / "note_strings.wav")
    assert len(after) == len(before) and made.seconds == 2
    wanted, heard_ = loudness(before, RATE), loudness(after, RATE)
    loud = wanted > wanted.max() - 50
    assert np.corrcoef(wanted[loud], heard_[loud])[0, 1] > 0.9
    assert abs(np.median(heard_[loud] - wanted[loud])) < 3
    assert made.peak == pytest.approx(np.abs(after).max(), rel=1e-6)
    assert made.voiced > 0.5 and 0 < made.distance < 10


def test_soft_and_loud_sources_become_the_same_but_for_their_level(domain, source, note, tmp_path):
    soundfile.write(tmp_path / "loud.wav", 0.9 * note, RATE, subtype="FLOAT")

    def made(name, **options):
        transfer(tmp_path / f"{name}.wav", [domain], tmp_path / name, bits="32f", figure=False, **options)
        return soundfile.read(tmp_path / f"{name}_strings.wav", dtype="float32")[0]

    loud = made("loud")
    np.testing.assert_allclose(made("note"), loud / 3, atol=1e-3 * np.abs(loud).max())
    # Without matching, the model hears what it was not trained on.
    raw, expected = made("note", level="raw"), made("loud", level="raw") / 3
    assert np.abs(raw - expected).max() > 1e-2 * np.abs(expected).max()
    np.testing.assert_allclose(made("loud", gain_db=-20.0), loud / 10, atol=1e-6)


def test_each_model_has_its_file_and_its_panel(domain, other, source, tmp_path):
    done = transfer(source, [domain, other], tmp_path / "out")
    assert [made.model for made in done] == ["strings", "other"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "note.wav",
        "out_other.wav",
        "out_strings.wav",
        "out_transfer.png",
    ]
    np.testing.assert_array_equal(*(soundfile.read(made.output)[0] for made in done))
    with Image.open(tmp_path / "out_transfer.png") as image:
        assert image.size == (1020, 420)  # three panels of 3 inches


def test_adaptation_moves_the_statistics_and_no_more(path, domain):
    std = domain.pca.std
    # Far from home: shifted by two and a half std, and moving too much.
    far = path.with_coordinates(path.coordinates * 3 + 2.5 * std)
    assert match_moments(far, 0.0) is far
    distances = [distance(match_moments(far, strength)) for strength in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert distances == sorted(distances, reverse=True) and distances[0] > 2 and distances[-1] < 1.05
    for strength in (0.01, 0.5, 1.0):
        moved = match_moments(far, strength)
        assert (np.abs(moved.coordinates) <= CLIP_STD * std * 1.001 + 1e-4).all()
        np.testing.assert_array_equal(moved.controls, far.controls)
        assert len(moved) == len(far)
    # Half way lies half way, where nothing is clipped.
    near = path.with_coordinates(np.clip(path.coordinates, -std, std) + 0.5 * std)
    mean = near.coordinates[heard(near)].mean(0)
    np.testing.assert_allclose(
        match_moments(near, 0.5).coordinates[heard(near)].mean(0), mean / 2, atol=0.15 * std.max()
    )


def test_a_held_note_is_not_blown_up(path):
    still = path.with_coordinates(
        np.tile(path.coordinates[40], (len(path), 1)) + 0.001 * np.random.default_rng(0).standard_normal(path.z.shape)
    )
    still = dataclasses.replace(still, controls=np.tile([-20.0, 220.0, 1.0], (len(path), 1)).astype(np.float32))
    moved = match_moments(still, 1.0).coordinates
    assert moved.std(0).max() < 2.5 * still.coordinates.std(0).max()


@pytest.fixture(scope="module")
def bright_domain(domain, make_tone, tmp_path_factory):
    """The strings, with the latents of bright tones as all that their recordings have; and frames of these tones."""
    tones = [make_tone(hz, 1.0, 2.5) for hz in (180.0, 240.0, 330.0, 440.0)]
    card = {name: part for name, part in domain.card.items() if name not in ("card_sha256", "files")}
    more = choose_latents(domain.model, tones, 150)
    folder = tmp_path_factory.mktemp("models") / "bright"
    return save(folder, domain.model, domain.pca, card, more), np.concatenate([mel_levels(x, RATE) for x in tones])


def test_a_sound_lands_among_the_recordings(bright_domain, domain, make_tone):
    """Log-mel distance of the output's frames to the nearest of the recordings falls with the amount, in decibels."""
    bright, frames = bright_domain
    audio = make_tone(np.geomspace(200, 400, 2 * RATE), 2.0, 0.5)
    path = bright.encode(audio)

    def apart(output):
        found = mel_levels(output, RATE)[10:-10:4]
        found, known = (x - x.max(1, keepdims=True) for x in (found, frames[::3]))
        return np.sqrt(np.square(found[:, None] - known[None]).mean(-1)).min(1).mean()

    distances = [apart(carry(path, bright, strength)[0]) for strength in (0.0, 0.5, 1.0)]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 0.7 * distances[0] and distances[2] < apart(domain.decode(match_moments(path, 1.0)))


def test_a_folder_is_mirrored_and_a_bad_file_does_not_stop_the_rest(domain, make_tone, tmp_path, warned):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    soundfile.write(source / "a.wav", make_tone(200.0, 0.3), RATE)
    soundfile.write(source / "a.flac", make_tone(300.0, 0.3), RATE)
    soundfile.write(source / "deep" / "b.v2.wav", np.repeat(make_tone(250.0, 0.3, rate=96_000)[:, None], 2, 1), 96_000)
    (source / "bad.wav").write_bytes(b"RIFF of nothing")
    soundfile.write(source / "silent.wav", np.zeros(4000), RATE)
    display = Display()
    done, failed = transfer_all(source, [domain], tmp_path / "out", display)
    names = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert names == sorted(
        f"{base}_{end}" for base in ("a.flac", "a.wav", "deep/b.v2") for end in ("strings.wav", "transfer.png")
    )
    assert [path.name for path in failed] == ["bad.wav", "silent.wav"] and len(done) == 3
    errors = " ".join(warned)
    assert "bad.wav" in errors and "silent.wav: holds nothing but silence" in errors
    assert display.files[-1] == ("silent.wav", 5, 5) and display.shares == [1.0] * 3


def test_names_by_default(domain, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    transfer_all(source, [domain], None, Display(), figure=False)
    assert (tmp_path / "note_strings.wav").is_file()
    (tmp_path / "in").mkdir()
    source.rename(tmp_path / "in" / "note.wav")
    transfer_all(tmp_path / "in", [domain], None, Display(), figure=False)
    assert (tmp_path / "in_transfer" / "note_strings.wav").is_file()


def test_a_melody_is_not_replaced_by_what_sings_it(domain, source, tmp_path):
    melody_file = source.rename(tmp_path / "note_strings.wav")
    shutil.copy(melody_file, source)
    before = melody_file.read_bytes()
    with pytest.raises(UsageError, match="is the input"):
        transfer_all(source, [domain], tmp_path, Display(), pitch=str(melody_file))
    assert melody_file.read_bytes() == before


def test_wrong_requests_leave_nothing(domain, source, tmp_path):
    for options, output, kind, message in (
        ({"strength": 1.5}, None, UsageError, "strength 1.5"),
        ({"strength": float("nan")}, None, UsageError, "strength nan"),
        ({"gain_db": 100.0}, None, UsageError, "gain_db 100"),
        ({"level": "high"}, None, UsageError, "level high"),
        ({"pitch": "trak"}, None, UsageError, "'trak' is unknown"),
        ({"pitch": "-20dB"}, None, UsageError, "-20dB is in dB"),
        ({}, source / "deep", VqsynthError, "deep: this folder cannot be made"),
        ({}, tmp_path / "out.wav", UsageError, "output .*out.wav: is a folder"),
    ):
        with pytest.raises(kind, match=message):
            transfer_all(source, [domain], output, Display(), **options)
    with pytest.raises(UsageError, match="domains strings: is given twice"):
        transfer_all(source, [domain, load(domain.path)], None, Display())
    with pytest.raises(UsageError, match="within"):
        transfer_all(tmp_path, [domain], tmp_path / "out", Display())
    with pytest.raises(VqsynthError, match="none.wav: no such file"):
        transfer_all(tmp_path / "none.wav", [domain], None, Display())
    soundfile.write(tmp_path / "short.wav", 0.1 * np.ones(1000), RATE)
    with pytest.raises(VqsynthError, match="short.wav: 1000 samples are shorter than one latent frame"):
        transfer_all(tmp_path / "short.wav", [domain], tmp_path, Display())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["note.wav", "short.wav"]


def test_the_melody_of_the_sound_is_sung(domain, note):
    path = domain.encode(note)
    sung, moved = carry(path, domain, octaves=0)
    down, octaves = carry(path, domain, octaves=-1)
    hz, _, voiced = f0.track(note, 44_100)
    for output, octave in ((sung, 0), (down, -1)):
        got, _, heard = f0.track(output, 44_100)
        both = voiced & heard
        assert both.sum() > 0.7 * voiced.sum()
        assert np.median(np.abs(1200 * np.log2(got[both] / hz[both]) - 1200 * octave)) < 15
    assert (moved, octaves) == (0, -1)


@pytest.fixture(scope="module")
def sung(domain, note):
    """The path of the note, with its pitch."""
    return domain.encode(note)


def heard_cents(output, wanted):
    """Median distance of the pitch of a sound from [frames] Hz on the tracker's frames, and the share that is heard."""
    hz, _, voiced = f0.track(output, RATE)
    wanted = np.asarray(wanted)[: len(hz)]
    known = voiced[: len(wanted)] & (wanted > 0)
    return float(np.median(np.abs(1200 * np.log2(hz[: len(wanted)][known] / wanted[known])))), known.mean()


@pytest.mark.parametrize("octaves", [0, -1])
def test_a_controlled_pitch_is_the_melody(domain, sung, note, octaves):
    output, moved = carry(sung, domain, octaves=octaves)
    hz, _, voiced = f0.track(note, RATE)
    off, share = heard_cents(output, np.where(voiced, hz * 2.0**octaves, 0))
    assert moved == octaves and off < 25 and share > 0.6


def test_any_melody_is_sung(domain, sung, tmp_path):
    (tmp_path / "pitch.csv").write_text("time,value\n0,300\n1,400\n2,350\n")
    times = np.arange(173) * 512 / RATE
    for written, octaves, wanted in (
        ("G4", None, np.full(173, 392.0)),
        (str(tmp_path / "pitch.csv"), None, np.interp(times, [0, 1, 2], [300, 400, 350])),
        ("line@300:600", -1, 150 * 2 ** (times / 2)),
    ):
        output, moved = carry(sung, domain, pitch=written, octaves=octaves)
        off, share = heard_cents(output, wanted)
        assert off < 30 and share > 0.6 and moved == (octaves or 0)
    # A control replaces nothing else.
    drawn = draw_melody(sung, "E5", 1)
    np.testing.assert_allclose(drawn.pitch, 2 * 659.255, rtol=1e-4)
    np.testing.assert_array_equal(drawn.z, sung.z)
    np.testing.assert_array_equal(drawn.voicing, sung.voicing)


def test_a_pitch_that_is_carried_on_moves_with_its_note(domain, path, sing):
    """Two notes: one an octave too high for the recordings; between them, and before, frames without pitch."""
    low, high = domain.pitch_range
    first, second = 1.5 * low, 1.9 * high
    part = np.arange(len(path)) // 22
    notes = sing(path, np.choose(part, [50.0, first, first, second]), np.choose(part, [0.0, 1.0, 0.0, 1.0]))
    moved, octaves = fit_melody(notes, domain)
    assert octaves == 0
    np.testing.assert_allclose(moved.pitch, np.choose(part, [50.0, first, first, second / 2]), rtol=1e-5)
    down, octaves = fit_melody(notes, domain, -1)
    assert octaves == -1
    np.testing.assert_allclose(down.pitch, notes.pitch / 2, rtol=1e-5)


def test_free_leaves_the_pitch_to_the_latents(domain, source, tmp_path, monkeypatch):
    paths = []
    monkeypatch.setattr(type(domain), "decode", lambda self, path, *_: paths.append(path) or np.zeros(path.samples))
    for pitch in ("track", "free", "model", "A4"):
        transfer(source, [domain], tmp_path / "out", pitch=pitch, figure=False)
    voicing = [path.voicing.max() for path in paths]
    assert voicing == [1, 0, 0, 1] and set(paths[3].pitch) == {440}
