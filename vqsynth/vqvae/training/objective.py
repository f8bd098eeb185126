"""The training objective: the sound, the pitch, the commitment."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from vqsynth.dsp.losses import multi_resolution_stft
from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.dsp.pitch import encode_f0
from vqsynth.training.segments import fill_f0
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.quantizer import Quantized
from vqsynth.vqvae.training.batches import SegmentBatch
from vqsynth.vqvae.training.settings import TrainSettings


@dataclasses.dataclass
class ForwardResult:
    """One forward pass.

    Attributes:
        losses: named terms, each [], weighted sum under ``total``.
        audio: [batch, samples]. latents: [active frames, code_dim]. quantized: None before the codebook starts.
        f0: [batch, frames] predicted, Hz.
    """

    losses: dict[str, Tensor]
    audio: Tensor
    latents: Tensor
    quantized: Quantized | None
    f0: Tensor


class Objective(nn.Module):
    """Encodes, quantises, decodes, synthesises and compares; one module so that DDP can wrap it."""

    def __init__(self, model: VQVAE, settings: TrainSettings) -> None:
        super().__init__()
        self.model, self.settings = model, settings
        self.synthesizer = model.synthesizer()

    def forward(self, batch: SegmentBatch, quantize: bool, generator: torch.Generator | None = None) -> ForwardResult:
        model, config = self.model, self.model.config
        latents = model.encoder(batch.inputs(config))
        active = batch.active.flatten()
        flat = latents.reshape(-1, config.code_dim)
        quantized = None
        losses: dict[str, Tensor] = {}
        if quantize:
            quantized = model.quantizer(flat)
            chosen = model.codebook[quantized.codes[active]]
            losses["commitment"] = nn.functional.mse_loss(flat[active], chosen) if active.any() else flat.sum() * 0
            quantized = dataclasses.replace(quantized, codes=quantized.codes[active])
            latents = quantized.latents.reshape(latents.shape)
        else:
            # Free latents are kept small, so that the codebook starts at a known scale.
            losses["commitment"] = 0.02 * flat.square().mean()
        frames, logits = model.decoder.frames(model.decoder.decode_sequence(latents))
        predicted = frames.f0
        # The pulse train sings the tracked pitch while the filters learn.
        frames = dataclasses.replace(frames, f0=fill_f0(batch.f0.cpu()).to(batch.f0))
        audio = self.synthesizer.synthesise_batch(frames, gain_of_loudness(batch.loudness), generator)
        losses["spectral"] = multi_resolution_stft(audio, batch.audio)
        voiced = (batch.f0 > 0) & batch.active
        goal = encode_f0(batch.f0, config.pitch_bins)
        goal = goal / goal.sum(-1, keepdim=True).clamp_min(1e-6)
        entropy = -(goal * torch.log_softmax(logits, -1)).sum(-1)
        losses["pitch"] = (entropy * voiced).sum() / voiced.sum().clamp_min(1)
        agreement = nn.functional.binary_cross_entropy(
            frames.voicing.clamp(1e-5, 1 - 1e-5), voiced.float(), reduction="none"
        )
        losses["voicing"] = (agreement * batch.active).sum() / batch.active.sum().clamp_min(1)
        losses["total"] = (
            losses["spectral"]
            + self.settings.commitment * losses["commitment"]
            + self.settings.pitch_weight * losses["pitch"]
            + self.settings.voicing_weight * losses["voicing"]
        )
        return ForwardResult(losses, audio, flat[active].detach(), quantized, predicted.detach())
