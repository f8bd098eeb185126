"""Puts a network and its card into the page that ships with this package."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from vqsynth.errors import VqsynthError
from vqsynth.storage.html_page import with_data

BUILT = Path(__file__).parent / "built"
"""Made from ``web/onepage`` by ``npm run build:onepage``."""


def page(network: bytes, card: dict[str, Any]) -> str:
    """The page of a model.

    Args:
        network: the ONNX file.
        card: what was exported with it.

    Raises:
        VqsynthError: the installation lacks the page.
    """
    try:
        runtime = (BUILT / "runtime.wasm.gz").read_bytes()
    except FileNotFoundError as error:
        raise VqsynthError(f"{error.filename} is missing; install vqsynth anew") from error
    parts = {"card": card, "model": gzip.compress(network, 9, mtime=0), "runtime": runtime}
    return with_data(BUILT / "template.html", str(card["name"]), parts)
