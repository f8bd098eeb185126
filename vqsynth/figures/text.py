"""Names of files as titles: plain text, whatever is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def set_title(axes: Axes, text: str, size: float = 10.0, loc: Literal["left", "center"] = "left") -> None:
    """Set a title that may hold the name of a file: no mathematics between dollars, no bytes that are no text.

    Args:
        axes: whose title it is.
        text: any text, also with the surrogates that stand for foreign bytes.
        size: of the letters in points.
        loc: ``left`` or ``center``.
    """
    legible = text.encode("utf-8", "replace").decode("utf-8")
    axes.set_title(legible, loc=loc, fontsize=size, parse_math=False)
