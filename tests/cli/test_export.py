"""``vqsynth export`` as typed."""

from __future__ import annotations

import json

import pytest
import torch


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_wavae_model_for_nn(command, here):
    code, out, err = command("export", "strings", "-o", "strings.ts", "--axes", 4, "--blocks", 64)
    assert (code, err) == (0, "")
    assert "tested: as the model within" in out and "licence MIT" in out
    assert "decode: axis 0 to 3, loudness, pitch, voicing -> sound" in out
    assert "512: 2560 (58 ms)" in out
    assert torch.jit.load("strings.ts").decode_params.tolist() == [7, 512, 1, 1]
    assert json.loads((here / "strings.json").read_text())["methods"][2]["inputs"][0]["name"] == "axis 0"


def test_a_timbre_for_nn(command, here):
    code, out, err = command("export", "violin", "-o", "violin.ts", "--blocks", 64)
    assert (code, err) == (0, "")
    assert "control: centroid, bandwidth, pitch, gain, velocity -> sound" in out
    assert "delay 256 samples (6 ms); with the host's buffer 256: 512 (12 ms)" in out
    model = torch.jit.load("violin.ts")
    assert model.control_params.tolist() == [5, 256, 1, 1]
    frames = torch.tensor([2000.0, 0.0, 440.0, 0.0, 1.0])[None, :, None].expand(1, 5, 64)
    with torch.inference_mode():
        assert model.control(frames).abs().max() > 0.05
    card = json.loads((here / "violin.json").read_text())
    assert [(port["name"], port["unit"]) for port in card["methods"][0]["inputs"]][:3] == [
        ("centroid", "Hz"),
        ("bandwidth", "Hz"),
        ("pitch", "Hz"),
    ]


def test_onnx(command, here):
    code, out, err = command("export", "violin", "-o", "violin.onnx", "--block", 256, "--blocks", 64)
    assert (code, err) == (0, "")
    assert "blocks of 256 samples; licence MIT" in out
    assert json.loads((here / "violin.json").read_text())["inputs"][0]["shape"] == [1, 5, 1]


def test_mistakes_are_named(command, here):
    assert command("export", "singing", "-o", "a.ts")[::2] == (
        2,
        "error: --kind: singing: there is a timbre and a wavae model of this name; choose a --kind\n",
    )
    code, _, err = command("export", "strings", "-o", "a.mp3")
    assert code == 2 and err.startswith("error: --output a.mp3: the name must end in .ts")
    assert not list(here.iterdir())
