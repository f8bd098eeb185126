"""Packs: what a client leaves becomes a whole folder with licence and source, or nothing."""

import io
import os
import struct
import sys
import tarfile

import numpy as np
import pytest
import soundfile

from vqsynth.corpus import packs
from vqsynth.corpus.files import find_audio, probe
from vqsynth.corpus.soundfont import write_samples
from vqsynth.errors import UsageError, VqsynthError

RATE = 44100


def tone(seconds=0.5):
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)


def archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def encoded(suffix):
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(), RATE, format=suffix)
    return buffer.getvalue()


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Put a program named npm first on the path that runs the given Python lines where it is called."""

    def install(lines):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "npm"
        program.write_text(f"#!{sys.executable}\n{lines}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


def test_every_pack_names_source_licence_and_credit():
    assert {"violin", "cello", "trumpet", "horn", "flute", "saxophone", "singing_female"} <= set(packs.packs())
    for pack in packs.packs().values():
        assert pack.client in ("npm", "apt", "singer")
        assert pack.package and pack.version and pack.credit and pack.about
        assert pack.licence in ("CC-BY-3.0", "MIT")
        assert "://" not in f"{pack}", "a client knows its registry; the table does not"


@pytest.mark.parametrize(("name", "suffix"), [("trumpet", "wav"), ("horn", "mp3")])
def test_fetch_writes_wavs_with_their_licence(tmp_path, client, name, suffix):
    members = {f"package/{n}.{suffix}": encoded(suffix) for n in ("A4", "C5")}
    archive(tmp_path / "pack.tgz", members | {"package/README.md": b"read me"})
    client(f"import shutil; shutil.copy({str(tmp_path / 'pack.tgz')!r}, 'pack.tgz')")
    told = []
    folder = packs.fetch(name, tmp_path / "out", lambda text, part: told.append((text, part)))
    assert sorted(p.name for p in folder.iterdir()) == ["A4.wav", "C5.wav", "LICENSE.txt", "source.toml"]
    assert all(probe(p).format == "WAV" and probe(p).seconds >= 0.5 for p in find_audio(folder))
    (source,) = packs.read_sources(folder)
    assert source["package"] == f"npm {packs.packs()[name].package}"
    assert source["licence"] == "CC-BY-3.0" and source["real"] is True
    assert source["seconds"] == pytest.approx(sum(probe(p).seconds for p in find_audio(folder)), abs=0.06)
    assert packs.packs()[name].credit in (folder / "LICENSE.txt").read_text()
    assert told[-1][1] == 1.0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bin", "out", "pack.tgz"]


def test_fetching_again_keeps_what_is_there(tmp_path, client):
    archive(tmp_path / "pack.tgz", {"package/A4.wav": encoded("wav")})
    client(f"import shutil; shutil.copy({str(tmp_path / 'pack.tgz')!r}, 'pack.tgz')")
    folder = packs.fetch("trumpet", tmp_path / "out")
    client("raise SystemExit('asked again')")
    assert packs.fetch("trumpet", folder) == folder
    with pytest.raises(UsageError, match="other files"):
        packs.fetch("violin", folder)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("import sys; sys.exit('npm error 404 not found')", "404 not found"),
        ("", "left no archive"),
        ("open('pack.tgz', 'wb').write(b'not an archive')", "damaged"),
        ("import tarfile; tarfile.open('pack.tgz', 'w:gz').close()", "package has changed"),
    ],
)
def test_a_failed_fetch_leaves_nothing(tmp_path, client, lines, words):
    client(lines)
    with pytest.raises(VqsynthError, match=words):
        packs.fetch("trumpet", tmp_path / "deep" / "out")
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_missing_client_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VqsynthError, match="npm, which comes with Node.js"):
        packs.fetch("violin", tmp_path / "out")
    assert not (tmp_path / "out").exists()


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
    packs.extract(path, inside, "*.wav")
    assert sorted(p.name for p in inside.iterdir()) == ["abs.wav", "escape.wav", "fine.wav"]
    assert not (tmp_path / "escape.wav").exists() and not (tmp_path / "a" / "escape.wav").exists()


def test_unknown_packs_are_answered_with_near_names():
    with pytest.raises(UsageError, match="did you mean trumpet"):
        packs.fetch("trompet")
    with pytest.raises(UsageError, match="in no package"):
        packs.fetch("singing_male")


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
        [("Other", audio, 0, 100, 32000, 1), ("Ahh A4(L)", audio, 1000, 3000, 32000, 4), ("Ahh A4(R)", audio, 0, 100, 32000, 2)],
    )
    (path,) = write_samples(tmp_path / "font.sf2", "Ahh", tmp_path, seconds=1.0)
    sound, rate = soundfile.read(path, dtype="int16")
    assert (path.name, rate, len(sound)) == ("Ahh-A4.wav", 32000, 32000)
    steady = sound[:-1600]
    assert np.abs(steady[100:].astype(int) - steady[:-100]).max() <= 1
    with pytest.raises(VqsynthError, match="no sample named Ooh"):
        write_samples(tmp_path / "font.sf2", "Ooh", tmp_path)
    (tmp_path / "text.sf2").write_text("hello")
    with pytest.raises(VqsynthError, match="not a SoundFont"):
        write_samples(tmp_path / "text.sf2", "Ahh", tmp_path)
