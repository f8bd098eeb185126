"""What a part found: rows that become one table, a line for each subject, a column for each figure."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Iterable

from benchmarks.tables import markdown, number
from vqsynth.errors import VqsynthError


class Gap(Exception):
    """A figure cannot be taken, and why: no such domain, corpus or checkpoint."""


@dataclasses.dataclass
class Row:
    """One figure, or a gap (``what`` is empty, ``text`` says why).

    Attributes:
        part: the table.
        subject: the line.
        what: the column.
        value: the figure.
        text: the figure as shown.
        goal: in words.
        reached: None where there is no goal.
    """

    part: str
    subject: str
    what: str
    value: float = float("nan")
    text: str = ""
    goal: str = ""
    reached: bool | None = None

    def record(self) -> dict[str, object]:
        return dataclasses.asdict(self)


def row(
    part: str,
    subject: str,
    what: str,
    value: float,
    digits: int = 2,
    unit: str = "",
    goal: str = "",
    reached: Callable[[float], bool] | None = None,
) -> Row:
    """A figure with its verdict; a figure that is no number reaches no goal."""
    verdict = None if reached is None else bool(value == value and reached(value))
    return Row(part, subject, what, float(value), number(value, digits, unit), goal, verdict)


def collect(part: str, subjects: Iterable[str], measure: Callable[[str], list[Row]]) -> list[Row]:
    """Rows of every subject; one that cannot be measured is a stated gap."""
    rows: list[Row] = []
    for subject in subjects:
        print(f"{part}: {subject} ...", flush=True)
        try:
            rows += measure(subject)
        except (Gap, VqsynthError) as gap:
            rows.append(Row(part, subject, "", text=str(gap)))
        except Exception as error:
            # The others still stand.
            traceback.print_exc()
            rows.append(Row(part, subject, "", text=f"{type(error).__name__}: {error}"))
    return rows


def table(rows: list[Row], first: str = "domain") -> str:
    """Markdown: a line for each subject; what falls short of its goal is named in the last column."""
    columns = list(dict.fromkeys(r.what for r in rows if r.what))
    goals = {r.what: r.goal for r in rows if r.goal}
    lines: list[list[str]] = [["goal", *(goals.get(column, "") for column in columns), ""]] if goals else []
    for subject in dict.fromkeys(r.subject for r in rows):
        own = {r.what: r for r in rows if r.subject == subject}
        short = [r.what for r in own.values() if r.reached is False]
        notes = [r.text for r in rows if r.subject == subject and not r.what]
        judged = any(r.reached is not None for r in own.values())
        verdict = "short: " + "; ".join(short) if short else "pass" if judged and not notes else ""
        cells = [own[column].text if column in own else "-" for column in columns]
        lines.append([subject, *cells, "; ".join([verdict, *(f"gap: {note}" for note in notes)]).strip("; ")])
    return markdown([first, *columns, ""], lines)


def score(rows: list[Row]) -> str:
    """How many figures with a goal reach it, in words."""
    judged = [r for r in rows if r.reached is not None]
    gaps = sum(not r.what for r in rows)
    text = f"{sum(bool(r.reached) for r in judged)} of {len(judged)} figures with a goal reach it"
    return text + (f"; {gaps} not taken" if gaps else "") + "."
