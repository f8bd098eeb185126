import math

import numpy as np
import pytest
import torch

from vqsynth.training.discriminator import Discriminator, discriminator_loss, generator_losses
from vqsynth.training.prepare import prepare
from vqsynth.wavae.network.analysis import pitch_features
from vqsynth.wavae.network.config import WavaeConfig
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.network.vae import Decoder, Encoder, start_details
from vqsynth.wavae.training import objective
from vqsynth.wavae.training.adversary import AROUND, BOUND, Regressor, Reverse, with_average
from vqsynth.wavae.training.critic import Critic
from vqsynth.wavae.training.material.analysis import pitch_and_level
from vqsynth.wavae.training.settings import WavaeSettings
from vqsynth.wavae.training.trainer import WavaeTrainer

SMALL = WavaeConfig(
    width=32,
    encoder_blocks=2,
    decoder_blocks=2,
    vocoder_width=32,
    vocoder_blocks=1,
    reader_width=16,
    reader_blocks=1,
    latent_dim=4,
    n_mels=64,
)


@pytest.fixture(scope="module")
def corpus(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    return prepare(
        recordings, folder, SMALL.sample_rate, SMALL.hop_length, lambda audio: pitch_and_level(audio, SMALL), vary="off"
    )


def trainer(corpus, folder, steps=24, config=SMALL, **settings):
    torch.manual_seed(0)
    values = {
        "batch_size": 2,
        "vae_batch_size": 4,
        "joint_batch_size": 2,
        "segment_frames": 16,
        "validations": 2,
        "warmup_steps": 5,
    }
    return WavaeTrainer(Wavae(config), corpus, WavaeSettings(steps=steps, **{**values, **settings}), folder)


def test_a_resumed_run_ends_in_the_same_weights(corpus, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = trainer(corpus, tmp_path / "a")
    whole.run()
    first = trainer(corpus, tmp_path / "b")
    for _ in range(21):  # in the third phase, past both changes
        first.step()
    first.save()
    second = trainer(corpus, tmp_path / "b")
    torch.manual_seed(99)  # nothing may depend on the global generator
    second.resume()
    second.run()
    assert second.number == whole.number == 24
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name


def test_each_phase_moves_its_own_part(corpus, tmp_path):
    run = trainer(corpus, tmp_path, steps=12, vae_at=0.34, joint_at=0.67)
    parts = {
        "encoder": run.model.encoder,
        "decoder": run.model.decoder,
        "vocoder": run.model.vocoder,
        "reader": run.model.reader,
        "critic": run.critic,
    }
    expected = {
        "vocoder": {"vocoder", "reader"},
        "vae": {"encoder", "decoder"},
        "joint": {"decoder", "vocoder", "critic"},
    }
    seen = []
    for _ in range(12):
        before = {name: [p.clone() for p in part.parameters()] for name, part in parts.items()}
        run.step()
        moved = {
            n for n, part in parts.items() if any(not torch.equal(a, b) for a, b in zip(before[n], part.parameters()))
        }
        assert moved == expected[run.phase.name]
        seen.append(run.phase.name)
    assert seen == ["vocoder"] * 5 + ["vae"] * 4 + ["joint"] * 3


def test_a_reader_that_is_taken_over_stays_as_it_is(corpus, tmp_path):
    run = trainer(corpus, tmp_path, steps=3, vae_at=0.9, start_from="base")
    before = [p.clone() for p in run.model.reader.parameters()]
    assert "pitch" not in run.step().losses
    assert all(torch.equal(a, b) for a, b in zip(before, run.model.reader.parameters()))


def test_training_learns_the_sound(corpus, tmp_path):
    run = trainer(corpus, tmp_path, steps=200, vae_at=0.6, joint_at=1.0, chords=0.2, tones=0.0)
    steps = [run.step() for _ in range(200)]
    for name, less in (("spectrum", 0.6), ("salience", 0.75), ("noise", 0.75), ("pitch", 0.9)):
        early, late = (np.mean([s.losses[name] for s in part]) for part in (steps[:6], steps[110:120]))
        assert late < less * early, name
    early, late = (np.mean([s.losses["mel"] for s in part]) for part in (steps[122:128], steps[-6:]))
    assert late < early - 0.3
    assert math.isfinite(run.validate()[0])


def test_centroid_is_a_further_control(corpus, tmp_path):
    config = SMALL.model_copy(update={"controls": ("loudness", "pitch", "voicing", "centroid")})
    run = trainer(corpus, tmp_path, steps=9, config=config)
    for _ in range(9):
        assert all(math.isfinite(value) for value in run.step().losses.values())
    tone = np.sin(2 * np.pi * 1000 * np.arange(44_100) / 44_100).astype(np.float32)
    z, controls = run.model.encode(tone)
    assert controls.shape == (len(z), 4)
    assert np.median(controls[5:-5, 3]) == pytest.approx(1000, rel=0.05)
    assert len(run.model.decode(z, controls)) == run.model.samples_of(len(z))


def test_the_gradient_is_reversed():
    x = torch.ones(3, requires_grad=True)
    (2 * Reverse.apply(x, 0.5)).sum().backward()
    assert x.grad.tolist() == [-1.0, -1.0, -1.0]


def test_the_regressor_finds_what_is_there_and_nothing_else():
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    told, untold = Regressor(4, 1), Regressor(4, 1)
    adam = torch.optim.Adam([*told.parameters(), *untold.parameters()], 3e-3)
    for _ in range(60):
        z = torch.randn(512, 4, generator=generator) * torch.tensor([1.0, 0.02, 1.0, 1.0])  # narrow is not hidden
        level, chance = torch.tanh(z[:, :1] + 50 * z[:, 1:2]), torch.randn(512, 1, generator=generator)
        all_of_it = torch.ones_like(level)
        _, (found,) = told(z, level, all_of_it, 1.0)
        _, (nothing,) = untold(z, chance, all_of_it, 1.0)
        told.add_to_memory(z, level, all_of_it)
        untold.add_to_memory(z, chance, all_of_it)
        for _ in range(4):
            adam.zero_grad()
            (told.regression_loss(512, generator) + untold.regression_loss(512, generator)).backward()
            adam.step()
    assert found > 0.8
    assert nothing < 0.1


def test_dependence_sees_bends_and_products():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(4000, 3, generator=generator)
    regressor = Regressor(3, 1)
    whole = torch.ones(4000, 1)
    regressor.add_to_memory(z, z[:, :1], whole)
    free = float(regressor.dependence(z, torch.randn(4000, 1, generator=generator), whole, generator))
    for level in (z[:, :1], z[:, :1] * z[:, 1:2], torch.cos(1.5 * z[:, 2:])):
        assert float(regressor.dependence(z, level, whole, generator)) > 10 * free
        assert float(regressor.dependence(z, level, 0 * whole, generator)) == 0  # what is not told may be there


def test_what_the_encoder_tells_is_removed():
    """An encoder that must keep x and could keep the level keeps x alone."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    shares = {}
    for strength in (0.0, 3.0):
        encoder, decoder, regressor = torch.nn.Linear(2, 2), torch.nn.Linear(3, 2), Regressor(2, 1, width=32)
        adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 5e-3)
        teacher = torch.optim.Adam(regressor.parameters(), 2e-3)
        for _ in range(300):
            x = torch.randn(256, 2, generator=generator)
            z = encoder(x) + 0.3 * torch.randn(256, 2, generator=generator)  # as a VAE samples
            told = torch.ones(256, 1)
            error, (share,) = regressor(z, x[:, 1:], told, strength)
            if strength and int(regressor.count):
                error = error + regressor.dependence(z, x[:, 1:], told, generator)
            loss = (decoder(torch.cat([z, x[:, 1:]], 1)) - x).square().mean() + error + 0.01 * z.square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            regressor.add_to_memory(z.detach(), x[:, 1:], told)
            teacher.zero_grad()
            regressor.regression_loss(512, generator).backward()
            teacher.step()
        shares[strength] = share
    assert shares[0.0] > 0.3
    assert shares[3.0] < 0.1


def test_discriminators_learn_to_tell_apart():
    torch.manual_seed(0)
    judge = Discriminator()
    adam = torch.optim.Adam(judge.parameters(), 1e-3)
    time = torch.arange(4096) / 44_100
    losses = []
    for _ in range(15):
        real = torch.sin(2 * torch.pi * (200 + 200 * torch.rand(4, 1)) * time)
        fake = torch.randn(4, 4096) * 0.7
        loss = discriminator_loss(judge(real), judge(fake))
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 1.5  # at first both score about nothing
    assert losses[-1] < 1.0
    adversarial, matching = generator_losses(judge(real), judge(fake))
    same, nothing = generator_losses(judge(real), judge(real))
    assert adversarial > same and matching > nothing
    assert nothing == 0


def test_likelihood_and_divergence():
    active = torch.tensor([[True, True, False]])
    target = torch.zeros(1, 3, 5)
    off = torch.full((1, 3, 5), 0.1)
    off[:, 2] = 9.0  # silence does not count
    assert float(objective.gaussian_likelihood(off, target, active)) == pytest.approx(math.log(0.1), abs=0.01)
    assert float(objective.divergence(torch.zeros(1, 3, 4), torch.zeros(1, 3, 4), active)) == 0
    assert float(objective.divergence(torch.ones(1, 3, 4), torch.zeros(1, 3, 4), active)) == pytest.approx(2)


def test_a_latent_that_jumps_costs_more_than_one_that_stays():
    active, quiet = torch.ones(1, 40, dtype=torch.bool), torch.full((1, 40, 2), -4.0)
    steady = torch.ones(1, 40, 2)
    jumping = steady * (1 - 2 * (torch.arange(40) % 2))[:, None]
    still, wild = (float(objective.divergence(z, quiet, active, memory=0.9)) for z in (steady, jumping))
    assert wild > 3 * still
    white = [float(objective.divergence(z, quiet, active)) for z in (steady, jumping)]
    assert white[0] == pytest.approx(white[1])


def test_what_is_hidden_by_dither_is_in_the_average():
    """A sign that half of the frames tell wrongly by far: their mean over the frames around tells it."""
    truth = torch.sign(torch.sin(torch.arange(400) * 0.02))[None, :, None]
    dither = 3.0 * (1 - 2 * (torch.arange(400) % 2))[None, :, None]
    beside = with_average(truth + dither)[..., 1]
    inside = slice(AROUND, -AROUND)
    single = ((truth + dither)[0, inside, 0].sign() == truth[0, inside, 0]).float().mean()
    told = (beside[0, inside].sign() == truth[0, inside, 0]).float().mean()
    assert single < 0.6 and told > 0.95


@torch.no_grad()
def test_a_path_is_drawn_out_from_anywhere(corpus, tmp_path):
    """Of frames that are all alike every part sounds as the whole; of others each part its own."""
    run = trainer(corpus, tmp_path, chords=0.0)
    batch = objective.analyze_batch(run.model, run.segments.draw(2, np.random.default_rng(0)))
    latents, _ = objective.encode_batch(run.model, batch)
    whole = objective.decode_batch(run.model, latents, batch)
    same = float(objective.gaussian_likelihood(whole, batch.mel, batch.active))
    barely = float(objective.stretched_loss(run.model, latents, batch, 1.0 + 1e-6, 0.7))
    assert barely == pytest.approx(same, abs=1e-3)
    early, late = (float(objective.stretched_loss(run.model, latents, batch, 4.0, at)) for at in (0.0, 1.0))
    assert math.isfinite(early) and early != pytest.approx(late, abs=1e-4)


def test_the_analysis_of_a_batch_is_that_of_a_stream(corpus, tmp_path):
    run = trainer(corpus, tmp_path)
    raw = run.segments.draw(2, np.random.default_rng(0))
    batch = objective.analyze_batch(run.model, raw)
    half = SMALL.n_fft // 2
    assert batch.audio.shape[1] == (16 - 1) * SMALL.hop_length + 2 * half
    assert batch.mel.shape == (2, 16, SMALL.n_mels) and batch.controls.shape == (2, 8, 3)
    mel, controls = run.model.stream().analyze(raw["audio"][:1])
    assert torch.allclose(mel, batch.mel[:1]) and torch.allclose(controls[..., 0], batch.loudness[:1])
    assert torch.allclose(batch.curves[:, 1::2, 0], batch.controls[..., 0].double())


def test_pitches_are_left_to_the_latents_now_and_then(corpus, tmp_path):
    run = trainer(corpus, tmp_path, chords=0.0)
    raw = run.segments.draw(60, np.random.default_rng(0))
    told = objective.analyze_batch(run.model, raw).voicing
    assert set(told.unique().tolist()) <= {0.0, 1.0}
    batch = objective.analyze_batch(run.model, raw, torch.Generator().manual_seed(0))
    voiced = (raw["f0"] > 0).any(1)
    shares = batch.voicing.amax(1)[voiced]
    assert 0.08 < float((shares == 0).float().mean()) < 0.35
    assert 0.02 < float(((shares > 0) & (shares < 1)).float().mean()) < 0.25
    plain = torch.arange(batch.controls[..., 0].numel()) % 3 > 0
    _, known = objective.told_controls(batch.controls.flatten(0, 1), plain)
    assert torch.equal(known[:, 0] > 0, plain) and torch.equal(
        known[:, 1] > 0, batch.controls.flatten(0, 1)[:, 2] > 0.99
    )


def test_loudness_is_looked_for_where_nothing_is_mixed(corpus, tmp_path):
    run = trainer(corpus, tmp_path, chords=1.0)
    chords = objective.analyze_batch(run.model, run.segments.draw(8, np.random.default_rng(0)))
    assert not chords.plain.any() and chords.active.any()
    alone = objective.analyze_batch(run.model, run.unheard.draw(8, np.random.default_rng(0)))
    below = alone.loudness.amax(1, keepdim=True) - alone.loudness
    assert alone.plain.any() and not alone.plain[below > 40].any() and not (alone.plain & ~alone.active).any()


def test_the_regressor_learns_nothing_where_nothing_is_told():
    """Wrong values in frames that do not count leave no trace."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2000, 3, generator=generator)
    known = (torch.arange(2000) % 2).float()[:, None]
    weights = []
    for wrong in (0.0, 1e3):
        torch.manual_seed(0)
        regressor, generator = Regressor(3, 1), torch.Generator().manual_seed(1)
        level = torch.where(known > 0, z[:, :1], torch.full((2000, 1), wrong))
        regressor.add_to_memory(z, level, known)
        adam = torch.optim.Adam(regressor.parameters(), 3e-3)
        for _ in range(20):
            adam.zero_grad()
            regressor.regression_loss(512, generator).backward()
            adam.step()
        weights.append(regressor.layers[0].weight.detach().clone())
        error, (share,) = regressor(z, level, known, 1.0)
        assert math.isfinite(float(error.detach())) and share <= 1
    assert torch.equal(*weights)


def test_nothing_is_gained_by_a_latent_far_from_all_others():
    torch.manual_seed(0)
    regressor = Regressor(2, 1)
    told = torch.ones(64, 1)
    regressor.add_to_memory(torch.randn(64, 2), torch.randn(64, 1), told)
    errors = [float(regressor(far * torch.ones(64, 2), torch.randn(64, 1), told, 1.0)[0]) for far in (1e3, 1e6)]
    assert max(errors) <= BOUND


def test_details_begin_with_what_is_missing():
    """Frames that a few directions make up: what the rest of the model misses of them is told at once."""
    torch.manual_seed(0)
    config = SMALL.model_copy(update={"latent_dim": 8})
    encoder, decoder = Encoder(config).eval(), Decoder(config).eval()
    mel = 0.3 * torch.randn(3000, 4) @ torch.randn(4, 2 * SMALL.n_mels) / 4 + 0.1
    decoded = mel.roll(1, 1) * 0.5
    start_details(encoder, decoder, mel, mel - decoded)
    with torch.no_grad():
        details = encoder.direct(mel)
        left = mel - decoded - decoder.direct(details)
    assert torch.allclose(details.std(0), torch.ones(4), atol=0.1)  # as a prior of variance 1 wants them
    assert float((left - left.mean(0)).square().mean()) < 1e-3 * float((mel - decoded).var(0).mean())


def test_a_single_voice_has_no_details():
    torch.manual_seed(0)
    config = SMALL.model_copy(update={"latent_dim": 8})
    encoder, decoder = Encoder(config), Decoder(config)
    torch.nn.init.normal_(decoder.direct.weight)
    torch.nn.init.normal_(encoder.direct.weight)
    mel, voicing = torch.randn(1, 8, SMALL.n_mels), torch.tensor([1.0, 1, 1, 1, 0, 0, 0, 0])
    pitch = pitch_features(torch.full((1, 8), 220.0), voicing[None], config.pitch_bins)
    mean, _ = encoder(mel, pitch)
    assert not mean[:, :2, 4:].any() and mean[:, 2:, 4:].abs().min() > 0 and mean[:, :2, :4].abs().min() > 0
    louder = mean.clone()
    louder[:, :2, 4:] = 5.0  # even if someone draws them
    told = torch.zeros(1, 4, 1)
    assert torch.equal(decoder(mean, told, pitch)[:, :4], decoder(louder, told, pitch)[:, :4])


def test_a_critic_tells_blurred_frames_from_sharp_ones():
    torch.manual_seed(0)
    critic = Critic()
    adam = torch.optim.Adam(critic.parameters(), 2e-3)
    for _ in range(40):
        real = torch.randn(4, 24, 64)
        fake = torch.nn.functional.avg_pool1d(real, 5, 1, 2)
        loss = discriminator_loss(critic(real), critic(fake))
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert float(loss) < 0.5
    sharp, blurred = (float(generator_losses(critic(real), critic(mel))[0]) for mel in (real, fake))
    assert sharp < blurred - 1
