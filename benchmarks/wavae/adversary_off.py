"""Train a domain without the adversary that keeps loudness out of its latent, all else as in `vqsynth wavae train`.

    python -m benchmarks.wavae.adversary_off CORPUS_DIR --seconds 780 --output DIR

`python -m benchmarks.wavae --adversary-off NAME=DIR` then states how much loudness the latent tells without it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from vqsynth.wavae.training.settings import WavaeSettings
from vqsynth.wavae.training.train import train_domain


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.wavae.adversary_off",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS_DIR")
    parser.add_argument("--seconds", type=float, default=780.0, help="of training; the same as the domain's")
    parser.add_argument("--steps", type=int, help="instead of seconds")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    length = {"steps": options.steps} if options.steps else {"seconds": options.seconds}
    domain = train_domain(
        options.corpus,
        options.output,
        settings=WavaeSettings(control_weight=0.0, dependence_weight=0.0, **length),
        device="cpu",
    )
    print(f"{domain.path}: {domain.card['quality']}")


if __name__ == "__main__":
    main()
