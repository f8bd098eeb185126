"""The benchmark of drawn curves measures what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.realtime import drawn, pure_data


@pytest.fixture(scope="module")
def violin():
    from vqsynth.export.models import find, instrument_of

    timbre = find("violin")
    return timbre, *instrument_of(timbre)


class Flat:
    """A model that plays a tone of the pitch asked for, and nothing else."""

    def control(self, frames: torch.Tensor) -> torch.Tensor:
        pitch = np.repeat(frames[0, 2].double().numpy(), 256)
        self.phase = getattr(self, "phase", 0.0) + 2 * np.pi * np.cumsum(pitch) / 44_100
        sound = 0.1 * sum(np.sin(k * self.phase) / k for k in range(1, 9))
        self.phase = self.phase[-1]
        return torch.from_numpy(sound)[None, None].float()


def test_a_drawn_centroid_is_followed_and_a_model_that_ignores_it_is_found_out(violin):
    if not pure_data.installed():
        pytest.skip("Pure Data (pd) is not installed")
    timbre, instrument, card = violin
    case = drawn.cases(timbre, card)[1]
    assert (case.name, case.shape) == ("centroid", "sine")
    found = drawn.follow(card, case, instrument, 4.0)
    assert found.r > 0.99 and found.error < 0.02 and found.held_cents < 1
    ignored = drawn.follow(card, case, Flat(), 4.0)
    assert abs(ignored.r) < 0.9 and ignored.error > 0.1 and ignored.held_cents < 1


def test_signals_are_read_as_nn_reads_them(violin):
    class Seen:
        def control(self, frames: torch.Tensor) -> torch.Tensor:
            self.frames = frames.clone()
            return torch.zeros(1, 1, frames.shape[2] * 256)

    seen = Seen()
    given = np.tile(np.arange(512, dtype=np.float32), (5, 1))
    assert len(drawn.sound_of(seen, violin[2], given)) == 512
    assert seen.frames.shape == (1, 5, 2) and seen.frames[0, 3].tolist() == [255, 511]
