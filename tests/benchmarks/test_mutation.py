"""Mutation testing finds the line that no test sees, and no other."""

import pytest

from benchmarks.mutation.__main__ import survivors
from benchmarks.mutation.mutants import mutants

MODULE = '''"""Two functions: 1 + 1."""

def area(width: float, height: float) -> float:
    """Width * height."""
    return width * height


def forgotten(width: float) -> float:
    return -width
'''
TEST = "from tiny.shapes import area, forgotten\n\n\ndef test_area():\n    assert area(2, 3) == 6 and forgotten\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "__init__.py").touch()
    (tmp_path / "tiny" / "shapes.py").write_text(MODULE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_shapes.py").write_text(TEST)
    return tmp_path


def test_what_a_test_sees_dies_and_what_none_sees_survives(project, capsys):
    alive = survivors((project / "tiny" / "shapes.py").relative_to(project), ["tests"], root=project)
    assert [m.change for m in alive] == ["-width  ->  +width"]
    assert {m.line for m in alive} == {9}
    out = capsys.readouterr().out
    assert "killed   tiny/shapes.py:5: width * height  ->  width / height" in out
    assert "2 of 2 mutants tried, 1 killed, 1 survived" in out
    assert (project / "tiny" / "shapes.py").read_text() == MODULE


def test_tests_that_fail_without_a_fault_are_refused(project):
    (project / "tests" / "test_shapes.py").write_text("def test_wrong():\n    assert False\n")
    with pytest.raises(SystemExit, match="without a fault"):
        survivors((project / "tiny" / "shapes.py").relative_to(project), ["tests"], root=project)


def test_every_kind_of_fault_is_made_once_and_parses():
    source = (
        "def f(x: int = 1, on=True):\n    total = max(x, -x) if x < 2 and on else 0\n"
        "    total += x\n    log(total)\n    total = total ** 2\n    return total, x\n"
    )
    made = [m.change for m in mutants(source)]
    for change in (
        "x < 2  ->  x <= 2", "max  ->  min", "-x  ->  +x", "True  ->  False", "total += x  ->  total -= x",
        "total += x  ->  pass", "log(total)  ->  pass", "total = total ** 2  ->  pass",
        "return (total, x)  ->  return (x, total)", "total ** 2  ->  total * 2",
        "x < 2 and on  ->  x < 2 or on", "if x < 2 and on  ->  if not (x < 2 and on)", "1  ->  2",
    ):  # fmt: skip
        assert made.count(change) == 1, change
    texts = [m.source for m in mutants(source)]
    assert len(set(texts)) == len(texts)
    for text in texts:
        compile(text, "mutant", "exec")
