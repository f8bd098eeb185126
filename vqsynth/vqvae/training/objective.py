"""The training objective: the sound, the pitch, the commitment."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from vqsynth.dsp.losses import multi_resolution_stft, pitch_losses
from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.training.segments import fill_f0
from vqsynth.vqvae.model import VQVAE
from vqsynth.vqvae.training.batches import SegmentBatch


@dataclasses.dataclass
class ForwardResult:
    """One forward pass.

    Attributes:
        losses: named terms, each [].
        audio: [batch, samples].
        latents: of the active frames [n, code_dim], without gradients.
        codes: of the active frames [n, ...]; None before the codebook starts.
    """

    losses: dict[str, Tensor]
    audio: Tensor
    latents: Tensor
    codes: Tensor | None


class Objective(nn.Module):
    """Encodes, quantises, decodes, synthesises and compares; one module so that DDP can wrap it."""

    def __init__(self, model: VQVAE) -> None:
        super().__init__()
        self.model = model
        self.synthesizer = model.synthesizer()

    def forward(self, batch: SegmentBatch, quantize: bool, generator: torch.Generator | None = None) -> ForwardResult:
        """Run the model on a batch.

        Args:
            batch: segments of recordings.
            quantize: whether latents pass through the codebook.
            generator: of the synthesis noise.
        """
        model, config = self.model, self.model.config
        latents = model.encoder(batch.inputs(config))
        active = batch.active.flatten()
        flat = latents.reshape(-1, config.code_dim)
        codes = None
        losses: dict[str, Tensor] = {}
        if quantize:
            quantized = model.quantizer(flat)
            codes = quantized.codes[active]
            chosen = model.codebook[codes]
            losses["commitment"] = nn.functional.mse_loss(flat[active], chosen) if active.any() else flat.sum() * 0
            latents = quantized.latents.reshape(latents.shape)
        else:
            # Free latents are kept small, so that the codebook starts at a known scale.
            losses["commitment"] = 0.02 * flat.square().mean()
        outputs = model.decoder.decode_sequence(latents)
        frames, _ = model.decoder.frames(outputs)
        # The pulse train sings the tracked pitch while the filters learn.
        frames = dataclasses.replace(frames, f0=fill_f0(batch.f0.cpu()).to(batch.f0))
        audio = self.synthesizer.synthesise_batch(frames, gain_of_loudness(batch.loudness), generator)
        losses["spectral"] = multi_resolution_stft(audio, batch.audio)
        pitch, voicing = model.decoder.filters.pitch(outputs)
        losses["pitch"], losses["voicing"] = pitch_losses(pitch, voicing, batch.f0, batch.active)
        return ForwardResult(losses, audio, flat[active].detach(), codes)
