"""The networks to compare with: of the published sizes, and streamed as they are offline."""

import numpy as np
import pytest
import torch

from benchmarks.wavae import baseline
from benchmarks.wavae.melgan import MelGan, MelGanStream, absolute_mel, resynthesise
from benchmarks.wavae.rave import FRAME, Rave, RaveStream, fold, unfold
from benchmarks.wavae.vocos import Vocos
from vqsynth.training.prepare import prepare
from vqsynth.wavae.network.analysis import MelAnalysis
from vqsynth.wavae.network.config import WavaeConfig


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.fixture(scope="module")
def sound():
    return 0.1 * torch.randn(20_000, generator=torch.Generator().manual_seed(1))


def pushed(stream, sound, size, extra):
    """What a stream gives for a sound in blocks, its delay taken out."""
    padded = torch.nn.functional.pad(sound, (0, stream.latency + extra))
    return torch.cat([stream.push(block) for block in padded.split(size)])


def test_melgan_has_the_published_size():
    # 4.26 M for 80 mel bands and 256 samples a frame (Kumar et al. 2019, table 2).
    assert parameters(MelGan(80)) == pytest.approx(4.26e6, rel=0.02)
    assert MelGan().hop_length == WavaeConfig().hop_length


def test_rave_has_the_published_size():
    assert 25e6 < parameters(Rave()) < 35e6
    assert Rave()(torch.zeros(1, 2 * FRAME)).shape == (1, 2 * FRAME)


def test_fold_is_undone():
    x = torch.randn(2, 3, 12)
    assert torch.equal(unfold(fold(x, 4), 4), x)


@pytest.mark.parametrize("size", [512, 700])
def test_rave_streams_as_offline(sound, size):
    network, whole = Rave().eval(), 3 * FRAME
    with torch.inference_mode():
        expected = network(sound[None, :whole])[0]
    streamed = pushed(RaveStream(network), sound[:whole], size, 0)[FRAME - 1 :]
    assert torch.allclose(streamed[:whole], expected, atol=1e-5)


@pytest.mark.parametrize("size", [512, 700])
def test_causal_melgan_streams_as_offline(sound, size):
    generator, config = MelGan(causal=True).eval(), WavaeConfig()
    overlap, hop = config.n_fft - config.hop_length, config.hop_length
    frames = len(sound) // hop
    with torch.inference_mode():
        expected = generator(
            absolute_mel(MelAnalysis(config), torch.nn.functional.pad(sound, (overlap, 0))[None])[:, :frames]
        )[0]
    streamed = pushed(MelGanStream(generator), sound, size, 0)[hop - 1 :]
    assert torch.allclose(streamed[: len(expected)], expected, atol=1e-5)


def test_melgan_in_chunks_is_melgan_at_once(sound):
    generator = MelGan().eval()
    # Not all ends are mirrored alike, but inside nothing may show where a chunk began.
    whole, chunked = resynthesise(generator, sound), resynthesise(generator, sound, chunk=10)
    assert len(whole) == len(sound)
    assert torch.allclose(whole, chunked, atol=1e-5)


def test_mel_of_the_baseline_knows_the_level(sound):
    analysis = MelAnalysis(WavaeConfig())
    loud, soft = (absolute_mel(analysis, gain * sound[None]) for gain in (1.0, 0.1))
    assert torch.allclose(loud - soft, torch.full_like(loud, 0.5), atol=1e-3)  # 20 of 40 dB


def test_vocos_has_the_published_size_and_its_frames_their_places():
    network = Vocos()
    assert 12.5e6 < sum(p.numel() for p in network.parameters()) < 16e6
    # Bins that are the same in every frame: a sine of the hop rate's multiple, whose phase stands at every centre.
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.fill_(-20.0)
        network.head.bias[40] = np.log(512.0)  # 40 bins: 861.3 Hz; a full-scale sine peaks at n_fft / 4
        network.head.bias[network.n_fft // 2 + 1 :] = 0.0
        sound = network(torch.zeros(1, 20, 192))[0].numpy()
    assert len(sound) == 20 * 512
    inner = sound[2048:-2048]
    expected = np.cos(2 * np.pi * 861.328125 * (np.arange(len(sound)) + 768) / 44_100)[2048:-2048]
    assert np.corrcoef(inner, expected)[0, 1] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kind", ["melGAN", "Vocos"])
def test_baseline_learns_and_is_loaded(tmp_path, recordings, kind):
    config = WavaeConfig()
    frames = lambda audio: 1 + len(audio) // config.hop_length
    analyze = lambda audio: {
        "f0": np.zeros(frames(audio)),
        "loudness": np.zeros(frames(audio)),
        "active": np.ones(frames(audio), bool),
    }
    corpus = prepare(recordings, tmp_path / "corpus", config.sample_rate, config.hop_length, analyze, vary="off")
    torch.manual_seed(0)
    settings = baseline.Settings(
        steps=6, batch_size=1, segment_frames=10, adversary_at=0.6, validations=1, warmup_steps=1
    )
    trainer = baseline.BaselineTrainer(corpus, settings, tmp_path, kind)
    begin = trainer.validate()[0]
    losses = []
    trainer.run(lambda step: losses.append(step.losses))
    assert "matching" not in losses[0] and "matching" in losses[-1]
    assert trainer.validate()[0] < begin
    trainer.export(tmp_path / baseline.WEIGHTS)
    generator, record = baseline.load(tmp_path)
    assert record["kind"] == kind and record["steps"] == 6 and record["seconds"] > 0
    mel = torch.randn(1, 8, config.n_mels)
    with torch.inference_mode():
        assert torch.allclose(generator(mel), trainer.generator(mel), atol=0.02)  # stored in half precision
