import numpy as np
import pytest

from vqsynth.descriptors import f0 as tracker
from vqsynth.storage.sound_file import open_sound
from vqsynth.training.prepare import hold_out, prepare
from vqsynth.wavae.network.config import WavaeConfig
from vqsynth.wavae.training.material.analysis import pitch_and_level
from vqsynth.wavae.training.material.mixtures import Mixtures, cubic

CONFIG = WavaeConfig()
MARGIN = CONFIG.n_fft // 2


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, make_tone):
    folder = tmp_path_factory.mktemp("tones")
    for name, hz in (("low", 200.0), ("high", 330.0), ("a section", 440.0)):
        with open_sound(folder / f"{name}.wav", 44_100, "16") as sound:
            sound.write(0.5 * make_tone(np.full(88_200, hz), 2.0))
    out = tmp_path_factory.mktemp("prepared")
    return prepare(folder, out, 44_100, CONFIG.hop_length, lambda audio: pitch_and_level(audio, CONFIG), vary="off")


def mixtures(corpus, **options):
    return Mixtures(corpus, 64, CONFIG.hop_length, False, MARGIN, ("*section*",), **options)


def test_another_speed_is_another_pitch(corpus):
    batch = mixtures(corpus, speed=4.0).draw(12, np.random.default_rng(1))
    seen = set()
    for audio, f0 in zip(batch["audio"].numpy(), batch["f0"].numpy()):
        if not f0.any():
            continue
        told = float(np.median(f0[f0 > 0]))
        hz, _, voiced = tracker.track(audio[MARGIN:-MARGIN], 44_100)
        assert abs(1200 * np.log2(np.median(hz[voiced]) / told)) < 12
        seen.add(round(told))
    assert len(seen) > 4 and min(seen) > 155 and max(seen) < 420


def test_made_tones_have_the_pitch_that_is_told(corpus):
    random, off, pure = np.random.default_rng(3), [], 0
    for _ in range(20):
        tone = mixtures(corpus, tones=1.0).voice(random)
        audio = tone["audio"][MARGIN:-MARGIN]
        assert tone["active"].all() and tone["pitches"].shape == (64, 1) and audio.dtype == np.float32
        assert tone["audio"].std() == pytest.approx(0.1, rel=0.1)
        power = np.square(np.abs(np.fft.rfft(audio * np.hanning(len(audio)))))
        near = np.abs(np.fft.rfftfreq(len(audio), 1 / 44_100) - tone["f0"].mean()) < 0.06 * tone["f0"].mean() + 5
        pure += power[near].sum() > 0.97 * power.sum()
        hz, _, voiced = tracker.track(audio, 44_100)
        if voiced.sum() > 30:
            count = min(len(hz), 64)
            both = voiced[:count]
            off.append(np.median(1200 * np.log2(hz[:count][both] / tone["f0"][:count][both])))
    assert len(off) > 12 and np.median(np.abs(off)) < 8
    assert 3 < pure < 17


def test_labels_are_those_of_the_frame_at_any_speed(tmp_path, make_tone):
    """A pitch that rises by two octaves in three seconds: 14 semitones a second, a sixth of one in a frame."""
    (tmp_path / "glide").mkdir()
    with open_sound(tmp_path / "glide" / "up.wav", 44_100, "16") as sound:
        sound.write(0.5 * make_tone(np.geomspace(150, 600, 3 * 44_100), 3.0))
    corpus = prepare(
        tmp_path / "glide",
        tmp_path / "out",
        44_100,
        CONFIG.hop_length,
        lambda audio: pitch_and_level(audio, CONFIG),
        vary="off",
    )
    drawn = Mixtures(corpus, 64, CONFIG.hop_length, False, MARGIN, speed=12.0)
    batch = drawn.draw(12, np.random.default_rng(5))
    off = []
    for audio, f0 in zip(batch["audio"].numpy(), batch["f0"].numpy()):
        hz, _, voiced = tracker.track(audio[MARGIN:-MARGIN], 44_100)
        count = min(len(hz), len(f0))
        both = voiced[:count] & (f0[:count] > 0)
        off.append(np.median(1200 * np.log2(f0[:count][both] / hz[:count][both])))
    assert np.abs(off).max() < 12


def test_chords_have_all_pitches_and_no_single_one(corpus):
    batch = mixtures(corpus, chords=1.0).draw(16, np.random.default_rng(2))
    assert not batch["f0"].any()
    voices = (batch["pitches"][:, 32] > 0).sum(1)
    assert voices.min() >= 2 and voices.max() == 4
    spectra = np.abs(np.fft.rfft(batch["audio"].numpy() * np.hanning(batch["audio"].shape[1])))
    width = 44_100 / batch["audio"].shape[1]
    for spectrum, pitches in zip(spectra, batch["pitches"].numpy()[:, 32]):
        for hz in pitches[pitches > 0]:
            near = round(float(hz) / width)
            assert spectrum[near - 4 : near + 5].max() > 20 * np.median(spectrum)


def test_a_section_has_no_single_pitch(corpus):
    batch = mixtures(corpus).draw(30, np.random.default_rng(3))
    single, heard = batch["f0"].numpy()[:, 32], batch["pitches"].numpy()[:, 32, 0]
    many = np.abs(heard - 440) < 5
    assert many.any() and not single[many].any()
    np.testing.assert_array_equal(single[~many], heard[~many])


def test_between_samples_lies_the_signal():
    time = np.arange(2000)
    wave = np.sin(0.2 * time).astype(np.float32)
    position = 10 + 1.37 * np.arange(1000)
    assert np.abs(cubic(wave, position) - np.sin(0.2 * position)).max() < 1e-3


def test_the_same_recordings_are_held_out_in_any_folder(tmp_path):
    files = [tmp_path / f"{number}.wav" for number in range(200)]
    few = [tmp_path / "elsewhere" / f"{number}.wav" for number in range(0, 200, 3)]
    names = {path.name for path in hold_out(files, 0)}
    assert 8 <= len(names) <= 26
    assert {path.name for path in hold_out(few, 0)} == names & {path.name for path in few}
    assert {path.name for path in hold_out(files, 1)} != names
    assert len(hold_out(files[:5], 0)) == 1 and not hold_out(files[:3], 0)
