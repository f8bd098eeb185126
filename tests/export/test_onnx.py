"""ONNX files: the same sound in onnxruntime, the past in one vector that begins with zeros."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from vqsynth.descriptors import f0
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.export import write
from vqsynth.export.check import example
from vqsynth.export.graph.onnx import onnx_step, save_onnx
from vqsynth.export.graph.real import Pair, irfft, rfft
from vqsynth.export.graph.session import Session
from vqsynth.export.graph.step import SETTLED, PlainNoise, copy_of
from vqsynth.export.write import export
from vqsynth.streaming.excitation import Noise

RATE = 44_100


@pytest.mark.parametrize("n", [64, 512, 2048, 4096])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_transforms_in_real_numbers(n, dtype):
    x = torch.randn(3, 2, n, dtype=dtype, generator=torch.Generator().manual_seed(n))
    wanted, found = torch.fft.rfft(x), rfft(x)
    near = 1e-12 if dtype == torch.float64 else 1e-4
    assert torch.allclose(torch.complex(found.real, found.imag), wanted, atol=near)
    assert torch.allclose(irfft(found, n), x, atol=near)
    padded = rfft(x, 2 * n)
    assert torch.allclose(torch.complex(padded.real, padded.imag), torch.fft.rfft(x, 2 * n), atol=near)
    # As the library, the inverse takes no notice of what cannot be at either end.
    odd = Pair(found.real, found.imag + 1.0)
    assert torch.allclose(irfft(odd, n), torch.fft.irfft(wanted + 1j, n), atol=near)


def test_noise_in_plain_arithmetic():
    noise = Noise(seed=12_345)
    noise(1_000_000)
    plain = PlainNoise(noise)
    for count in (7, 512, 3000):
        assert torch.equal(plain(count), noise(count))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Exported files, by what they are: path and report."""
    folder = tmp_path_factory.mktemp("onnx")
    jobs = {
        "control": ("violin", None, None),
        "forward": ("strings", None, None),
        "decode": ("strings", "decode", 2048),
    }
    made = {}
    for name, (model, method, block) in jobs.items():
        path = folder / f"{name}.onnx"
        made[name] = path, export(model, path, blocks=100, method=method, block=block)
    return made


@pytest.mark.parametrize(("name", "block"), [("control", 512), ("forward", 1024), ("decode", 2048)])
def test_the_sound_is_that_of_the_model(files, name, block, violin_and_card, domain):
    """Of a stream that was silent for a while before."""
    from vqsynth.export.models import instrument_of

    path, report = files[name]
    instrument, card = violin_and_card if name == "control" else instrument_of(domain)
    method = next(method for method in card.methods if method.name == name)
    assert report["block"] == block and report["checked"]["difference"] < 1e-4
    frames = block // method.in_ratio
    signal = example(method, 80 * block, seed=5)
    instrument.reset(1)
    session = Session(path)
    with torch.inference_mode():
        for _ in range(SETTLED):
            getattr(instrument, name)(torch.zeros(1, signal.shape[1], frames))
        wanted = torch.cat([getattr(instrument, name)(part) for part in signal.split(frames, 2)], 2).numpy()
    made = np.concatenate([session(part.numpy()) for part in signal.split(frames, 2)], 2)
    assert np.abs(wanted).max() > 0.05
    assert np.abs(made - wanted).max() < 1e-4
    instrument.reset(1)


