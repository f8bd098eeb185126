"""Puts a network and its card into the page that ships with this package."""

from __future__ import annotations

import base64
import gzip
import html
import json
from pathlib import Path
from typing import Any

from vqsynth.errors import VqsynthError

BUILT = Path(__file__).parent / "built"
"""Made from ``web/onepage`` by ``npm run build:onepage``."""
_PLACE = "<!--vqsynth:data-->"


def page(network: bytes, card: dict[str, Any]) -> str:
    """The page of a model.

    Args:
        network: the ONNX file.
        card: what was exported with it.

    Raises:
        VqsynthError: the installation lacks the page.
    """
    try:
        template = (BUILT / "template.html").read_text(encoding="utf-8")
        runtime = (BUILT / "runtime.wasm.gz").read_bytes()
    except FileNotFoundError as error:
        raise VqsynthError(f"{error.filename} is missing; install vqsynth anew") from error
    # Nothing in a card may end the element that it stands in.
    plain = json.dumps(card).replace("<", "\\u003c")
    parts = (
        ("card", "application/json", plain),
        ("model", "text/plain", _letters(gzip.compress(network, 9, mtime=0))),
        ("runtime", "text/plain", _letters(runtime)),
    )
    data = "\n".join(f'<script type="{kind}" id="{name}">{text}</script>' for name, kind, text in parts)
    title = f"<title>{html.escape(str(card['name']))} · vqsynth</title>"
    return template.replace("<title>vqsynth</title>", title).replace(_PLACE, data)


def _letters(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
