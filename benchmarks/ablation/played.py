"""What playing adds: one centroid sine on a held pitch, with more and more of what makes it alive.

python -m benchmarks.ablation.played [--timbre violin] [--into docs/method.md]
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

from benchmarks.life.measures import measure
from benchmarks.tables import markdown, number, percent, write_into
from benchmarks.tracking.goals import correlation
from vqsynth.render.played.play import PlayedOptions
from vqsynth.render.played.search import PlayedSettings

OWN = PlayedSettings()
ROWS: dict[str, PlayedOptions] = {
    "`--life 0`: codes, nothing moves": PlayedOptions(life=0),
    **{
        f"price of a jump {price:g}": PlayedOptions(search=dataclasses.replace(OWN, price=price, foreign=price))
        for price in (3.0, 10.0, 100.0)
    },
    "`--life 0.5`": PlayedOptions(life=0.5),
    f"default: price {OWN.price:g}, life 1": PlayedOptions(),
    "`--articulation legato`": PlayedOptions(articulation="legato"),
}
HEADER = ("", "mean run", "r, error of 0.5 s means", "level", "vibrato", "centroid", "flux", "flutter", "attack")


def row(timbre: str, pitch: str, options: PlayedOptions, folder: Path) -> list[str]:
    """One render as table cells."""
    import vqsynth
    from vqsynth.control.request import Request
    from vqsynth.render.render import RenderSettings, render

    requests = [Request("centroid", "sin"), Request("f0", pitch)]
    path = folder / "out.wav"
    done = render(
        vqsynth.load(timbre), requests, RenderSettings(duration=24, played=options), output=path, figure=False
    )
    mean, played = done.report["descriptors"]["centroid"]["mean"], done.report.get("played")
    found = measure(path).values
    return [
        "-" if played is None else f"{played['mean_run_seconds']:.1f} s",
        f"{correlation(mean['pearson'])}, {percent(mean['median_relative_error'])}",
        number(found["level"], 2, " dB"),
        number(found["vibrato"], 1, " c"),
        number(found["centroid"], 2, " st"),
        number(found["flux"], 2, " dB"),
        number(found["flutter"], 2, " dB"),
        number(found["attack"], 0, " ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ablation.played",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--timbre", default="violin")
    parser.add_argument("--pitch", default="A4")
    parser.add_argument("--into", type=Path, help="page whose block 'played' is replaced by the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [[label, *row(options.timbre, options.pitch, how, Path(folder))] for label, how in ROWS.items()]
    title = f"**Playing.** {options.timbre.capitalize()}, a centroid sine over p10:p90 on {options.pitch}, 24 s:"
    text = f"{title}\n\n{markdown(HEADER, rows)}"
    print(text)
    if options.into:
        write_into(options.into, "played", text)


if __name__ == "__main__":
    main()
