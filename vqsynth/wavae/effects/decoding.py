"""Decoding step by step: with progress, and taking over what an earlier path has in common at its beginning.

The sound is that of :meth:`vqsynth.wavae.domain.Domain.decode` to the last bit: the decoder is causal, so what
comes before the first frame that was changed is the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from vqsynth.control.limits import check_seed
from vqsynth.streaming.module import go_on_from, past
from vqsynth.wavae.network.model import CHUNK

if TYPE_CHECKING:
    from torch import Tensor

    from vqsynth.wavae.domain import Domain
    from vqsynth.wavae.network.model import Wavae
    from vqsynth.wavae.paths.latent_path import LatentPath

TASK = "decoding"


@dataclasses.dataclass(eq=False)
class Decoded:
    """What a decoding leaves for the next one.

    Attributes:
        model: that decoded.
        seed: of the noise.
        frames: latents and controls of each chunk.
        parts: its sound.
        after: the stream's past after it.
    """

    model: Wavae
    seed: int
    frames: list[tuple[Tensor, Tensor]] = dataclasses.field(default_factory=list)
    parts: list[Tensor] = dataclasses.field(default_factory=list)
    after: list[dict[str, Tensor]] = dataclasses.field(default_factory=list)

    @property
    def nbytes(self) -> int:
        """What it holds in memory."""
        held = [
            *self.parts,
            *(x for pair in self.frames for x in pair),
            *(x for known in self.after for x in known.values()),
        ]
        return sum(tensor.nbytes for tensor in held)


@torch.inference_mode()
def decode(
    path: LatentPath,
    domain: Domain,
    seed: int = 0,
    before: Decoded | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> tuple[np.ndarray, Decoded, float]:
    """Decode a path.

    Args:
        path: of the sound.
        domain: the model.
        seed: of the noise.
        before: what an earlier call left.
        progress: told the task and the share of it that is done; what it raises ends the work.

    Returns:
        The sound [samples], what the next call may take over, and the seconds that were taken over.

    Raises:
        UsageError: the seed is none.
        VqsynthError: the path does not fit the model.
    """
    domain.accept(path)
    check_seed(seed)
    model = domain.model
    z, controls = (torch.as_tensor(np.ascontiguousarray(x, np.float32)) for x in (path.z, path.controls))
    chunks = list(zip(z.split(CHUNK), controls.split(CHUNK)))
    done, same = Decoded(model, seed), 0
    if before is not None and before.model is model and before.seed == seed:
        for chunk, old in zip(chunks, before.frames):
            if not all(torch.equal(new, had) for new, had in zip(chunk, old)):
                break
            same += 1
        done = Decoded(model, seed, before.frames[:same], before.parts[:same], before.after[:same])
    stream = model.stream(seed)
    if same:
        go_on_from(stream, done.after[-1])
    for number, chunk in enumerate(chunks[same:], same):
        if progress is not None:
            progress(TASK, number / len(chunks))
        done.parts.append(stream.decode_frames(*(x[None] for x in chunk))[0])
        done.frames.append(chunk)
        done.after.append(past(stream))
    start = model.decoder_latency
    audio = torch.cat(done.parts)[start : start + path.samples].numpy().copy()
    taken = max(0, sum(map(len, done.parts[:same])) - start) / path.sample_rate
    return audio, done, min(taken, path.samples / path.sample_rate)
