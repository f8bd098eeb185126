import subprocess
import sys

import numpy as np
import pytest

from vqsynth.control.targets import GAIN_RANGE, available, available_sweeps, find_sweep, parse_range, parse_target
from vqsynth.errors import UsageError
from vqsynth.storage.reading import read_toml

TIMES = np.linspace(0.0, 24.0, 500)


def toml(tmp_path, text):
    path = tmp_path / "drawn.toml"
    path.write_text(text)
    return str(path)


def test_constants_hold():
    for spec, value, unit in [("A4", 440.0, "Hz"), ("440", 440.0, None), ("2kHz", 2000.0, "Hz"), ("-6dB", -6.0, "dB")]:
        target = parse_target(spec)
        assert target.unit == unit and not target.takes_range
        np.testing.assert_array_equal(target.values(TIMES, 24.0), np.full(500, value))
        np.testing.assert_array_equal(target.values(TIMES, 24.0, 1.0, 2.0), np.full(500, value))
    assert parse_target("A4").mask(TIMES).all() and parse_target("A4").gain(TIMES) is None


def test_units_are_checked_against_the_descriptor_s():
    with pytest.raises(UsageError, match="A4 is in Hz"):
        parse_target("A4", descriptor="gain")
    with pytest.raises(UsageError, match="-6dB is in dB"):
        parse_target("-6dB", descriptor="f0", unit="Hz")


def test_gain_has_a_range_of_its_own():
    assert parse_target("arch", descriptor="gain").default_range == GAIN_RANGE
    assert str(parse_target("fade", descriptor="gain").default_range) == "-60:0"
    assert str(parse_target("fade", descriptor="centroid", unit="Hz").default_range) == "p10:p90"


@pytest.mark.parametrize("spec", ["sine", "wav", "", "-A4", "H4", "some/where"])
def test_unknown_targets_get_the_nearest_names(spec):
    with pytest.raises(UsageError, match=r"unknown; .*arch, .*walk.*a note \(A4\)"):
        parse_target(spec)
    with pytest.raises(UsageError, match="did you mean sin"):
        parse_target("sine")


def test_folders_and_recipes_are_no_targets(tmp_path):
    with pytest.raises(UsageError, match="folder"):
        parse_target(str(tmp_path))
    for spec in ("overnight", str(find_sweep("overnight"))):
        with pytest.raises(UsageError, match="vqsynth sweep"):
            parse_target(spec)


@pytest.mark.parametrize("name", sorted(available()))
def test_every_shipped_target_gives_a_finite_moving_curve(name):
    target = parse_target(name)
    span = (200.0, 800.0) if target.needs_range else ()
    curve = target.values(TIMES, 24.0, *span)
    assert np.isfinite(curve).all() and np.ptp(curve) > 0.02 * np.abs(curve).max()
    if span:
        assert curve.min() >= 200 and curve.max() <= 800


def test_the_shipped_readme_lists_them_all():
    text = (available()["swell"].parent / "README.md").read_text()
    for name in [*available(), *available_sweeps()]:
        assert f"| `{name}` |" in text


@pytest.mark.parametrize("name", sorted(available_sweeps()))
def test_shipped_recipes_name_targets_and_ranges_that_exist(name):
    recipe = read_toml(find_sweep(name))
    keys = "timbres descriptors targets ranges seeds duration gain matcher refine"
    assert set(recipe) == set(keys.split())
    assert all(parse_target(spec).needs_range for spec in recipe["targets"])
    assert all(parse_range(spec) for spec in recipe["ranges"])
    parse_target(str(recipe["gain"]), descriptor="gain")


def test_the_vibrato_target_swings_by_its_cents():
    values = parse_target("vibrato").values(np.arange(0, 24, 0.001), 24.0)
    cents = 1200 * np.log2(values / 440)
    assert np.abs(cents[:1000]).max() < 1e-9
    assert cents[4000:].max() == pytest.approx(35, abs=0.1) and cents[4000:].min() == pytest.approx(-35, abs=0.1)
    crossings = (np.diff(np.sign(cents[4000:])) > 0).sum()
    assert crossings / 20.0 == pytest.approx(5.5, abs=0.1)


def test_own_folders_come_first(tmp_path, monkeypatch):
    (tmp_path / "swell.csv").write_text("0,1\n1,2\n")
    monkeypatch.setenv("VQSYNTH_TARGETS", str(tmp_path))
    for spec in ("swell", "swell.csv"):
        assert parse_target(spec).values(np.array([0.5]), 1.0) == pytest.approx([1.5])
    monkeypatch.delenv("VQSYNTH_TARGETS")
    (tmp_path / "targets").mkdir()
    (tmp_path / "swell.csv").rename(tmp_path / "targets" / "mine.csv")
    monkeypatch.chdir(tmp_path)
    assert parse_target("mine").values(np.array([0.5]), 1.0) == pytest.approx([1.5])
    with pytest.raises(UsageError, match="did you mean overnight"):
        find_sweep("overnite")


