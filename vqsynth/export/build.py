"""Instruments from trained timbres: what each code sounds like, laid out for a voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vqsynth.dsp.pitch import decode_f0
from vqsynth.export.alive.detail import Detail
from vqsynth.export.alive.life import Life
from vqsynth.export.choice import Choice
from vqsynth.export.control import SHARE, ControlVoice
from vqsynth.export.rate.timbre import rated
from vqsynth.render.match import TOLERANCE_F0
from vqsynth.streaming.module import twin

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre
    from vqsynth.vqvae.config import ModelConfig
    from vqsynth.vqvae.model import VQVAE

FEATURES = ("centroid", "bandwidth", "f0")
TOLERANCE = 0.17
"""Error of a spectral feature that costs 1, in standard deviations of the table."""
JUMP = 1.0
"""Price of a latent jump of the size that neighbouring frames of a recording make on average."""
GRID = 4
"""Units between two at which a run may begin."""
PITCH, LEVEL, COLOUR = 1 / 12, 8.0, 0.25
"""What costs 1 in the choice of units: octaves, dB, octaves; bending, gain and trims do the rest."""
_SETTLED = 32
_RARE = 0.02
_VOICED = 0.5


def control_voice(timbre: Timbre, seed: int = 0, sample_rate: int | None = None) -> ControlVoice:
    """A timbre's voice, in streaming mode; ``torch.jit.script`` compiles it.

    Args:
        timbre: with a table.
        seed: of the noise.
        sample_rate: in Hz; None: that of the timbre.
    """
    table, model = timbre.table, rated(timbre.model, sample_rate or timbre.config.sample_rate)
    config = model.config
    outputs, pitch = settled(timbre)
    columns, tolerance = [], []
    voiced = np.ones(table.K, bool) if table.voicing is None else table.voicing >= _VOICED
    for name in FEATURES:
        known = name in table.names
        octaves = np.log2(np.maximum(table.column(name), 1e-9)) if known else np.full(table.K, np.nan)
        tolerance.append(TOLERANCE_F0 if name == "f0" else TOLERANCE * max(float(np.nanstd(octaves)), 1e-3))
        columns.append(np.where(voiced | (name != "f0"), octaves, np.nan) / tolerance[-1])
    roughness = float(timbre.card.get("quality", {}).get("roughness_real") or 1.0)
    prior = torch.from_numpy(_RARE / (1.0 + np.asarray(table.usage, np.float64)))
    features = torch.from_numpy(np.stack(columns, 1))
    choice = Choice(features, model.codebook, prior, JUMP / roughness, config.n_fft / SHARE / config.hop_length)
    voice = ControlVoice(
        outputs,
        pitch,
        model.decoder.filters,
        choice,
        torch.tensor(tolerance),
        usual_of(timbre),
        *alive_of(timbre, model),
        config.sample_rate,
        config.n_fft,
        seed,
    )
    return twin(voice)


def alive_of(timbre: Timbre, model: VQVAE) -> tuple[Life | None, Detail | None]:
    """What the player of a timbre did, for a voice with this model; None where it has no units."""
    from vqsynth.render.played.material import prepare_material

    units = timbre.units
    if units is None:
        return None, None
    rate, config = timbre.config.frame_rate, model.config
    material = prepare_material(units, {"centroid": units.column("centroid")}, rate)
    names = ("f0", "loudness", "centroid")
    notes, pool = material.notes, np.flatnonzero(material.pool)[::GRID]
    if not len(notes) or not len(pool):
        return None, None
    moves = np.stack([material.moves[name] for name in names], 1)
    # Soft and loud are what the middle of the recordings is not.
    usual = float(np.median(notes.level))
    tolerance = np.array([PITCH, LEVEL, COLOUR])

    def means(at: np.ndarray) -> Tensor:
        columns = np.stack([material.means[name][at] for name in names], 1) - np.array([0.0, usual, 0.0])
        return torch.from_numpy(columns / tolerance)

    share = rate_of(config) / rate
    life = Life(
        torch.from_numpy(moves),
        torch.from_numpy(material.stop),
        torch.from_numpy(pool),
        means(pool),
        torch.from_numpy(notes.begin),
        means(notes.sustain),
        torch.from_numpy(tolerance),
        1 / share,
    )
    detail = Detail(
        torch.from_numpy(np.asarray(units.code).astype(np.int64)),
        torch.from_numpy(np.array(units.harmonic_detail)),
        torch.from_numpy(np.array(units.noise_detail)),
        config.sample_rate,
        config.n_fft,
        timbre.config.sample_rate / 2,
    )
    return life, detail


def rate_of(config: ModelConfig) -> float:
    """Frames of control a second."""
    return config.sample_rate * SHARE / config.n_fft


@torch.no_grad()
def settled(timbre: Timbre) -> tuple[Tensor, Tensor]:
    """What the decoder says of every code that lasts.

    Shape:
        -> raw outputs [codes, n_outputs], pitch [codes] Hz
    """
    model, config = timbre.model, timbre.config
    parts = []
    for codes in torch.arange(config.n_codes).split(64):
        latents = model.codebook[codes][:, None].expand(-1, _SETTLED + config.lookahead, -1)
        parts.append(model.decoder(latents)[:, -1])
    outputs = torch.cat(parts)
    return outputs, decode_f0(model.decoder.filters.pitch(outputs)[0])


def usual_of(timbre: Timbre) -> Tensor:
    """The timbre's usual colour as :class:`~vqsynth.export.control.ControlVoice` takes it; empty where it has none."""
    from vqsynth.render.played.colour import usual_colour
    from vqsynth.render.played.material import prepare_material

    units = timbre.units
    if units is None:
        return torch.zeros(0)
    colour = usual_colour(prepare_material(units, {"centroid": units.column("centroid")}, timbre.config.frame_rate))
    if colour is None:
        return torch.zeros(0)
    terms = np.concatenate([np.zeros(3 - len(colour.terms)), colour.terms])
    return torch.tensor([*terms, colour.middle, colour.span, colour.slope], dtype=torch.float32)
