"""What must hold of every streaming module: chunked equals whole, scripted equals eager, streams do not meet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from vqsynth.streaming.adapter import BlockAdapter
from vqsynth.streaming.band_pass import BandPass
from vqsynth.streaming.convnext import Block
from vqsynth.streaming.convolution import CausalConv1d, CausalConv2d
from vqsynth.streaming.excitation import Excitation
from vqsynth.streaming.frame_synthesizer import FrameSynthesizer
from vqsynth.streaming.limiter import Limiter
from vqsynth.streaming.module import go_on_from, is_state, past, scripted, states, twin
from vqsynth.streaming.overlap_add import OverlapAdd
from vqsynth.streaming.pitch_bank import PitchBank
from vqsynth.streaming.pitch_filter import PitchFilter
from vqsynth.streaming.synthesizer import Synthesizer
from vqsynth.vqvae import network as vqvae
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.live import LiveTimbre
from vqsynth.vqvae.model import VQVAE
from vqsynth.wavae.network import vae
from vqsynth.wavae.network.analysis import pitch_features
from vqsynth.wavae.network.config import WavaeConfig
from vqsynth.wavae.network.model import Wavae
from vqsynth.wavae.network.pitch_reader import PitchReader
from vqsynth.wavae.network.vocoder import SpectrumMap, Vocoder

CONTINUOUS = WavaeConfig(
    n_fft=512,
    n_mels=64,
    width=16,
    vocoder_width=16,
    reader_width=16,
    encoder_blocks=2,
    decoder_blocks=2,
    vocoder_blocks=1,
    reader_blocks=1,
)
DISCRETE = ModelConfig(n_fft=512, width=16, encoder_blocks=1, decoder_blocks=1, n_codes=32, code_dim=4, lookahead=2)


@dataclass
class Case:
    """A module, inputs of a batch size, their time axis, the time axis of the outputs, and what a step is."""

    make: Callable[[], nn.Module]
    inputs: Callable[[int, torch.Generator], Sequence[Tensor]]
    axis: int = 1
    out_axis: int = 1
    step: int = 1
    sizes: tuple[int, ...] = (1, 3, 7, 20)
    noisy: bool = False
    tolerance: float = 1e-4


def normal(*shape: int, axis: int = 1, count: int = 24):
    """Inputs of Gaussian noise, ``count`` long in ``axis``."""

    def make(batch: int, generator: torch.Generator) -> list[Tensor]:
        sizes = [batch, *shape]
        sizes.insert(axis, count)
        return [torch.randn(sizes, generator=generator)]

    return make


def frames(batch: int, generator: torch.Generator) -> list[Tensor]:
    f0 = 110 * 2 ** (3 * torch.rand(batch, 24, generator=generator))
    harmonic, noise = torch.rand(2, batch, 24, 257, generator=generator)
    return [f0, harmonic, noise, torch.rand(batch, 24, generator=generator)]


def band(batch: int, generator: torch.Generator) -> list[Tensor]:
    audio, centre, quality = torch.rand(3, batch, 700, generator=generator, dtype=torch.float64)
    return [audio - 0.5, 100 * 2 ** (5 * centre), 0.5 + 9 * quality]


def spectra(batch: int, generator: torch.Generator) -> list[Tensor]:
    return [torch.randn(batch, 24, 257, generator=generator, dtype=torch.complex64)]


def told(batch: int, frames: int, generator: torch.Generator) -> Tensor:
    """Pitch features of mel frames."""
    pitch = 110 * 2 ** (2 * torch.rand(batch, frames, generator=generator))
    return pitch_features(pitch, torch.rand(batch, frames, generator=generator), CONTINUOUS.pitch_bins)


def mel_and_pitch(batch: int, generator: torch.Generator) -> list[Tensor]:
    mel = torch.randn(batch, 48, CONTINUOUS.n_mels, generator=generator)
    return [mel, told(batch, 48, generator)]


def latents(batch: int, generator: torch.Generator) -> list[Tensor]:
    size = CONTINUOUS.latent_dim
    return [torch.randn(batch, 24, size, generator=generator), torch.randn(batch, 24, 1, generator=generator)]


class Told(nn.Module):
    """A decoder with the pitch features of its mel frames made of its second input."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = vae.Decoder(CONTINUOUS)
        self.bins = CONTINUOUS.pitch_bins

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        self.decoder.reset(batch)

    def forward(self, latents: Tensor, controls: Tensor) -> Tensor:
        pitch = 220 * torch.exp2(controls[..., 0]).repeat_interleave(2, 1)
        return self.decoder(latents, controls, pitch_features(pitch, torch.sigmoid(pitch - 220), self.bins))


def maps(batch: int, generator: torch.Generator) -> list[Tensor]:
    salience = 4 * torch.randn(batch, 24, 144, generator=generator)
    level, tonality = torch.randn(2, batch, 24, 128, generator=generator)
    return [salience, level, tonality, torch.rand(batch, 24, generator=generator, dtype=torch.float64)]


