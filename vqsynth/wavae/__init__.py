"""The continuous path: a mel-spectrogram VAE freed of loudness, with a streaming vocoder.

import vqsynth.wavae
strings = vqsynth.wavae.load("strings")
path = strings.encode(audio)          # latents, loudness, principal axes
audio = strings.decode(path)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain, load
    from vqsynth.wavae.effects.feedback import FeedbackSettings, feedback
    from vqsynth.wavae.effects.input import encode_file
    from vqsynth.wavae.effects.interpolate import interpolate
    from vqsynth.wavae.effects.output import decode_file, maker_of
    from vqsynth.wavae.effects.transfer import transfer_all as transfer
    from vqsynth.wavae.paths import operators
    from vqsynth.wavae.paths.latent_path import LatentPath
    from vqsynth.wavae.paths.operator_line import apply as bend
    from vqsynth.wavae.paths.path_file import load as load_path
    from vqsynth.wavae.paths.path_file import save as save_path
    from vqsynth.wavae.training.train import train_domain as train

_HOMES = {
    "load": ("domain", "load"),
    "Domain": ("domain", "Domain"),
    "LatentPath": ("paths.latent_path", "LatentPath"),
    "load_path": ("paths.path_file", "load"),
    "save_path": ("paths.path_file", "save"),
    "encode_file": ("effects.input", "encode_file"),
    "decode_file": ("effects.output", "decode_file"),
    "maker_of": ("effects.output", "maker_of"),
    "operators": ("paths.operators", ""),
    "bend": ("paths.operator_line", "apply"),
    "interpolate": ("effects.interpolate", "interpolate"),
    "transfer": ("effects.transfer", "transfer_all"),
    "feedback": ("effects.feedback", "feedback"),
    "FeedbackSettings": ("effects.feedback", "FeedbackSettings"),
    "train": ("training.train", "train_domain"),
}
__all__ = [
    "load",
    "Domain",
    "LatentPath",
    "load_path",
    "save_path",
    "encode_file",
    "decode_file",
    "maker_of",
    "operators",
    "bend",
    "interpolate",
    "transfer",
    "feedback",
    "FeedbackSettings",
    "train",
]


def __getattr__(name: str) -> Any:
    # Imported when first used, so that the command line's help comes at once.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    home, own = _HOMES[name]
    module = importlib.import_module(f"{__name__}.{home}")
    return getattr(module, own) if own else module
