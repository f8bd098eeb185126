"""Latent paths on disk, and what is not one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import soundfile

from vqsynth.errors import UsageError, VqsynthError, collect_warnings
from vqsynth.wavae.effects.output import decode_file
from vqsynth.wavae.paths import operators as bend
from vqsynth.wavae.paths import path_file, path_text


def contents(file) -> dict[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.fixture
def saved(path, tmp_path):
    """The path as ``z.npz``, and what is in it."""
    path_file.save(tmp_path / "z.npz", path)
    return tmp_path / "z.npz", contents(tmp_path / "z.npz")


def test_npz_keeps_all_to_the_last_bit(domain, path, tmp_path):
    bent = bend.randomize(bend.scale(path, 1.5, 0), 0.2)
    path_file.save(tmp_path / "bent.npz", bent)
    again = path_file.load(tmp_path / "bent.npz", domain)
    for field in dataclasses.fields(bent):
        if field.name != "pca":
            np.testing.assert_array_equal(getattr(again, field.name), getattr(bent, field.name))
    for name, values in vars(bent.pca).items():
        np.testing.assert_array_equal(getattr(again.pca, name), values)
    assert again.operations == ("scale 0=1.5", "randomize all=0.2 seed=0")
    np.testing.assert_array_equal(domain.decode(again), domain.decode(bent))


def test_what_the_npz_says(path, saved):
    data = saved[1]
    assert set(data) == {
        "z",
        *path.names,
        "names",
        "rate",
        "sample_rate",
        "samples",
        "domain",
        "loudness_version",
        "format_version",
        "operations",
        "pca_mean",
        "pca_components",
        "pca_std",
    }
    assert all(values.dtype != object for values in data.values())
    assert data["z"].shape == path.z.shape == (88, len(path.pca.std)) and data["loudness"].shape == (88,)
    assert (float(data["rate"]), int(data["samples"]), str(data["domain"])) == (44_100 / 1024, 88_200, "strings")


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".CSV"])
def test_texts_give_the_same_path_with_the_domain(domain, path, tmp_path, suffix):
    file = tmp_path / f"z{suffix}"
    path_file.save(file, path)
    again = path_file.load(file, domain)
    np.testing.assert_allclose(again.z, path.z, atol=1e-5)
    np.testing.assert_allclose(again.controls, path.controls, rtol=1e-6, atol=1e-5)
    assert 0 <= again.samples - path.samples < 1024
    with pytest.raises(
        UsageError, match=f"z{suffix}: a {suffix.lower()} file does not say which model .* give `model`"
    ):
        path_file.load(file)


def test_the_table_is_what_a_spreadsheet_expects(path, tmp_path):
    path_file.save(tmp_path / "z.csv", path)
    header, *rows = [line.split(",") for line in (tmp_path / "z.csv").read_text().splitlines()]
    assert header == [
        "time_s",
        *(path_text.UNITS[name] for name in path.names),
        *(f"pc{n + 1}" for n in range(path.z.shape[1])),
    ]
    table = np.array(rows, float)
    np.testing.assert_allclose(table[:, 0], path.times, atol=1e-6)
    np.testing.assert_allclose(table[:, 1], path.loudness, atol=1e-4)
    np.testing.assert_allclose(table[:, 1 + len(path.names) :], path.coordinates, atol=1e-4)


def test_a_table_that_a_spreadsheet_saved_with_decimal_commas_and_a_column_more(domain, path, tmp_path):
    path_file.save(tmp_path / "z.csv", path)
    lines = (tmp_path / "z.csv").read_text().splitlines()
    lines = [
        "note;" + lines[0].replace(",", ";").upper(),
        *("x;" + line.replace(",", ";").replace(".", ",") for line in lines[1:]),
    ]
    (tmp_path / "z.csv").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    np.testing.assert_allclose(path_file.load(tmp_path / "z.csv", domain).z, path.z, atol=1e-5)


def test_the_lines_are_those_of_a_max_coll_in_any_order(domain, path, tmp_path):
    path_file.save(tmp_path / "z.txt", path)
    lines = (tmp_path / "z.txt").read_text().splitlines()
    assert (
        len(lines) == 88
        and lines[3].startswith("3, ")
        and lines[3].endswith(";")
        and len(lines[3].split()) == 1 + len(path.names) + path.z.shape[1]
    )
    (tmp_path / "z.txt").write_text("\n".join(reversed(lines)) + "\n\n")
    np.testing.assert_allclose(path_file.load(tmp_path / "z.txt", domain).z, path.z, atol=1e-5)


def test_a_centroid_has_its_column(path, speak, tmp_path):
    path = speak(path)
    bright = dataclasses.replace(
        path,
        names=("loudness", "centroid"),
        controls=np.hstack([path.controls, np.full((len(path), 1), 900.0, np.float32)]),
    )
    path_file.save(tmp_path / "z.npz", bright)
    assert path_file.load(tmp_path / "z.npz").names == ("loudness", "centroid")
    path_file.save(tmp_path / "z.csv", bright)
    assert (tmp_path / "z.csv").read_text().startswith("time_s,loudness_db,centroid_hz,pc1,")


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".txt"])
def test_pitch_and_voicing_come_back(domain, path, sing, tmp_path, suffix):
    times = path.times
    sung = sing(path, 330 * 2 ** (np.sin(9 * times) / 12), 0.5 + 0.5 * np.sin(times))
    path_file.save(tmp_path / f"z{suffix}", sung)
    again = path_file.load(tmp_path / f"z{suffix}", domain)
    assert again.names == ("loudness", "pitch", "voicing")
    np.testing.assert_allclose(again.controls, sung.controls, rtol=0 if suffix == ".npz" else 1e-6, atol=1e-7)
    if suffix == ".csv":
        assert (tmp_path / "z.csv").read_text().startswith("time_s,loudness_db,pitch_hz,voicing,pc1,")


def test_older_paths_are_refused_by_a_model_with_pitch(domain, path, speak, tmp_path):
    for suffix, message in (
        (".npz", "carries loudness, but strings is controlled by loudness, pitch, voicing; encode the sound"),
        (".csv", "has no pitch_hz and no voicing, which the model is controlled by; encode the sound again"),
        (".txt", "line 1: has [0-9]+ values, but the model's frames have [0-9]+; .* or encode the sound again"),
    ):
        file = tmp_path / f"z{suffix}"
        path_file.save(file, speak(path))
        with pytest.raises(VqsynthError, match=f"z{suffix}.*{message}") as caught:
            path_file.load(file, domain)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".txt"])
def test_a_damaged_pitch_is_told_with_its_file(domain, path, sing, tmp_path, suffix):
    file = tmp_path / f"z{suffix}"
    path_file.save(file, sing(path, 330.5, 0.75))
    if suffix == ".npz":
        np.savez(file, **{**contents(file), "pitch": np.full(len(path), 3.5, np.float32)})
    else:
        file.write_text(file.read_text().replace("330.5", "3.5"))
    with pytest.raises(VqsynthError, match=f"z{suffix}: a latent path's pitch must stay within 20 and 20000 Hz"):
        path_file.load(file, domain)


def test_the_suffix_decides_and_others_are_refused(path, tmp_path):
    for name in ("z", "z.wav", "z.npy", "z.pkl"):
        for act in (lambda f: path_file.save(f, path), path_file.load):
            with pytest.raises(UsageError, match=r"kept in .npz .*, .csv .* or .txt .a Max coll."):
                act(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_told_and_a_missing_folder_made(path, tmp_path):
    with pytest.raises(VqsynthError, match="none.npz: no such file"):
        path_file.load(tmp_path / "none.npz")
    path_file.save(tmp_path / "new" / "deep" / "z.npz", path)
    assert len(path_file.load(tmp_path / "new" / "deep" / "z.npz")) == len(path)


def nan_in_z(data):
    data["z"][44, 3] = np.nan


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.pop("z"), r"not a latent path .no z.; make one with `vqsynth wavae encode`"),
        (lambda d: [d.pop(k) for k in ("pca_std", "rate")], "no pca_std, rate"),
        (lambda d: d.pop("loudness"), "no loudness"),
        (lambda d: d.update(format_version=9), "format version 9, but this vqsynth reads version 1"),
        (nan_in_z, "must be finite: its latents are not in 1 of 88 frames, the first at 1.02 s"),
        (lambda d: d.update(loudness=np.full(88, np.inf)), "its loudness are not in 88 of 88"),
        (lambda d: d.update(z=d["z"][:-1]), "needs z .* and controls"),
        (
            lambda d: d.update(z=d["z"][:0], **{name: d[name][:0] for name in ("loudness", "pitch", "voicing")}),
            "at least one frame",
        ),
        (
            lambda d: d.update(z=d["z"].astype(str)[:, :1].repeat(d["z"].shape[1], 1), loudness=np.full(88, "loud")),
            "damaged, its arrays do not belong together",
        ),
        (lambda d: d.update(z=np.float32(3)), "damaged"),
        (lambda d: d.update(rate=np.zeros(3)), "damaged"),
        (lambda d: d.update(rate=np.nan), "nan frames a second"),
        (lambda d: d.update(samples=10**9), "88 frames are not 1000000000 samples"),
        (lambda d: d.update(pca_mean=d["pca_mean"][:8]), "principal axes do not fit its [0-9]+ latent dimensions"),
        (lambda d: d.update(pca_std=d["pca_std"] * np.nan), "principal axes do not fit"),
    ],
)
def test_damaged_and_foreign_archives(saved, damage, message):
    file, data = saved
    damage(data)
    np.savez(file, **data)
    with pytest.raises(VqsynthError, match=message) as caught:
        path_file.load(file)
    assert str(caught.value).startswith(f"{file}: ") and "\n" not in str(caught.value)


def test_what_is_no_archive_and_what_would_run_code(saved):
    file, data = saved
    whole = file.read_bytes()
    for content in (b"", b"RIFF", whole[: len(whole) // 2], whole[:2000] + bytes(200) + whole[2200:]):
        file.write_bytes(content)
        with pytest.raises(VqsynthError, match="z.npz: not a latent path"):
            path_file.load(file)
    np.savez(file, **{**data, "names": np.array([{"loudness": 1}], dtype=object)})
    with pytest.raises(VqsynthError, match="z.npz: not a latent path"):
        path_file.load(file)


def test_paths_that_do_not_fit_the_domain_are_named_with_their_file(domain, saved):
    file, data = saved
    for change, message in (
        ({"rate": 86.13, "samples": 44_100}, "86.13 frames a second, but strings has 43.07"),
        ({"loudness_version": 2}, "made with loudness version 2"),
        (
            {"z": data["z"][:, :8], "pca_mean": np.zeros(8), "pca_std": np.ones(8), "pca_components": np.eye(8)},
            "has 8 latent dimensions, but strings has",
        ),
    ):
        np.savez(file, **{**data, **change})
        path_file.load(file)
        with pytest.raises(VqsynthError, match=f"{file}: .*{message}"):
            path_file.load(file, domain)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("loudness_db", "level"), "its first line has no loudness_db"),
        (
            lambda t: "\n".join(line.rsplit(",", 1)[0] for line in t.splitlines()),
            "has [0-9]+ principal coordinates, but the model has [0-9]+, pc1 to pc",
        ),
        (lambda t: t.split("\n", 1)[1], "not a latent path, its first line has no time_s"),
        (lambda t: t.split("\n", 1)[0], "holds no frames"),
        (lambda t: "", "not a latent path"),
        (lambda t: t.rstrip().rsplit(",", 1)[0] + ",nan\n", "line 89: pc[0-9]+ 'nan' is not a finite number"),
        (lambda t: t.rstrip().rsplit(",", 1)[0], "line 89: pc[0-9]+ '' is not a finite number"),
        (
            lambda t: t.replace("0.023220,", "0.5,"),
            "its rows are 43.07 a second on average, but strings has 43.07, evenly",
        ),
        (lambda t: "\n".join(t.splitlines()[:1] + t.splitlines()[1::2]), "its rows are 21.53 a second"),
    ],
)
def test_damaged_tables(domain, path, tmp_path, change, message):
    file = tmp_path / "z.csv"
    path_file.save(file, path)
    file.write_text(change(file.read_text()))
    with pytest.raises(VqsynthError, match=message) as caught:
        path_file.load(file, domain)
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace(";", ""), "line 1: not a line of a Max coll; write index, values;"),
        (lambda t: t.replace("\n5, ", "\n5, 1 "), "line 6: has [0-9]+ values, but the model's frames have [0-9]+;"),
        (lambda t: t.replace("\n5, ", "\n100, "), "index 5 is missing"),
        (lambda t: t.replace("\n5, -", "\n5, loud"), "line 6: value 'loud.*' is not a finite number"),
        (lambda t: "", "holds no frames"),
    ],
)
def test_damaged_colls(domain, path, tmp_path, change, message):
    file = tmp_path / "z.txt"
    path_file.save(file, path)
    file.write_text(change(file.read_text()))
    with pytest.raises(VqsynthError, match=message) as caught:
        path_file.load(file, domain)
    assert str(caught.value).startswith(str(file))


def test_texts_in_another_encoding(domain, tmp_path):
    for name in ("z.csv", "z.txt"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\x81")
        with pytest.raises(VqsynthError, match="not a text file"):
            path_file.load(tmp_path / name, domain)


def test_a_decoded_file_is_the_decoded_path(domain, path, tmp_path):
    audio = decode_file(path, domain, tmp_path / "out.wav", seed=3, gain_db=-6.0, bits="32f")
    written, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate == 44_100
    np.testing.assert_array_equal(written, audio)
    np.testing.assert_allclose(written, domain.decode(path, seed=3) * 10 ** (-6 / 20), atol=1e-7)


def test_a_path_of_another_training_is_decoded_with_a_warning(domain, path, tmp_path):
    with collect_warnings() as warnings:
        decode_file(path, domain, tmp_path / "out.wav")
        assert warnings == []
        moved = dataclasses.replace(path, pca=dataclasses.replace(path.pca, mean=path.pca.mean + 0.1))
        decode_file(moved, domain, tmp_path / "out.wav")
    assert len(warnings) == 1 and "made by another training of strings" in warnings[0]
    with pytest.raises(UsageError, match="gain_db 200: give at most 60 dB"):
        decode_file(path, domain, tmp_path / "loud.wav", gain_db=200.0)
    assert not (tmp_path / "loud.wav").exists()
