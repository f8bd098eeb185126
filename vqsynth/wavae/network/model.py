"""The continuous model: sound to a latent path and back, whole or streamed with the same layers."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import FLOOR_DB, gain_of_loudness
from vqsynth.streaming.frame_synthesizer import FrameSynthesizer
from vqsynth.streaming.module import twin
from vqsynth.streaming.pitch_bank import PitchBank
from vqsynth.wavae.network.analysis import MelAnalysis, between_latents, pitch_features, scale_controls
from vqsynth.wavae.network.config import STRIDE, WavaeConfig
from vqsynth.wavae.network.pitch_reader import FIRST_PITCH, PitchReader
from vqsynth.wavae.network.vae import Decoder, Encoder
from vqsynth.wavae.network.vocoder import Vocoder

CHUNK = 64
"""Latent frames that are computed at once offline: what they need stays in the cache. Changes nothing else."""


class Wavae(nn.Module):
    """Analysis, pitch reader, VAE, vocoder network and synthesizer of one domain: a streaming module, sound to sound.

    Every layer is causal and keeps its own past, so offline is a stream fed in large pieces, its output moved back
    by the latency that does not depend on the pieces. Latent frame ``t`` describes the sound around sample
    ``t * latent_hop``. A latent frame becomes mel frames when it is complete, and sound one hop later: in blocks of a
    hop, neither block does all the work.

    Args:
        config: sizes of everything.

    Attributes:
        latency: samples by which :meth:`forward` is late, in a stream.
        decoder_latency: samples by which :meth:`decode_frames` is late: from its first sample to the time of the
            first latent frame.
    """

    state_audio: Tensor
    state_mel: Tensor
    state_controls: Tensor
    state_before: Tensor
    state_waiting: Tensor
    state_due_mel: Tensor
    state_due_curves: Tensor
    state_ready: Tensor

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = MelAnalysis(config)
        self.reader = PitchReader(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.vocoder = Vocoder(config)
        self.bank = PitchBank(config.sample_rate, config.n_fft, config.cells, config.pitch_bins)
        self.synthesizer = FrameSynthesizer(config.sample_rate, config.n_fft)
        self.hop_length, self.stride = config.hop_length, STRIDE
        self.overlap = config.n_fft - config.hop_length
        self.n_mels, self.latent_dim, self.n_controls = config.n_mels, config.latent_dim, len(config.controls)
        self.pitch_bins, self.floor_db, self.first_pitch = config.pitch_bins, FLOOR_DB, FIRST_PITCH
        self.free = False
        self.decoder_latency = self.synthesizer.latency + (STRIDE - 1) * self.hop_length
        self.latency = config.n_fft // 2 + self.synthesizer.latency + (STRIDE - 1) * self.hop_length
        for name in ("audio", "mel", "controls", "before", "due_mel", "due_curves", "ready"):
            self.register_buffer(f"state_{name}", torch.zeros(0), persistent=False)
        self.register_buffer("state_waiting", torch.zeros((), dtype=torch.int64), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.reader.reset(batch)
        self.encoder.reset(batch)
        self.decoder.reset(batch)
        self.vocoder.reset(batch)
        self.bank.reset(batch)
        self.synthesizer.reset(batch)
        device = self.analysis.window.device
        self.state_audio = torch.zeros(batch, self.overlap, device=device)
        self.state_mel = torch.zeros(batch, 0, self.n_mels, device=device)
        self.state_controls = torch.zeros(batch, 0, self.n_controls, device=device)
        # Loudness, octaves above the first pitch, and voicing of the latest latent frame.
        self.state_before = torch.tensor([self.floor_db, 0.0, 0.0], dtype=torch.float64, device=device).repeat(
            batch, 1, 1
        )
        # Hops since the newest latent frame whose sound has been made, less one.
        self.state_waiting = torch.full_like(self.state_waiting, -1)
        self.state_due_mel = torch.zeros(batch, 0, self.n_mels, device=device)
        self.state_due_curves = torch.zeros(batch, 0, 3, dtype=torch.float64, device=device)
        self.state_ready = torch.zeros(batch, self.stride * self.hop_length, device=device)

    def forward(self, audio: Tensor) -> Tensor:
        """Take whole hops of sound, give as many, ``latency`` samples late. Shape: 2 x [batch, n * hop_length]."""
        latents, controls = self.encode_hops(audio)
        return self.paced(latents, controls, audio.shape[1])

    @torch.jit.export
    def paced(self, latents: Tensor, controls: Tensor, samples: int) -> Tensor:
        """Take the latent frames that came in some hops, give as many samples; as evenly as hops come.

        Args:
            latents: [batch, frames, latent_dim], one for every second hop since the stream began.
            controls: [batch, frames, n_controls].
            samples: of the hops.

        Shape:
            -> [batch, samples], ``latency - n_fft // 2`` samples after a frame's second hop
        """
        mel, curves = self.mel_frames(latents, controls)
        mel, curves = torch.cat([self.state_due_mel, mel], 1), torch.cat([self.state_due_curves, curves], 1)
        waiting = int(self.state_waiting) + samples // self.hop_length
        due = max(0, waiting // self.stride) * self.stride
        self.state_waiting = torch.full_like(self.state_waiting, waiting - due)
        ready = torch.cat([self.state_ready, self.sound(mel[:, :due], curves[:, :due])], 1)
        self.state_due_mel, self.state_due_curves = mel[:, due:].clone(), curves[:, due:].clone()
        self.state_ready = ready[:, samples:].clone()
        return ready[:, :samples]

    @torch.jit.export
    def encode_hops(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Take whole hops of sound, give the latent frames they complete; the newest ends with the newest sample.

        Shape:
            [batch, n * hop_length] -> mean latents [batch, frames, latent_dim], controls [batch, frames, n_controls]
        """
        audio = torch.cat([self.state_audio, audio], 1)
        self.state_audio = audio[:, audio.shape[1] - self.overlap :].clone()
        mel, controls = self.state_mel, self.state_controls
        if audio.shape[1] > self.overlap:
            fresh, measured = self.analyze(audio)
            mel, controls = torch.cat([mel, fresh], 1), torch.cat([controls, measured], 1)
        whole = mel.shape[1] // self.stride * self.stride
        self.state_mel, self.state_controls = mel[:, whole:].clone(), controls[:, whole:].clone()
        if whole == 0:
            return mel.new_zeros(mel.shape[0], 0, self.latent_dim), controls[:, :0]
        pitch = pitch_features(controls[:, :whole, 1], controls[:, :whole, 2], self.pitch_bins)
        mean, _ = self.encoder(mel[:, :whole], pitch.float())
        return mean, controls[:, self.stride - 1 : whole : self.stride]

    @torch.jit.export
    def analyze(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Mel frames and controls of the frames that lie wholly inside ``audio``, read in their order.

        Shape:
            [batch, samples] -> [batch, frames, n_mels], [batch, frames, n_controls]
        """
        mel, descriptors = self.analysis(audio)
        pitch, voicing = self.reader(mel)
        if self.free:
            voicing = torch.zeros_like(voicing)
        parts = [descriptors[..., :1], pitch.float()[..., None], voicing[..., None], descriptors[..., 1:]]
        return mel, torch.cat(parts, -1)

    @torch.jit.export
    def decode_frames(self, latents: Tensor, controls: Tensor) -> Tensor:
        """Take latent frames, give their samples, ``decoder_latency`` late.

        Shape:
            [batch, frames, latent_dim], [batch, frames, n_controls] -> [batch, frames * latent_hop]
        """
        mel, curves = self.mel_frames(latents, controls)
        return self.sound(mel, curves)

    @torch.jit.export
    def mel_frames(self, latents: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """First half of :meth:`decode_frames`.

        Shape:
            [batch, frames, latent_dim], [batch, frames, n_controls] -> mel [batch, 2 * frames, n_mels],
            curves [batch, 2 * frames, 3] float64: loudness (dB), octaves above the first pitch, voicing
        """
        if latents.shape[1] == 0:
            batch = latents.shape[0]
            return latents.new_zeros(batch, 0, self.n_mels), self.state_before.new_zeros(batch, 0, 3)
        known = self.known(controls)
        curves = between_latents(known, self.state_before, self.stride)
        self.state_before = known[:, -1:].clone()
        return self.decoder(latents, scale_controls(controls), self.features(curves)), curves

    @torch.jit.export
    def known(self, controls: Tensor) -> Tensor:
        """Loudness, octaves above the first pitch, and voicing. Shape: [..., n_controls] -> [..., 3] float64."""
        octaves = torch.log2(controls[..., 1:2].double() / self.first_pitch)
        return torch.cat([controls[..., :1].double(), octaves, controls[..., 2:3].double()], -1)

    @torch.jit.export
    def features(self, curves: Tensor) -> Tensor:
        """Pitch features of the curves of mel frames. Shape: [batch, n, 3] -> [batch, n, pitch_bins + 1]."""
        pitch = self.first_pitch * torch.exp2(curves[..., 1])
        return pitch_features(pitch.float(), curves[..., 2].float(), self.pitch_bins)

    @torch.jit.export
    def sound(self, mel: Tensor, curves: Tensor) -> Tensor:
        """Second half of :meth:`decode_frames`.

        Shape: [batch, n, n_mels], [batch, n, 3] -> [batch, n * hop_length]
        """
        if mel.shape[1] == 0:
            return mel.new_zeros(mel.shape[0], 0)
        outputs, features = self.vocoder(mel, self.features(curves))
        harmonic, noise = self.vocoder.filters(outputs)
        level, tonality = self.vocoder.spectrum(mel, features)
        salience = self.vocoder.salience(features)
        pitch = self.first_pitch * torch.exp2(curves[..., 1])
        partials = self.bank(salience, level, tonality, curves[..., 2])
        harmonic = harmonic * curves[..., 2:].float()
        gain = gain_of_loudness(curves[..., 0].float())
        return self.synthesizer(pitch, harmonic, noise, gain, partials)

    def frames_of(self, samples: int) -> int:
        """Latent frames of a sound of that many samples."""
        hop = self.config.latent_hop
        return 1 + -(-(samples + hop // 2) // hop)

    def samples_of(self, frames: int) -> int:
        """Samples that latent frames decode to."""
        return max(0, (frames - 1) * self.config.latent_hop - self.config.latent_hop // 2)

    def stream(self, seed: int = 0, free: bool = False) -> "Wavae":
        """A twin of this model: its weights, a past of its own.

        Args:
            seed: of the noise.
            free: leave the pitch to the latents.
        """
        stream = twin(self)
        stream.free = free
        stream.synthesizer.noise.seed = seed
        stream.reset(1)
        return stream

    def encode(self, audio: np.ndarray | Tensor, free: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Encode a whole sound at the model's rate.

        Args:
            audio: [samples].
            free: leave the pitch to the latents: nothing is voiced.

        Shape:
            -> latents [frames, latent_dim], controls [frames, n_controls] (loudness in dB, pitch in Hz, voicing,
            centroid in Hz); frames is :meth:`frames_of` (samples)
        """
        latents, controls, _ = self.encode_blocks([np.asarray(audio)], free)
        return latents, controls

    def encode_blocks(self, blocks: Iterable[np.ndarray], free: bool = False) -> tuple[np.ndarray, np.ndarray, int]:
        """Encode a sound that comes in blocks of any sizes, never the whole of it in memory.

        Args:
            blocks: [samples] each, at the model's rate.
            free: leave the pitch to the latents.

        Returns:
            Latents [frames, latent_dim], controls [frames, n_controls], and the samples that came.
        """
        hop = self.config.latent_hop
        stream, samples, held = self.stream(free=free), 0, torch.zeros(0)
        parts: list[tuple[Tensor, Tensor]] = []

        def take(audio: Tensor) -> None:
            with torch.inference_mode():
                parts.extend(stream.encode_hops(part[None]) for part in audio.split(CHUNK * hop))

        for block in blocks:
            samples += len(block)
            held = torch.cat([held, torch.as_tensor(np.ascontiguousarray(block, np.float32))])
            whole = len(held) // (CHUNK * hop) * CHUNK * hop
            if whole:
                take(held[:whole])
                held = held[whole:].clone()
        take(nn.functional.pad(held, (0, self.frames_of(samples) * hop - samples)))
        return (
            torch.cat([latents[0] for latents, _ in parts]).numpy(),
            torch.cat([controls[0] for _, controls in parts]).numpy(),
            samples,
        )

    @torch.inference_mode()
    def decode(
        self,
        latents: np.ndarray | Tensor,
        controls: np.ndarray | Tensor,
        samples: int | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Decode a whole latent path.

        Args:
            latents: [frames, latent_dim].
            controls: [frames, n_controls].
            samples: length of the sound; by default all that the path covers.
            seed: of the noise.

        Shape:
            -> [samples]
        """
        z, controlled = (torch.as_tensor(np.ascontiguousarray(x, np.float32)) for x in (latents, controls))
        stream = self.stream(seed)
        chunks = zip(z.split(CHUNK), controlled.split(CHUNK))
        parts = [stream.decode_frames(*(x[None] for x in chunk))[0] for chunk in chunks]
        start = self.decoder_latency
        end = start + (self.samples_of(len(z)) if samples is None else samples)
        return torch.cat(parts)[start:end].numpy()

    def resynthesise(self, audio: np.ndarray | Tensor) -> np.ndarray:
        """Encode and decode a whole sound. Shape: [samples] -> [samples]."""
        return self.decode(*self.encode(audio), samples=len(audio))
