"""The figures of many renders on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from vqsynth.storage.atomic import atomic_path

WIDTH, CAPTION = 480, 18
PER_SHEET = 120


def draw_contact_sheets(folder: Path, names: Sequence[str]) -> list[Path]:
    """Draw ``contact_sheet.png`` (and ``contact_sheet_2.png`` ... of more than 120) from ``NAME.png``.

    Returns:
        The sheets, none if there is no figure.

    Raises:
        VqsynthError: a sheet cannot be written.
    """
    names = [name for name in names if (folder / f"{name}.png").is_file()]
    sheets = []
    for number, start in enumerate(range(0, len(names), PER_SHEET), 1):
        path = folder / ("contact_sheet.png" if number == 1 else f"contact_sheet_{number}.png")
        _draw(path, folder, names[start : start + PER_SHEET])
        sheets.append(path)
    return sheets


def _draw(path: Path, folder: Path, names: Sequence[str]) -> None:
    from PIL import Image, ImageDraw, ImageFont

    # Cells have the shape of the first figure; the others are fitted in.
    with Image.open(folder / f"{names[0]}.png") as first:
        height = round(WIDTH * first.height / first.width)
    columns = min(6, max(1, math.ceil(math.sqrt(len(names)))))
    rows = math.ceil(len(names) / columns)
    sheet = Image.new("RGB", (columns * WIDTH, rows * (height + CAPTION)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for place, name in enumerate(names):
        left, top = place % columns * WIDTH, place // columns * (height + CAPTION)
        with Image.open(folder / f"{name}.png") as stored:
            figure = stored.convert("RGB")
            figure.thumbnail((WIDTH, height), Image.Resampling.LANCZOS)
            sheet.paste(figure, (left + (WIDTH - figure.width) // 2, top + CAPTION))
        # The checksum at the end of a name says nothing to a reader.
        draw.text((left + 6, top + 2), name.rpartition("_")[0] or name, fill="black", font=font)
    with atomic_path(path) as temporary:
        sheet.quantize(128).save(temporary, optimize=True)
