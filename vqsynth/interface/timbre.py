"""A timbre and what can be done with it: every method is one call of the rooms below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vqsynth.control.request import Request
from vqsynth.errors import UsageError, collect_warnings
from vqsynth.interface.asked import Articulation, Asked, Bits, Curve, Matcher, Progress, requests_of, voices_of
from vqsynth.interface.units import UnitsOfTimbre
from vqsynth.render.code_file import CodeSequence

if TYPE_CHECKING:
    from vqsynth.corpus.mirror import Display
    from vqsynth.library.table import Table
    from vqsynth.render.match import PathSettings
    from vqsynth.render.transfer import Transferred


class Timbre(UnitsOfTimbre):
    """A trained timbre, ready to render, transfer, encode and decode; made by :func:`vqsynth.load`."""

    def render(
        self,
        *,
        centroid: Asked | None = None,
        f0: Asked | None = None,
        bandwidth: Asked | None = None,
        rolloff: Asked | None = None,
        flatness: Asked | None = None,
        loudness: Asked | None = None,
        targets: Mapping[str, Asked] | Sequence[Request] = (),
        weights: Mapping[str, float] | None = None,
        duration: float | None = None,
        gain: Curve | None = None,
        gain_range: str | None = None,
        periods: float | None = None,
        matcher: Matcher = "auto",
        life: float = 1.0,
        take: int = 0,
        articulation: Articulation = "auto",
        attack: float | None = None,
        without: Sequence[str] = (),
        only: Sequence[int] | str | Path | None = None,
        sources: str | Path | None = None,
        refine: int | None = None,
        bend: bool = True,
        tilt: bool = True,
        hold: str | float | None = "auto",
        clamp: bool = False,
        seed: int = 0,
        bits: Bits = "16",
        voices: int | Literal["auto"] = "auto",
        stems: bool = False,
        voice_targets: Mapping[int, Mapping[str, Asked] | Sequence[Request]] | None = None,
        search: PathSettings | None = None,
        codes: str | Path | CodeSequence | None = None,
        keep_codes: str | Path | None = None,
        output: str | Path | None = None,
        figure: bool = True,
        progress: Progress | None = None,
    ) -> tuple[np.ndarray | None, dict[str, Any]]:
        """Render descriptor targets: ``timbre.render(centroid="sin", f0="A4", duration=12)``.

        Args:
            centroid: target of the spectral centroid, or a pair of target and range.
            f0: target of the pitch.
            bandwidth: target of the spectral bandwidth.
            rolloff: target of the spectral roll-off.
            flatness: target of the spectral flatness.
            loudness: target of the loudness; met by the gain.
            targets: targets of any descriptors, by their names; or requests, in their order.
            weights: of descriptors against the others, by name; 1 without.
            duration: seconds; None takes that of the longest target or of the codes, else 24.
            gain: dB (0 dB is -20 LUFS) or a curve in dB.
            gain_range: what a shape of gain is laid on, in dB: ``-30:0``.
            periods: of shapes that do not say their own.
            matcher: ``played`` is made of runs of real playing (``auto``: where the timbre has units), ``path`` is the
                smoothest good sequence of codes, ``nearest`` the original method.
            life: share of the recordings' movement around the targets, 0 to 1; 0 is ``path``.
            take: another number plays other runs along the same curve.
            articulation: ``auto``, ``legato`` or ``detached``.
            attack: seconds; None leaves those of the recordings.
            without: recordings that must not be played, by name.
            only: units to play around, by number, or a CSV file with a column ``unit``.
            sources: write what was played when to this CSV file.
            refine: rounds of trims; None is 2 on the path and 0 for ``nearest``.
            bend: whether trims may bend the pitch.
            tilt: whether trims may tilt the spectrum.
            hold: pitch to hold when f0 is not asked for: ``auto``, a note, Hz, or None.
            clamp: cut targets that are out of reach instead of refusing them.
            seed: of the noise and of walks.
            bits: sample format of the file.
            voices: of a MIDI file's chords, as many as notes sound at once or at most this many; 1: the highest note.
            stems: also write every voice, to ``OUT_1.wav`` and so on.
            voice_targets: of single voices, ``{2: {"centroid": "arch"}}``, instead of those for all.
            search: weights of the path search.
            codes: play these codes, or those in this file, instead of matching.
            keep_codes: write the codes to this file (``.npz``).
            output: WAV or FLAC file; beside it go ``.csv``, ``.json`` and, with ``figure``, ``.png``.
            figure: draw the picture beside ``output``.
            progress: told how far it is.

        Returns:
            The sound, float32 [samples], or None with ``output``; and the report, with its ``warnings``.

        Raises:
            UsageError: a request that cannot be met; its ``field`` is the argument.
            VqsynthError: a file cannot be read or written.
        """
        from vqsynth.render.ensemble import render_voices
        from vqsynth.render.match import PathSettings
        from vqsynth.render.played.play import PlayedOptions
        from vqsynth.render.settings import RenderSettings
        from vqsynth.units.chosen import chosen_units

        settings = RenderSettings(
            duration=duration,
            gain=gain,
            gain_range=gain_range,
            periods=periods,
            matcher=matcher,
            refine=refine,
            bend=bend,
            tilt=tilt,
            hold=hold,
            clamp=clamp,
            seed=seed,
            bits=bits,
            path=search or PathSettings(),
            played=PlayedOptions(
                life=life,
                take=take,
                attack=attack,
                articulation=articulation,
                without=tuple(without),
                only=chosen_units(only),
            ),
        )
        asked = {"centroid": centroid, "f0": f0, "bandwidth": bandwidth, "rolloff": rolloff, "flatness": flatness}
        done = render_voices(
            self,
            requests_of({**asked, "loudness": loudness}, targets, weights or {}),
            settings,
            voices_of(voices, stems, voice_targets or {}),
            codes=codes,
            keep_codes=keep_codes,
            sources=sources,
            output=output,
            figure=figure,
            progress=progress,
        )
        return done.audio, done.report

    def encode(
        self,
        source: str | Path,
        output: str | Path | None = None,
        *,
        pitch: Literal["track", "codes"] = "track",
        octaves: int | None = None,
        fit: Literal["timbre", "sound"] = "timbre",
        progress: Progress | None = None,
    ) -> tuple[CodeSequence, int]:
        """Encode a recording of any length to codes.

        Args:
            source: an audio file.
            output: also write the codes to this ``.npz``.
            pitch: ``track`` keeps the melody, moved by octaves into the timbre's range; ``codes`` leaves it to the
                codes.
            octaves: move by this many instead of the best.
            fit: ``timbre`` takes the codes that the encoder hears, ``sound`` those that sound most like the recording,
                and keeps its colour: for recordings of the timbre's own kind.
            progress: told how far it is.

        Returns:
            The codes with loudness and pitch, and the octaves that the melody was moved by.

        Raises:
            UsageError: ``pitch``, ``fit`` or the suffix of ``output`` is wrong.
            VqsynthError: the recording cannot be used, or the file not be written.
        """
        from vqsynth.render.code_file import save_codes
        from vqsynth.render.transfer import encode

        if output is not None and Path(output).suffix.lower() != ".npz":
            raise UsageError("the file of codes must end in .npz", field="output", value=output)
        sequence, moved = encode(source, self, pitch, octaves, progress, fit)
        if output is not None:
            save_codes(output, self, sequence)
        return sequence, moved

    def decode(
        self,
        codes: str | Path | CodeSequence,
        output: str | Path | None = None,
        *,
        pitch: Literal["track", "codes"] = "track",
        gain_db: float = 0.0,
        seed: int = 0,
        bits: Bits = "16",
        force: bool = False,
        progress: Progress | None = None,
    ) -> tuple[np.ndarray | None, dict[str, Any]]:
        """Turn codes back into sound.

        Args:
            codes: a sequence, or a file of codes.
            output: WAV or FLAC file to write; None returns the sound.
            pitch: ``track`` bends to the pitch that is kept with the codes, ``codes`` leaves it to them.
            gain_db: added to the level, dB.
            seed: of the noise.
            bits: sample format of the file.
            force: accept codes of another timbre.
            progress: told how far it is, when a file is written.

        Returns:
            The sound, float32 [samples], or None with ``output``; and a report: ``seconds``, ``peak``, ``warnings``.

        Raises:
            UsageError: codes of another timbre, or an argument out of range.
            VqsynthError: a file cannot be read or written.
        """
        from vqsynth.render.code_file import load_codes
        from vqsynth.render.transfer import decode, decode_blocks

        with collect_warnings() as warnings:
            sequence = codes if isinstance(codes, CodeSequence) else load_codes(codes, self, force)
            if output is None:
                parts = [audio for audio, _ in decode_blocks(self, sequence, pitch, gain_db, seed)]
                audio = np.concatenate(parts)
                peak, seconds = float(np.abs(audio).max(initial=0.0)), len(audio) / self.config.sample_rate
            else:
                audio = None
                seconds, _, peak = decode(self, sequence, output, pitch, gain_db, seed, bits, progress)
        return audio, {"timbre": self.name, "seconds": seconds, "peak": peak, "warnings": warnings}

    def transfer(
        self,
        source: str | Path,
        output: str | Path | None = None,
        *,
        pitch: Literal["track", "codes"] = "track",
        octaves: int | None = None,
        gain_db: float = 0.0,
        seed: int = 0,
        bits: Bits = "16",
        figure: bool = False,
        display: Display | None = None,
    ) -> tuple[list[Transferred], list[Path]]:
        """Play a recording, or all recordings below a folder, in this timbre.

        Args:
            source: an audio file, or a folder of them.
            output: file or folder; None is ``SOURCE_TIMBRE.wav``, or the folder ``SOURCE_TIMBRE``.
            pitch: as in :meth:`encode`.
            octaves: as in :meth:`encode`.
            gain_db: added to the level, dB.
            seed: of the noise.
            bits: sample format of the files.
            figure: also draw the spectrograms of both, ``OUTPUT.png``.
            display: told which file is worked on, and how far it is.

        Returns:
            What was made of each file, and the files of a folder that could not be used.

        Raises:
            UsageError: an argument is out of range.
            VqsynthError: the only file cannot be used, or an output not be written.
        """
        from vqsynth.render.transfer_folder import transfer_all

        return transfer_all(
            Path(source),
            self,
            None if output is None else Path(output),
            display,
            figure,
            pitch=pitch,
            octaves=octaves,
            gain_db=gain_db,
            seed=seed,
            bits=bits,
        )

    def analyze(
        self,
        descriptors: Sequence[str] | None = None,
        *,
        seconds: float = 0.3,
        seed: int = 0,
        progress: Callable[[float], None] | None = None,
    ) -> Table:
        """Measure what every code sounds like; writes the table, the index and the figures into the timbre's folder.

        Args:
            descriptors: names; all by default.
            seconds: length of sound that is measured of each code.
            seed: of the noise.
            progress: told the share done, 0 to 1.

        Returns:
            The descriptor table, which is then :attr:`table`.

        Raises:
            UsageError: an unknown descriptor, or ``seconds`` out of range.
            VqsynthError: the folder cannot be written to.
        """
        from vqsynth.library.analyze import analyze

        return analyze(self, descriptors, seconds, seed, progress)
