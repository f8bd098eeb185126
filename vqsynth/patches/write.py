"""Patches for models, written beside their exported files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from vqsynth.errors import UsageError
from vqsynth.export.card import Card
from vqsynth.export.models import find, instrument_of
from vqsynth.export.write import export
from vqsynth.patches.descriptors import descriptors_patch
from vqsynth.patches.drawing import Patch
from vqsynth.patches.feedback import feedback_patch
from vqsynth.patches.helping import help_patch
from vqsynth.patches.keyboard import keyboard_patch
from vqsynth.patches.latents import latents_patch
from vqsynth.patches.maxmsp import max_text
from vqsynth.patches.parts import Model
from vqsynth.patches.pd import pd_text
from vqsynth.patches.supercollider import supercollider_text
from vqsynth.storage.atomic import check_folder, together, write_text

MODELS = ("violin", "strings")
"""A model of either kind."""
HOSTS = ("pd", "max", "supercollider")
PATCHES: dict[str, dict[str, Callable[[Model], Patch]]] = {
    "timbre": {
        "help": help_patch,
        "feedback": feedback_patch,
        "descriptors": descriptors_patch,
        "keyboard": keyboard_patch,
    },
    "wavae": {
        "help": help_patch,
        "feedback": feedback_patch,
        "latents": latents_patch,
        "keyboard": keyboard_patch,
    },
}
BUFFER_HOPS = 2
"""Of a model's hop: the size of nn~'s buffer."""


@dataclasses.dataclass(frozen=True)
class PatchesOf:
    """What was written for a model.

    Attributes:
        card: of the model.
        files: that were written, the patches first.
        command: that writes the model's file, where it was not.
    """

    card: Card
    files: tuple[Path, ...]
    command: str


def files_of(card: Card, hosts: Sequence[str] = HOSTS) -> dict[str, str]:
    """All files of a model's patches by their names."""
    model = Model(card, BUFFER_HOPS * card.hop_length)
    found = {}
    for name, draw in PATCHES[card.kind].items():
        patch = draw(model)
        if "pd" in hosts:
            found[f"{name}.pd"] = pd_text(patch)
        if "max" in hosts:
            found[f"{name}.maxpat"] = max_text(patch)
    if "supercollider" in hosts:
        found[f"{card.name}.scd"] = supercollider_text(model)
    return found


def write_patches(
    names: Sequence[str],
    folder: str | Path,
    kind: str = "auto",
    rate: int | None = None,
    hosts: Sequence[str] = HOSTS,
    models: bool = True,
) -> list[PatchesOf]:
    """Write the patches of models, each into a folder of its own, and the models' files beside them.

    Args:
        names: of timbres and domains, or paths of their folders; none: a timbre and a domain.
        folder: in which a folder for each is made.
        kind: ``timbre`` or ``wavae``, where there are both of one name.
        rate: of the host, Hz; None: the models' own.
        hosts: ``pd``, ``max``, ``supercollider``.
        models: whether the models are exported, too, which takes some seconds each.

    Raises:
        UsageError: no such model, host or rate, or two models of one name.
        VqsynthError: a model is damaged, or failed the tests of its export.
    """
    wrong = [host for host in hosts if host not in HOSTS]
    if wrong or not hosts:
        raise UsageError(f"choose from {', '.join(HOSTS)}", field="host", value=" ".join(wrong))
    folder = Path(folder)
    check_folder(folder)
    found = [instrument_of(find(name, kind), rate=rate)[1] for name in names or MODELS]
    if len({card.name for card in found}) < len(found):
        raise UsageError("two models have one name; write each into a folder of its own", field="model")
    done = []
    for name, card in zip(names or MODELS, found):
        place = folder / card.name
        place.mkdir(parents=True, exist_ok=True)
        script = place / f"{card.name}.ts"
        if models:
            export(name, script, kind, rate=rate)
        texts = files_of(card, hosts)
        with together():
            for file, text in texts.items():
                write_text(place / file, text)
        written = [place / file for file in texts]
        more = f" --rate {rate}" if rate else ""
        which = f" --kind {card.kind}" if kind != "auto" else ""
        command = "" if models else f"vqsynth export {name}{which}{more} -o {script}"
        done.append(PatchesOf(card, tuple(written), command))
    return done
