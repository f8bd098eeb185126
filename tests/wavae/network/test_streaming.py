"""Streaming is a mode of the same layers: chunked equals whole, for every layer and for the whole models."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqsynth.streaming.convnext import Block
from vqsynth.streaming.convolution import CausalConv1d, StreamState
from vqsynth.streaming.frame_synthesizer import FrameSynth
from vqsynth.wavae.network.config import STRIDE, WavaeConfig
from vqsynth.wavae.network.stream import DecoderStream, EncoderStream, Stream
from vqsynth.wavae.network.vae import Decoder, Encoder
from vqsynth.wavae.network.vocoder import Vocoder

BLOCKS = [1, 7, 64, 512, 2048]
FRAMES = [1, 2, 7, 64]
SMALL = WavaeConfig(width=24, vocoder_width=24, encoder_blocks=2, decoder_blocks=2, vocoder_blocks=2, latent_dim=6)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small blocks gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(domain, note):
    """The note resynthesised at once. Shape: [88200]."""
    return domain.model(torch.from_numpy(note)).numpy()


def chunked(layer, size, dim, *inputs):
    """A layer fed with chunks of its inputs, its state carried on."""
    state, parts = StreamState(layer), []
    for chunk in zip(*(x.split(size, dim) for x in inputs)):
        with state:
            parts.append(layer(*chunk))
    return parts


def assert_same(actual, expected):
    assert actual.shape == expected.shape
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", FRAMES)
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("dilation", [1, 4])
@pytest.mark.parametrize(
    ("channels", "groups"), [((6, 10), 1), ((6, 12), 3), ((8, 8), 8)], ids=["dense", "grouped", "depthwise"]
)
def test_convolution(size, kernel_size, dilation, channels, groups):
    torch.manual_seed(0)
    layer, x = CausalConv1d(*channels, kernel_size, dilation, groups), torch.randn(1, channels[0], 130)
    with torch.no_grad():
        assert_same(torch.cat(chunked(layer, size, 2, x), 2), layer(x))


@pytest.mark.parametrize("size", FRAMES)
def test_block(size):
    torch.manual_seed(1)
    layer, x = Block(16, 2, 5), torch.randn(1, 16, 130)
    with torch.no_grad():
        assert_same(torch.cat(chunked(layer, size, 2, x), 2), layer(x))


@pytest.mark.parametrize("size", FRAMES)
def test_encoder(size):
    torch.manual_seed(2)
    layer, mel = Encoder(SMALL).eval(), torch.randn(1, 130 * STRIDE, SMALL.n_mels)
    with torch.no_grad():
        # Latent frames are made of pairs of mel frames.
        parts = chunked(layer, size * STRIDE, 1, mel)
        for got, expected in zip((torch.cat(p, 1) for p in zip(*parts)), layer(mel)):
            assert_same(got, expected)


@pytest.mark.parametrize("size", FRAMES)
def test_decoder(size):
    torch.manual_seed(3)
    layer, latents, controls = Decoder(SMALL).eval(), torch.randn(1, 130, SMALL.latent_dim), torch.randn(1, 130, 1)
    with torch.no_grad():
        assert_same(torch.cat(chunked(layer, size, 1, latents, controls), 1), layer(latents, controls))


@pytest.mark.parametrize("size", FRAMES)
def test_vocoder(size):
    torch.manual_seed(4)
    layer, mel = Vocoder(SMALL).eval(), torch.randn(1, 130, SMALL.n_mels)
    with torch.no_grad():
        assert_same(torch.cat(chunked(layer, size, 1, mel), 1), layer(mel))


@pytest.mark.parametrize("size", FRAMES)
def test_synthesiser(size):
    generator = torch.Generator().manual_seed(5)
    f0 = 110 * 2 ** (3 * torch.rand(1, 130, generator=generator, dtype=torch.float64))
    harmonic, noise = torch.rand(2, 1, 130, 1025, generator=generator)
    gain = torch.rand(1, 130, generator=generator)
    frames = (f0, harmonic, noise, gain)
    stream = FrameSynth(44_100, 2048, seed=3)
    parts = [stream(*chunk) for chunk in zip(*(x.split(size, 1) for x in frames))]
    assert_same(torch.cat(parts), FrameSynth(44_100, 2048, seed=3)(*frames))


@pytest.mark.parametrize("size", BLOCKS)
def test_frames_of_the_analysis_and_the_encoder(domain, note, size):
    sound = torch.from_numpy(note[: 8 * 1024 if size == 1 else 30 * 1024])
    stream = EncoderStream(domain.model)
    latents, controls = (torch.cat(parts) for parts in zip(*(stream.push(block) for block in sound.split(size))))
    expected = domain.model.encode(sound)
    for got, whole in zip((latents, controls), expected):
        assert_same(got, torch.from_numpy(whole[: len(got)]))
    assert len(latents) == len(sound) // domain.config.latent_hop


@pytest.mark.parametrize("size", FRAMES)
def test_frames_to_sound(domain, path, size):
    stream, z, controls = DecoderStream(domain.model), torch.from_numpy(path.z), torch.from_numpy(path.controls)
    sound = torch.cat([stream.push(*chunk) for chunk in zip(z.split(size), controls.split(size))])[stream.lead :]
    expected = torch.from_numpy(domain.model.decode(path.z, path.controls, len(sound)))
    assert_same(sound[: len(expected)], expected)


@pytest.mark.parametrize("size", BLOCKS)
def test_the_whole_model_and_its_delay(domain, note, whole, size):
    """The stream is the offline sound, later by exactly what the stream reports."""
    count = 12_000 if size == 1 else len(note)
    stream = Stream(domain.model)
    blocks = torch.from_numpy(note[:count]).split(size)
    parts = [stream.push(block) for block in blocks]
    assert [len(part) for part in parts] == [len(block) for block in blocks]
    late = torch.cat(parts)
    assert not late[: stream.delay - domain.config.n_fft].any()
    assert_same(late[stream.delay :], torch.from_numpy(whole[: count - stream.delay]))


def test_the_delay_is_that_of_a_sound(domain, make_tone):
    """Measured on bursts: their energy comes as late as the stream says."""
    sound = np.zeros(60_000, np.float32)
    for start in (9000, 31_000):
        sound[start : start + 6000] = make_tone(330.0, 6000 / 44_100)
    stream = Stream(domain.model)
    late = torch.cat([stream.push(block) for block in torch.from_numpy(sound).split(512)]).numpy()
    envelopes = [np.sqrt(np.convolve(x**2, np.hanning(1024), "same")) for x in (sound, late)]
    spectra = [np.fft.rfft(x - x.mean(), 1 << 17) for x in envelopes]
    lag = int(np.argmax(np.fft.irfft(spectra[1] * spectra[0].conj())[: 1 << 14]))
    # Loudness is measured every 512 samples.
    assert lag == pytest.approx(stream.delay, abs=512)
    assert stream.delay == domain.config.delay and stream.delay / 44_100 < 0.06


def test_blocks_of_every_size_in_turn(domain, note, whole):
    sizes = [0, 1, 0, 3, 1023, 1, 1024, 1025, 0, 5000, 17, 2048, 2049, 1]
    stream, parts, start = Stream(domain.model), [], 0
    for size in sizes:
        parts.append(stream.push(torch.from_numpy(note[start : start + size])))
        assert len(parts[-1]) == size
        start += size
    assert_same(torch.cat(parts)[stream.delay :], torch.from_numpy(whole[: start - stream.delay]))


def test_blocks_of_nothing_change_nothing(domain):
    stream, nothing = Stream(domain.model), torch.zeros(0)
    latents, controls = stream.encoder.push(nothing)
    assert latents.shape == (0, domain.config.latent_dim) and controls.shape == (0, len(domain.config.controls))
    assert stream.decoder.push(latents, controls).shape == stream.push(nothing).shape == (0,)


def test_streams_do_not_disturb_each_other(domain, note, low_note):
    model, sounds = domain.model, [torch.from_numpy(x[:20_000]) for x in (note, low_note)]
    alone = []
    for seed, sound in enumerate(sounds):
        stream = Stream(model, seed)
        alone.append(torch.cat([stream.push(block) for block in sound.split(700)]))
    streams, together = [Stream(model, seed) for seed in (0, 1)], ([], [])
    for blocks in zip(*(sound.split(700) for sound in sounds)):
        for stream, block, parts in zip(streams, blocks, together):
            parts.append(stream.push(block))
        model(blocks[0][:64])  # nor does a whole sound between them
    for parts, expected in zip(together, alone):
        torch.testing.assert_close(torch.cat(parts), expected, atol=0, rtol=0)


def test_calls_go_on_within_streaming_and_are_whole_outside(domain, note, whole):
    model, sound = domain.model, torch.from_numpy(note)
    with model.streaming() as outer:
        parts = [model(block) for block in sound[:10_240].split(512)]
        with domain.streaming() as inner:
            first = inner.push(sound[:4096])
        parts.append(model(sound[10_240:20_480]))
    late = torch.cat(parts)
    assert_same(late[outer.delay :], torch.from_numpy(whole[: len(late) - outer.delay]))
    assert_same(first, late[:4096])
    assert_same(model(sound), torch.from_numpy(whole))
    assert not any(layer.streaming or layer.state.any() for layer in model.modules() if isinstance(layer, CausalConv1d))


def state_of(stream):
    """Every tensor that a stream keeps, by size in samples."""
    modules = (stream.decoder.synth, stream.decoder.pitch)
    kept = [
        stream.ready,
        stream.encoder.pending,
        stream.decoder.loudness,
        *(b for module in modules for b in module.buffers()),
    ]
    states = [network.state for network in (stream.encoder.encoder, stream.decoder.decoder, stream.decoder.vocoder)]
    kept += [buffer for state in states for buffer in state.buffers]
    return [tensor.untyped_storage().nbytes() for tensor in kept]


def test_networks_stream_in_torchscript_too():
    torch.manual_seed(6)
    for network, inputs in (
        (Encoder(SMALL), (torch.randn(1, 12, SMALL.n_mels),)),
        (Decoder(SMALL), (torch.randn(1, 12, SMALL.latent_dim), torch.randn(1, 12, 1))),
        (Vocoder(SMALL), (torch.randn(1, 12, SMALL.n_mels),)),
    ):

        def first(output):
            return output[0] if isinstance(output, tuple) else output

        with torch.no_grad():
            expected = first(network.eval()(*inputs))
            for layer in network.modules():
                if isinstance(layer, CausalConv1d):
                    layer.streaming = True
            scripted = torch.jit.script(network)
            parts = [first(scripted(*chunk)) for chunk in zip(*(x.split(4, 1) for x in inputs))]
        assert_same(torch.cat(parts, 1), expected)


def test_the_state_does_not_grow(domain):
    stream, noise = Stream(domain.model), 0.1 * torch.randn(256, generator=torch.Generator().manual_seed(0))
    sizes = {}
    for number in range(1, 1001):
        stream.push(noise)
        if number in (100, 1000):
            sizes[number] = state_of(stream)
    assert sizes[100] == sizes[1000] and len(sizes[100]) > 20


def test_a_live_stream_sounds_the_same(domain, note):
    sound = torch.from_numpy(note[:30_000])
    whole = domain.model(sound)
    for _ in range(2):  # warming up leaves nothing behind
        with domain.streaming(live=True) as stream:
            padded = torch.nn.functional.pad(sound, (0, stream.delay))
            parts = [stream.push(block) for block in padded.split(512)]
        assert torch.allclose(torch.cat(parts)[stream.delay :], whole, atol=1e-4)


def test_arrays_go_in_and_come_out(domain, note):
    with domain.streaming() as stream:
        as_arrays = [stream.push(block) for block in np.split(note[:8192], 8)]
    with domain.streaming() as stream:
        as_tensors = [stream.push(block) for block in torch.from_numpy(note[:8192]).split(1024)]
    assert all(isinstance(block, np.ndarray) for block in as_arrays)
    assert np.array_equal(np.concatenate(as_arrays), torch.cat(as_tensors).numpy())
