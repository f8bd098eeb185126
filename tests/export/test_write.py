"""Exported files: what nn~ wants of them, and that a file which fails its tests never appears."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from vqsynth.errors import UsageError, VqsynthError
from vqsynth.export import check
from vqsynth.export.models import find
from vqsynth.export.write import CARD_ENTRY, export


@pytest.fixture
def loaded(exported):
    return torch.jit.load(str(exported[0]))


def test_the_contract_of_nn(loaded, exported):
    """As its source reads a file: methods, buffers of four integers, ratios of powers of two, one float output."""
    buffers = {name: buffer.tolist() for name, buffer in loaded.named_buffers() if name.endswith("_params")}
    largest = max(max(buffers[f"{name}_params"][1::2]) for name in loaded.get_methods())
    assert largest == exported[1]["hop_length"] and largest & (largest - 1) == 0
    assert not loaded.training
    for name in loaded.get_methods():
        channels, in_ratio, outputs, out_ratio = buffers[f"{name}_params"]
        for block in (largest, 2 * largest, 8 * largest):
            with torch.inference_mode():
                made = getattr(loaded, name)(torch.zeros(1, channels, block // in_ratio))
            assert made.shape == (1, outputs, block // out_ratio) and made.dtype == torch.float32
    for name in loaded.get_attributes():
        values = getattr(loaded, f"get_{name}")()
        kinds = getattr(loaded, f"{name}_params").tolist()
        assert [[bool, int, float, str].index(type(value)) for value in values] == kinds


def test_attributes_change_between_blocks(loaded, signal, blockwise):
    """Blocks run in inference mode, setters do not."""
    plain = blockwise(loaded, signal, 1024)
    loaded.reset(1)
    assert loaded.set_bias(0, 2.0) == 0 and loaded.set_temperature(0.5) == 0 and loaded.set_free(True) == 0
    moved = blockwise(loaded, signal, 1024)
    assert loaded.set_bias(-1, 0.0) == 0 and loaded.set_temperature(0.0) == 0 and loaded.set_free(False) == 0
    loaded.reset(1)
    again = blockwise(loaded, signal, 1024)
    assert np.abs(moved - plain).max() > 0.01
    assert np.abs(again - plain).max() < 1e-5


def test_the_card_is_beside_and_within(exported):
    path, report = exported
    beside = json.loads(path.with_suffix(".json").read_text())
    inside = {CARD_ENTRY: ""}
    torch.jit.load(str(path), _extra_files=inside)
    within = json.loads(inside[CARD_ENTRY])
    assert beside["methods"] == within["methods"] == json.loads(json.dumps(report["methods"]))
    assert beside["licence"] == "MIT" and any("CC-BY" in source for source in beside["learned_from"])
    forward = next(method for method in beside["methods"] if method["name"] == "forward")
    row = next(row for row in forward["delays"] if row["buffer"] == 512 and row["host"] == "direct")
    assert row["samples"] == forward["delay"] + 512 and row["ms"] < 60
    assert beside["checked"]["difference"] < 1e-4


def test_it_runs_where_vqsynth_is_not(exported, signal, blockwise, wavae, tmp_path):
    """In a process that knows torch alone."""
    wanted = blockwise(wavae, signal[..., :20_480], 1024)
    torch.save(signal[..., :20_480], tmp_path / "in.pt")
    code = (
        "import sys, torch\n"
        "model = torch.jit.load(sys.argv[1])\n"
        "with torch.inference_mode():\n"
        "    made = model(torch.load(sys.argv[2]))\n"
        "assert not any(name.startswith('vqsynth') for name in sys.modules)\n"
        "torch.save(made, sys.argv[3])\n"
    )
    arguments = [exported[0], tmp_path / "in.pt", tmp_path / "out.pt"]
    subprocess.run([sys.executable, "-I", "-c", code, *map(str, arguments)], check=True)
    assert np.abs(torch.load(tmp_path / "out.pt").numpy()[0] - wanted).max() < 1e-4


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("tuning", "differs from the model"),
        ("noise", "noise"),
        ("growth", "grows"),
    ],
)
def test_a_file_that_fails_is_not_written(tmp_path, monkeypatch, fault, told):
    from vqsynth.export import write

    real = write.save_torchscript

    def spoiled(path, instrument, card):
        if fault == "tuning":
            instrument.transpose = (0.5,)
        elif fault == "noise":
            instrument.model.floor_db = -40.0
        else:
            monkeypatch.setattr(check, "resident", iter([0, 1 << 30]).__next__)
        real(path, instrument, card)
        if fault == "tuning":
            instrument.transpose = (0.0,)

    monkeypatch.setattr(write, "save_torchscript", spoiled)
    (tmp_path / "strings.ts").write_text("of yesterday")
    with pytest.raises(VqsynthError, match=told):
        export("strings", tmp_path / "strings.ts", blocks=64)
    assert [p.name for p in tmp_path.iterdir()] == ["strings.ts"]
    assert (tmp_path / "strings.ts").read_text() == "of yesterday"


def test_names_that_two_models_have_must_be_told_apart(tmp_path):
    with pytest.raises(UsageError, match="a timbre and a wavae model"):
        find("singing")
    assert find("wavae/singing").KIND == find("singing", "wavae").KIND == "wavae model"
    assert find("singing", "timbre").KIND == find("violin").KIND == "timbre"
    assert find(find("strings").path).name == "strings"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("strings", "strings.wav"), "must end in"),
        (("strngs", "strings.ts"), "strings"),
        (("strings", "strings.ts", "auto", 999), r"1 to \d+ axes"),
        (("strings", "strings.ts", "both"), "choose one of"),
    ],
)
def test_wrong_requests_are_refused_before_any_work(tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=told):
        export(*arguments)
    assert not list(tmp_path.iterdir())
