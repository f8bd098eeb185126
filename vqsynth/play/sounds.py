"""Sounds come in and go out: uploads, examples, waveforms, spectrograms, files, recipes."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from starlette.requests import Request

from vqsynth.control.targets.recording import INNER, read_recording
from vqsynth.corpus import files
from vqsynth.descriptors import names
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.figures.mel import FMAX, FMIN, N_MELS, RANGE_DB, mel_levels
from vqsynth.play.answers import Refused, clean, length_of
from vqsynth.play.sessions import WAV, Session, Sound
from vqsynth.storage.sound_file import BITS, FORMATS, native_name, open_sound

UPLOAD_BYTES, UPLOAD_SECONDS = 64 << 20, 600.0
RATE = 44_100
"""Of all that is uploaded, in Hz."""
MOST_CHANNELS = 32
COLUMNS = 20_000
MEASURED_SECONDS = 60.0


async def receive(request: Request, path: Path, most: int = UPLOAD_BYTES) -> int:
    """Write a body to a file, at most ``most`` bytes; how many there were.

    Raises:
        Refused: 413, there are more, in truth or by the header.
    """
    too_large = Refused(413, f"a file may have {most >> 20} MB; cut it, or compress it to FLAC")
    if length_of(request) > most:
        raise too_large
    total = 0
    with path.open("wb") as file:
        async for part in request.stream():
            total += len(part)
            if total > most:
                raise too_large
            file.write(part)
    return total


def check_header(path: Path, most_seconds: float = UPLOAD_SECONDS) -> files.FileInfo:
    """Look into a file's header before anything is decoded.

    Raises:
        Refused: 415, it is no sound; 413, it says that it is longer than it may be.
    """
    try:
        info = files.probe(path)
    except VqsynthError:
        raise Refused(415, "this is no sound file that can be read; send WAV, FLAC, OGG, MP3 or AIFF") from None
    if info.channels > MOST_CHANNELS:
        raise Refused(413, f"a file may have {MOST_CHANNELS} channels, this has {info.channels}; mix it down")
    if not 0 <= info.seconds <= most_seconds:
        raise Refused(413, f"a sound may last {most_seconds:g} s, this lasts {info.seconds:,.0f} s; cut it")
    return info


def decoded(path: Path, most_seconds: float = UPLOAD_SECONDS) -> np.ndarray:
    """The sound of a file as mono at 44,100 Hz, never more of it than may be. Shape: [samples] float32.

    Raises:
        Refused: as :func:`check_header`; 415 where the file is damaged.
    """
    check_header(path, most_seconds)
    parts, samples = [], 0
    try:
        for block in files.stream_mono(path, RATE):
            samples += len(block)
            if samples > (most_seconds + 1) * RATE:
                raise Refused(413, f"a sound may last {most_seconds:g} s; cut it")
            parts.append(block)
    except VqsynthError as error:
        raise Refused(415, error.message.replace(f"{path}: ", "")) from None
    if not samples:
        raise Refused(415, "the file holds no sound")
    return np.concatenate(parts)


def take(session: Session, folder: Path, source: Path, name: str, origin: str, licence: str | None = None) -> Sound:
    """A file becomes a sound of a window.

    Raises:
        Refused: as :func:`decoded`.
    """
    audio = decoded(source)
    return store(session, folder, audio, RATE, name, origin, licence=licence)


def store(session: Session, folder: Path, audio: np.ndarray, rate: int, name: str, origin: str, **more: Any) -> Sound:
    """Write audio [samples] to the folder, and keep it in the window; other arguments are those of a sound."""
    if not (folder / WAV).exists():
        with open_sound(folder / WAV, rate, "32f") as file:
            file.write(audio)
    return session.add(Sound(folder.name, name, origin, folder, np.asarray(audio, np.float32), rate, **more))


def written(path: Path) -> np.ndarray:
    """The samples of a mono file that a command's function wrote. Shape: [samples] float32."""
    return soundfile.read(native_name(path), dtype="float32")[0]


def as_file(sound: Sound, suffix: str, bits: str | None) -> bytes:
    """A sound as a WAV or FLAC file; without ``bits`` a WAV is the very file of the recipe.

    Raises:
        Refused: no such bits.
    """
    if suffix == ".wav" and bits is None:
        return (sound.folder / WAV).read_bytes()
    bits = bits or "16"
    if bits not in FORMATS[suffix]:
        raise Refused(400, f"{suffix} files can have {', '.join(FORMATS[suffix])}", "bits", bits)
    file = io.BytesIO()
    audio = sound.audio if bits == "32f" else np.clip(sound.audio, -1.0, 1.0)
    soundfile.write(file, audio, sound.rate, BITS[bits], format=suffix[1:].upper())
    return file.getvalue()


