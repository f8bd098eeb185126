"""Latents that the encoder never learned to use are held still.

A latent whose posterior is the prior tells the decoder nothing (posterior collapse: Lucas, Tucker, Grosse & Norouzi
2019, Don't blame the ELBO, section 3). Its mean still moves a little, and with the sound's loudness: a leak for who
looks closely, a curve without effect for who draws. They keep their mean value, which the decoder is used to.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.network.vae import Encoder

LEAST_RATIO = 1.0
"""Variance of the mean over the posterior's own. Latents that are used have 10 and more, others 0.01 to 0.3."""
ENOUGH = 200
"""Frames without a single pitch from which the details are judged."""


@torch.inference_mode()
def posterior_moments(model: Wavae, sounds: Iterable[np.ndarray]) -> tuple[Tensor, Tensor, Tensor]:
    """Posterior of all latent frames of some sounds, and how far they have a single pitch.

    Shape:
        sounds [samples] each -> mean, variance: 2 x [frames, latent_dim]; voicing [frames]
    """
    means: list[Tensor] = []
    variances: list[Tensor] = []
    voicings: list[Tensor] = []
    for audio in sounds:
        stream = model.stream()
        kept: list[tuple[Tensor, Tensor]] = []
        handle = stream.encoder.register_forward_hook(lambda module, inputs, output, kept=kept: kept.append(output))
        whole = len(audio) // model.config.latent_hop * model.config.latent_hop
        _, controls = stream.encode_hops(torch.from_numpy(np.ascontiguousarray(audio[:whole], np.float32))[None])
        handle.remove()
        for mean, log_variance in kept:
            means.append(mean[0])
            variances.append(log_variance[0].exp())
            voicings.append(controls[0, :, 2])
    return torch.cat(means), torch.cat(variances), torch.cat(voicings)


def living(model: Wavae, sounds: Iterable[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Which latents the encoder uses, and the means of all. Shape: sounds [samples] each -> 2 x [latent_dim].

    Details are judged where they are used: in frames without a single pitch; all live where too few of these came.
    """
    mean, variance, voicing = posterior_moments(model, sounds)
    first = model.latent_dim - model.config.details
    used = mean.var(0) > LEAST_RATIO * variance.mean(0)
    free = voicing < 0.05
    if int(free.sum()) < ENOUGH:
        used[first:] = True
    else:
        used[first:] = (mean[free].var(0) > LEAST_RATIO * variance[free].mean(0))[first:]
    return used, mean.mean(0)


@torch.no_grad()
def hold_still(encoder: Encoder, dead: Tensor, value: Tensor) -> None:
    """Let the means of some latents be one value, whatever is heard. Shape: dead bool, value: 2 x [latent_dim]."""
    count = len(dead)
    first = count - encoder.details
    encoder.head.weight[:count][dead] = 0
    encoder.head.bias[:count][dead] = value[dead]
    encoder.direct.weight[dead[first:]] = 0
    encoder.direct.bias[dead[first:]] = 0
