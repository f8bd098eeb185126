"""From codes to finished sound, block by block: decode, bend, tilt, synthesise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from vqsynth.control.resolve import ResolvedTarget
from vqsynth.dsp.source_filter import Frames
from vqsynth.render.refine import Shaper, Wanted
from vqsynth.render.trim import bend_towards
from vqsynth.storage.spool import AudioSpool
from vqsynth.vqvae.model import CodeStream

if TYPE_CHECKING:
    from vqsynth.vqvae.model import VQVAE

BEND_LIMIT = 100.0
"""Cents that a frame's f0 may be bent."""
_BLOCK = 512
_WARM_UP = 24
_EDGE = 3
_FADE = 512

Progress = Callable[[str, float], None]
"""Told what is being done and the share done, 0..1."""


class Player(Protocol):
    """Gives the frames of a render, piece after piece."""

    def pieces(self, count: int) -> Iterator[Frames]:
        """All frames, decoded, in ``count`` pieces."""

    def treat(self, frames: Frames, here: slice) -> Frames:
        """What is to sound, given frames with their final pitch."""


class _Decoder:
    """Frames of codes, decoded as one sequence."""

    def __init__(self, model: VQVAE, codes: np.ndarray) -> None:
        self.model, self.codes = model, codes

    def pieces(self, count: int) -> Iterator[Frames]:
        stream = CodeStream(self.model)
        # The decoder starts in the middle of a note, not out of nothing.
        skip = _WARM_UP - len(stream.push(np.full(_WARM_UP, self.codes[0])))
        for number, block in enumerate(np.array_split(self.codes, count), 1):
            frames = stream.push(block, number == count)
            yield frames[skip:]
            skip = max(0, skip - len(frames))

    def treat(self, frames: Frames, here: slice) -> Frames:
        return frames


def synthesise(
    model: VQVAE,
    codes: np.ndarray,
    gain_db: np.ndarray,
    resolved: Sequence[ResolvedTarget],
    sound: AudioSpool,
    *,
    bend: bool,
    tilt: bool,
    rounds: int,
    seed: int,
    bits: str | None = None,
    bend_limit: float = BEND_LIMIT,
    player: Player | None = None,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Write the sound of ``codes`` into ``sound``.

    Args:
        model: of the timbre.
        codes: int64 [frames].
        gain_db: [frames].
        resolved: what is asked for, frame by frame.
        sound: where the audio goes.
        bend: bring f0 to its goal.
        tilt: bring centroid and bandwidth to theirs.
        rounds: measurements of the sound that correct the tilt.
        seed: of the noise.
        bits: of the file to be, None for none.
        bend_limit: cents that a frame's f0 may be bent.
        player: gives the frames in place of the decoder.
        progress: called with the share that is done, 0 to 1.

    Returns:
        The trims used: ``bend_cents``, ``tilt_db_per_octave``, ``curve_db_per_octave2``, each [frames].
    """
    by_name = {goal.name: goal for goal in resolved}
    steered = {n: by_name[n] for n in ("centroid", "bandwidth") if tilt and n in by_name}
    pitch = by_name.get("f0") if bend else None
    shaper = Shaper(model.synthesizer(), seed, rounds, bits)
    decoder = _Decoder(model, codes) if player is None else player
    gain = torch.from_numpy(10 ** (gain_db / 20)).float()
    counts = np.ones(len(codes), bool)
    for goal in steered.values():
        counts &= goal.mask
    # The outermost windows hold half a sound.
    counts[:_EDGE] = counts[len(codes) - _EDGE :] = False
    # Made at once: small arrays kept from every block would hold the memory between them.
    bends, tilts, curves = (np.zeros(len(codes), np.float32) for _ in range(3))
    done, shaped, count = 0, 0, -(-len(codes) // _BLOCK)
    for number, frames in enumerate(decoder.pieces(count), 1):
        last = number == count
        here = slice(done, done + len(frames))
        done = here.stop
        if pitch is not None:
            cents = bend_towards(frames, torch.from_numpy(pitch.values[here]).float(), bend_limit)
            frames, bends[here] = frames.bend(cents), cents.numpy()
        frames = decoder.treat(frames, here)
        wanted = Wanted({n: torch.from_numpy(a.values[here]).float() for n, a in steered.items()}, counts[here])
        written, trim = shaper.push(frames, gain[here], wanted, last)
        end = shaped + len(trim.tilt)
        tilts[shaped:end], curves[shaped:end], shaped = trim.tilt.numpy(), trim.curve.numpy(), end
        sound.write(_faded(written, sound.written, sound.samples))
        if progress is not None:
            progress("synthesising", number / count)
    return {"bend_cents": bends, "tilt_db_per_octave": tilts, "curve_db_per_octave2": curves}


def _faded(audio: np.ndarray, start: int, total: int) -> np.ndarray:
    """Fade the first and the last 12 ms of the whole sound, so that it neither begins nor ends with a click."""
    length = min(_FADE, total // 2)
    position = np.arange(start, start + len(audio))
    edge = np.minimum(position, total - 1 - position)
    if len(audio) == 0 or edge.min() >= length:
        return audio
    return audio * (0.5 - 0.5 * np.cos(np.pi * (np.clip(edge, -0.5, length) + 0.5) / (length + 0.5))).astype(np.float32)