def part(sound: Sound, start: float, end: float) -> np.ndarray:
    """The samples between two times in seconds, at least one."""
    first = min(round(start * sound.rate), len(sound.audio) - 1)
    return sound.audio[first : max(first + 1, round(min(end, 1e6) * sound.rate))]


def peaks(audio: np.ndarray, columns: int) -> np.ndarray:
    """Lowest and highest sample of equal stretches. Shape: [samples] -> float32 [columns, 2]."""
    columns = max(1, min(columns, len(audio)))
    starts = np.linspace(0, len(audio), columns, endpoint=False).astype(int)
    return np.stack([np.minimum.reduceat(audio, starts), np.maximum.reduceat(audio, starts)], 1).astype(np.float32)


def mel(sound: Sound, start: float, end: float, top: float | None) -> tuple[np.ndarray, dict[str, str]]:
    """Mel spectrogram of a part in 256 steps of level; and what a page must know of it.

    Shape: -> uint8 [columns, 128], 255 is ``top`` dB (the loudest spot of the part, where it is None), 0 is 80 dB less
    """
    audio = part(sound, start, end)
    levels = mel_levels(audio, sound.rate)
    top = float(levels.max()) if top is None else top
    steps = np.clip((levels - top + RANGE_DB) / RANGE_DB * 255, 0, 255).round().astype(np.uint8)
    facts = {
        "X-Columns": len(steps),
        "X-Bands": N_MELS,
        "X-Seconds": len(audio) / sound.rate,
        "X-Top-Db": top,
        "X-Low-Hz": FMIN,
        "X-High-Hz": min(FMAX, sound.rate / 2),
    }
    return steps, {name: str(value) for name, value in facts.items()}


def png(steps: np.ndarray) -> bytes:
    """A picture of a spectrogram, high bands above. Shape: uint8 [columns, bands]."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(steps.T[::-1])).save(file, "PNG")
    return file.getvalue()


def curves_csv(curves: dict[str, list[float | None]]) -> str:
    """Curves as a table, a column each; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(curves)
    for row in zip(*curves.values()):
        writer.writerow(["" if value is None else f"{value:.7g}" for value in row])
    return text.getvalue()


def measured(sound: Sound, descriptor: str, points: int) -> dict[str, Any]:
    """A descriptor of a whole sound, at times that are evenly apart; joined where it cannot be measured.

    Raises:
        Refused: the sound is too long, or has nothing of the kind.
    """
    seconds = len(sound.audio) / sound.rate
    if descriptor not in names():
        raise Refused(400, f"choose {', '.join(names())}", "descriptor", descriptor)
    if seconds > MEASURED_SECONDS:
        text = f"a sound that is followed may last {MEASURED_SECONDS:g} s, this lasts {seconds:.0f} s; cut it"
        raise Refused(413, text)
    try:
        target = read_recording(sound.folder / WAV, descriptor, sample_rate=sound.rate)
    except UsageError:
        raise Refused(422, f"{sound.name}: its {descriptor} could not be measured; sing louder, or nearer") from None
    times = np.linspace(0, seconds, points)
    known = target.values_at[target.valid]
    low, high = (float(value) for value in np.percentile(known, INNER))
    curve = np.interp(times, target.times_at[target.valid], known)
    return {"seconds": seconds, "values": curve, "low": low, "high": high, "known": float(target.mask(times).mean())}


def recipe(sound: Sound) -> dict[str, Any]:
    """How a sound was made.

    Raises:
        Refused: 404, it was not made here.
    """
    if not sound.commands:
        raise Refused(404, "this sound was uploaded, not made here; it has no recipe")
    names = sorted(path.name for path in sound.folder.iterdir() if path.is_file())
    return {"commands": sound.commands, "files": names, "request": sound.request, "report": sound.report}


def bundle(sound: Sound) -> bytes:
    """A sound, and everything that makes it again, as a ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(sound.folder.iterdir()):
            if path.is_file():
                archive.write(path, path.name)
        if sound.commands:
            archive.writestr("command.txt", "\n".join(sound.commands) + "\n")
            archive.writestr("recipe.json", json.dumps(clean(recipe(sound)), indent=1))
    return file.getvalue()