def plane(batch: int, generator: torch.Generator) -> list[Tensor]:
    return [torch.randn(batch, 3, 24, 10, generator=generator)]


def features(batch: int, generator: torch.Generator) -> list[Tensor]:
    mel, wide = (torch.randn(batch, 24, n, generator=generator) for n in (CONTINUOUS.n_mels, CONTINUOUS.vocoder_width))
    return [mel, wide]


def timbre() -> nn.Module:
    model = VQVAE(DISCRETE)
    model.quantizer.codebook.normal_(generator=torch.Generator().manual_seed(3))
    return LiveTimbre(model)


def whole_sizes(hop: int) -> tuple[int, ...]:
    return (hop, 3 * hop, 4 * hop)


CASES = {
    "dense convolution": Case(lambda: CausalConv1d(6, 10, 5), normal(6, axis=2), 2, 2),
    "long convolution": Case(lambda: CausalConv1d(6, 6, 3, 4, groups=3), normal(6, axis=2), 2, 2),
    "depthwise convolution": Case(lambda: CausalConv1d(8, 8, 5, groups=8), normal(8, axis=2), 2, 2),
    "pointwise convolution": Case(lambda: CausalConv1d(6, 4, 1), normal(6, axis=2), 2, 2),
    "ConvNeXt block": Case(lambda: Block(12, 2, 5), normal(12, axis=2), 2, 2),
    "band-pass": Case(lambda: BandPass(44_100), band, sizes=(1, 7, 64, 333)),
    "limiter": Case(lambda: Limiter(44_100, 0.3), normal(count=700), sizes=(1, 7, 64, 333)),
    "pitch filter": Case(lambda: PitchFilter(48), normal(48)),
    "excitation": Case(lambda: Excitation(44_100, 512), lambda b, g: frames(b, g)[:1], noisy=True),
    "overlap-add": Case(lambda: OverlapAdd(512), spectra),
    "inner overlap-add": Case(lambda: OverlapAdd(512, inner=True), spectra),
    "synthesizer": Case(lambda: Synthesizer(44_100, 512), frames, noisy=True),
    "frame synthesizer": Case(lambda: FrameSynthesizer(44_100, 512), frames, noisy=True),
    "adapter": Case(lambda: BlockAdapter(Limiter(44_100), 64, 87), normal(count=704), sizes=(1, 7, 64, 333)),
    "discrete encoder": Case(lambda: vqvae.Encoder(DISCRETE), normal(DISCRETE.n_features)),
    "discrete decoder": Case(lambda: vqvae.Decoder(DISCRETE), normal(4)),
    "plane convolution": Case(lambda: CausalConv2d(3, 4, (3, 5), 10), plane, 2, 2),
    "pitch bank": Case(lambda: PitchBank(44_100, 512, 128, 144), maps),
    "continuous encoder": Case(lambda: vae.Encoder(CONTINUOUS), mel_and_pitch, step=2),
    "continuous decoder": Case(Told, latents),
    "pitch reader": Case(lambda: PitchReader(CONTINUOUS), normal(CONTINUOUS.n_mels)),
    "vocoder": Case(lambda: Vocoder(CONTINUOUS), mel_and_pitch),
    "spectrum map": Case(lambda: SpectrumMap(CONTINUOUS), features, out_axis=1),
    "discrete model": Case(timbre, normal(count=24 * 128), sizes=whole_sizes(128), noisy=True),
    # Random weights are loudest at the top of the spectrum, where rounding of the pitch counts most.
    "continuous model": Case(
        lambda: Wavae(CONTINUOUS), normal(count=24 * 128), sizes=whole_sizes(128), noisy=True, tolerance=3e-4
    ),
}


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return CASES[request.param]


def build(case: Case) -> nn.Module:
    torch.manual_seed(0)
    return case.make()


def run(stream: nn.Module, case: Case, inputs: Sequence[Tensor], size: int | None = None) -> list[Tensor]:
    """Outputs of a stream fed in chunks, joined."""
    chunks = [inputs] if size is None else list(zip(*(x.split(size * case.step, case.axis) for x in inputs)))
    with torch.no_grad():
        outputs = [stream(*chunk) for chunk in chunks]
    if isinstance(outputs[0], Tensor):
        return [torch.cat(outputs, case.out_axis)]
    return [torch.cat(parts, case.out_axis) for parts in zip(*outputs)]


def inputs_of(case: Case, batch: int = 1, seed: int = 0) -> Sequence[Tensor]:
    return case.inputs(batch, torch.Generator().manual_seed(seed))


def assert_same(actual: Sequence[Tensor], expected: Sequence[Tensor], tolerance: float = 1e-5) -> None:
    for a, b in zip(actual, expected):
        assert a.shape == b.shape
        scale = max(1.0, float(b.abs().max()))
        assert float((a - b).abs().max()) <= tolerance * scale


