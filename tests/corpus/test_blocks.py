"""Piecewise analysis gives the frames of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from vqsynth.corpus.blocks import pieces


@pytest.mark.parametrize("samples", [2, 511, 512, 5000, 40_960, 51_201])
@pytest.mark.parametrize("block", [700, 512, 9999])
def test_every_frame_is_kept_once_and_sits_where_it_was(samples, block):
    hop = 512
    audio = np.arange(samples, dtype=np.float32)
    blocks = [audio[i : i + block] for i in range(0, samples, block)]
    kept = []
    for piece in pieces(iter(blocks), hop, block_frames=16, margin_frames=3):
        frames = range(1 + len(piece.audio) // hop)[piece.keep]
        for local in frames:
            kept.append(piece.first + local)
            if local * hop < len(piece.audio):
                assert piece.audio[local * hop] == audio[(piece.first + local) * hop]
        assert piece.frames == slice(piece.first + frames[0], piece.first + frames[-1] + 1)
    assert kept == list(range(1 + samples // hop))


def test_inner_frames_have_their_margin():
    margin, hop = 3, 512
    audio = np.ones(hop * 100, np.float32)
    found = list(pieces([audio], hop, 16, margin))
    assert len(found) == 6 or len(found) == 7
    for piece in found[1:]:
        assert piece.keep.start == margin
    for piece in found[:-1]:
        assert len(piece.audio) // hop - piece.keep.stop == margin
