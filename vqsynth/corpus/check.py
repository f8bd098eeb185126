"""A dry run before training: read every file and decide whether it is used, varied or left out, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vqsynth.corpus import files
from vqsynth.errors import VqsynthError

USED, VARIED, LEFT_OUT = "used", "varied", "left out"
ONE_NOTE = "one note"

SILENT_DB = -70.0  # the absolute gate of ITU-R BS.1770-4
_RELATIVE_GATE_DB = 60.0
_FLAT_RUN = 4
_CLIPPED_A_LITTLE, _CLIPPED_HEAVILY = 0.001, 0.02
# One sustained note: as vqsynth.corpus.vary.find_note takes it.
_NOTE_GATE_DB, _NOTE_VOICED, _NOTE_SPREAD_SEMITONES, _NOTE_SECONDS = 45.0, 0.5, 0.7, 40.0
_PITCH_SECONDS = 300.0
_COARSE_SUBTYPES = ("PCM_U8", "PCM_S8", "ULAW", "ALAW", "DPCM_8", "DWVW_12")


@dataclass(frozen=True)
class FileReport:
    """What one file holds; lengths in seconds, rate in Hz, level in dB (LUFS), pitch in Hz, shares 0 to 1.

    ``note`` is the pitch of a file that holds one sustained note, else None. ``clipped`` is the share of
    sounding samples in flat tops, ``silence`` the share of frames 60 dB below the loudest or under -70 dB.
    ``pitch_low`` and ``pitch_high`` are the 5th and 95th percentile of voiced frames, None without any.
    """

    path: Path
    decision: str
    reason: str
    seconds: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    clipped: float = 0.0
    silence: float = 1.0
    level: float | None = None
    voiced: float = 0.0
    pitch_low: float | None = None
    pitch_high: float | None = None
    note: float | None = None
    fingerprint: str = ""


def check(
    path: str | Path,
    sample_rate: int = 44100,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[FileReport]:
    """Read every audio file below ``path`` and report on each, in sorted order. No file stops the check.

    ``sample_rate`` is the rate that training would use, in Hz; ``progress(done, total)`` is called after
    each file.

    Raises:
        VqsynthError: the folder is missing or holds no audio.
    """
    paths = files.find_audio(path)
    reports = []
    for number, report in enumerate(_map(check_file, paths, sample_rate, jobs)):
        reports.append(report)
        if progress is not None:
            progress(number + 1, len(paths))
    return _vary_or_use(_leave_out_duplicates(reports))


class SampleScan:
    """Looks at a file's samples block by block: flat tops, and a hash that equal sounds share.

    Args:
        info: of the file.

    Attributes:
        flat: samples in flat tops so far.
        sounding: samples above silence so far.
    """

    def __init__(self, info: files.FileInfo) -> None:
        self._digest = hashlib.sha256(f"{info.sample_rate} {info.channels}".encode())
        # Eight bits make flat tops of every low tone; there only full scale counts.
        self._lowest_top = 0.99 if info.subtype in _COARSE_SUBTYPES else 0.1
        self.flat = self.sounding = 0

    def add(self, block: np.ndarray) -> None:
        """Take the next block. Shape: [samples, channels] float32."""
        if not len(block):
            return
        self._digest.update(block.tobytes())
        size = np.abs(block)
        self.sounding += int((size > 0.001).sum())
        peaks = size.max(axis=0)
        for channel in np.flatnonzero(peaks >= self._lowest_top):
            self.flat += _flat_samples(block[:, channel], peaks[channel])

    @property
    def clipped(self) -> float:
        """Share of the sounding samples that are in flat tops."""
        return self.flat / max(self.sounding, 1)

    @property
    def fingerprint(self) -> str:
        """Hash of rate, channels and samples."""
        return self._digest.hexdigest()

    def reason(self, path: Path, seen: dict[str, Path]) -> str:
        """Why the file is kept out of training, or an empty string; to be asked after the last block.

        Args:
            path: of the file.
            seen: fingerprints of files before to their paths, added to, so that the second of two equal
                sounds is kept out.
        """
        if self.clipped > _CLIPPED_HEAVILY:
            return _clipped_reason(self.clipped)
        original = seen.setdefault(self.fingerprint, path)
        return "" if original == path else _same_reason(original)


def screen(path: Path, seen: dict[str, Path]) -> str:
    """Return why a file's samples keep it out of training, or an empty string. Reads the whole file.

    Args:
        path: of the file.
        seen: as :meth:`SampleScan.reason` has it.

    Raises:
        VqsynthError: the file is damaged.
    """
    scan = SampleScan(files.probe(path))
    for block in files.stream_channels(path):
        scan.add(block)
    return scan.reason(path, seen)


def check_file(path: Path, sample_rate: int = 44100) -> FileReport:
    """Report on one file; whatever is wrong with it becomes the reason."""
    report = FileReport(Path(path), LEFT_OUT, "")
    try:
        info = files.probe(path)
        report = replace(report, seconds=info.seconds, sample_rate=info.sample_rate, channels=info.channels)
        scan = SampleScan(info)
        report = _measure(report, files.stream_mono(path, sample_rate, on_block=scan.add), sample_rate)
        return _decide(replace(report, clipped=scan.clipped, fingerprint=scan.fingerprint))
    except VqsynthError as error:
        return replace(report, reason=str(error).removeprefix(f"{path}: "))
    except Exception as error:  # a decoder's own failure; the other files still want checking
        return replace(report, reason=f"could not be read ({type(error).__name__}: {error})")


def _map(
    function: Callable[[Path, int], FileReport], paths: Sequence[Path], sample_rate: int, jobs: int
) -> Iterator[FileReport]:
    if jobs == 1 or len(paths) == 1:
        yield from (function(path, sample_rate) for path in paths)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=jobs, return_as="generator")(delayed(function)(path, sample_rate) for path in paths)


def _flat_samples(samples: np.ndarray, peak: float) -> int:
    """Count samples in runs of at least four equal ones at the top, on either side. ``samples`` [n]."""
    top = np.abs(samples) >= 0.995 * peak
    same = np.zeros(len(samples), dtype=bool)
    same[1:] = top[1:] & top[:-1] & (np.abs(np.diff(samples)) < 1e-6)
    edges = np.flatnonzero(np.diff(np.r_[False, same, False].astype(np.int8)))
    runs = edges[1::2] - edges[::2] + 1
    return int(runs[runs >= _FLAT_RUN].sum())


def _measure(report: FileReport, blocks: Iterable[np.ndarray], sample_rate: int) -> FileReport:
    """Add level, silence and pitch, from blocks of ten seconds; pitch from at most five minutes, spread."""
    from vqsynth.descriptors import f0
    from vqsynth.dsp.loudness import loudness

    every = max(1, int(np.ceil(report.seconds / _PITCH_SECONDS)))
    levels, pitches, heard = [], [], 0
    for number, block in enumerate(blocks):
        level = loudness(block, sample_rate)
        levels.append(level)
        if number % every == 0 and level.max() > SILENT_DB:
            pitch, _, voiced = f0.track(block, sample_rate)
            pitches.append(pitch[voiced])
            heard += int((level > max(SILENT_DB, level.max() - _NOTE_GATE_DB)).sum())
    level = np.concatenate(levels)
    sounding = level > max(SILENT_DB, float(level.max()) - _RELATIVE_GATE_DB)
    if not sounding.any():
        return report
    report = replace(
        report,
        silence=1.0 - float(sounding.mean()),
        level=float(10 * np.log10(np.mean(10 ** (level[sounding] / 10)))),
    )
    pitch = np.concatenate(pitches) if pitches else np.zeros(0)
    if not len(pitch):
        return report
    low, middle, high = np.percentile(pitch, [5, 50, 95])
    share = min(1.0, len(pitch) / max(heard, 1))
    spread = float(np.percentile(np.abs(12 * np.log2(pitch / middle)), 80))
    is_note = share >= _NOTE_VOICED and spread <= _NOTE_SPREAD_SEMITONES and report.seconds < _NOTE_SECONDS
    return replace(
        report,
        voiced=share,
        pitch_low=float(low),
        pitch_high=float(high),
        note=float(middle) if is_note else None,
    )


def _decide(report: FileReport) -> FileReport:
    if report.level is None:
        return replace(report, reason="silent: nothing above -70 dB")
    if report.clipped > _CLIPPED_HEAVILY:
        return replace(report, reason=_clipped_reason(report.clipped))
    if report.seconds < files.MINIMUM_SECONDS:
        return replace(report, reason=f"shorter than {1000 * files.MINIMUM_SECONDS:.0f} ms")
    notes = []
    if report.clipped > _CLIPPED_A_LITTLE:
        notes.append(f"slightly clipped ({100 * report.clipped:.1f} %)")
    if report.seconds < 0.5:
        notes.append("short: padded")
    if report.note is not None:
        notes.insert(0, ONE_NOTE)
        return replace(report, decision=VARIED, reason=", ".join(notes))
    return replace(report, decision=USED, reason=", ".join(notes))


def _leave_out_duplicates(reports: list[FileReport]) -> list[FileReport]:
    first: dict[str, Path] = {}
    result = []
    for report in reports:
        if report.decision != LEFT_OUT:
            original = first.setdefault(report.fingerprint, report.path)
            if original != report.path:
                report = replace(report, decision=LEFT_OUT, reason=_same_reason(original))
        result.append(report)
    return result


def _vary_or_use(reports: list[FileReport]) -> list[FileReport]:
    """Notes are varied where they are two or more and half of what is kept; else all is used as it is."""
    kept = [r for r in reports if r.decision != LEFT_OUT]
    notes = sum(r.note is not None for r in kept)
    if notes >= max(2, 0.5 * len(kept)):
        return reports
    return [replace(r, decision=USED) if r.decision == VARIED else r for r in reports]


def _clipped_reason(share: float) -> str:
    return f"clipped: {100 * share:.0f} % of its samples are flat tops"


def _same_reason(original: Path) -> str:
    return f"the same sound as {original.name}"
