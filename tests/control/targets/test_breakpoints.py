import numpy as np
import pytest

from vqsynth.control.targets import parse_target
from vqsynth.errors import UsageError


def write(tmp_path, text, name="curve.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def read(tmp_path, text, at, **options):
    return parse_target(write(tmp_path, text), **options).values(np.array(at, dtype=float), 10.0)


def test_points_are_joined_by_lines_and_held_at_both_ends(tmp_path):
    text = "time,value\n1,500\n3,1500\n5,1000\n"
    assert read(tmp_path, text, [0, 1, 2, 3, 4, 5, 9]) == pytest.approx([500, 500, 1000, 1500, 1250, 1000, 1000])


@pytest.mark.parametrize(
    "text",
    [
        "0,100\n10,200\n",
        "seconds,hertz\n0,100\n10,200\n",
        "\ufefftime,value\r\n0,100\r\n10,200\r\n",
        "# drawn by hand\n\n0, 100\n ,\n10, 200\n",
        "0;100,0\n10;200,0\n",
        "0\t100\n10\t200\n",
        "time,code,value\n0,7,100\n10,8,200\n",
        "0,100Hz\n10,0.2kHz\n",
    ],
)
def test_dialects(tmp_path, text):
    assert read(tmp_path, text, [0, 5, 10]) == pytest.approx([100, 150, 200])


def test_a_report_of_a_render_is_a_target_again(tmp_path):
    text = "time,target_f0,measured_f0,target_centroid,measured_centroid\n0,440,441,900,901\n1,220,221,950,949\n"
    assert read(tmp_path, text, [0, 1], descriptor="centroid") == pytest.approx([900, 950])
    assert read(tmp_path, text, [0, 1], descriptor="f0") == pytest.approx([440, 220])


def test_notes_are_values_in_hertz(tmp_path):
    path = write(tmp_path, "0,A4\n1,A5\n")
    target = parse_target(path)
    assert target.unit == "Hz" and target.natural_duration == 1.0
    assert target.values(np.array([0.0, 1.0]), 1.0) == pytest.approx([440, 880])
    with pytest.raises(UsageError, match="is in Hz"):
        parse_target(path, descriptor="gain")


def test_two_points_at_one_time_make_a_jump(tmp_path):
    assert read(tmp_path, "0,100\n1,100\n1,200\n2,200\n", [0.999, 1.0, 1.5]) == pytest.approx([100, 200, 200])


def test_values_are_stretched_only_onto_a_given_range(tmp_path):
    target = parse_target(write(tmp_path, "0,100\n5,400\n10,200\n"))
    times = np.array([0.0, 5.0, 10.0])
    assert target.takes_range and not target.needs_range
    assert target.values(times, 10.0) == pytest.approx([100, 400, 200])
    assert target.values(times, 10.0, 0.0, 3.0) == pytest.approx([0, 3, 1])
    assert target.values(times, 10.0, 1000.0, 4000.0, log=True) == pytest.approx([1000, 4000, 2000])
    flat = parse_target(write(tmp_path, "0,100\n5,100\n"))
    assert flat.values(times, 10.0, 0.0, 3.0) == pytest.approx([1.5, 1.5, 1.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no breakpoints"),
        ("time,value\n", "no breakpoints"),
        ("# nothing\n\n", "no breakpoints"),
        ("0,100\n", "one breakpoint makes no curve.*100 as the target"),
        ("time,value\n0,100\n1,nan\n", "line 3: nan"),
        ("0,100\n1,inf\n", "line 2: inf"),
        ("nan,100\n1,100\n", "line 1: time 'nan'"),
        ("0,100\ninf,100\n", "line 2: time 'inf'"),
        ("0,100\n2,200\n\n1,300\n", "line 4: time runs backwards from 2 to 1 s"),
        ("0,100\n1,loud\n", "line 2: value 'loud' is not a number"),
        ("0,100\nsoon,200\n", "line 2: time 'soon'"),
        ("0,100\n1,\n", "line 2: value ''"),
        ("0,100\n1\n", r"line 2: found 1 column\(s\) and need 2"),
        ("0,100\n1,20Q\n", "line 2: .*unknown unit 'Q'"),
        ("0,A4\n1,-6dB\n", "Hz and in dB"),
        (b"\xff\xfe\x00\x01\x80", "not a text file"),
    ],
)
def test_bad_files_are_named_with_the_line_and_the_remedy(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        parse_target(path)
    assert str(caught.value).startswith(path) and "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="absent.csv: no such file"):
        parse_target(str(tmp_path / "absent.csv"))
