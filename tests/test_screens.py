"""The screenshots that the README shows: there, not many, not large."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


def test_screens_are_few_and_small():
    shown = set(re.findall(r"docs/screens/(\w+\.png)", (ROOT / "README.md").read_text(encoding="utf-8")))
    there = {path.name: path for path in (ROOT / "docs" / "screens").glob("*.png")}
    assert shown == there.keys() and 0 < len(there) <= 4
    for path in there.values():
        assert path.stat().st_size < 250_000
        with Image.open(path) as image:
            assert image.size == (1280, 800)
            # Something is on it.
            assert len(image.convert("L").getcolors(256)) > 32
