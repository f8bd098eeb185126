"""A recording beside renders of the same note, without and with life: what moves, as a picture."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.life import pitch
from benchmarks.life.movement import brightness
from benchmarks.life.sound import Sound, around_mean, low_pass
from benchmarks.tracking.cases import note_name

SECONDS = 6.0
TOP_KHZ = 10.0


def draw(timbre: str, recording: Path, figure: Path) -> None:
    """Draw a recording and renders of its note with life 0 and 1: spectrogram, level, pitch and centroid of each.

    Where the timbre's units have the recording, the renders do without it: it would only be played again.

    Args:
        timbre: name of an installed timbre.
        recording: of one held note.
        figure: PNG file.
    """
    import vqsynth

    real = Sound.read(recording)
    real = Sound(real.audio[: round(SECONDS * real.rate)], real.rate)
    note = note_name(float(np.median(real.f0[real.f0 > 0])))
    named = vqsynth.load(timbre)
    units = named.units
    own = [] if units is None else [r.name for r in units.recordings if Path(r.name).stem == recording.stem]
    columns = {f"recording ({recording.stem})": real}
    with tempfile.TemporaryDirectory() as folder:
        for life in (0.0, 1.0):
            path = Path(folder) / f"{life:g}.wav"
            named.render(
                f0=note, duration=min(SECONDS, real.seconds), life=life, without=own, output=path, figure=False
            )
            columns[f"render of {note}, life {life:g}"] = Sound.read(path)
    picture(columns, figure)


def picture(columns: dict[str, Sound], figure: Path) -> None:
    """Draw sounds beside each other, all on the same scales.

    Args:
        columns: title -> sound.
        figure: PNG file.
    """
    import librosa
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure(figsize=(12, 8), layout="constrained"))
    axes = canvas.figure.subplots(
        4, len(columns), sharex=True, sharey="row", squeeze=False, height_ratios=(2.2, 1, 1, 1)
    )
    for column, (title, sound) in enumerate(columns.items()):
        above = axes[:, column]
        above[0].set_title(title, fontsize=10)
        spectrum = np.abs(librosa.stft(sound.audio, n_fft=4096, hop_length=256))
        decibels = 20 * np.log10(spectrum / spectrum.max() + 1e-9)
        kept = decibels[: round(TOP_KHZ * 1000 * 4096 / sound.rate)]
        above[0].imshow(
            kept,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=-75,
            vmax=0,
            extent=(0, sound.seconds, 0, TOP_KHZ),
        )
        time = np.arange(len(sound.level)) / sound.frame_rate
        heard = sound.level > sound.level.max() - 50
        cents, semitones = pitch.cents(sound), brightness(sound)
        above[1].plot(time, np.where(heard, sound.level - sound.level.max(), np.nan), lw=0.8)
        for part in sound.held:
            known = np.isfinite(cents[part])
            if known.any():
                above[2].plot(time[part], low_pass(_centred(cents[part]), sound.frame_rate, 60.0), lw=0.8, color="C1")
            above[3].plot(time[part], around_mean(semitones[part], sound.frame_rate), lw=0.8, color="C2")
        above[1].set_ylim(-40, 2)
        above[3].set_xlabel("time (s)")
    for row, name in enumerate(("kHz", "level (dB)", "pitch (cents)", "centroid around\nits mean (semitones)")):
        axes[row, 0].set_ylabel(name)
    axes[2, 0].set_ylim(-50, 50)
    axes[3, 0].set_ylim(-5, 5)
    canvas.figure.savefig(figure, dpi=100)


def _centred(values: np.ndarray) -> np.ndarray:
    """Around the median, without gaps: [frames]."""
    known = np.isfinite(values)
    filled = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    return filled - np.median(filled)
