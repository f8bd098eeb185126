"""A finished run to a domain folder: principal axes, measured quality, card."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vqsynth.dsp import loudness
from vqsynth.storage.compact import compact, expand
from vqsynth.training.prepare import LEVEL_LUFS
from vqsynth.training.prepared import Prepared
from vqsynth.version import __version__
from vqsynth.wavae.domain import Domain, save
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.paths import pca
from vqsynth.wavae.training.figures import draw_figures
from vqsynth.wavae.training.prune import hold_still, living
from vqsynth.wavae.training.quality import held_out_quality

CORPUS_FRAMES, CORPUS_DB = 2000, 30.0
"""Latents that are kept for transfer, and how far below the loudest of their recording they may be."""


def pieces_of(corpus: Prepared, held_out: bool) -> Iterator[np.ndarray]:
    """Audio [samples] of every training or held-out piece."""
    for piece in corpus.pieces:
        if piece.held_out == held_out:
            yield np.array(corpus.audio[piece.start : piece.start + piece.samples])


def active_latents(model: Wavae, corpus: Prepared) -> np.ndarray:
    """Latents of the training recordings where they are not silent. Shape: [frames, latent_dim]."""
    rows = []
    for audio in pieces_of(corpus, False):
        z, controls = model.encode(audio)
        rows.append(z[controls[:, 0] > controls[:, 0].max() - 60])
    return np.concatenate(rows)


def choose_latents(
    model: Wavae, sounds: Iterable[np.ndarray], count: int = CORPUS_FRAMES, seed: int = 0
) -> dict[str, np.ndarray]:
    """Latents that stand for recordings in a transfer, of frames within 30 dB of the loudest of each.

    They are drawn evenly from all frames: sounds that are frequent stay so. The model is asked
    with the pitch as a control and, of every third recording, without, for sounds whose pitch is left to the latents.

    Args:
        model: of the domain.
        sounds: recordings, each [samples].
        count: of latents, at most.
        seed: of the choice.

    Returns:
        ``corpus.latents`` [n, latent_dim] and ``corpus.voicing`` [n] float16.
    """
    rows: list[np.ndarray] = []
    for number, audio in enumerate(sounds):
        for free in (False, True)[: 2 if number % 3 == 0 else 1]:
            z, controls = model.encode(audio, free)
            loud = controls[:, 0] > controls[:, 0].max() - CORPUS_DB
            rows.append(np.column_stack([z, controls[:, 2]])[loud].astype(np.float16))
    table = np.concatenate(rows)
    chosen = table[np.sort(np.random.default_rng(seed).permutation(len(table))[:count])]
    return {"corpus.latents": chosen[:, :-1], "corpus.voicing": chosen[:, -1]}


def pitch_range(f0: np.ndarray) -> dict[str, list[float]]:
    """Lowest and highest pitch of the recordings, Hz (1st and 99th percentile); empty without any.

    Shape:
        [frames] Hz, 0 where unvoiced
    """
    voiced = f0[f0 > 0]
    return {"pitch_hz": [round(float(hz), 1) for hz in np.percentile(voiced, [1, 99])]} if len(voiced) > 100 else {}


def build(
    folder: Path,
    name: str,
    model: Wavae,
    corpus: Prepared,
    training: dict[str, Any],
    sources: list[dict[str, Any]],
    description: str = "",
) -> Domain:
    """Write weights, axes, figures and card of a finished run.

    Args:
        folder: to write into.
        name: of the domain.
        model: trained; latents that tell nothing are held still, weights rounded to eight bits.
        corpus: that it was trained on.
        training: facts of the run.
        sources: provenance of the recordings.
        description: one line for the card.
    """
    model = model.cpu().eval()
    used, means = living(model, pieces_of(corpus, False))
    hold_still(model.encoder, ~used, means)
    # Quality and axes are those of the weights as stored.
    model.load_state_dict({name: weight.float() for name, weight in expand(compact(model.state_dict())).items()})
    axes = pca.fit(active_latents(model, corpus))
    held_out = list(pieces_of(corpus, True))
    card = {
        "wavae": {
            "name": name,
            "format_version": Domain.FORMAT_VERSION,
            "loudness_version": loudness.VERSION,
            "description": description,
            "created": datetime.date.today().isoformat(),
            "vqsynth_version": __version__,
        },
        "model": {**model.config.model_dump(), "controls": list(model.config.controls)},
        "training": {
            **training,
            "level_lufs": LEVEL_LUFS,
            **pitch_range(corpus.f0),
        },
        "source": sources,
        "quality": held_out_quality(model, held_out),
    }
    voiced = corpus.f0[corpus.f0 > 0]
    pitch = float(np.median(voiced)) if len(voiced) > 0.3 * len(corpus.f0) else None
    draw_figures(folder / "figures", name, model, axes, held_out, pitch)
    return save(folder, model, axes, card, choose_latents(model, pieces_of(corpus, False)))
