"""Notes in a sound of several voices, found by a network that finds several pitches at once.

The network is basic-pitch (Bittner et al. 2022, A lightweight instrument-agnostic model for polyphonic note
transcription and multipitch estimation, ICASSP), run by onnxruntime; the package is not imported, its file is enough.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np

RATE, HOP = 22_050, 256
WINDOW = 2 * RATE - HOP
OVERLAP = 30
"""Frames that windows share; half of them are dropped at either end."""
LOWEST_MIDI, KEYS = 21, 88
ONSET_LEVEL, FRAME_LEVEL, SHORTEST, BRIDGED = 0.5, 0.3, 11, 11
"""What an onset and a frame of a note reach at least, the frames of a note, and those a note may fall below: the
package's own defaults."""
ONSET_SECONDS = 0.1


@functools.cache
def network(path: Path | None = None):
    """An onnxruntime session of the network.

    Args:
        path: of nmp.onnx; None looks for the package basic_pitch.

    Raises:
        FileNotFoundError: it is not there.
    """
    import onnxruntime

    if path is None:
        found = importlib.util.find_spec("basic_pitch")
        if found is None or found.origin is None:
            raise FileNotFoundError("no basic_pitch; pip install --no-deps basic-pitch")
        path = Path(found.origin).parent / "saved_models" / "icassp_2022" / "nmp.onnx"
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def activations(audio: np.ndarray, rate: int, path: Path | None = None) -> np.ndarray:
    """How far every key sounds, and begins. Shape: [samples] -> [2, frames, 88], 86.13 frames a second."""
    import soxr

    session = network(path)
    sound = soxr.resample(audio.astype(np.float32), rate, RATE)
    sound = sound / max(float(np.abs(sound).max()), 1e-6)
    step = WINDOW - OVERLAP * HOP
    padded = np.pad(sound, (OVERLAP // 2 * HOP, WINDOW))
    names = [output.name for output in session.get_outputs()]
    wanted = [names.index(f"StatefulPartitionedCall:{output}") for output in (1, 2)]
    frames = []
    for start in range(0, len(sound), step):
        window = padded[start : start + WINDOW].reshape(1, WINDOW, 1).astype(np.float32)
        outputs = session.run(None, {session.get_inputs()[0].name: window})
        frames.append(np.stack([outputs[i][0] for i in wanted])[:, OVERLAP // 2 : -(OVERLAP // 2)])
    return np.concatenate(frames, 1)[:, : -(-len(sound) // HOP)]


def notes_of(activity: np.ndarray) -> list[tuple[int, int, int]]:
    """Notes: key (MIDI), first frame, frame after the last, as the paper forms them (section 2.3).

    Peaks of the onsets begin notes, the latest first, which go on until the key is quiet for 11 frames; what is left
    above the level then are notes without an onset, around the strongest frames.

    Shape: [2, frames, 88]
    """
    sounding, begun = activity
    count, left, notes = len(sounding), sounding.copy(), []
    # A sudden rise is an onset, too.
    risen = np.min([np.pad(sounding[n:] - sounding[:-n], ((n, 0), (0, 0))) for n in (1, 2)], axis=0).clip(0)
    risen[:2] = 0
    onsets = np.maximum(begun, begun.max() * risen / max(risen.max(), 1e-9))
    inner = onsets[1:-1]
    peaks = np.argwhere((inner > onsets[:-2]) & (inner > onsets[2:]) & (inner >= ONSET_LEVEL)) + [1, 0]

    def follow(key: int, frame: int, step: int) -> int:
        """Last frame of the note in this direction."""
        quiet = 0
        while 0 < frame + step < count - 1 and quiet < BRIDGED:
            frame += step
            quiet = quiet + 1 if left[frame, key] < FRAME_LEVEL else 0
        return frame - step * quiet

    def take(key: int, first: int, last: int) -> None:
        left[first : last + 1, max(0, key - 1) : key + 2] = 0
        if last - first > SHORTEST:
            notes.append((key + LOWEST_MIDI, first, last + 1))

    for frame, key in peaks[::-1]:
        last = follow(key, frame, 1)
        if last - frame > SHORTEST:
            take(key, frame, last)
    while left.max(initial=0) > FRAME_LEVEL:
        frame, key = np.unravel_index(left.argmax(), left.shape)
        take(int(key), follow(key, frame, -1), follow(key, frame, 1))
    return notes


def agreement(found: list[tuple[int, int, int]], wanted: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Notes that match one by one (same key, begun within 0.1 s), notes found, notes wanted."""
    most, free, matched = ONSET_SECONDS * RATE / HOP, list(found), 0
    for key, first, _ in wanted:
        near = [note for note in free if note[0] == key and abs(note[1] - first) <= most]
        if near:
            free.remove(min(near, key=lambda note: abs(note[1] - first)))
            matched += 1
    return matched, len(found), len(wanted)


def frame_agreement(found: list[tuple[int, int, int]], wanted: list[tuple[int, int, int]], frames: int) -> np.ndarray:
    """The same, counted in frames of keys. Shape: -> [3]."""
    rolls = []
    for notes in (found, wanted):
        roll = np.zeros((frames, 128), bool)
        for key, first, last in notes:
            roll[first:last, key] = True
        rolls.append(roll)
    return np.array([(rolls[0] & rolls[1]).sum(), rolls[0].sum(), rolls[1].sum()])


def f1(matched: float, found: float, wanted: float) -> float:
    """Harmonic mean of precision and recall; of nothing wanted and nothing found 1."""
    return 2 * matched / (found + wanted) if found + wanted else 1.0
