"""Pages that ship with the package, and data put into them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqsynth.errors import VqsynthError

_TITLE, _PLACE = "<title>vqsynth</title>", "<!--vqsynth:data-->"


def with_data(template: Path, title: str, data: Mapping[str, Any]) -> str:
    """A page with data in it, each an element of its name: bytes as base64, everything else as JSON.

    Args:
        template: the page as it was built.
        title: goes before the program's name.
        data: by the names of the elements.

    Raises:
        VqsynthError: the installation lacks the page.
    """
    try:
        text = template.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise VqsynthError(f"{template} is missing; install vqsynth anew") from error
    elements = "\n".join(_element(name, content) for name, content in data.items())
    return text.replace(_TITLE, f"<title>{html.escape(title)} · vqsynth</title>").replace(_PLACE, elements)


def _element(name: str, content: Any) -> str:
    if isinstance(content, bytes):
        return f'<script type="text/plain" id="{name}">{base64.b64encode(content).decode("ascii")}</script>'
    # Nothing in it may end the element that it stands in.
    plain = json.dumps(content).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{plain}</script>'