def test_toml_breakpoints(tmp_path):
    head = 'kind = "breakpoints"\n'
    path = toml(tmp_path, head + 'time = "fraction"\nperiods = 2\nrange = "1:3"\npoints = [[0, 0], [1, 1]]\n')
    target = parse_target(path)
    assert target.needs_range and target.default_range.resolve() == (1.0, 3.0)
    at = np.array([0.0, 2.5, 5.0, 10.0])
    assert target.values(at, 10.0, 1.0, 3.0) == pytest.approx([1, 2, 1, 3])
    assert parse_target(path, periods=1).values(at, 10.0, 1.0, 3.0) == pytest.approx([1, 1.5, 2, 3])
    path = toml(tmp_path, head + 'unit = "Hz"\ninterpolation = "step"\npoints = [[0, "A4"], [2, 220]]\n')
    target = parse_target(path)
    assert not target.needs_range and target.natural_duration == 2.0
    assert target.values(np.array([0.0, 1.9, 2.0, 9.0]), 10.0) == pytest.approx([440, 440, 220, 220])


def test_smooth_breakpoints_pass_through_their_points_without_overshoot():
    curve = parse_target("swell").values(np.linspace(0, 1, 1001), 1.0, 0.0, 1.0)
    assert curve[[0, 250, 600, 800, 1000]] == pytest.approx([0, 0.3, 1, 0.55, 0], abs=1e-9)
    assert (np.diff(curve[:601]) >= -1e-12).all() and (np.diff(curve[600:]) <= 1e-12).all()


def test_toml_shapes(tmp_path):
    path = toml(tmp_path, 'kind = "walk"\nseed = 5\nreverse = true\n')
    wanted = 1 - parse_target("walk", seed=5).values(TIMES, 24.0, 0.0, 1.0)
    np.testing.assert_allclose(parse_target(path).values(TIMES, 24.0, 0.0, 1.0), wanted)
    again = parse_target(path, seed=6).values(TIMES, 24.0, 0.0, 1.0)
    assert np.abs(again - wanted).max() > 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "kind None is unknown"),
        ("kind = 3", "kind 3 is unknown"),
        ('kind = ["sin"]', "kind .* is unknown"),
        ('kind = "sine"', "did you mean sin"),
        ('kind = "sin', "not valid TOML"),
        ('kind = "sin"\nperoids = 3', "'peroids' means nothing here; did you mean periods"),
        ('kind = "sin"\nperiods = "many"', "periods = 'many' must be a finite number"),
        ('kind = "sin"\nperiods = -1', "periods -1"),
        ('kind = "sin"\nrange = "low"', "range 'low'"),
        ('kind = "sin"\nunit = "m"', "unit 'm'"),
        ('kind = "steps"\nsteps = 0', "steps 0"),
        ('kind = "walk"\nseed = -1', "seed must be a whole number"),
        ('kind = "breakpoints"', "points must be a list"),
        ('kind = "breakpoints"\npoints = [[0, 1]]', "points must be a list of two or more"),
        ('kind = "breakpoints"\npoints = [[0, 1], 3]', "point 2: 3 is not"),
        ('kind = "breakpoints"\npoints = [[0, 1], [1, nan]]', "point 2.*finite"),
        ('kind = "breakpoints"\npoints = [[0, 1], [-1, 0]]', "point 2: time -1 does not come after 0"),
        ('kind = "breakpoints"\npoints = [[0, 1], [1, 500]]', "point 2: value 500 is outside 0 to 1"),
        ('kind = "breakpoints"\ntime = "fraction"\npoints = [[0, 1], [2, 0]]', "point 2: time 2 is outside"),
        ('kind = "breakpoints"\ninterpolation = "smooth"\npoints = [[0, 1], [0, 0]]', "point 2: time 0"),
        ('kind = "breakpoints"\ninterpolation = "cubic"\npoints = [[0, 1], [1, 0]]', "interpolation = 'cubic'"),
        ('kind = "breakpoints"\nunit = "Hz"\npoints = [[0, "H"], [1, 0]]', "point 1: value 'H'"),
        ('kind = "note"', "note None"),
        ('kind = "note"\nnote = "A4"\nvibrato = {cents = 10}', "rate above 0"),
        ('kind = "note"\nnote = "A4"\nvibrato = {depth = 10}', "'depth' means nothing"),
    ],
)
def test_bad_toml_is_named_with_what_is_wrong(tmp_path, text, message):
    path = toml(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        parse_target(path)
    assert str(caught.value).startswith(path)


def test_importing_targets_loads_nothing_heavy():
    code = "import sys, vqsynth.control.targets as t; t.parse_target('sin'); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for module in ("scipy", "torch", "librosa", "mido", "soundfile", "matplotlib"):
        assert f"'{module}'" not in loaded
