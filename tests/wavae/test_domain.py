"""A domain's folder, and what it refuses to encode and decode."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from vqsynth.descriptors import f0
from vqsynth.dsp import loudness
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.wavae import load
from vqsynth.wavae.domain import CARD, save
from vqsynth.wavae.effects.input import encode_file
from vqsynth.wavae.paths.mixing import resample
from vqsynth.wavae.paths.pca import Pca
from vqsynth.wavae.training.build import choose_latents
from vqsynth.wavae.training.quality import mel_frames


@pytest.fixture
def folder(domain, tmp_path):
    """A copy of the domain's folder, to be damaged; its card without a checksum, as older ones are."""
    copy = shutil.copytree(domain.path, tmp_path / "copy")
    card = (copy / CARD).read_text(encoding="utf-8")
    (copy / CARD).write_text(card[card.index("[wavae]") :], encoding="utf-8")
    return copy


def edit(folder, old: str, new: str) -> None:
    text = (folder / CARD).read_text(encoding="utf-8")
    assert old in text
    (folder / CARD).write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_comes_back_at_its_own_length_and_loudness(domain, note, path):
    output = domain.decode(path)
    assert output.shape == note.shape and np.isfinite(output).all()
    ours, theirs = (loudness.loudness(audio, 44_100) for audio in (output, note))
    active = theirs > theirs.max() - 30
    assert np.abs(ours - theirs)[active].mean() < 1.0


