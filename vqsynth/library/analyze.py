"""What does every code sound like? Decode it alone, make the sound, measure it.

Algorithm 1 of Bitton, Esling and Harada (2020), "Vector-quantized timbre representation": a code is repeated for
about 300 ms, decoded and synthesised at gain 1, and the descriptor of that sound is averaged over its frames.
The codes are laid end to end in one long sound; the frames at the joins belong to two codes and are not counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqsynth import descriptors as registry
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.library.index import table_index
from vqsynth.library.table import Table

if TYPE_CHECKING:
    from vqsynth.descriptors import Measurement
    from vqsynth.library.timbre import Timbre
    from vqsynth.vqvae.model import VQVAE

GUARD_SECONDS = 0.06  # on either side of a code's frames: the reach of the longest analysis window
GROUP_SECONDS = 80.0  # sound that is held in memory at a time
Progress = Callable[[float], None]


def analyze(
    timbre: Timbre,
    descriptors: Sequence[str] | None = None,
    seconds: float = 0.3,
    seed: int = 0,
    progress: Progress | None = None,
) -> Table:
    """Measure every code, and write ``descriptors.csv``, ``index.faiss``, ``figures/`` and their checksums.

    With ``descriptors`` given, those columns are measured anew and the others of a whole table stay. Arguments and
    errors are those of :func:`measure_codes`.

    Returns:
        The table as it was written.

    Raises:
        VqsynthError: the folder cannot be written to.
    """
    from vqsynth.figures.codebook import draw
    from vqsynth.library.timbre import INDEX, TABLE, record_files

    table = measure_codes(timbre, descriptors, seconds, seed, progress)
    if descriptors is not None:
        table = _merge(timbre, table)
    table.save(timbre.path / TABLE)
    table_index(table).save(timbre.path / INDEX)
    folder = timbre.path / "figures"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise VqsynthError(f"{folder}: cannot be made ({error.strerror}); check the folder's permissions") from error
    codebook = timbre.model.codebook.numpy()
    for name in table.names:
        draw(folder / f"{name}.png", name, table.column(name), codebook, timbre.name)
    record_files(timbre, [TABLE, INDEX, *(f"figures/{name}.png" for name in table.names)])
    return table


def measure_codes(
    timbre: Timbre,
    descriptors: Sequence[str] | None = None,
    seconds: float = 0.3,
    seed: int = 0,
    progress: Progress | None = None,
) -> Table:
    """Measure descriptors of every code on its sound at gain 1. Nothing is written.

    Args:
        timbre: whose codes are measured.
        descriptors: names; all by default.
        seconds: length of sound that is measured of each code.
        seed: of the noise excitation.
        progress: called with the share of the codes that is done, 0 to 1.

    Returns:
        Means over the valid frames (for f0 the median, and NaN for a code that is voiced in less than half of its
        frames), their standard deviations, the usage by the training recordings and the share of voiced frames.

    Raises:
        UsageError: unknown descriptor, or ``seconds`` out of range.
    """
    names = list(dict.fromkeys(registry.names() if descriptors is None else descriptors))
    for name in names:
        registry.get(name)
    config = timbre.config
    count = round(seconds * config.frame_rate) if 0.02 <= seconds <= 60 else 0
    if not names or not count:
        raise UsageError("an analysis needs at least one descriptor and a length of 0.02 to 60 seconds a code")
    values = {name: np.full(config.n_codes, np.nan) for name in names}
    std = {name: np.full(config.n_codes, np.nan) for name in names}
    voicing = np.zeros(config.n_codes)
    group = max(16, round(GROUP_SECONDS / seconds))
    for start in range(0, config.n_codes, group):
        codes = np.arange(start, min(start + group, config.n_codes))
        sound, rows = _sound(timbre.model, codes, count, 1_000_003 * seed + start)
        options = {"threads": _cores()}
        found = registry.measure(names, sound, config.sample_rate, config.n_fft, config.hop_length, **options)
        for name, measurement in found.items():
            values[name][codes], std[name][codes], share = _summarise(name, measurement, rows)
            if name == "f0":
                voicing[codes] = share
        if progress:
            progress((codes[-1] + 1) / config.n_codes)
    return Table(values, std, timbre.usage, voicing if "f0" in names else None)


def _sound(model: VQVAE, codes: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes one after another as one sound, and which of its frames speak for which code.

    Returns:
        ``(audio float32 [samples], rows int [codes, count])``.
    """
    import torch

    from vqsynth.dsp.source_filter import Frames
    from vqsynth.streaming.convolution import CausalConv1d
    from vqsynth.streaming.synthesizer import FrameStream

    # A repeated code leaves the decoder constant once its memory is full: that frame is decoded and repeated.
    memory = sum(layer.context for layer in model.decoder.modules() if isinstance(layer, CausalConv1d))
    guard = max(4, round(GUARD_SECONDS * model.config.frame_rate))
    length = count + 2 * guard
    steady = model.decode_batch(torch.from_numpy(codes)[:, None].expand(-1, memory + 1))[-1:]
    stream = FrameStream(model.synthesizer(), seed)
    parts = []
    for row in range(0, len(codes), 16):
        block = [x[row : row + 16] for x in (steady.f0, steady.voicing, steady.harmonic, steady.noise)]
        frames = Frames(*(x.repeat_interleave(length, 1).flatten(0, 1) for x in block))
        parts.append(stream.push(frames, torch.ones(len(frames)), last=row + 16 >= len(codes)))
    rows = np.arange(len(codes))[:, None] * length + guard + np.arange(count)
    return np.concatenate(parts), rows


def _summarise(name: str, found: Measurement, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, spread and share of valid frames of each code: three ``[codes]``."""
    valid = found.valid[rows]
    values = np.where(valid, found.values[rows].astype(np.float64), np.nan)
    share = valid.mean(1)
    # One stray frame with a pitch makes no note of a noise.
    use = share >= 0.5 if name == "f0" else share > 0
    value, spread = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    if use.any():
        value[use] = (np.nanmedian if name == "f0" else np.nanmean)(values[use], axis=1)
        spread[use] = np.nanstd(values[use], axis=1)
    return value, spread, share


def _merge(timbre: Timbre, fresh: Table) -> Table:
    """The fresh columns over those of the table on disk, if that is whole and of these weights."""
    try:
        old = timbre.table
    except VqsynthError:
        return fresh
    voicing = old.voicing if fresh.voicing is None else fresh.voicing
    return Table({**old.values, **fresh.values}, {**old.std, **fresh.std}, fresh.usage, voicing)


def _cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
