"""Style transfer: any sound through one or several models, each of which can only say it in its own way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.control.curve import read_curve
from vqsynth.control.level import check_gain
from vqsynth.control.limits import check_seed
from vqsynth.corpus.mirror import Display, Silent, each, outputs
from vqsynth.descriptors import f0
from vqsynth.errors import UsageError, collect_warnings
from vqsynth.storage.atomic import check_apart, check_folder, together
from vqsynth.storage.sound_file import open_sound
from vqsynth.wavae.effects.input import encode_recording
from vqsynth.wavae.effects.melody import draw_melody, fit_melody
from vqsynth.wavae.paths.curves import KINDS
from vqsynth.wavae.paths.moment_matching import distance, match_moments
from vqsynth.wavae.paths.nearest import approach, check_strength

if TYPE_CHECKING:
    from vqsynth.wavae.domain import Domain
    from vqsynth.wavae.paths.latent_path import LatentPath

ADAPT = 1.0
FREE = ("free", "model")
"""Both say that the latents hold the pitch."""
TASK = "transferring"


@dataclasses.dataclass
class Transferred:
    """What became of one sound in one model.

    Attributes:
        seconds: length of the output.
        voiced: share of its frames that have a pitch.
        octaves: by which the melody was moved.
        distance: of the sound's path from the corpus before it was adapted, in std (1 is at home).
        peak: highest absolute sample.
        warnings: what went less than well.
    """

    source: str
    output: str
    model: str
    seed: int
    adapt: float
    seconds: float
    voiced: float
    octaves: int
    distance: float
    peak: float
    warnings: list[str]


def label(domain: Domain) -> str:
    """What a domain is called in file names: its folder."""
    return domain.path.resolve().name


def land(path: LatentPath, domain: Domain, strength: float) -> LatentPath:
    """A path moved into a domain: its moments to those of the recordings, then its frames to the nearest they have.

    Raises:
        UsageError: ``strength`` is not between 0 and 1.
    """
    corpus = domain.corpus_latents
    matched = match_moments(path, strength, corpus)
    return matched if corpus is None else approach(matched, corpus, strength)


def carry(
    path: LatentPath,
    domain: Domain,
    strength: float = ADAPT,
    pitch: str = "track",
    octaves: int | None = None,
    seed: int = 0,
) -> tuple[np.ndarray, int]:
    """Play an encoded sound in a domain: the sound [samples], and the octaves that its melody was moved by.

    Args:
        path: of the sound.
        domain: the model.
        strength: as for :func:`land`.
        pitch: ``track`` sings the sound's own melody, ``free`` what the model makes of it (of a path that was encoded
            so); else a curve of Hz or a note, as for :func:`vqsynth.wavae.paths.operators.with_pitch`.
        octaves: as for :func:`vqsynth.wavae.effects.melody.fit_melody`; a drawn melody stays where it is without.
        seed: of the noise.

    Raises:
        UsageError: an option is out of range.
    """
    path, moved = land(path, domain, strength), 0
    if pitch == "track":
        path, moved = fit_melody(path, domain, octaves)
    elif pitch not in FREE:
        moved = octaves or 0
        path = draw_melody(path, pitch, moved)
    return domain.decode(path, seed), moved


@together()
def transfer(
    source: Path,
    domains: Sequence[Domain],
    base: Path,
    *,
    strength: float = ADAPT,
    pitch: str = "track",
    octaves: int | None = None,
    level: str = "match",
    gain_db: float = 0.0,
    seed: int = 0,
    bits: str = "16",
    figure: bool = True,
    progress: Callable[[str, float], None] | None = None,
) -> list[Transferred]:
    """Play a recording through models: ``BASE_MODEL.wav`` for each, and ``BASE_transfer.png``.

    The outputs have the loudness of the recording, moment by moment.

    Args:
        source: a sound file.
        domains: the models.
        base: folder and beginning of the names.
        strength: as for :func:`carry`.
        pitch: as for :func:`carry`.
        octaves: as for :func:`carry`.
        level: as for :func:`vqsynth.wavae.effects.input.encode_recording`.
        gain_db: added to the outputs.
        seed: of the noise.
        bits: ``16``, ``24`` or ``32f``.
        figure: whether to draw.
        progress: told the task and the share of it that is done.

    Raises:
        UsageError: an option is out of range.
        VqsynthError: the file cannot be used, or an output not be written.
    """
    check_gain(gain_db)
    for domain in domains:
        check_apart(base.with_name(f"{base.name}_{label(domain)}.wav"), source, pitch)
    done: list[Transferred] = []
    sounds: list[tuple[str, np.ndarray, int]] = []
    for number, domain in enumerate(domains):
        with collect_warnings() as warnings:
            audio, path, given = encode_recording(source, domain, level, "free" if pitch in FREE else "track")
            rate = domain.config.sample_rate
            back = np.float32(10 ** (-given / 20))
            if not sounds:
                sounds.append((f"original: {source.name}", audio * back, rate))
            output, moved = carry(path, domain, strength, pitch, octaves, seed)
            output = output * back * np.float32(10 ** (gain_db / 20))
            target = base.with_name(f"{base.name}_{label(domain)}.wav")
            with open_sound(target, rate, bits) as sound:
                sound.write(output)
            sounds.append((label(domain), output, rate))
        voiced = float(np.mean(f0.track(output, rate)[2]))
        done.append(
            Transferred(
                str(source),
                str(target),
                label(domain),
                seed,
                strength,
                len(output) / rate,
                voiced,
                moved,
                distance(path),
                sound.peak,
                warnings,
            )
        )
        if progress is not None:
            progress(TASK, (number + 1) / len(domains))
    if figure:
        draw(base.with_name(f"{base.name}_transfer.png"), sounds)
    return done


def draw(path: Path, sounds: Sequence[tuple[str, np.ndarray, int]]) -> None:
    """Draw sounds side by side: title, audio [samples] and rate of each.

    Raises:
        VqsynthError: the figure cannot be written.
    """
    import soxr

    from vqsynth.figures.mel import mel_panels

    top = max(rate for _, _, rate in sounds)
    panels = [(title, audio if rate == top else soxr.resample(audio, rate, top)) for title, audio, rate in sounds]
    mel_panels(path, panels, top, side_by_side=True)


def transfer_all(
    source: str | Path,
    domains: Sequence[Domain],
    output: str | Path | None = None,
    display: Display | None = None,
    *,
    strength: float = ADAPT,
    pitch: str = "track",
    octaves: int | None = None,
    level: str = "match",
    gain_db: float = 0.0,
    seed: int = 0,
    bits: str = "16",
    figure: bool = True,
) -> tuple[list[list[Transferred]], list[Path]]:
    """Transfer a file, or all audio below a folder into a folder with the same tree.

    A file of a folder that cannot be used is reported and the others are done; a single file raises.

    Args:
        source: an audio file, or a folder.
        domains: the models that it is played through.
        output: folder; None is the working folder, or for a folder IN the folder IN_transfer.
        display: told which file is worked on, and how far it is.
        strength: as for :func:`carry`.
        pitch: as for :func:`carry`.
        octaves: as for :func:`carry`.
        level: as for :func:`transfer`.
        gain_db: added to the outputs, dB.
        seed: of the noise.
        bits: sample format of the files.
        figure: also draw the spectrograms.

    Returns:
        What was done, a list for each file, and the files that failed.

    Raises:
        UsageError: a model is given twice, or an argument is out of range.
        VqsynthError: as :func:`transfer`.
    """
    names = [label(domain) for domain in domains]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError("is given twice; name every model once", field="domains", value=twice)
    check_strength(strength)
    check_gain(gain_db)
    check_seed(seed)
    if pitch not in ("track", *FREE):
        read_curve(pitch, KINDS["pitch"])
    source, output = Path(source), None if output is None else Path(output)
    shown = display or Silent()
    if source.is_file():
        if output is not None and output.suffix.lower() in (".wav", ".flac") and not output.is_dir():
            raise UsageError("is a folder, which gets a file for each model; name one", field="output", value=output)
        check_folder(output or Path())
        jobs = [(source, (output or Path()) / source.stem)]
    else:
        jobs = [(path, target.with_suffix("")) for path, target in outputs(source, output, "transfer")]

    def work(path: Path, base: Path) -> list[Transferred]:
        return transfer(
            path,
            domains,
            base,
            strength=strength,
            pitch=pitch,
            octaves=octaves,
            level=level,
            gain_db=gain_db,
            seed=seed,
            bits=bits,
            figure=figure,
            progress=shown.part,
        )

    return each(source, jobs, shown, work)