def test_the_card_says_all_that_a_host_must_know(files):
    import onnx

    path, report = files["control"]
    card = json.loads(path.with_suffix(".json").read_text())
    assert card == json.loads(json.dumps(report))
    assert (card["format"], card["opset"], card["block"], card["licence"]) == ("onnx", 18, 512, "MIT")
    model = onnx.load(str(path))
    tensors = {
        tensor.name: [dimension.dim_value for dimension in tensor.type.tensor_type.shape.dim]
        for tensor in (*model.graph.input, *model.graph.output)
    }
    assert tensors == {tensor["name"]: tensor["shape"] for tensor in (*card["inputs"], *card["outputs"])}
    assert json.loads(model.metadata_props[0].value)["methods"] == card["methods"]
    assert not {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    ports = card["methods"][0]["inputs"]
    assert [port["name"] for port in ports] == ["centroid", "bandwidth", "pitch", "gain", "velocity"]
    assert all(port["low"] < port["high"] for port in ports)


def test_axes_are_inputs(files, domain):
    session = Session(files["decode"][0])
    frames = np.zeros((1, 19, 4), np.float32)
    frames[0, 16:] = np.array([-20.0, 330.0, 1.0])[:, None]

    def sound(**settings):
        session.reset()
        for name, (axis, value) in settings.items():
            session.settings[name][axis] = value
        made = np.concatenate([session(frames) for _ in range(20)], 2)[0, 0]
        session.settings["scale"][:], session.settings["bias"][:] = 1, 0
        return made

    plain = sound()
    assert np.abs(sound(bias=(0, 2.0)) - plain).max() > 0.01
    assert np.abs(sound(scale=(3, 2.0)) - plain).max() < 1e-6  # a mean of 0 has no scale
    assert np.array_equal(sound(), plain)


def test_a_file_that_fails_is_not_written(tmp_path, monkeypatch):
    real = write.save_onnx

    def spoiled(path, step, block, card):
        step.stream.voice.pitch.mul_(1.001)
        step.stream.voice.synthesizer.law.unit *= 1.01
        real(path, step, block, card)

    monkeypatch.setattr(write, "save_onnx", spoiled)
    with pytest.raises(VqsynthError, match="differs from the model"):
        export("violin", tmp_path / "violin.onnx", blocks=64)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "method", "block", "told"),
    [
        ("violin", "fast", None, "has control, codes"),
        ("violin", None, 300, "a multiple of 256"),
        ("strings", None, 512, "a multiple of 1024"),
        ("strings", "control", None, "has forward, encode, decode"),
    ],
)
def test_wrong_requests(tmp_path, model, method, block, told):
    with pytest.raises(UsageError, match=told):
        export(model, tmp_path / "x.onnx", method=method, block=block)
    with pytest.raises(UsageError, match="has all methods"):
        export(model, tmp_path / "x.ts", method=method, block=block or 512)
    assert not list(tmp_path.iterdir())


def test_a_timbre_at_another_rate(tmp_path):
    assert export("violin", tmp_path / "v.onnx", blocks=64, block=256, rate=48_000)["sample_rate"] == 48_000
    with pytest.raises(UsageError, match="has its own rate"):
        export("strings", tmp_path / "s.onnx", rate=48_000)


def test_only_what_a_method_changes_is_in_its_past(violin_and_card):
    step, card, block = onnx_step(*violin_and_card, method="codes")
    assert not any(name.startswith(("live", "voice.choice")) for name in step.names)
    assert block.shape == (1, 4, 2) and card.hop_length == 512


def test_life_comes_with_every_block(violin_and_card, tmp_path):
    step, card, block = onnx_step(*violin_and_card, life=True)
    path = tmp_path / "lively.onnx"
    save_onnx(path, step, block, card)
    lively, eager = Session(path), copy_of(step.settled)
    plain, plain_card, _ = onnx_step(*violin_and_card)
    save_onnx(tmp_path / "plain.onnx", plain, block, plain_card)
    exact = Session(tmp_path / "plain.onnx")
    asked = np.zeros(tuple(block.shape), np.float32)
    asked[0, 2], asked[0, 4] = 440.0, 0.8
    # Nothing of it at 0.
    assert np.abs(np.concatenate([lively(asked) - exact(asked) for _ in range(40)])).max() == 0.0
    # In motion it is the instrument in motion, and moves as players do.
    lively.reset()
    lively.settings["life"][:] = 1.0
    eager.voice.alive.fill_(1.0)
    with torch.inference_mode():
        wanted = np.concatenate([eager.control(torch.from_numpy(asked))[0, 0].numpy() for _ in range(300)])
    made = np.concatenate([lively(asked)[0, 0] for _ in range(300)])
    assert np.abs(made - wanted).max() < 1e-4
    hz, _, voiced = f0.track(made, RATE)
    cents = 1200 * np.log2(hz[voiced] / 440.0)
    assert abs(np.median(cents)) < 5 and 1 < cents.std() < 50
