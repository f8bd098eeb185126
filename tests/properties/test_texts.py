"""What users write: any text is a value or an error of ours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vqsynth.control.quantity import parse_quantity
from vqsynth.control.ranges import parse_range
from vqsynth.control.request import pair
from vqsynth.control.targets import parse_target
from vqsynth.dsp.notes import NOTE, midi_to_hz
from vqsynth.render.sweep.recipe import SINGULAR, expand, parse_seeds
from vqsynth.wavae.effects.feedback_curves import KINDS, read_loop_curve
from vqsynth.wavae.paths import curves, operator_line
from vqsynth.wavae.paths.plane import parse_point

TIMES = np.linspace(0, 2, 65)
PIECES = (
    "A4 Bb3 C#5 sin -line steps walk constant : @ + - , = p10 p90 p101 0 1 -1 3 0.5 440 1e308 1e-320 -1e309 "
    "99999999999 nan inf Hz kHz "
    "dB LUFS k ct # / . .. ~ * ? ü ١ ½ \x00 \x1b \n \t"
).split(" ") + [" ", "9" * 400, "9" * 4400]
texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(max_size=20)
numbers = st.floats() | st.integers() | st.sampled_from([10**400, -1, True])
plain = st.none() | st.booleans() | numbers | texts


@given(texts)
def test_quantities(tried, text):
    found = tried(parse_quantity, text)
    assert found is None or (np.isfinite(found[0]) and found[1] in ("Hz", "dB", None))


@given(st.integers(0, 127), st.floats(-50, 50))
def test_notes_are_read_as_they_are_written(number, cents):
    name = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")[number % 12]
    text = f"{name}{number // 12 - 1}{cents:+.3f}"
    if NOTE.fullmatch(text):
        assert parse_quantity(text)[0] == pytest.approx(midi_to_hz(number + round(cents, 3) / 100))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_numbers_are_read_as_they_are_written(value):
    assert parse_quantity(repr(value)) == (value, None)


@given(texts)
@example("p10:p90")
def test_ranges(tried, text):
    found = tried(parse_range, text)
    if found is not None:
        assert str(tried(parse_range, str(found))) == str(found)
        assert np.isfinite(found.resolve(lambda share: share)).all()


@given(
    texts,
    st.sampled_from([None, "centroid", "f0", "gain", "q"]),
    st.sampled_from([None, "Hz", "dB"]),
    numbers,
    st.booleans(),
)
def test_targets(tried, here, text, descriptor, unit, periods, log):
    target = tried(
        parse_target, text, descriptor=descriptor, unit=unit, periods=float(periods) if abs(periods) < 1e300 else None
    )
    if target is not None:
        values = tried(target.values, TIMES, 2.0, 100.0, 1000.0, log=log)
        assert values is None or (values.shape == TIMES.shape and np.isfinite(values).all())


@given(
    st.lists(texts, max_size=3), st.lists(texts, max_size=3), st.lists(texts, max_size=3), st.lists(texts, max_size=3)
)
def test_options_that_pair_up(tried, names, targets, ranges, weights):
    tried(pair, names, targets, ranges, weights)


@given(texts)
@example("0:99999999999")
def test_seeds(tried, text):
    found = tried(parse_seeds, text)
    assert found is None or all(seed >= 0 for seed in found)


@given(
    st.dictionaries(
        st.sampled_from([*SINGULAR, *SINGULAR.values(), "odd"]), plain | st.lists(plain, max_size=3), max_size=5
    )
)
def test_recipes(tried, here, recipe):
    items = tried(expand, {"timbres": ["violin"], **recipe})
    assert items is None or len({item.name for item in items}) == len(items) > 0


@given(texts)
def test_places_on_the_plane(tried, text):
    found = tried(parse_point, text)
    assert found is None or (min(found) >= 0 and max(found) <= 1)


@given(st.floats(0, 1), st.floats(0, 1))
def test_places_are_read_as_they_are_written(x, y):
    assert parse_point(f"{x!r},{y!r}") == (x, y)


@given(st.lists(st.tuples(st.sampled_from([*operator_line.NAMES, "odd"]), texts), max_size=4), st.booleans())
def test_operators(tried, here, path, steps, raw):
    bent = tried(operator_line.apply, path, steps, raw, 0)
    assert bent is None or (np.isfinite(bent.z).all() and np.isfinite(bent.controls).all())


@given(texts, st.sampled_from(sorted(curves.KINDS)))
def test_curves_over_a_path(tried, here, path, text, kind):
    found = tried(curves.sample_curve, path, text, kind) if kind in ("curve", *path.names) else None
    assert found is None or (found[0].shape == (len(path),) and np.isfinite(found[0]).all())


@given(texts, st.sampled_from(sorted(KINDS)))
def test_curves_of_a_feedback(tried, here, text, name):
    curve = tried(read_loop_curve, name, text, 0, 44_100)
    values = curve and tried(curve.sample, 44_100, 44_100)
    assert values is None or np.isfinite(values).all()
