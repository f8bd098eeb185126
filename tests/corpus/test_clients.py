"""What recipes take out of archives: only what is asked for, only below the folder, soundfont samples whole."""

import io
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import soundfile

from vqsynth.corpus import clients as recipes
from vqsynth.corpus.soundfont import write_samples
from vqsynth.errors import VqsynthError


def test_archives_cannot_write_elsewhere(tmp_path):
    path = tmp_path / "evil.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("package/../../escape.wav", "/abs.wav", "package/fine.wav"):
            info = tarfile.TarInfo(name)
            info.size = 4
            tar.addfile(info, io.BytesIO(b"data"))
        link = tarfile.TarInfo("package/link.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    recipes.extract(path, inside, "*.wav")
    assert sorted(p.name for p in inside.iterdir()) == ["abs.wav", "escape.wav", "fine.wav"]
    assert not (tmp_path / "escape.wav").exists() and not (tmp_path / "a" / "escape.wav").exists()


def test_zip_archives_give_what_matches_below_the_folder(tmp_path):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("sound/../../escape.wav", "/sound/abs.wav", "sound/a/fine.wav", "sound/b/left.wav", "other.wav"):
            archive.writestr(name, b"data")
    inside = tmp_path / "a" / "b"
    found = recipes.unzip(path, inside, ["sound/*.wav", "/sound/*"], ["*/b/*"])
    assert sorted(p.relative_to(inside).as_posix() for p in found) == [
        "sound/a/fine.wav",
        "sound/abs.wav",
        "sound/escape.wav",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "evil.zip"]
    with pytest.raises(VqsynthError, match="nothing like music"):
        recipes.unzip(path, inside, ["music/*"], [])


def test_weeding_leaves_the_first_of_equal_sounds(tmp_path):
    sound = 0.3 * np.sin(np.arange(4000) / 10)
    for name, audio in (("a", sound), ("b", sound), ("c", np.clip(5 * sound, -0.5, 0.5))):
        soundfile.write(tmp_path / f"{name}.wav", audio, 8000)
    recipes.weed(sorted(tmp_path.iterdir()), {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    soundfile.write(tmp_path / "d.wav", audio, 8000)
    with pytest.raises(VqsynthError, match="nothing of 1 sounds"):
        recipes.weed([tmp_path / "d.wav"], {})


def soundfont(path, samples):
    """Write a SoundFont 2 with (name, audio int16, loop start, loop end, rate, type) samples and no presets."""
    data, headers, at = b"", b"", 0
    for name, audio, first, last, rate, kind in samples:
        numbers = (at, at + len(audio), at + first, at + last, rate)
        headers += struct.pack("<20s5IBbHH", name.encode(), *numbers, 60, 0, 0, kind)
        data += audio.astype("<i2").tobytes() + bytes(92)
        at += len(audio) + 46

    def chunk(name, body):
        return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)

    body = chunk(b"LIST", b"sdta" + chunk(b"smpl", data)) + chunk(b"LIST", b"pdta" + chunk(b"shdr", headers))
    path.write_bytes(chunk(b"RIFF", b"sfbk" + body))


def test_soundfont_samples_go_on_over_their_loop(tmp_path):
    # 100 samples a period and a loop of whole periods: repeated, the tone has no seam.
    period = (8000 * np.sin(2 * np.pi * np.arange(100) / 100)).astype(np.int16)
    audio = np.tile(period, 40)
    soundfont(
        tmp_path / "font.sf2",
        [
            ("Other", audio, 0, 100, 32000, 1),
            ("Ahh A4(L)", audio, 1000, 3000, 32000, 4),
            ("Ahh A4(R)", audio, 0, 100, 32000, 2),
        ],
    )
    (path,) = write_samples(tmp_path / "font.sf2", ["Ahh*"], tmp_path, loop_seconds=1.0)
    sound, rate = soundfile.read(path, dtype="int16")
    assert (path.name, rate, len(sound)) == ("Ahh-A4.wav", 32000, 32000)
    steady = sound[:-1600]
    assert np.abs(steady[100:].astype(int) - steady[:-100]).max() <= 1
    with pytest.raises(VqsynthError, match="no sample named Ooh"):
        write_samples(tmp_path / "font.sf2", ["Ooh"], tmp_path)
    (tmp_path / "text.sf2").write_text("hello")
    with pytest.raises(VqsynthError, match="not a SoundFont"):
        write_samples(tmp_path / "text.sf2", ["Ahh*"], tmp_path)


def test_soundfont_samples_are_chosen_by_name_and_kept_as_they_are(tmp_path):
    audio = np.arange(-1000, 1000, dtype=np.int16)
    names = [("Violins_A3_v1L", 4), ("Violins_A3_v1R", 2), ("Violins_A3_v1eL", 4), ("Cello", 1)]
    soundfont(tmp_path / "font.sf2", [(name, audio, 100, 200, 48000, kind) for name, kind in names])
    (path,) = write_samples(tmp_path / "font.sf2", ["Violins_*_v[12]L", "Violins_*_v3L"], tmp_path)
    sound, rate = soundfile.read(path, dtype="int16")
    assert (path.name, rate) == ("Violins-A3-v1.wav", 48000)
    assert np.array_equal(sound, audio)
