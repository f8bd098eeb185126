"""The table survives the disk, and a damaged one is refused with the place named."""

import subprocess
import sys

import numpy as np
import pytest

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.library.table import Table


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    f0 = 220 * 2 ** rng.uniform(0, 2, 60)
    f0[5:12] = np.nan
    return Table(
        values={"centroid": rng.uniform(500, 4000, 60), "f0": f0},
        std={"centroid": rng.uniform(1, 50, 60), "f0": np.full(60, 0.5)},
        usage=rng.integers(0, 1000, 60),
        voicing=np.where(np.isnan(f0), 0.1, 1.0),
    )


def test_disk_keeps_everything(table, tmp_path):
    table.save(tmp_path / "descriptors.csv")
    back = Table.load(tmp_path / "descriptors.csv")
    header = (tmp_path / "descriptors.csv").read_text().splitlines()[0]
    assert header == "code,usage,centroid,centroid_std,f0,f0_std,f0_voicing"
    assert back.names == table.names and back.K == 60
    for name in table.names:
        np.testing.assert_allclose(back.values[name], table.values[name], rtol=1e-6)
        np.testing.assert_allclose(back.std[name], table.std[name], rtol=1e-3)
    np.testing.assert_array_equal(back.usage, table.usage)
    np.testing.assert_allclose(back.voicing, table.voicing)


def test_rows_in_any_order_spaces_and_a_byte_order_mark(table, tmp_path):
    path = tmp_path / "descriptors.csv"
    table.save(path)
    header, *rows = path.read_text().splitlines()
    path.write_text(
        "\ufeff" + header.replace(",", ", ") + "\r\n" + "\r\n".join(reversed(rows)) + "\r\n\r\n", encoding="utf-8"
    )
    np.testing.assert_allclose(Table.load(path).column("centroid"), table.column("centroid"), rtol=1e-6)


def test_percentiles_leave_out_codes_without_value(table):
    voiced = table.column("f0")[np.isfinite(table.column("f0"))]
    assert table.percentile("f0", 50) == pytest.approx(np.median(voiced))
    lo, hi = table.percentile("f0", [0, 100])
    assert (lo, hi) == (voiced.min(), voiced.max())
    bright = table.column("centroid") > 2000
    assert table.percentile("centroid", 0, among=bright) == table.column("centroid")[bright].min()
    with pytest.raises(UsageError, match="f0"):
        table.percentile("f0", 50, among=np.isnan(table.column("f0")))


def test_unknown_descriptor_is_answered_with_the_nearest(table):
    with pytest.raises(UsageError, match="did you mean centroid"):
        table.column("centroids")


GOOD = "code,usage,centroid,centroid_std\n0,1,500,3\n1,2,600,4\n"


@pytest.mark.parametrize(
    "text, what",
    [
        ("", "holds no codes"),
        ("code,usage,centroid\n", "holds no codes"),
        ("time,value\n0,1\n", "no column 'code'"),
        (GOOD.replace("600", "bright"), "line 3, column 'centroid'"),
        (GOOD.replace("600", "inf"), "line 3, column 'centroid'"),
        (GOOD.replace("600", "-600"), "code 1, column 'centroid'"),
        (GOOD.replace("1,2,", "0,2,"), "column 'code'"),
        (GOOD.replace("1,2,", ",2,"), "column 'code'"),
        (GOOD.replace("1,2,", "1,-2,"), "column 'usage'"),
        (GOOD.replace(",4", ""), "line 3"),
        (GOOD.replace("centroid_std", "centroid"), "two of one name"),
        ("code,usage\n0,1\n", "no descriptor"),
        (GOOD.replace("centroid_std", "f0_voicing"), "f0_voicing"),
    ],
)
def test_damaged_table_is_refused_by_name(tmp_path, text, what):
    path = tmp_path / "descriptors.csv"
    path.write_text(text)
    with pytest.raises(VqsynthError, match=what) as caught:
        Table.load(path)
    assert str(path) in str(caught.value)


def test_binary_and_missing_files(tmp_path):
    (tmp_path / "x.csv").write_bytes(bytes(range(256)))
    for path in (tmp_path / "x.csv", tmp_path / "missing.csv", tmp_path):
        with pytest.raises(VqsynthError, match=path.name):
            Table.load(path)


def test_failed_write_leaves_the_old_file(table, tmp_path):
    path = tmp_path / "descriptors.csv"
    table.save(path)
    before = path.read_bytes()
    # A process that may write no more than 100 bytes a file meets what a full disk is.
    program = (
        "import resource, signal, sys; from vqsynth.library.table import Table;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); table = Table.load(sys.argv[1]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); table.save(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program, str(path)], capture_output=True, text=True)
    assert "VqsynthError" in done.stderr and "could not be written" in done.stderr
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["descriptors.csv"]
