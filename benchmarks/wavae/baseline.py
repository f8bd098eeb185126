"""Train a melGAN or a Vocos of the published size on the data of a domain, for the same time.

    taskset -c 1 env OMP_NUM_THREADS=1 python -m benchmarks.wavae.baseline CORPUS_DIR --kind Vocos --output DIR

CORPUS_DIR is a folder of recordings, prepared and split as `vqsynth wavae train` does (seed 0: the same held-out
files), or a corpus that is prepared already (a folder with ``pieces.json``). ``--seconds`` counts training alone. DIR
receives ``checkpoint.safetensors`` while it runs, ``--resume`` goes on from there, and at the end
``baseline.safetensors``, which `python -m benchmarks.wavae --baseline` takes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from benchmarks.wavae.melgan import MelGan, absolute_mel
from benchmarks.wavae.vocos import Vocos
from vqsynth.dsp.losses import multi_resolution_stft
from vqsynth.storage.atomic import save_tensors
from vqsynth.training.discriminator import Discriminator, discriminator_loss, generator_losses
from vqsynth.training.phases import Moment, Phase, cosine_over_run
from vqsynth.training.prepare import prepare
from vqsynth.training.prepared import Prepared
from vqsynth.training.segments import Segments
from vqsynth.training.settings import RunSettings
from vqsynth.training.trainer import Interrupted, Preview, Step, Trainer
from vqsynth.wavae.network.analysis import MelAnalysis
from vqsynth.wavae.network.config import WavaeConfig
from vqsynth.wavae.training.material.analysis import pitch_and_level

WEIGHTS = "baseline.safetensors"
KINDS = {"melGAN": MelGan, "Vocos": Vocos}


class Settings(RunSettings):
    """Of the run; weights and the share without discriminators are those of ``vqsynth wavae train``."""

    validations: int = 8
    checkpoint_seconds: float = 60.0
    batch_size: int = 4
    segment_frames: int = 16
    learning_rate: float = 1e-3
    discriminator_rate: float = 5e-4
    warmup_steps: int = 20
    adversary_at: float = 0.75
    adversarial_weight: float = 0.1
    matching_weight: float = 0.2


class BaselineTrainer(Trainer):
    """Spectral loss first, then also discriminators and feature matching."""

    def __init__(self, corpus: Prepared, settings: Settings, folder: Path, kind: str = "melGAN") -> None:
        config = WavaeConfig()
        self.half = config.n_fft // 2
        self.segments, held_out = (
            Segments(corpus, settings.segment_frames, config.hop_length, held_out, self.half)
            for held_out in (False, True)
        )
        super().__init__(settings, folder, held_out)
        self.batch_size = settings.batch_size
        self.analysis, self.discriminator = MelAnalysis(config), Discriminator()
        self.kind = kind
        self.generator = KINDS[kind](config.n_mels)
        for layer in list(self.generator.modules()):
            if kind == "melGAN" and isinstance(layer, (torch.nn.Conv1d, torch.nn.ConvTranspose1d)):
                weight_norm(layer)
        optimizers = {
            "generator_adam": torch.optim.AdamW(self.generator.parameters(), settings.learning_rate, betas=(0.8, 0.95)),
            "discriminator_adam": torch.optim.AdamW(
                self.discriminator.parameters(), settings.discriminator_rate, betas=(0.8, 0.95)
            ),
        }
        rate = cosine_over_run(settings.warmup_steps, 0.03)
        weights = {
            "spectral": 1.0,
            "adversarial": settings.adversarial_weight,
            "matching": settings.matching_weight,
        }
        self.set_phases(
            optimizers,
            [
                Phase("spectral", 0.0, self._spectral_step, {"generator_adam": rate}, weights),
                Phase(
                    "adversarial",
                    settings.adversary_at,
                    self._adversarial_step,
                    {"generator_adam": rate, "discriminator_adam": rate},
                    weights,
                ),
            ],
        )

    def modules(self) -> dict[str, torch.nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def _draw(self, segments: Segments, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Mel frames [batch, frames, n_mels] and their samples [batch, frames * hop_length]."""
        audio = segments.draw(self.batch_size, random)["audio"]
        mel, hop = absolute_mel(self.analysis, audio), self.generator.hop_length
        return mel, audio[:, self.half - hop // 2 :][:, : mel.shape[1] * hop]

    def _spectral_step(self, moment: Moment) -> dict[str, Tensor]:
        mel, audio = self._draw(self.segments, moment.random)
        losses = {"spectral": multi_resolution_stft(self.generator(mel), audio)}
        self.update(moment.phase.total(losses), "generator_adam", moment)
        return losses

    def _adversarial_step(self, moment: Moment) -> dict[str, Tensor]:
        mel, audio = self._draw(self.segments, moment.random)
        output = self.generator(mel)
        losses = {"spectral": multi_resolution_stft(output, audio)}
        level = audio.square().mean(1, keepdim=True).sqrt().clamp_min(1e-3) * 5
        real, fake = audio / level, output / level
        wrong = discriminator_loss(self.discriminator(real), self.discriminator(fake.detach()))
        self.update(wrong, "discriminator_adam", moment)
        with torch.no_grad():
            features = self.discriminator(real)
        losses["adversarial"], losses["matching"] = generator_losses(features, self.discriminator(fake))
        self.update(moment.phase.total(losses), "generator_adam", moment)
        return losses

    def validation_batch(self, random: np.random.Generator, generator: torch.Generator) -> tuple[Tensor, Preview]:
        mel, audio = self._draw(self.held_out, random)
        output = self.generator(mel)
        return multi_resolution_stft(output, audio), (audio, output)

    def export(self, path: Path) -> None:
        """Write the generator's plain weights, with how long it was trained."""
        for layer in list(self.generator.modules()):
            if parametrize.is_parametrized(layer):
                parametrize.remove_parametrizations(layer, "weight")
        record = {
            "kind": self.kind,
            "steps": self.number,
            "seconds": round(self.seconds, 1),
            "threads": torch.get_num_threads(),
        }
        save_tensors(
            path, {k: v.half() for k, v in self.generator.state_dict().items()}, {"training": json.dumps(record)}
        )


def load(path: Path) -> tuple[torch.nn.Module, dict]:
    """A trained generator, and its ``kind``, ``steps`` and ``seconds`` of training.

    ``path``: the file or its folder.
    """
    path = path / WEIGHTS if path.is_dir() else path
    with safe_open(path, "pt") as handle:
        names, record = handle.keys(), json.loads(handle.metadata()["training"])
        generator = KINDS[record["kind"]]()
        generator.load_state_dict({name: handle.get_tensor(name).float() for name in names})
        return generator.eval(), record


def corpus_of(recordings: Path, folder: Path) -> Prepared:
    """The prepared corpus of a folder of recordings, made in ``folder`` unless one is there."""
    if (recordings / "pieces.json").is_file():
        return Prepared(recordings)
    if not (folder / "pieces.json").is_file():
        config = WavaeConfig()
        prepare(recordings, folder, config.sample_rate, config.hop_length, lambda audio: pitch_and_level(audio, config))
    return Prepared(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.wavae.baseline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS_DIR")
    parser.add_argument("--kind", choices=list(KINDS), default="Vocos")
    parser.add_argument("--seconds", type=float, default=780.0, help="of training; the same as the domain's")
    parser.add_argument("--steps", type=int, help="instead of seconds")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=Settings().learning_rate, help="learning rate of the generator")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    corpus = corpus_of(options.corpus, options.output / "corpus")
    torch.manual_seed(0)
    settings = Settings(steps=options.steps, seconds=options.seconds, learning_rate=options.rate)
    trainer = BaselineTrainer(corpus, settings, options.output, options.kind)
    if options.resume:
        trainer.resume()
    print(
        f"{sum(p.numel() for p in trainer.generator.parameters()):,} parameters; "
        f"{corpus.seconds(False):.0f} s to learn from",
        flush=True,
    )

    def tell(step: Step) -> None:
        if step.number % 20 == 1 or step.validation is not None:
            held_out = "" if step.validation is None else f", held out {step.validation:.3f}"
            losses = ", ".join(f"{name} {value:.3f}" for name, value in step.losses.items())
            print(f"step {step.number}, {step.seconds:.0f} s, {losses}{held_out}", flush=True)

    try:
        trainer.run(tell)
    except Interrupted:
        raise SystemExit(f"stopped; go on with --resume --output {options.output}") from None
    trainer.export(options.output / WEIGHTS)
    print(f"{options.output / WEIGHTS}: {trainer.number} steps in {trainer.seconds:.0f} s")


if __name__ == "__main__":
    main()
