"""Curves drawn in Pure Data, played through a patch into an exported timbre: how closely sound follows.

python -m benchmarks.realtime.drawn [--timbres violin,trumpet,cello] [--seconds 12] [--csv out.csv]
                                    [--into benchmarks/README.md]

A real Pure Data opens descriptors.pd, in which a ramp or a sine is drawn as an array, and plays it; a stand-in in the
place of nn~ records the signals that arrive. They are fed to the exported file as nn~ does it: loaded with
``torch.jit.load``, in buffers, of every frame the last sample. The sound is measured by vqsynth's own descriptors, and
half-second means are compared with the curve that was drawn.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.realtime import pure_data
from benchmarks.tables import machine, markdown, percent, write_csv, write_into
from vqsynth import descriptors
from vqsynth.descriptors import f0 as tracker
from vqsynth.export.card import Card
from vqsynth.export.models import find, instrument_of
from vqsynth.export.write import save_torchscript
from vqsynth.library.timbre import Timbre
from vqsynth.patches.descriptors import POINTS, note
from vqsynth.patches.write import BUFFER_HOPS, files_of

TIMBRES = ("violin", "trumpet", "cello")
START = 0.25
HOP = 512
"""Of the measurement."""
MEAN, EDGE = 43, 8
"""Frames of half a second, and those left out at the ends."""
R, ERROR, CENTS = 0.99, 0.02, 5.0

SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ramp": lambda share: share,
    "sine": lambda share: 0.5 + 0.5 * np.sin(4 * np.pi * share),
}
"""0 to 1 over the share of the time."""


@dataclasses.dataclass(frozen=True)
class Case:
    """What is drawn: ``shape`` of ``name`` from ``low`` to ``high`` Hz."""

    name: str
    shape: str
    low: float
    high: float

    def at(self, share: np.ndarray) -> np.ndarray:
        """The curve, Hz."""
        share = np.clip(share, 0, 1)
        if self.name == "pitch":
            return self.low * (self.high / self.low) ** SHAPES[self.shape](share)
        return self.low + (self.high - self.low) * SHAPES[self.shape](share)


@dataclasses.dataclass(frozen=True)
class Found:
    """Of half-second means: Pearson's r, mean error, in cents for a pitch, and that of the pitch that is held."""

    r: float
    error: float
    held_cents: float


