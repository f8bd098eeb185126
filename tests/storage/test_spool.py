"""Sounds that wait, in memory or on disk, and are mixed there."""

import numpy as np
import pytest

from vqsynth.storage import spool
from vqsynth.storage.spool import AudioSpool


@pytest.mark.parametrize("on_disk", [False, True])
def test_sounds_are_mixed_where_they_are(tmp_path, monkeypatch, on_disk):
    monkeypatch.setattr(spool, "IN_MEMORY", 100 if on_disk else 1 << 23)
    monkeypatch.setattr(spool, "_BLOCK", 1000)
    sounds = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 2500)).astype(np.float32)
    with AudioSpool(2500, tmp_path) as mix:
        for sound in sounds:
            with AudioSpool(2500, tmp_path) as voice:
                voice.write(sound)
                mix.add(voice)
        assert mix.read(0, 2500) == pytest.approx(sounds.sum(0), abs=1e-6) and mix.written == 2500
        assert mix.peak == pytest.approx(np.abs(sounds.sum(0)).max())
        assert np.concatenate(list(mix.blocks(0.5))) == pytest.approx(sounds.sum(0) / 2, abs=1e-6)
