"""Files of curves, notes and recipes: any content is a value or an error of ours; what is written is read again."""

from __future__ import annotations

import io
import itertools
import os

import mido
import numpy as np
import pytest
import tomli_w
from hypothesis import example, given
from hypothesis import strategies as st

from vqsynth.control.targets.breakpoints import read_csv
from vqsynth.control.targets.midi import read_midi, read_voices
from vqsynth.control.targets.toml_file import KEYS, VIBRATO_MOST, read_target
from vqsynth.errors import UsageError
from vqsynth.render.sweep.recipe import expand, read_recipe
from vqsynth.wavae.paths.plane import read_trajectory

TIMES = np.linspace(0, 2, 33)
PIECES = [
    "time",
    "value",
    "centroid",
    "0",
    "1",
    "0.5",
    "2",
    "-1",
    "1e308",
    "nan",
    "inf",
    "A4",
    "2kHz",
    "-6dB",
    "#",
    '"',
    "ü",
    "\x00",
    "",
]
cells = st.sampled_from(PIECES) | st.text(max_size=5)
rows = st.lists(
    st.lists(cells, max_size=4).flatmap(lambda row: st.sampled_from(",;\t").map(lambda mark: mark.join(row))),
    max_size=6,
)
texts = rows.flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines).encode("utf-8", "replace"))
)
contents = st.binary(max_size=60) | texts | st.tuples(st.binary(max_size=4), texts).map(b"".join)
finite = st.floats(-1e6, 1e6)
values = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["A4", "p10:p90", "Hz", "dB", "smooth", 10**300, "fraction"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(VIBRATO_MOST)), inner, max_size=4)
    ),
    max_leaves=6,
)
keys = st.sampled_from(sorted({key for known in KEYS.values() for key in known} - {"kind"}))


def curve(tried, target):
    if target is not None:
        found = tried(target.values, TIMES, 2.0, 100.0, 1000.0, log=True)
        assert found is None or (np.isfinite(found).all() and target.mask(TIMES).dtype == bool)
        gain = target.gain(TIMES)
        assert gain is None or np.isfinite(gain).all()


@given(contents)
@example(b"time,value\n0," + b"1" * 140_000)
@example(b'0,1\n1,"' + b"x" * 140_000)
def test_breakpoints(tried, here, data):
    (here / "curve.csv").write_bytes(data)
    curve(tried, tried(read_csv, here / "curve.csv", "centroid"))
    tried(read_trajectory, here / "curve.csv")


@given(
    st.lists(st.tuples(st.floats(0, 1e6), finite), min_size=2, max_size=20).map(
        lambda points: sorted(points, key=lambda p: p[0])
    )
)
def test_breakpoints_are_read_as_they_are_written(here, points):
    (here / "curve.csv").write_text("".join(f"{time!r},{value!r}\n" for time, value in points))
    found = read_csv(here / "curve.csv")
    assert list(zip(found.times_at, found.values_at)) == points


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=9).map(sorted))
def test_trajectories_are_read_as_they_are_written(here, points):
    (here / "way.csv").write_text("time,x,y\n" + "".join(f"{t!r},{x!r},{y!r}\n" for t, x, y in points))
    np.testing.assert_array_equal(read_trajectory(here / "way.csv"), points)


HUGE = "1" + "0" * 400


@pytest.mark.parametrize(
    "text",
    [
        f'kind = "sin"\nperiods = {HUGE}',
        f'kind = "steps"\nsteps = {HUGE}',
        f'kind = "breakpoints"\nunit = "Hz"\npoints = [[0, {HUGE}], [1, 2]]',
        'kind = "breakpoints"\nunit = "Hz"\npoints = [[0, 1e308], [1, -1e308]]',
        'kind = "breakpoints"\nunit = "Hz"\ninterpolation = "smooth"\npoints = [[0, 1e3], [1e-320, -1e3]]',
        'kind = "note"\nnote = "A4"\nvibrato = {rate = 5, cents = 1e308}',
        'kind = "note"\nnote = "A4"\nvibrato = {rate = 5, cents = 1e9}',
        'kind = "sin"\nrange = "1e308:-1e308"',
    ],
)
def test_numbers_that_no_curve_can_hold(here, text):
    (here / "huge.toml").write_text(text)
    with pytest.raises(UsageError):
        read_target(here / "huge.toml").values(TIMES, 2.0, 100.0, 1000.0)


numbers = st.floats() | st.integers() | st.sampled_from([10**400, 1e308, -1e308, 1e-320, 0, 1])
fitting = {
    "points": st.lists(st.lists(numbers, min_size=2, max_size=2), min_size=2, max_size=4),
    "vibrato": st.dictionaries(st.sampled_from(sorted(VIBRATO_MOST)), numbers, max_size=4),
    "range": st.tuples(numbers, numbers).map(lambda ends: f"{ends[0]!r}:{ends[1]!r}"),
    "note": st.just("A4"),
    "unit": st.just("Hz"),
    "interpolation": st.sampled_from(["linear", "smooth", "step"]),
    "time": st.sampled_from(["seconds", "fraction"]),
}
sensible = st.sampled_from(sorted(KEYS)).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"kind": st.just(kind)},
        optional={key: fitting.get(key, numbers) for key in sorted(KEYS[kind] - {"kind", "description"})},
    )
)
made_up = st.builds(
    lambda kind, fields: {"kind": kind, **fields},
    st.sampled_from(sorted(KEYS)) | values,
    st.dictionaries(keys, values, max_size=5),
)