def test_the_seed_moves_the_noise_alone(domain, path):
    first, again, other = (domain.decode(path, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0
    assert np.corrcoef(loudness.loudness(first, 44_100), loudness.loudness(other, 44_100))[0, 1] > 0.99


def test_one_latent_frame_is_the_shortest_sound(domain, note):
    for samples in (0, 1, 1023):
        with pytest.raises(
            VqsynthError, match=f"{samples} samples are shorter than one latent frame of strings .1024 samples, 23 ms"
        ):
            domain.encode(note[:samples])
    assert len(domain.decode(domain.encode(note[:1024]))) == 1024


def test_who_holds_the_pitch(domain, note, path, tmp_path):
    free = domain.encode(note, "free")
    assert free.voicing.max() == 0 and path.voicing.max() > 0.9 and np.abs(free.z - path.z).max() > 0.1
    soundfile.write(tmp_path / "note.wav", note, 44_100)
    for encode in (lambda p: domain.encode(note, p), lambda p: encode_file(tmp_path / "note.wav", domain, p)):
        with pytest.raises(UsageError, match="pitch fre: choose track or free"):
            encode("fre")


@pytest.mark.parametrize("name", ["strings", "screams", "singing", "spoken", "brass", "base"])
def test_the_pitch_that_is_asked_for_is_sung(name, make_tone):
    """And nothing else: neither what the latents were encoded at, nor a pitch below both."""
    domain = load(name)
    path = domain.encode(make_tone(330.0, 1.5, 1.0))
    sung = path.voicing > 0.99
    for semitones in (-5, 3, 7):
        asked = path.with_control("pitch", path.pitch * 2 ** (semitones / 12))
        hz, _, voiced = f0.track(domain.decode(asked), domain.config.sample_rate)
        inner = voiced & (np.arange(len(hz)) > 0.15 * len(hz)) & (np.arange(len(hz)) < 0.9 * len(hz))
        cents = 1200 * np.log2(hz[inner] / np.median(asked.pitch[sung]))
        assert inner.sum() > 0.4 * len(hz) and np.percentile(np.abs(cents), 90) < 30, semitones


@pytest.mark.parametrize("name", ["strings", "screams", "singing", "spoken", "brass", "base"])
def test_what_is_drawn_out_does_not_flutter(name, make_tone):
    """A steady note, played five times slower, moves little more than it did: latents are curves."""
    domain = load(name)
    path = domain.encode(make_tone(220.0, 1.5, 1.0))
    steady = dataclasses.replace(path, z=path.z[20:50], controls=path.controls[20:50], samples=30 * 1024)
    mel = [mel_frames(domain.model, domain.decode(p))[0] for p in (steady, resample(steady, 150, 150 * 1024))]
    whole, drawn = (frames[len(frames) // 10 : -len(frames) // 10].std(0).mean() for frames in mel)
    assert drawn < max(2 * whole, 3.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_sound_that_is_no_number(domain, note, value):
    audio = note.copy()
    audio[5000] = value
    with pytest.raises(VqsynthError, match="no numbers"):
        domain.encode(audio)


def test_blocks_of_any_sizes_are_the_whole_sound(domain, note, path):
    sizes = np.random.default_rng(0).integers(0, 9000, 40)
    blocks = np.split(note, np.cumsum(sizes)[np.cumsum(sizes) < len(note)])
    found = domain.encode_blocks(iter(blocks))
    np.testing.assert_array_equal(found.z, path.z)
    np.testing.assert_array_equal(found.controls, path.controls)
    assert found.samples == path.samples


def test_memory_does_not_grow_with_the_recording_that_is_encoded(tmp_path):
    """Half an hour at 44.1 kHz would take 300 MB and more; eight times the sound takes little here."""
    for seconds in (10, 80):
        with soundfile.SoundFile(tmp_path / f"{seconds}.wav", "w", 44_100, 1) as sound:
            for second in range(seconds):
                sound.write(0.1 * np.random.default_rng(second).standard_normal(44_100))
    program = (
        "import resource, sys; from vqsynth.wavae import load; from vqsynth.wavae.effects.input import encode_file\n"
        "domain = load('strings')\n"
        "def peak(s): encode_file(f'{sys.argv[1]}/{s}.wav', domain); "
        "return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "peak(10); print(peak(10), peak(80))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    short, long = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert long - short < 12


def test_paths_that_do_not_fit(domain, path):
    small = Pca(path.pca.mean[:8], path.pca.components[:8, :8], path.pca.std[:8])
    for change, message in (
        (
            {"z": path.z[:, :8], "pca": small},
            "has 8 latent dimensions, but strings has [0-9]+; encode the sound with strings",
        ),
        ({"rate": 86.13}, r"has 86.13 frames a second, but strings has 43.07"),
        (
            {"names": ("loudness", "centroid"), "controls": path.controls[:, :2]},
            "carries loudness, centroid, but strings is controlled by loudness",
        ),
        (
            {"loudness_version": loudness.VERSION + 1},
            f"loudness version {loudness.VERSION + 1}, this vqsynth measures version {loudness.VERSION}",
        ),
    ):
        foreign = dataclasses.replace(path, **change)
        for refuse in (domain.accept, domain.decode):
            with pytest.raises(VqsynthError, match=message):
                refuse(foreign)


def test_a_domain_of_another_loudness_is_refused_at_once(folder):
    edit(folder, f"loudness_version = {loudness.VERSION}", "loudness_version = 99")
    with pytest.raises(
        VqsynthError, match="wavae.toml: trained with loudness version 99, but this vqsynth measures version 1"
    ):
        load(folder)


def test_foreign_and_damaged_cards(folder):
    good = (folder / CARD).read_text(encoding="utf-8")
    for text, message in (
        (
            good.replace("format_version = 3", "format_version = 7"),
            "format version 7, but this vqsynth reads version 3",
        ),
        ("no toml", "not valid TOML"),
        ("", "format version None"),
    ):
        (folder / CARD).write_text(text, encoding="utf-8")
        with pytest.raises(VqsynthError, match=f"{CARD}: .*{message}"):
            load(folder)
    (folder / CARD).write_text(re.sub("latent_dim = [0-9]+", 'latent_dim = "many"', good), encoding="utf-8")
    with pytest.raises(VqsynthError, match=r"its \[model\] section is damaged"):
        load(folder).config
    (folder / CARD).write_text(re.sub("latent_dim = [0-9]+", "latent_dim = 12", good), encoding="utf-8")
    with pytest.raises(VqsynthError, match="does not fit the configuration"):
        load(folder).model
    (folder / CARD).unlink()
    with pytest.raises(
        VqsynthError, match="not a wavae model folder, it has no wavae.toml; train one with `vqsynth wavae train`"
    ):
        load(folder)


def test_damaged_weights_are_named_when_they_are_used(folder, note):
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1000] ^= 1
    weights.write_bytes(content)
    with pytest.raises(VqsynthError, match="model.safetensors: damaged or changed"):
        load(folder).encode(note)
    weights.unlink()
    with pytest.raises(VqsynthError, match="model.safetensors: missing from the wavae model folder"):
        load(folder).encode(note)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UsageError, match="string: no wavae model of this name; did you mean strings"):
        load("string")


def test_what_is_saved_is_loaded(domain, path, tmp_path):
    again = save(tmp_path / "again", domain.model, domain.pca, domain.card)
    again.verify()
    np.testing.assert_array_equal(again.decode(path), domain.decode(path))
    np.testing.assert_array_equal(again.pca.components, domain.pca.components)
    assert again.level == domain.level


def test_the_latents_of_the_recordings_are_kept(domain, note, tmp_path):
    more = choose_latents(domain.model, [note, 0.1 * note], 50)
    assert all(values.dtype == np.float16 for values in more.values())
    kept = save(tmp_path / "more", domain.model, domain.pca, domain.card, more).corpus_latents
    np.testing.assert_allclose(kept.latents, more["corpus.latents"], atol=0.005 * np.abs(more["corpus.latents"]).max())
    assert kept.latents.shape == (50, domain.config.latent_dim) and kept.voicing.shape == (50,)
    # They are those of the loud frames, the same for every seed; the choice is seeded.
    both = [domain.encode(note, pitch) for pitch in ("track", "free")]
    loud = np.concatenate([path.z[path.loudness > path.loudness.max() - 30] for path in both])
    distance = np.abs(choose_latents(domain.model, [note])["corpus.latents"][:, None] - loud[None]).max(-1)
    assert distance.min(1).max() < 0.01
    again = choose_latents(domain.model, [note, 0.1 * note], 50)["corpus.latents"]
    np.testing.assert_array_equal(again, more["corpus.latents"])
    for damaged in ({"corpus.voicing": more["corpus.voicing"][:-1]}, {"corpus.latents": more["corpus.latents"][:, 1:]}):
        wrong = save(tmp_path / "wrong", domain.model, domain.pca, domain.card, {**more, **damaged})
        with pytest.raises(VqsynthError, match="its tensor corpus.* is missing or damaged"):
            wrong.corpus_latents
    assert save(tmp_path / "none", domain.model, domain.pca, domain.card).corpus_latents is None
