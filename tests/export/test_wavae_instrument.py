"""A continuous model as an instrument: the model's own sound, latents that a host can read and bend."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth.descriptors import f0 as tracker
from vqsynth.dsp.loudness import loudness

RATE = 44_100


@pytest.fixture(scope="module")
def plain(domain, note):
    """The note resynthesised at once."""
    return domain.model.resynthesise(note)


@pytest.mark.parametrize("size", [512, 1024, 4096])
def test_forward_is_the_models_own_sound(wavae, signal, blockwise, plain, size):
    late = blockwise(wavae, signal, size)[0][wavae.latency :]
    assert np.abs(late - plain[: len(late)]).max() < 1e-4


@pytest.mark.parametrize("size", [512, 2048])
def test_encode_gives_the_coordinates_a_frame_a_hop(domain, wavae, signal, blockwise, size):
    frames = blockwise(wavae.encode, signal, size)
    path = domain.encode(signal[0, 0].numpy())
    wanted = path.coordinates[:, : wavae.axes] / domain.pca.std[: wavae.axes]
    count = min(len(wanted), frames.shape[1] // 2)
    assert np.abs(frames[: wavae.axes, 1 : 2 * count : 2].T - wanted[:count]).max() < 1e-3
    np.testing.assert_allclose(frames[wavae.axes :, 1 : 2 * count : 2].T, path.controls[:count], rtol=1e-4, atol=1e-3)
    # Held between two latent frames.
    assert np.array_equal(frames[:, 1:-1:2], frames[:, 2::2])


def test_decode_undoes_encode(domain, signal, blockwise):
    from vqsynth.export.wavae import wavae_instrument

    instrument = wavae_instrument(domain.model, domain.pca, axes=domain.config.latent_dim)
    frames = torch.from_numpy(blockwise(instrument.encode, signal, 1024))[None]
    instrument.reset(1)
    sound = blockwise(instrument.decode, frames, 2)[0]
    instrument.reset(1)
    again = blockwise(instrument.decode, frames, 1)[0]
    instrument.reset(1)
    direct = blockwise(instrument, signal, 1024)[0]
    # Block by block, both are as late as the model: encode by half a frame, decode by the rest.
    assert np.abs(sound - direct)[4096:].max() < 2e-3
    assert np.abs(again - sound).max() < 1e-4


def test_nothing_connected_is_silence(wavae):
    with torch.inference_mode():
        assert wavae.decode(torch.zeros(1, wavae.axes + 3, 200)).abs().max() < 1e-4
        assert wavae(torch.zeros(1, 1, 102_400)).abs().max() < 1e-4


def test_what_is_no_number_passes_by(wavae, signal, blockwise, plain):
    bad = torch.full((1, 1, 2048), float("nan"))
    bad[..., ::2] = float("inf")
    with torch.inference_mode():
        assert torch.isfinite(wavae(bad)).all()
    late = blockwise(wavae, signal, 1024)[0][wavae.latency :]
    level = [np.sqrt(np.mean(np.square(x[20_000 : len(late)]))) for x in (late, plain)]
    assert level[0] == pytest.approx(level[1], rel=0.05)


def test_the_output_stays_within_one(wavae):
    loud = torch.from_numpy(np.sign(np.sin(2 * np.pi * 220 / RATE * np.arange(40_960))).astype(np.float32))
    with torch.inference_mode():
        sound = wavae(8 * loud[None, None])
    assert 0.5 < sound.abs().max() <= 1


def test_the_pitch_is_transposed(wavae, signal, blockwise):
    plain = blockwise(wavae, signal, 1024)[0]
    wavae.reset(1)
    assert wavae.set_transpose(7.0) == 0
    moved = blockwise(wavae, signal, 1024)[0]
    before, _, heard = tracker.track(plain, RATE)
    after, _, also = tracker.track(moved, RATE)
    both = heard & also & (loudness(plain, RATE) > -40)
    assert both.sum() > 60
    assert np.median(1200 * np.log2(after[both] / before[both])) == pytest.approx(700, abs=10)


def test_axes_are_scaled_and_moved(wavae, domain):
    latents = torch.randn(1, 5, domain.config.latent_dim, generator=torch.Generator().manual_seed(1))
    assert torch.equal(wavae.bent(latents), latents)
    assert wavae.set_scale(2, 3.0) == 0 and wavae.set_bias(4, -1.5) == 0
    before, after = (domain.pca.coordinates(x[0].numpy()) for x in (latents, wavae.bent(latents)))
    wanted = before.copy()
    wanted[:, 2] *= 3
    wanted[:, 4] -= 1.5 * domain.pca.std[4]
    np.testing.assert_allclose(after, wanted, atol=1e-4)
    assert (wavae.get_scale(), wavae.get_bias()) == ((2, 3.0), (4, -1.5))
    assert wavae.set_scale(-1, 0.0) == 0 and wavae.set_bias(-1, 0.0) == 0
    np.testing.assert_allclose(domain.pca.coordinates(wavae.bent(latents)[0].numpy()), 0, atol=1e-4)


def test_wandering_is_as_wide_as_asked_and_the_same_in_every_block(wavae, domain):
    latents = torch.zeros(1, 4000, domain.config.latent_dim) + wavae.mean
    assert wavae.set_temperature(0.7) == 0
    wandered = wavae.bent(latents)
    coordinates = domain.pca.coordinates(wandered[0].numpy()) / domain.pca.std
    assert coordinates[200:, :20].std() == pytest.approx(0.7, rel=0.15)
    wavae.reset(1)
    again = torch.cat([wavae.bent(part) for part in latents.split(3, 1)], 1)
    assert torch.allclose(again, wandered, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scale", (999, 1.0)),
        ("scale", (0, float("nan"))),
        ("bias", (-2, 0.0)),
        ("temperature", (-1.0,)),
        ("transpose", (99.0,)),
    ],
)
def test_unfit_values_are_refused(wavae, name, values):
    before = getattr(wavae, f"get_{name}")()
    assert getattr(wavae, f"set_{name}")(*values) == -1
    assert getattr(wavae, f"get_{name}")() == before


def test_two_sounds_in_one_batch(wavae, signal):
    pair = torch.cat([signal[..., :20_480], 0.1 * signal[..., :20_480]])
    with torch.inference_mode():
        both = wavae(pair)
        wavae.reset(1)
        alone = wavae(pair[:1])
    assert torch.allclose(both[:1], alone, atol=1e-4)
    assert both[1].abs().max() < 0.3 * both[0].abs().max()
