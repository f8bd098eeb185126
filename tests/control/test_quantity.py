import pytest

from vqsynth.control.targets import check_unit, parse_quantity, parse_range
from vqsynth.dsp.notes import note_to_hz
from vqsynth.errors import UsageError


@pytest.mark.parametrize(
    ("name", "hertz"),
    [
        ("A4", 440.0),
        ("a4", 440.0),
        ("A3", 220.0),
        ("C4", 261.6256),
        ("Bb3", 233.0819),
        ("A#3", 233.0819),
        ("F#5", 739.9888),
        ("Cs4", 277.1826),
        ("B3", 246.9417),
        ("Cb4", 246.9417),
        ("C-1", 8.1758),
        ("A4+1200", 880.0),
        ("A4-100", 415.3047),
        ("A4+50cents", 452.8930),
    ],
)
def test_note_names_have_their_equal_tempered_frequency(name, hertz):
    assert note_to_hz(name) == pytest.approx(hertz, rel=1e-6)


@pytest.mark.parametrize("name", ["H4", "A", "4A", "A99", "A4+", "sin", "", "A4 B4"])
def test_other_words_are_no_notes(name):
    assert note_to_hz(name) is None


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("440", (440.0, None)),
        ("440Hz", (440.0, "Hz")),
        ("440 Hz", (440.0, "Hz")),
        ("2kHz", (2000.0, "Hz")),
        ("1.5k", (1500.0, None)),
        ("-12dB", (-12.0, "dB")),
        ("-.5", (-0.5, None)),
        ("1e3", (1000.0, None)),
        ("A4", (440.0, "Hz")),
        ("sin", None),
        ("", None),
    ],
)
def test_quantities_are_read_with_their_unit(text, quantity):
    assert parse_quantity(text) == quantity


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "440Q", "1e999"])
def test_unusable_numbers_are_refused(text):
    with pytest.raises(UsageError, match="number|unit"):
        parse_quantity(text)


def test_units_must_agree():
    check_unit("Hz", "Hz", "x")
    check_unit(None, "Hz", "x")
    check_unit("dB", "LUFS", "x")
    with pytest.raises(UsageError, match="A4 is in Hz.*is in dB"):
        check_unit("Hz", "dB", "A4")


@pytest.mark.parametrize(
    ("spec", "ends"),
    [
        ("500:3000", (500.0, 3000.0)),
        ("3000:500", (3000.0, 500.0)),
        ("A3:A5", (220.0, 880.0)),
        ("300Hz:2kHz", (300.0, 2000.0)),
        ("-30dB:0dB", (-30.0, 0.0)),
        ("-30:-6", (-30.0, -6.0)),
        (" 1 : 2 ", (1.0, 2.0)),
    ],
)
def test_absolute_ranges_need_no_table(spec, ends):
    assert not parse_range(spec).needs_table
    assert parse_range(spec).resolve() == pytest.approx(ends)


def test_percentiles_are_asked_of_the_table():
    table = {10.0: 800.0, 90.0: 3200.0}
    assert parse_range("p10:p90").resolve(table.__getitem__) == (800.0, 3200.0)
    assert parse_range("P90:p10").resolve(table.__getitem__) == (3200.0, 800.0)
    assert parse_range("p10:2kHz").resolve(table.__getitem__) == (800.0, 2000.0)
    with pytest.raises(UsageError, match="no table"):
        parse_range("p10:p90").resolve()


def test_a_range_prints_as_it_can_be_read_again():
    for spec in ("p10:p90", "500:3000", "p2.5:880"):
        assert str(parse_range(spec)) == spec
        assert parse_range(str(parse_range(spec))) == parse_range(spec)
    assert parse_range(parse_range("1:2")) == parse_range("1:2")


@pytest.mark.parametrize("spec", ["", "500", "1:2:3", ":3", "p10:", "low:high", "p101:p5", "nan:3", "5Q:6", "1Hz:2dB"])
def test_bad_ranges_are_refused_in_one_sentence(spec):
    with pytest.raises(UsageError, match="^range ") as caught:
        parse_range(spec)
    assert "\n" not in str(caught.value)
