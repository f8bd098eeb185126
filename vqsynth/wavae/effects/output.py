"""Latent paths to sound files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.control.level import check_gain
from vqsynth.control.limits import check_seed
from vqsynth.errors import UsageError, warn
from vqsynth.storage.sound_file import check_output, open_sound
from vqsynth.wavae.paths.latent_path import LatentPath

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain


def maker_of(path: LatentPath, file: str | Path) -> Domain:
    """The domain that made a path, found by its name.

    Raises:
        UsageError: there is none of this name; ``file`` is where the path came from.
    """
    from vqsynth.wavae.domain import load

    try:
        return load(path.domain)
    except UsageError as error:
        raise UsageError(
            f"{file}: made by {path.domain}, which is not among the models here; "
            "give its folder with `model`, or another model"
        ) from error


def decode_file(
    path: LatentPath, domain: Domain, output: str | Path, seed: int = 0, gain_db: float = 0.0, bits: str = "16"
) -> np.ndarray:
    """Decode a path into a WAV or FLAC file, whole or not at all.

    A path of another training of the same domain is decoded with a warning.

    Args:
        path: the path.
        domain: the model.
        output: the file.
        seed: of the noise.
        gain_db: of the finished sound.
        bits: ``16``, ``24`` or ``32f`` (WAV alone).

    Returns:
        The sound before it was rounded to ``bits``, Shape: [samples] float32

    Raises:
        UsageError: another suffix, ``bits`` that do not fit it, or a gain above 60 dB.
        VqsynthError: the path does not fit the domain, or the file cannot be written.
    """
    check_output(output, bits)
    check_gain(gain_db)
    check_seed(seed)
    domain.accept(path)
    if path.domain == domain.name and not np.allclose(path.pca.mean, domain.pca.mean, atol=1e-5):
        warn(
            f"the path was made by another training of {domain.name}, so it will sound different; "
            "encode the sound again"
        )
    audio = domain.decode(path, seed) * np.float32(10 ** (gain_db / 20))
    with open_sound(output, domain.config.sample_rate, bits) as sound:
        sound.write(audio)
    return audio