@given(sensible | made_up)
def test_targets_in_toml(tried, here, fields):
    try:
        text = tomli_w.dumps(fields)
    except (ValueError, UnicodeEncodeError):
        return
    (here / "target.toml").write_bytes(text.encode("utf-8", "replace"))
    curve(tried, tried(read_target, here / "target.toml"))


@given(
    st.lists(st.tuples(st.floats(0, 1e6), finite), min_size=2, max_size=9).map(sorted),
    st.sampled_from(["linear", "step"]),
)
def test_points_in_toml_are_read_as_they_are_written(here, points, interpolation):
    fields = {
        "kind": "breakpoints",
        "unit": "Hz",
        "points": [list(point) for point in points],
        "interpolation": interpolation,
    }
    (here / "target.toml").write_text(tomli_w.dumps(fields))
    found = read_target(here / "target.toml")
    assert list(zip(found.times_at, found.values_at)) == points


pieces_of_toml = st.sampled_from(
    [
        "kind",
        "=",
        '"sin"',
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "a",
        "1",
        "'",
        '"""',
        "\n",
        "#",
        "1e9",
        "nan",
        "2026-01-01",
        "timbres",
        "seeds",
        "9" * 4400,
        "[" * 1200,
    ]
)


@given(st.lists(pieces_of_toml, max_size=12).map("".join) | st.text(max_size=30))
@example(".".join(["a"] * 50_000) + "=1")
def test_toml(tried, here, text):
    (here / "any.toml").write_bytes(text.encode("utf-8", "replace"))
    tried(read_target, here / "any.toml")
    recipe = tried(read_recipe, str(here / "any.toml"))
    if recipe is not None:
        tried(expand, recipe)


def midi(notes, tempo=500_000) -> bytes:
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    for number, velocity, wait, length in notes:
        track.append(mido.Message("note_on", note=number, velocity=velocity, time=wait))
        track.append(mido.Message("note_off", note=number, time=length))
    data = io.BytesIO()
    mido.MidiFile(tracks=[track], ticks_per_beat=480).save(file=data)
    return data.getvalue()


notes = st.lists(
    st.tuples(st.integers(0, 127), st.integers(1, 127), st.integers(0, 2000), st.integers(1, 2000)),
    min_size=1,
    max_size=8,
)


@given(notes, st.integers(1, 16_777_215))
def test_notes_are_read_as_they_are_written(here, played, tempo):
    (here / "notes.mid").write_bytes(midi(played, tempo))
    found = read_midi(here / "notes.mid")
    tick, now = tempo / 480e6, 0
    expected = []
    for number, velocity, wait, length in played:
        expected.append((number, velocity, (now + wait) * tick, (now + wait + length) * tick))
        now += wait + length
    assert [(note.pitch, note.velocity) for note in found.notes] == [
        (number, velocity) for number, velocity, *_ in expected
    ]
    np.testing.assert_allclose(
        [(n.start, n.end) for n in found.notes], [e[2:] for e in expected], rtol=1e-9, atol=1e-12
    )


@given(
    notes,
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    st.binary(max_size=30),
    st.booleans(),
)
def test_midi(tried, here, played, flips, junk, level):
    data = bytearray(midi(played))
    for at, value in flips:
        data[at % len(data)] = value
    for content in (
        bytes(data),
        bytes(data[: flips[0][0] % len(data)]),
        junk,
        b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\x20" + junk,
    ):
        (here / "notes.mid").write_bytes(content)
        curve(tried, tried(read_midi, here / "notes.mid", level=level))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0x80, 0x90, 0x90, 0xA0, 0xB0, 0xB0, 0xC0, 0xD0, 0xE0]),
            st.integers(0, 15),
            st.sampled_from([1, 6, 7, 11, 38, 60, 62, 68, 74, 98, 100, 101, 121]),
            st.one_of(st.sampled_from([0, 6, 64, 127]), st.integers(0, 127)),
            st.integers(0, 127),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_voices_and_controllers(tried, here, events):
    track = b"".join(
        bytes([wait, kind | channel, first, *([] if kind in (0xC0, 0xD0) else [second])])
        for kind, channel, first, second, wait in events
    )
    track += b"\x20\xff\x2f\x00"
    (here / "any.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk" + len(track).to_bytes(4, "big") + track)
    times = np.linspace(0, 30, 200)
    for most in (None, 1, 2):
        for voice in tried(read_voices, here / "any.mid", most) or []:
            assert np.isfinite([f(times) for f in (voice.gain, voice.dynamics, voice.brightness)]).all()
            assert (voice.values(times, 30.0) > 0).all() and all(note.end > note.start for note in voice.notes)
            assert all(a.end <= b.start for a, b in itertools.pairwise(voice.notes))


@pytest.mark.parametrize("read", [read_csv, read_midi, read_target, read_trajectory])
def test_what_is_no_file(tried, here, read):
    fifo = here / f"{read.__name__}.pipe"
    os.mkfifo(fifo)
    for path in (fifo, "/dev/zero", here, "none", "\0", "x" * 5000):
        assert tried(read, path) is None
