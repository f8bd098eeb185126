import math

import numpy as np
import pytest
import torch

from vqsynth.errors import VqsynthError
from vqsynth.training.prepare import hold_out, prepare
from vqsynth.training.segments import fill_f0
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.features import feature_arrays
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.training.settings import VqvaeSettings
from vqsynth.vqvae.training.trainer import VqvaeTrainer

SMALL = ModelConfig(width=24, encoder_blocks=1, decoder_blocks=1, n_mels=32, n_codes=32, code_dim=8)


@pytest.fixture(scope="module")
def corpus(recordings, tmp_path_factory):
    return prepare(
        recordings,
        tmp_path_factory.mktemp("corpus"),
        SMALL.sample_rate,
        SMALL.hop_length,
        lambda audio: feature_arrays(audio, SMALL),
        vary="off",
    )


def trainer(corpus, folder, steps=24):
    torch.manual_seed(0)
    settings = VqvaeSettings(steps=steps, batch_size=2, segment_frames=16, validations=2, quantize_at=0.3)
    return VqvaeTrainer(VQVAE(SMALL), corpus, settings, folder)


def test_a_resumed_run_ends_in_the_same_weights(corpus, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = trainer(corpus, tmp_path / "a")
    whole.run()
    first = trainer(corpus, tmp_path / "b")
    for _ in range(13):
        first.step()
    first.save()
    second = trainer(corpus, tmp_path / "b")
    torch.manual_seed(99)  # nothing may depend on the global generator
    second.resume()
    second.run()
    assert second.number == whole.number == 24
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name


def test_training_learns_the_sound_and_the_pitch(corpus, tmp_path):
    run = trainer(corpus, tmp_path, steps=150)
    steps = [run.step() for _ in range(150)]
    early, late = (np.mean([s.losses["spectral"] for s in part]) for part in (steps[:10], steps[-10:]))
    assert late < 0.75 * early
    assert steps[-1].state["used_codes"] > 8
    assert math.isfinite(run.validate()[0])


def test_a_damaged_checkpoint_is_refused(corpus, tmp_path):
    run = trainer(corpus, tmp_path)
    run.step()
    run.save()
    data = run.checkpoint_path.read_bytes()
    run.checkpoint_path.write_bytes(data[: len(data) // 2])
    with pytest.raises(VqsynthError, match="cannot be resumed"):
        trainer(corpus, tmp_path).resume()


def test_held_out_recordings_are_not_trained_on(corpus):
    trained = {piece.source for piece in corpus.pieces if not piece.held_out}
    held_out = {piece.source for piece in corpus.pieces if piece.held_out}
    assert held_out and not trained & held_out


def test_the_split_is_by_file_and_by_seed(tmp_path):
    files = [tmp_path / f"{i}.wav" for i in range(40)]
    assert 1 <= len(hold_out(files, 0)) <= 8
    assert hold_out(files, 0) == hold_out(files, 0) != hold_out(files, 1)


def test_unvoiced_stretches_take_the_pitch_around_them():
    filled = fill_f0(torch.tensor([[0.0, 100, 0, 400, 0], [0, 0, 0, 0, 0]]))
    assert filled[0].tolist() == pytest.approx([100, 100, 200, 400, 400], rel=1e-4)
    assert (filled[1] > 0).all()


def test_a_full_disk_is_a_clear_error_and_keeps_the_last_checkpoint(corpus, tmp_path):
    resource = pytest.importorskip("resource")
    run = trainer(corpus, tmp_path)
    run.step()
    run.save()
    before = run.checkpoint_path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(VqsynthError, match="checkpoint.safetensors: could not be written"):
            run.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.checkpoint_path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]
