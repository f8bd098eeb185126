"""Numbers beyond all sense are refused in a sentence."""

from __future__ import annotations

import pytest

from vqsynth.control.limits import check_seed
from vqsynth.control.targets import parse_target
from vqsynth.errors import UsageError


@pytest.mark.parametrize("seed", [-1, 2**63, 10**5000, 1.5, True], ids=range(5))
def test_seeds_that_are_none(seed):
    with pytest.raises(UsageError, match="whole number from 0") as caught:
        check_seed(seed)
    assert caught.value.field == "seed" and len(str(caught.value)) < 100


def test_the_largest_seed_is_one():
    check_seed(0)
    check_seed(2**63 - 1)


@pytest.mark.parametrize("setting", ["rate = 1e308", "rate = 5\ncents = 1e9", "rate = 5\nonset = 1e300"])
def test_a_vibrato_beyond_hearing(setting, tmp_path):
    path = tmp_path / "note.toml"
    path.write_text(f'kind = "note"\nnote = "A4"\n[vibrato]\n{setting}\n')
    with pytest.raises(UsageError, match="rate|cents|onset"):
        parse_target(str(path), descriptor="f0", unit="Hz")
