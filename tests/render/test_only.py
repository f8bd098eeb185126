"""A render that plays around chosen units alone."""

import csv

import numpy as np
import pytest

import vqsynth
from vqsynth.errors import UsageError, VqsynthError


@pytest.fixture(scope="module")
def violin():
    return vqsynth.load("violin")


def heard(path):
    with path.open(encoding="utf-8") as file:
        return {row["recording"] for row in csv.DictReader(file)}


def test_what_was_chosen_is_what_is_played(violin, tmp_path):
    units = violin.units
    f0 = units.f0()
    chosen = np.flatnonzero((f0 > 600) & (f0 < 1400))
    names = {units.recordings[n].name for n in np.unique(units.recording_of(chosen))}
    file = tmp_path / "chosen.csv"
    file.write_text("unit,why\n" + "".join(f"{n},high\n" for n in chosen))
    common = {"f0": "A4", "centroid": "sin", "duration": 3.0, "figure": False}
    violin.render(**common, sources=tmp_path / "played_all.csv", output=tmp_path / "all.wav")
    _, report = violin.render(**common, only=file, sources=tmp_path / "played_some.csv", output=tmp_path / "some.wav")
    assert heard(tmp_path / "played_some.csv") <= names and not heard(tmp_path / "played_all.csv") <= names
    # It is still the note that was asked for.
    assert report["descriptors"]["f0"]["mean"]["median_relative_error"] < 0.003
    # The numbers themselves do the same.
    again, _ = violin.render(**common, only=[int(n) for n in chosen])
    once, _ = violin.render(**common, only=file)
    np.testing.assert_array_equal(once, again)


def test_bad_choices_are_told_in_one_sentence(violin, tmp_path):
    common = {"centroid": "sin", "duration": 1.0}
    scattered = range(0, len(violin.units), 60)
    for only, words in (([], "names no unit"), ([10**7], "numbered from 0"), (scattered, "too small pieces")):
        with pytest.raises(UsageError, match=words):
            violin.render(**common, only=only)
    for text, words in (
        ("number\n3\n", "needs a column `unit`"),
        ("unit\nA4\n", "whole numbers"),
        ("", "needs a column"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(UsageError, match=words):
            violin.render(**common, only=tmp_path / "bad.csv")
    with pytest.raises(VqsynthError, match=r"absent\.csv"):
        violin.render(**common, only=tmp_path / "absent.csv")
