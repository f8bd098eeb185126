"""A blind listening test as one page that needs no network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.listening.sounds import comparable, lowpassed
from vqsynth.storage.atomic import check_apart, check_folder, write_text
from vqsynth.storage.html_page import with_data
from vqsynth.version import __version__

BUILT = Path(__file__).parent / "built"
"""Made from ``web/abx`` by ``npm run build:abx``."""
ANCHORS = (3500.0, 7000.0)
"""Low-pass anchors of ITU-R BS.1534-3, Hz."""
MOST_TRIALS = 200
LARGEST = 48 << 20
"""Bytes of all sounds in a page; as text they are a third more."""


def listening_test(
    sounds: Sequence[str | Path],
    output: str | Path,
    trials: int = 16,
    seed: int | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    match: bool = True,
    anchors: bool = True,
    title: str | None = None,
) -> dict[str, Any]:
    """Write a blind listening test: ABX of the first sound with every other, and a rating of all.

    Args:
        sounds: files; the first is the reference.
        output: the page, ``.html``.
        trials: ABX trials of each pair.
        seed: of the order; None: every visit has an order of its own. It is in the results.
        start: of the part that is heard, seconds.
        seconds: its length; None: to the end of the shortest.
        match: whether all sounds become equally loud.
        anchors: whether the rating has the reference low-passed at 3.5 and 7 kHz among the sounds (ITU-R BS.1534-3).
        title: of the page.

    Returns:
        What is in it: ``sounds`` with loudness, gain and rate, ``seconds``, ``bytes``, ``level``.

    Raises:
        UsageError: too few or too many sounds or trials, an unknown suffix, no such part.
        VqsynthError: a file is missing, damaged, silent or too long, or all together are too large.
    """
    output, paths = Path(output), [Path(sound) for sound in sounds]
    if output.suffix.lower() != ".html":
        raise UsageError("the name must end in .html", field="output", value=output)
    if not 1 <= trials <= MOST_TRIALS:
        raise UsageError(f"give 1 to {MOST_TRIALS} trials", field="trials", value=trials)
    if seed is not None and not 0 <= seed < 1 << 32:
        raise UsageError("give a number from 0 to 4294967295", field="seed", value=seed)
    check_apart(output, *paths)
    check_folder(output.parent)
    ready = comparable(paths, start, seconds, match)
    rate = ready[0].sample_rate
    hidden = [lowpassed(ready[0], hertz) for hertz in ANCHORS if anchors and 2.2 * hertz < rate]
    files = [sound.flac() for sound in (*ready, *hidden)]
    if sum(map(len, files)) > LARGEST:
        raise VqsynthError(
            f"the sounds are {sum(map(len, files)) / 1e6:.0f} MB, more than a page should hold; "
            f"take fewer ({LARGEST / 1e6:.0f} MB), or a part by `start` and `duration`"
        )
    described = [
        {"name": sound.name, "lufs": sound.lufs, "gain_db": sound.gain_db, "own_rate": sound.own_rate}
        for sound in ready
    ]
    level = ready[0].lufs + ready[0].gain_db if match and ready[0].lufs is not None else None
    card = {
        "title": title or "Listening test",
        "test": hashlib.sha256(b"".join(files)).hexdigest()[:12],
        "sounds": described,
        "anchors": [sound.name for sound in hidden],
        "sample_rate": rate,
        "seconds": len(ready[0].audio) / rate,
        "level": level,
        "trials": trials,
        "seed": seed,
        "vqsynth_version": __version__,
    }
    data = {"card": card} | {f"sound{number}": file for number, file in enumerate(files)}
    text = with_data(BUILT / "template.html", str(card["title"]), data)
    write_text(output, text)
    return card | {"bytes": len(text.encode())}
