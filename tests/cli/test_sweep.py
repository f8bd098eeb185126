"""``vqsynth sweep`` as typed."""

from __future__ import annotations

import pytest


@pytest.fixture
def here(tiny_timbre, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return str(tiny_timbre.path)


def test_options_replace_the_recipes_lists(command, here, tmp_path):
    (tmp_path / "night.toml").write_text(
        f'timbre = "{here}"\ntargets = ["sin", "line"]\nranges = ["p10:p90", "p20:p80"]\n'
        'seeds = "0:5"\nduration = 0.5\n'
    )
    code, out, _ = command("sweep", "night.toml", "--dry-run")
    assert code == 0 and out.splitlines()[-1] == "20 renders"
    code, out, _ = command("sweep", "night.toml", "--dry-run", "--seeds", "7", "--targets", "arch")
    names = out.splitlines()
    assert names[-1] == "2 renders" and names[0].startswith("tiny_centroid_arch_p10-p90_s7_")


def test_a_sweep_says_what_it_did_and_exits_with_1_on_failures(command, here, tmp_path):
    arguments = [
        "sweep",
        "--timbres",
        here,
        "--targets",
        "sin,nothing.csv",
        "--seeds",
        "3",
        "--duration",
        "0.5",
        "-j",
        "1",
        "-o",
        "out",
    ]
    code, out, err = command(*arguments)
    assert code == 1 and "out: 1 rendered" in out and "nothing.csv" in err
    code, out, _ = command(*arguments)
    assert code == 1 and "out: 0 rendered, 1 were there" in out


def test_ctrl_c_says_how_to_go_on(command, here, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("vqsynth.render.sweep.run.sweep", interrupted)
    code, _, err = command("sweep", "--timbres", here, "-o", "out")
    assert code == 130 and "the same command renders the rest" in err


def test_wrong_recipes(command, here, tmp_path):
    assert command("sweep", "nightly.toml")[0] == 2
    assert command("sweep", "--timbres", here, "--seeds", "a:b")[0] == 2
    assert command("sweep")[0] == 2
    (tmp_path / "bad.toml").write_text("timbres = [")
    code, _, err = command("sweep", "bad.toml")
    assert code == 1 and "not valid TOML" in err