def signals(card: Card, case: Case, seconds: float) -> np.ndarray:
    """What arrives at nn~ in the patch. Shape: -> [5, samples]."""
    held = {port.name: port for port in card.methods[0].inputs}["pitch"]
    drawn = " ".join(f"{value:.7g}" for value in case.at(np.arange(POINTS) / (POINTS - 1)))
    modes = {"centroid": 2, "pitch": 1} if case.name == "centroid" else {"centroid": 0, "pitch": 2}
    said = [
        (0.1, f"{card.name}-{case.name}-curve 0 {drawn}"),
        *((0.1, f"{card.name}-{name}-mode {mode}") for name, mode in modes.items()),
        (0.1, f"{card.name}-pitch {note(held):.7g}"),
        (0.1, f"{card.name}-seconds {seconds:g}"),
        (START, f"{card.name}-play bang"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        patch = Path(folder) / "descriptors.pd"
        patch.write_text(files_of(card, ["pd"])["descriptors.pd"], encoding="utf-8")
        console = pure_data.play(patch, Path(folder), said, START + seconds + 0.1, ports=5, rate=card.sample_rate)
        if pure_data.problems(console):
            raise RuntimeError(console)
        return pure_data.recorded(Path(folder) / "control.wav")


def sound_of(model: torch.jit.ScriptModule, card: Card, given: np.ndarray) -> np.ndarray:
    """What nn~ would make of signals. Shape: [5, samples] -> [samples]."""
    hop, buffer = card.hop_length, BUFFER_HOPS * card.hop_length
    whole = given.shape[1] // buffer * buffer
    parts = []
    with torch.inference_mode():
        for block in torch.from_numpy(given[:, :whole].copy()).split(buffer, 1):
            frames = block.reshape(1, len(given), -1, hop)[..., -1]
            parts.append(model.control(frames)[0, 0])
    return torch.cat(parts).numpy()


def follow(card: Card, case: Case, model: torch.jit.ScriptModule, seconds: float) -> Found:
    """Draw, play, measure."""
    given = signals(card, case, seconds)
    begin = int(np.flatnonzero(given[4] > 0)[0])
    sound = sound_of(model, card, given)[begin + card.methods[0].delay :][: round(seconds * card.sample_rate)]
    pitch, _, heard = tracker.track(sound, card.sample_rate)
    values = (
        pitch if case.name == "pitch" else descriptors.measure(["centroid"], sound, card.sample_rate)["centroid"].values
    )
    asked = case.at(np.arange(len(values)) * HOP / card.sample_rate / seconds)
    inside = slice(EDGE, -EDGE)
    means = [np.convolve(row[inside], np.ones(MEAN) / MEAN, "valid") for row in (values, asked)]
    r = float(np.corrcoef(*means)[0, 1])
    wanted = asked if case.name == "pitch" else np.full(len(pitch), float(np.median(given[2, begin:])))
    ratio = np.where(heard, pitch, 1.0) / wanted[: len(pitch)]
    cents = float(1200 * np.mean(np.abs(np.log2(ratio[inside]))))
    error = float(
        np.mean(
            np.abs(1200 * np.log2(means[0] / means[1])) if case.name == "pitch" else np.abs(means[0] / means[1] - 1)
        )
    )
    return Found(r, error, cents)


def cases(timbre: Timbre, card: Card) -> list[Case]:
    """A ramp and a sine, of the centroid over p10 to p90 and of the pitch over an octave."""
    low, high = (float(x) for x in timbre.table.percentile("centroid", [10, 90]))
    middle = note({port.name: port for port in card.methods[0].inputs}["pitch"])
    spans = {"centroid": (low, high), "pitch": (middle / 2**0.5, middle * 2**0.5)}
    return [Case(name, shape, *span) for name, span in spans.items() for shape in SHAPES]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.realtime.drawn",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--timbres", default=",".join(TIMBRES))
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--into", type=Path, help="page whose block 'drawn' is replaced by the table")
    options = parser.parse_args()
    if not pure_data.installed():
        raise SystemExit("error: Pure Data (pd) is not installed")
    torch.set_num_threads(1)
    table, rows = [], []
    for name in options.timbres.split(","):
        timbre = find(name, "timbre")
        assert isinstance(timbre, Timbre)
        instrument, card = instrument_of(timbre)
        for case in cases(timbre, card):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"{name}.ts"
                save_torchscript(path, instrument, card)
                found = follow(card, case, torch.jit.load(path), options.seconds)
            good = found.r > R and (found.error < CENTS if case.name == "pitch" else found.error < ERROR)
            shown = f"{found.error:.1f} cents" if case.name == "pitch" else percent(found.error, 1)
            goal = f"0.99, {'5 cents' if case.name == 'pitch' else '2 %'}: {'reached' if good else 'missed'}"
            span = f"{case.low:.0f} to {case.high:.0f} Hz"
            held = "" if case.name == "pitch" else f"{found.held_cents:.1f} cents"
            table.append([name, case.name, case.shape, span, f"{found.r:.4f}", shown, held, goal])
            print(table[-1], flush=True)
            rows.append({"timbre": name, **dataclasses.asdict(case), **dataclasses.asdict(found)})
    head = ["timbre", "drawn", "as a", "over", "r", "mean error", "pitch that is held", ""]
    text = markdown(head, table) + f"\n\nMeasured on: {machine()}."
    print("\n" + text)
    if options.csv:
        write_csv(options.csv, rows)
    if options.into:
        write_into(options.into, "drawn", text)


if __name__ == "__main__":
    main()
