"""The continuous model: sound to a latent path and back, whole or streamed with the same layers."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from vqsynth.dsp.loudness import FLOOR_DB, gain_of_loudness
from vqsynth.streaming.frame_synthesizer import FrameSynthesizer
from vqsynth.streaming.module import twin
from vqsynth.streaming.pitch_filter import PitchFilter
from vqsynth.wavae.network.analysis import MelAnalysis, scale_controls
from vqsynth.wavae.network.config import STRIDE, WavaeConfig
from vqsynth.wavae.network.vae import Decoder, Encoder
from vqsynth.wavae.network.vocoder import Vocoder

CHUNK = 256
"""Latent frames that are computed at once offline: bounds the memory, changes nothing else."""


class Wavae(nn.Module):
    """Mel analysis, VAE, vocoder network and synthesizer of one domain: a streaming module, sound in, sound out.

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
    state_loudness: Tensor
    state_waiting: Tensor
    state_due_mel: Tensor
    state_due_loudness: Tensor
    state_ready: Tensor

    def __init__(self, config: WavaeConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = MelAnalysis(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.vocoder = Vocoder(config)
        self.pitch = PitchFilter(config.pitch_bins)
        self.synthesizer = FrameSynthesizer(config.sample_rate, config.n_fft)
        self.hop_length, self.stride = config.hop_length, STRIDE
        self.overlap = config.n_fft - config.hop_length
        self.n_mels, self.latent_dim, self.n_controls = config.n_mels, config.latent_dim, len(config.controls)
        self.floor_db = FLOOR_DB
        self.decoder_latency = self.synthesizer.latency + (STRIDE - 1) * self.hop_length
        self.latency = config.n_fft // 2 + self.synthesizer.latency + (STRIDE - 1) * self.hop_length
        for name in ("audio", "mel", "controls", "loudness", "due_mel", "due_loudness", "ready"):
            self.register_buffer(f"state_{name}", torch.zeros(0), persistent=False)
        self.register_buffer("state_waiting", torch.zeros((), dtype=torch.int64), persistent=False)
        self.reset(1)

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Begin ``batch`` new streams."""
        self.encoder.reset(batch)
        self.decoder.reset(batch)
        self.vocoder.reset(batch)
        self.pitch.reset(batch)
        self.synthesizer.reset(batch)
        device = self.analysis.window.device
        self.state_audio = torch.zeros(batch, self.overlap, device=device)
        self.state_mel = torch.zeros(batch, 0, self.n_mels, device=device)
        self.state_controls = torch.zeros(batch, 0, self.n_controls, device=device)
        self.state_loudness = torch.full((batch, 1), self.floor_db, device=device)
        # Hops since the newest latent frame whose sound has been made, less one.
        self.state_waiting = torch.full_like(self.state_waiting, -1)
        self.state_due_mel = torch.zeros(batch, 0, self.n_mels, device=device)
        self.state_due_loudness = torch.zeros(batch, 0, device=device)
        self.state_ready = torch.zeros(batch, self.stride * self.hop_length, device=device)

    def forward(self, audio: Tensor) -> Tensor:
        """Take whole hops of sound, give as many, ``latency`` samples late. Shape: 2 x [batch, n * hop_length]."""
        latents, controls = self.encode_hops(audio)
        mel, loudness = self.mel_frames(latents, controls)
        mel, loudness = torch.cat([self.state_due_mel, mel], 1), torch.cat([self.state_due_loudness, loudness], 1)
        waiting = int(self.state_waiting) + audio.shape[1] // self.hop_length
        due = max(0, waiting // self.stride) * self.stride
        self.state_waiting = torch.full_like(self.state_waiting, waiting - due)
        ready = torch.cat([self.state_ready, self.sound(mel[:, :due], loudness[:, :due], None)], 1)
        self.state_due_mel, self.state_due_loudness = mel[:, due:].clone(), loudness[:, due:].clone()
        self.state_ready = ready[:, audio.shape[1] :].clone()
        return ready[:, : audio.shape[1]]

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
            fresh, measured = self.analysis(audio)
            mel, controls = torch.cat([mel, fresh], 1), torch.cat([controls, measured], 1)
        whole = mel.shape[1] // self.stride * self.stride
        self.state_mel, self.state_controls = mel[:, whole:].clone(), controls[:, whole:].clone()
        if whole == 0:
            return mel.new_zeros(mel.shape[0], 0, self.latent_dim), controls[:, :0]
        mean, _ = self.encoder(mel[:, :whole])
        return mean, controls[:, self.stride - 1 : whole : self.stride]

    @torch.jit.export
    def decode_frames(self, latents: Tensor, controls: Tensor, sung: Tensor | None = None) -> Tensor:
        """Take latent frames, give their samples, ``decoder_latency`` late.

        Args:
            latents: [batch, frames, latent_dim].
            controls: [batch, frames, n_controls].
            sung: pitch of the mel frames in Hz, instead of the model's own where it is above 0, [batch, 2 * frames].

        Shape:
            -> [batch, frames * latent_hop]
        """
        mel, loudness = self.mel_frames(latents, controls)
        return self.sound(mel, loudness, sung)

    @torch.jit.export
    def mel_frames(self, latents: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """First half of :meth:`decode_frames`.

        Shape:
            [batch, frames, latent_dim], [batch, frames, n_controls] -> mel [batch, 2 * frames, n_mels],
            loudness [batch, 2 * frames] dB
        """
        if latents.shape[1] == 0:
            return latents.new_zeros(latents.shape[0], 0, self.n_mels), latents.new_zeros(latents.shape[0], 0)
        mel = self.decoder(latents, scale_controls(controls))
        # The loudness of a latent frame is that of its newest mel frame; those between are on the line.
        loudness = controls[:, :, 0]
        before = torch.cat([self.state_loudness, loudness[:, :-1]], 1)
        self.state_loudness = loudness[:, -1:].clone()
        steps = torch.arange(1, self.stride + 1, device=loudness.device) / self.stride
        return mel, (before[..., None] + (loudness - before)[..., None] * steps).flatten(1)

    @torch.jit.export
    def sound(self, mel: Tensor, loudness: Tensor, sung: Tensor | None = None) -> Tensor:
        """Second half of :meth:`decode_frames`.

        Shape: [batch, n, n_mels], 2 x [batch, n] -> [batch, n * hop_length]
        """
        if mel.shape[1] == 0:
            return mel.new_zeros(mel.shape[0], 0)
        outputs = self.vocoder(mel)
        harmonic, noise = self.vocoder.filters(outputs)
        logits, _ = self.vocoder.filters.pitch(outputs)
        f0 = self.pitch(logits)
        if sung is not None:
            f0 = torch.where(sung > 0, sung.double(), f0)
        return self.synthesizer(f0, harmonic, noise, gain_of_loudness(loudness))

    def frames_of(self, samples: int) -> int:
        """Latent frames of a sound of that many samples."""
        hop = self.config.latent_hop
        return 1 + -(-(samples + hop // 2) // hop)

    def samples_of(self, frames: int) -> int:
        """Samples that latent frames decode to."""
        return max(0, (frames - 1) * self.config.latent_hop - self.config.latent_hop // 2)

    def stream(self, seed: int = 0) -> "Wavae":
        """A twin of this model: its weights, a past of its own.

        Args:
            seed: of the noise.
        """
        stream = twin(self)
        stream.synthesizer.noise.seed = seed
        stream.reset(1)
        return stream

    def encode(self, audio: np.ndarray | Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Encode a whole sound at the model's rate.

        Shape:
            audio: [samples] -> latents [frames, latent_dim], controls [frames, n_controls] (loudness in dB first);
            frames is :meth:`frames_of` (samples)
        """
        latents, controls, _ = self.encode_blocks([np.asarray(audio)])
        return latents, controls

    def encode_blocks(self, blocks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
        """Encode a sound that comes in blocks of any sizes, never the whole of it in memory.

        Args:
            blocks: [samples] each, at the model's rate.

        Returns:
            Latents [frames, latent_dim], controls [frames, n_controls], and the samples that came.
        """
        hop = self.config.latent_hop
        stream, samples, held = self.stream(), 0, torch.zeros(0)
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
        f0: np.ndarray | None = None,
    ) -> np.ndarray:
        """Decode a whole latent path.

        Args:
            latents: [frames, latent_dim].
            controls: [frames, n_controls].
            samples: length of the sound; by default all that the path covers.
            seed: of the noise.
            f0: [n] Hz at samples ``0, hop_length`` ...: sung instead of the model's own pitch where it is above 0.

        Shape:
            -> [samples]
        """
        z, controlled = (torch.as_tensor(np.ascontiguousarray(x, np.float32)) for x in (latents, controls))
        stream = self.stream(seed)
        sung = torch.zeros(STRIDE * len(z))
        if f0 is not None:
            # The first mel frame is centred one hop before the first sample.
            known = torch.as_tensor(np.nan_to_num(f0), dtype=torch.float32)[: len(sung) - 1]
            sung[1 : 1 + len(known)] = known
        chunks = zip(z.split(CHUNK), controlled.split(CHUNK), sung.split(STRIDE * CHUNK))
        parts = [stream.decode_frames(*(x[None] for x in chunk))[0] for chunk in chunks]
        start = self.decoder_latency
        end = start + (self.samples_of(len(z)) if samples is None else samples)
        return torch.cat(parts)[start:end].numpy()

    def resynthesise(self, audio: np.ndarray | Tensor) -> np.ndarray:
        """Encode and decode a whole sound. Shape: [samples] -> [samples]."""
        return self.decode(*self.encode(audio), samples=len(audio))
