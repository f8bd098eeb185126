"""Packs: what a client leaves becomes a whole folder with licence and source, or nothing."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from vqsynth.corpus import clients as recipes
from vqsynth.corpus import packs
from vqsynth.corpus.files import find_audio, probe
from vqsynth.errors import UsageError, VqsynthError

RATE = 44100


def tone(seconds=0.5, frequency=440):
    return 0.3 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def encoded(suffix, audio=None):
    buffer = io.BytesIO()
    soundfile.write(buffer, tone() if audio is None else audio, RATE, format=suffix)
    return buffer.getvalue()


def debian_package(folder, name, members):
    """Write ``name_1-1_all.deb`` with files of the given bytes by path, and a copyright file."""
    tree = folder / name
    for path, data in members.items() | {(f"usr/share/doc/{name}/copyright", b"some licence")}:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    (tree / "DEBIAN").mkdir()
    control = f"Package: {name}\nVersion: 1-1\nArchitecture: all\nMaintainer: me <me@example.org>\nDescription: none\n"
    (tree / "DEBIAN" / "control").write_text(control)
    subprocess.run(["dpkg-deb", "--build", tree, folder / f"{name}_1-1_all.deb"], check=True, capture_output=True)


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Put a program, npm if not named, first on the path that runs the given Python lines where it is called."""

    def install(lines, name="npm"):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / name
        program.write_text(f"#!{sys.executable}\n{lines}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


@pytest.fixture
def debian(tmp_path, client):
    """Make apt-get hand out the packages that the returned function is given, as (name, members)."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb, which writes the packages of this test, is not installed")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    client(f"import shutil, sys; shutil.copy(f'{shelf}/{{sys.argv[3]}}_1-1_all.deb', '.')", "apt-get")
    return lambda name, members: debian_package(shelf, name, members)


def test_every_pack_names_source_licence_and_credit():
    assert {"violin", "cello", "trumpet", "horn", "flute", "saxophone", "singing_female"} <= set(packs.packs())
    assert {"strings", "screams", "spoken", "singing_choir"} <= set(packs.packs())
    for pack in packs.packs().values():
        assert pack.client in ("npm", "apt", "singer", "parts")
        assert pack.package and pack.credit and pack.about
        assert bool(pack.version) != bool(pack.parts)
        assert set(pack.licence.split(" AND ")) <= set(packs._LICENCES)
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


def test_unknown_packs_are_answered_with_near_names():
    with pytest.raises(UsageError, match="did you mean trumpet"):
        packs.fetch("trompet")
    with pytest.raises(UsageError, match="in no package"):
        packs.fetch("singing_male")


def test_screams_are_of_three_packages_without_equal_or_flat_ones(tmp_path, debian):
    sounds = {name: encoded("ogg", tone(0.5, frequency)) for name, frequency in zip("abcd", (300, 400, 500, 600))}
    flat = encoded("wav", np.clip(5 * tone(), -0.8, 0.8))
    ufoai = {
        "sound/soldiers/maledeath01.ogg": sounds["a"],
        "sound/civilians/scream.ogg": sounds["b"],
        "sound/x.ogg": b"no",
    }
    openarena = {
        "sound/player/liz/Pain25_1.wav": encoded("wav", tone(0.4, 700)),
        "sound/player/ayumi/taunt.wav": encoded("wav", tone(0.4, 750)),
        "sound/player/liz/death1.wav": flat,
        "sound/player/liz/gasp.wav": encoded("wav", tone(0.1, 800)),
        "sound/player/penguin/death1.wav": encoded("wav", tone(0.4, 900)),
    }
    nexuiz = {
        "sound/player/marine/player/death1.ogg": sounds["a"],
        "sound/player/marine/player/falling.ogg": sounds["c"],
        "sound/player/marine/coms/attack.ogg": sounds["d"],
        "sound/player/torus/pain1.ogg": sounds["d"],
    }
    debian("ufoai-sound", {"usr/share/games/ufoai/base/0snd.pk3": zipped(ufoai)})
    debian("openarena-081-players", {"usr/share/games/openarena/baseoa/pak2-players.pk3": zipped(openarena)})
    debian("nexuiz-data", {"usr/share/games/nexuiz/data/data.pk3": zipped(nexuiz)})
    told = []
    folder = packs.fetch("screams", tmp_path / "out", lambda text, part: told.append(part))
    assert [path.name for path in find_audio(folder)] == [
        "screams_nexuiz-marine-player-falling.wav",
        "screams_nexuiz-torus-pain1.wav",
        "screams_openarena-ayumi-taunt.wav",
        "screams_openarena-liz-Pain25_1.wav",
        "screams_ufoai-civilians-scream.wav",
        "screams_ufoai-soldiers-maledeath01.wav",
    ]
    sources = packs.read_sources(folder)
    assert [source["package"] for source in sources] == [
        "apt ufoai-sound",
        "apt openarena-081-players",
        "apt nexuiz-data",
    ]
    assert [source["version"] for source in sources] == ["1-1"] * 3
    assert [source["seconds"] for source in sources] == pytest.approx([1.0, 0.8, 1.0], abs=0.06)
    assert all(source["credit"] in (folder / "LICENSE.txt").read_text() for source in sources)
    assert (folder / "screams_nexuiz-COPYRIGHT.txt").read_text() == "some licence"
    assert told == sorted(told) and told[-1] <= 1.0
    with pytest.raises(UsageError, match="other files"):
        packs.fetch("screams_ufoai", folder)


def test_a_folder_of_parts_is_known_again(tmp_path):
    rows = [(packs.packs()[name].package, packs.packs()[name].version) for name in packs.packs()["strings"].parts]
    (tmp_path / "source.toml").write_text(
        "".join(f'[[source]]\npackage = "npm {p}"\nversion = "{v}"\n' for p, v in rows)
    )
    assert packs.fetch("strings", tmp_path) == tmp_path
    with pytest.raises(UsageError, match="other files"):
        packs.fetch("violin", tmp_path)


def test_of_much_speech_some_is_taken_from_all_over(tmp_path, debian):
    folder = "usr/share/festival/voices/russian/msu_ru_nsh_clunits/wav"
    speech = {f"{folder}/ru_{n:02d}.wav": encoded("wav", tone(1.0, 300 + 10 * n)) for n in range(20)}
    debian("festvox-ru", speech | {f"{folder}/ru_05a.wav": encoded("wav", tone(0.9))})
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    out.mkdir()
    pack = replace(packs.packs()["spoken_russian"], seconds=6.0)
    assert recipes.apt(pack, raw, out, lambda text, part: None, 0) == "1-1"
    assert [path.stem for path in find_audio(out)] == [f"ru_{n:02d}" for n in (0, 3, 6, 10, 13, 16)]


def test_a_package_that_changed_is_named(tmp_path, debian):
    debian("ufoai-sound", {"usr/share/games/ufoai/base/0snd.pk3": zipped({"sound/x.ogg": b""})})
    with pytest.raises(VqsynthError, match="holds nothing like sound/civilians"):
        packs.fetch("screams_ufoai", tmp_path / "out")
    debian("nexuiz-data", {"usr/share/games/nexuiz/data/data.pk3": b"PK no archive"})
    with pytest.raises(VqsynthError, match="damaged archive"):
        packs.fetch("screams_nexuiz", tmp_path / "out")
    debian("openarena-081-players", {"usr/share/games/elsewhere.pk3": b""})
    with pytest.raises(VqsynthError, match="another version than 0.8.5split"):
        packs.fetch("screams_openarena", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_telephone_prompts_are_decoded(tmp_path, debian):
    g722 = pytest.importorskip("G722", reason="the optional decoder is not installed")
    samples = (8000 * np.sin(2 * np.pi * 440 * np.arange(2 * 16000) / 16000)).astype(np.int16)
    sounds = "usr/share/asterisk/sounds/en_US_f_Allison"
    long, short = (bytes(g722.G722(16000, 64000).encode(audio)) for audio in (samples, samples[:8000]))
    debian("asterisk-core-sounds-en-g722", {f"{sounds}/hello.g722": long, f"{sounds}/beep.g722": short})
    (path,) = find_audio(packs.fetch("spoken_english", tmp_path / "out"))
    decoded, rate = soundfile.read(path)
    assert (path.name, rate, len(decoded)) == ("hello.wav", 16000, 32000)
    spectrum = np.abs(np.fft.rfft(decoded))
    assert spectrum.argmax() == 880 and spectrum[880] > 20 * np.delete(spectrum, np.arange(875, 886)).max()


def test_a_missing_decoder_is_named_before_anything_is_fetched(tmp_path, client, monkeypatch):
    client("raise SystemExit('asked')", "apt-get")
    monkeypatch.setitem(sys.modules, "G722", None)
    with pytest.raises(VqsynthError, match=r"vqsynth\[speak\]"):
        packs.fetch("spoken", tmp_path / "out")
    assert not (tmp_path / "out").exists()
