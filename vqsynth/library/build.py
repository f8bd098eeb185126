"""From a finished training run to a timbre folder: usage, transitions, quality, card."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vqsynth.dsp.loudness import gain_of_loudness
from vqsynth.dsp.stft import power_spectrogram
from vqsynth.library.timbre import FORMAT_VERSION, Timbre, save_model, stored_weights
from vqsynth.storage.compact import expand
from vqsynth.training.prepared import Piece, Prepared
from vqsynth.version import __version__
from vqsynth.vqvae.features import Features
from vqsynth.vqvae.model import VQVAE, Encoded
from vqsynth.vqvae.quantizer import perplexity


def encode_pieces(model: VQVAE, corpus: Prepared, held_out: bool) -> Iterator[tuple[Piece, Encoded]]:
    """Encode every piece of the training or the held-out part."""
    for piece in corpus.pieces:
        if piece.held_out == held_out:
            rows = slice(piece.frame, piece.frame + piece.frames)
            features = Features(
                torch.from_numpy(corpus.mel[rows].astype(np.float32)),
                torch.from_numpy(corpus.f0[rows].copy()),
                torch.from_numpy(corpus.loudness[rows].copy()),
                torch.from_numpy(corpus.active[rows].copy()),
            )
            yield piece, model.encode_features(features)


def code_statistics(model: VQVAE, corpus: Prepared) -> tuple[np.ndarray, np.ndarray, float]:
    """Usage, bigrams and latent roughness of the training recordings.

    Returns:
        usage [n_codes] int64, transitions [n, 3] int32 (from, to, count), and the mean distance
        between the code vectors of successive frames in real (not varied) playing.
    """
    n_codes = model.config.n_codes
    usage = np.zeros(n_codes, np.int64)
    pairs: list[np.ndarray] = []
    jumps: list[np.ndarray] = []
    codebook = model.codebook.numpy()
    for piece, encoded in encode_pieces(model, corpus, held_out=False):
        usage += np.bincount(encoded.codes[encoded.active], minlength=n_codes)
        both = encoded.active[1:] & encoded.active[:-1]
        pairs.append(encoded.codes[:-1][both] * n_codes + encoded.codes[1:][both])
        if not piece.varied:
            jumps.append(np.linalg.norm(np.diff(codebook[encoded.codes], axis=0), axis=1)[both])
    keys, counts = np.unique(np.concatenate(pairs), return_counts=True)
    transitions = np.stack([keys // n_codes, keys % n_codes, counts], 1).astype(np.int32)
    return usage, transitions, float(np.mean(np.concatenate(jumps)))


def held_out_quality(model: VQVAE, corpus: Prepared, seed: int = 0) -> dict[str, float]:
    """Reconstruct the held-out recordings from their codes and loudness alone.

    Returns:
        ``log_spectral_distance_db`` (rms over bins of the dB difference of frame spectra down to 60 dB
        under each frame's peak, mean over active frames) and ``f0_cents_median`` (decoder's f0 against the
        tracked one, voiced frames); empty when nothing is held out.
    """
    config, synthesizer = model.config, model.synthesizer()
    distances, cents = [], []
    for piece, encoded in encode_pieces(model, corpus, held_out=True):
        frames = model.decode(encoded.codes)
        audio = synthesizer.render(frames, gain_of_loudness(torch.from_numpy(encoded.loudness)), seed)
        target = corpus.audio[piece.start : piece.start + piece.samples]
        length = min(len(audio), len(target))
        spectra = [
            10
            * np.log10(
                power_spectrogram(torch.from_numpy(np.array(x[:length])), config.n_fft, config.hop_length).numpy()
                + 1e-12
            )
            for x in (audio, target)
        ]
        floor = np.maximum(spectra[1].max(1, keepdims=True) - 60, -80)
        difference = np.maximum(spectra[0], floor) - np.maximum(spectra[1], floor)
        active = encoded.active[: len(difference)]
        distances.append(np.sqrt((difference**2).mean(1))[active])
        voiced = (encoded.f0 > 0) & encoded.active
        cents.append(1200 * np.abs(np.log2(frames.f0.numpy()[voiced] / encoded.f0[voiced])))
    if not distances:
        return {}
    cents_all = np.concatenate(cents)
    quality = {"log_spectral_distance_db": round(float(np.mean(np.concatenate(distances))), 2)}
    if len(cents_all):
        quality["f0_cents_median"] = round(float(np.median(cents_all)), 1)
    return quality


def build(
    folder: Path,
    name: str,
    model: VQVAE,
    corpus: Prepared,
    training: dict[str, Any],
    sources: list[dict[str, Any]],
    description: str = "",
) -> Timbre:
    """Write weights and card of a finished run; the analysis adds the table.

    Args:
        folder: to write into.
        name: of the timbre.
        model: trained; its weights are rounded as they are stored.
        corpus: that it was trained on.
        training: facts of the run.
        sources: provenance of the recordings.
        description: one line for the card.
    """
    model = model.cpu().eval()
    # Quality and statistics are those of the weights as stored.
    model.load_state_dict({k: v.float() for k, v in expand(stored_weights(model.state_dict())).items()})
    usage, transitions, roughness = code_statistics(model, corpus)
    codes = torch.from_numpy(np.repeat(np.arange(len(usage)), usage))
    card: dict[str, Any] = {
        "timbre": {
            "name": name,
            "format_version": FORMAT_VERSION,
            "description": description,
            "created": datetime.date.today().isoformat(),
            "vqsynth_version": __version__,
        },
        "model": model.config.model_dump(),
        "training": dict(training),
        "source": sources,
        "quality": {
            **held_out_quality(model, corpus),
            "used_codes": int((usage > 0).sum()),
            "perplexity": round(perplexity(codes, model.config.n_codes), 1),
            "roughness_real": round(roughness, 4),
        },
    }
    if corpus.info["varied_seconds"]:
        card["training"]["varied"] = (
            f"{corpus.info['notes']} sampled notes were varied into {corpus.info['varied_seconds']:.0f} s of phrases: "
            f"varispeed within half the largest gap of {corpus.info['largest_gap_semitones']:.1f} semitones, "
            "short glides, vibrato, levels (soft is darker), crossfaded joins"
        )
    return save_model(folder, model, usage, transitions, card)
