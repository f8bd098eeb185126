"""Any sound through a timbre: encode it to codes, keep its loudness (and its pitch), decode.

Timbre transfer as in Bitton, Esling & Harada (2020), "Vector-quantized timbre representation", where
the codes alone carry the sound. An encoder that has never heard the source leaps in pitch, so by default the
tracked pitch is kept: it is moved by octaves into the timbre's range, shown to the encoder in place of the
original, steers a smooth path through the codes, and bends what is left. Audio is streamed both ways.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqsynth.control.level import check_gain
from vqsynth.control.limits import check_seed
from vqsynth.control.melody import bridge, fit_octaves
from vqsynth.corpus.blocks import Progress, RecordingBlocks, pieces
from vqsynth.errors import UsageError, collect_warnings
from vqsynth.render.code_file import CodeSequence
from vqsynth.render.melody_match import codes_at_pitch, codes_of_sound, reachable_f0
from vqsynth.storage.atomic import check_apart

if TYPE_CHECKING:
    from vqsynth.library.timbre import Timbre

PITCH = ("track", "codes")
FIT = ("timbre", "sound")
_CHUNK = 512  # frames decoded at a time
_BRIDGE_SECONDS = 0.12


@dataclasses.dataclass
class Transferred:
    """What was done to one file.

    Attributes:
        seconds: length of the output.
        octaves: how far the melody was moved.
        voiced: share of frames with
        pitch.
        bend_cents: mean bend of voiced frames.
        peak: highest absolute sample.
        warnings: what went less than well.
    """

    source: str
    output: str
    timbre: str
    pitch: str
    seed: int
    seconds: float
    octaves: int
    voiced: float
    bend_cents: float
    peak: float
    warnings: list[str]


def encode(
    source: str | Path,
    timbre: Timbre,
    pitch: str = "track",
    octaves: int | None = None,
    progress: Progress | None = None,
    fit: str = "timbre",
) -> tuple[CodeSequence, int]:
    """Encode a recording of any length.

    Args:
        source: a sound file.
        timbre: whose codes are used.
        pitch: ``track`` keeps the melody (moved by octaves into the timbre's range), ``codes`` is the
            original method: nearest code in the latent space, no more.
        octaves: move by this many instead of the best.
        progress: called with the share that is done, 0 to 1.
        fit: ``timbre`` takes the codes that the encoder hears, ``sound`` those that sound most like the recording,
            and keeps its colour: for recordings of the same kind.

    Returns:
        The codes with loudness and pitch (the moved one), and the octaves moved.

    Raises:
        UsageError: unknown ``pitch`` or ``fit``, or a fit to the sound at the codes' own pitch.
        VqsynthError: the recording cannot be used.
    """
    import torch

    from vqsynth.dsp.mel import absolute_mel
    from vqsynth.streaming.module import twin
    from vqsynth.vqvae.code_spectra import lacking
    from vqsynth.vqvae.features import extract
    from vqsynth.vqvae.quantizer import nearest_codes

    if pitch not in PITCH:
        raise UsageError("choose track or codes", field="pitch", value=pitch)
    if fit not in FIT:
        raise UsageError("choose timbre or sound", field="fit", value=fit)
    if fit == "sound" and pitch != "track":
        raise UsageError("a sound is fitted at its own pitch; let pitch be track", field="fit", value=fit)
    model, config = timbre.model, timbre.config
    recording = RecordingBlocks(source, config)
    f0, moved, reach = recording.pitch(progress), 0, reachable_f0(timbre)
    follow = pitch == "track" and reach is not None
    if pitch == "track" and reach is not None:
        f0, moved = fit_octaves(f0, *reach, octaves)
    encoder = twin(model.encoder)
    # Laid out at once: small pieces kept between large ones that are freed would make the heap grow.
    latents, loudness = np.empty((len(f0), config.code_dim), np.float32), np.empty(len(f0), np.float32)
    spectra = np.empty((len(f0) if fit == "sound" else 0, config.n_mels), np.float16)
    with torch.no_grad():
        for piece in recording.pieces("encoding", progress):
            features = extract(
                piece.audio, config, f0[piece.first : piece.first + 1 + len(piece.audio) // config.hop_length]
            )
            latents[piece.frames] = encoder(features.inputs(config)[None, piece.keep])[0].numpy()
            loudness[piece.frames] = features.loudness[piece.keep].numpy()
            if fit == "sound":
                spectra[piece.frames] = absolute_mel(features.mel[piece.keep], torch.zeros(())).numpy()
    if fit == "sound":
        # Once the colour is known, codes need not stand in for it.
        colour = np.zeros(config.n_mels, np.float32)
        for _ in range(2):
            codes = codes_of_sound(spectra - colour.astype(np.float16), latents, f0, timbre)
            fitted = CodeSequence(codes, loudness, f0)
            colour = lacking(spectra, _spectra(timbre, fitted), loudness)
        return dataclasses.replace(fitted, colour=colour), moved
    if follow:
        return CodeSequence(codes_at_pitch(latents, f0, timbre), loudness, f0), moved
    nearest = [nearest_codes(block, model.codebook) for block in torch.from_numpy(latents).split(_CHUNK)]
    return CodeSequence(torch.cat(nearest).numpy(), loudness, f0), moved


def _spectra(timbre: Timbre, sequence: CodeSequence) -> np.ndarray:
    """Mel spectra of a sequence's sound. Shape: -> [frames, n_mels] float16 dB relative to loudness."""
    from vqsynth.dsp.mel import absolute_mel
    from vqsynth.vqvae.features import extract

    config = timbre.config
    made = np.empty((len(sequence), config.n_mels), np.float16)
    sound = (audio for audio, _ in decode_blocks(timbre, sequence))
    for piece in pieces(sound, config.hop_length, _CHUNK, config.n_fft // config.hop_length):
        here = slice(piece.frames.start, min(piece.frames.stop, len(sequence)))
        mel = extract(piece.audio, config, np.zeros(1 + len(piece.audio) // config.hop_length)).mel[piece.keep]
        made[here] = absolute_mel(mel, mel.new_zeros(()))[: here.stop - here.start].numpy()
    return made


def decode_blocks(
    timbre: Timbre, sequence: CodeSequence, pitch: str = "track", gain_db: float = 0.0, seed: int = 0
) -> Iterator[tuple[np.ndarray, float]]:
    """Decode a sequence as a stream.

    Args:
        timbre: what sounds.
        sequence: codes, loudness and pitch.
        pitch: ``track`` bends voiced frames to ``sequence.f0``; ``codes`` leaves the decoder's pitch.
        gain_db: added to the sequence's loudness.
        seed: of the noise.

    Yields:
        (audio [samples], sum of the absolute bends of the voiced frames decided meanwhile in cents)
    """
    import torch

    from vqsynth.dsp.loudness import gain_of_loudness
    from vqsynth.streaming.synthesizer import FrameStream
    from vqsynth.vqvae.code_spectra import colour_gains
    from vqsynth.vqvae.model import CodeStream

    model, config = timbre.model, timbre.config
    gain = gain_of_loudness(torch.from_numpy(sequence.loudness.astype(np.float32) + np.float32(gain_db)))
    wanted = (
        bridge(sequence.f0, round(_BRIDGE_SECONDS * config.frame_rate)) if pitch == "track" else np.zeros(len(sequence))
    )
    colour = None
    if sequence.colour is not None:
        colour = colour_gains(sequence.colour, config.sample_rate, config.n_fft)
    # A sequence without any pitch leaves it to the codes.
    sung = sequence.f0 > 0 if pitch == "track" and np.any(sequence.f0 > 0) else np.ones(len(sequence), bool)
    decoder, sound, done = CodeStream(model), FrameStream(model.synthesizer(), seed), 0
    for start in range(0, len(sequence), _CHUNK):
        last = start + _CHUNK >= len(sequence)
        frames = decoder.push(sequence.codes[start : start + _CHUNK], last=last)
        here = slice(done, done + len(frames))
        target = torch.from_numpy(wanted[here].astype(np.float32))
        cents = torch.where(target > 0, 1200 * torch.log2(target.clamp_min(1.0) / frames.f0), 0.0)
        # Where the source has no pitch, no pulses glide through, unless the decoder is sure of them.
        level = torch.where(torch.from_numpy(sung[here]), torch.ones(()), frames.voicing)
        frames = dataclasses.replace(frames.bend(cents), harmonic=frames.harmonic * level[:, None])
        if colour is not None:
            frames = dataclasses.replace(frames, harmonic=frames.harmonic * colour, noise=frames.noise * colour)
        audio = sound.push(frames, gain[here], last=last)
        done = here.stop
        yield audio, float(cents[torch.from_numpy(sequence.f0[here] > 0)].abs().sum())


def decode(
    timbre: Timbre,
    sequence: CodeSequence,
    output: str | Path,
    pitch: str = "track",
    gain_db: float = 0.0,
    seed: int = 0,
    bits: str = "16",
    progress: Progress | None = None,
) -> tuple[float, float, float]:
    """Decode a sequence into a WAV or FLAC file, streamed, whole or not at all.

    Returns:
        (seconds, mean bend in cents, peak)

    Raises:
        UsageError: ``output`` has another suffix, or ``bits`` does not fit it.
        VqsynthError: it cannot be written.
    """
    from vqsynth.storage.sound_file import open_sound

    check_gain(gain_db)
    check_seed(seed)
    bend, written = 0.0, 0
    config = timbre.config
    with open_sound(output, config.sample_rate, bits) as sound:
        for audio, cents in decode_blocks(timbre, sequence, pitch, gain_db, seed):
            sound.write(audio)
            bend += cents
            written += len(audio)
            if progress is not None:
                progress("decoding", min(1.0, written / max(1, len(sequence) * config.hop_length)))
        peak = sound.peak
    return written / config.sample_rate, bend / max(1, int(np.sum(sequence.f0 > 0))), peak


def transfer(
    source: str | Path,
    timbre: Timbre,
    output: str | Path,
    pitch: str = "track",
    octaves: int | None = None,
    gain_db: float = 0.0,
    seed: int = 0,
    bits: str = "16",
    progress: Progress | None = None,
) -> Transferred:
    """Play a recording in a timbre. Arguments as in :func:`encode` and :func:`decode`."""
    check_apart(output, source)
    check_gain(gain_db)
    with collect_warnings() as warnings:
        sequence, moved = encode(source, timbre, pitch, octaves, progress)
        seconds, bend, peak = decode(timbre, sequence, output, pitch, gain_db, seed, bits, progress)
    voiced = float(np.mean(sequence.f0 > 0))
    return Transferred(str(source), str(output), timbre.name, pitch, seed, seconds, moved, voiced, bend, peak, warnings)