def test_chunked_equals_whole(case):
    module, inputs = build(case), inputs_of(case)
    expected = run(twin(module), case, inputs)
    assert any(part.abs().max() > 1e-3 for part in expected)
    for size in case.sizes:
        assert_same(run(twin(module), case, inputs, size), expected, case.tolerance)


def test_scripted_equals_eager(case):
    module, inputs = build(case), inputs_of(case)
    chunk = [x.narrow(case.axis, 0, case.sizes[1] * case.step) for x in inputs]
    compiled = scripted(module, *chunk, rounds=2)
    assert_same(run(compiled, case, inputs, case.sizes[-1]), run(twin(module), case, inputs, case.sizes[-1]))


def test_reset_equals_new(case):
    module, inputs = build(case), inputs_of(case)
    stream = twin(module)
    expected = run(stream, case, inputs)
    pairs = [(a, b) for (_, a), (_, b) in zip(states(stream), states(twin(module))) if a.numel() or b.numel()]
    assert not pairs or any(not torch.equal(a, b) for a, b in pairs)
    stream.reset(1)
    for (name, after), (_, fresh) in zip(states(stream), states(twin(module))):
        torch.testing.assert_close(after, fresh, msg=name)
    assert_same(run(stream, case, inputs), expected, 0.0)


def test_another_twin_goes_on_from_a_past_that_was_kept(case):
    module, inputs = build(case), inputs_of(case)
    first, second = twin(module), twin(module)
    run(first, case, inputs)
    kept = past(first)
    expected = run(first, case, inputs)  # moves on: what was kept must not
    for _ in range(2):
        go_on_from(second, kept)
        assert_same(run(second, case, inputs), expected, 0.0)


def test_a_batch_is_as_many_streams(case):
    module, inputs = build(case), inputs_of(case, batch=4)
    together = run(twin(module, 4), case, inputs, case.sizes[1])
    for row in range(1 if case.noisy else 4):  # the noise of the other rows is another one
        alone = run(twin(module), case, [x[row : row + 1] for x in inputs], case.sizes[1])
        assert_same([part[row : row + 1] for part in together], alone, 1e-4)


def test_interleaved_streams_do_not_meet(case):
    module = build(case)
    sounds = [inputs_of(case, seed=seed) for seed in (1, 2)]
    alone = [run(twin(module), case, sound, case.sizes[1]) for sound in sounds]
    streams, parts = [twin(module), twin(module)], ([], [])
    size = case.sizes[1] * case.step
    chunks = [list(zip(*(x.split(size, case.axis) for x in sound))) for sound in sounds]
    for pair in zip(*chunks):
        for stream, chunk, outputs in zip(streams, pair, parts):
            outputs.append(run(stream, case, chunk))
    for outputs, expected in zip(parts, alone):
        assert_same([torch.cat(x, case.out_axis) for x in zip(*outputs)], expected, 0.0)


def test_a_twin_shares_the_weights_and_owns_its_past(case):
    module = build(case)
    stream = twin(module)
    mine, theirs = dict(module.named_parameters()), dict(stream.named_parameters())
    assert all(theirs[name] is weight for name, weight in mine.items())
    for name, buffer in module.named_buffers():
        other = dict(stream.named_buffers())[name]
        assert (other is not buffer) if is_state(name) else (other is buffer)
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    run(stream, case, inputs_of(case))
    for name, buffer in module.named_buffers():
        assert torch.equal(buffer, before[name]), name


def test_the_state_does_not_grow(case):
    stream, inputs = twin(build(case)), inputs_of(case)
    sizes = []
    for _ in range(6):
        run(stream, case, inputs)
        sizes.append([buffer.untyped_storage().nbytes() for _, buffer in states(stream)])
    assert sizes[1] == sizes[-1]


def test_threads_do_not_meet():
    """Two threads on one model at once give what each gives alone, to the last bit."""
    case = CASES["continuous model"]
    module = build(case)
    sounds = [inputs_of(case, seed=seed) for seed in range(4)]
    alone = [run(twin(module), case, sound, 128) for sound in sounds]
    results: list[list[Tensor] | None] = [None] * 4
    start = threading.Barrier(4)

    def work(number: int) -> None:
        stream = twin(module)
        start.wait()
        for _ in range(5):
            stream.reset(1)
            results[number] = run(stream, case, sounds[number], 128)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result, expected in zip(results, alone):
        assert result is not None
        assert_same(result, expected, 0.0)


def test_offline_convolutions_keep_nothing():
    torch.manual_seed(0)
    layer, x = CausalConv1d(4, 6, 3), torch.randn(2, 4, 20)
    with torch.no_grad():
        assert torch.equal(layer(x), layer(x))
    assert not layer.state.any()
    assert torch.allclose(layer(x), torch.cat(run_rows(layer, x), 0), atol=1e-6)


def run_rows(layer: nn.Module, x: Tensor) -> list[Tensor]:
    return [layer(row[None]) for row in x]
