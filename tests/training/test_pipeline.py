"""Runs from recordings to a model: refused, killed, resumed, replaced. Trainings of a few steps of a tiny model."""

import dataclasses
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import soundfile
import torch
from safetensors.torch import load_file

from vqsynth.corpus import files
from vqsynth.errors import UsageError, VqsynthError
from vqsynth.library.build import build
from vqsynth.library.timbre import Timbre
from vqsynth.library.train import TIMBRE
from vqsynth.storage.lock import locked
from vqsynth.training.pipeline import train_model
from vqsynth.training.prepared import is_prepared
from vqsynth.training.reporter import Quiet
from vqsynth.vqvae.config import ModelConfig
from vqsynth.vqvae.training.settings import VqvaeSettings

TINY = ModelConfig(
    width=16, encoder_blocks=1, decoder_blocks=1, n_mels=16, n_codes=8, code_dim=4, n_harmonic_bands=16, n_noise_bands=8
)
STEPS = 8
FORK = multiprocessing.get_context("fork")


def settings(**options):
    values = {"steps": STEPS, "batch_size": 1, "segment_frames": 8, "validations": 2, "checkpoint_seconds": 0.0}
    return VqvaeSettings(**{**values, "vary": "off", **options})


@pytest.fixture(scope="module")
def few(recordings, tmp_path_factory):
    """Four short excerpts of the recordings."""
    folder = tmp_path_factory.mktemp("few")
    for path in sorted(recordings.iterdir())[:4]:
        audio, rate = soundfile.read(path, frames=20_000)
        soundfile.write(folder / path.name, audio, rate)
    return folder


def build_quickly(run):
    """As a timbre is built, without the measurements and figures."""
    run.reporter.phase("building", None)
    build(run.folder, run.name, run.trainer.model, run.corpus, run.training, run.sources, run.description)
    run.reporter.phase("built", None)


QUICK = dataclasses.replace(TIMBRE, build=build_quickly)


def run(recordings, folder, **options):
    config = options.pop("config", None if options.get("resume") or options.get("finish") else TINY)
    return train_model(QUICK, recordings, folder, config, options.pop("settings", settings()), "cpu", **options)


class Kill(Quiet):
    """Ends the process by SIGKILL at a point of the run."""

    def __init__(self, phase=None, step=None):
        self.at_phase, self.at_step = phase, step

    def phase(self, text, share):
        if self.at_phase and text.startswith(self.at_phase):
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self, step):
        if step.number == self.at_step:
            os.kill(os.getpid(), signal.SIGKILL)


def start(recordings, folder, reporter, **options):
    """Run in another process, a copy of this one, which may have no threads of its own."""

    def target():
        torch.set_num_threads(1)
        run(recordings, folder, reporter=reporter, **options)

    process = FORK.Process(target=target)
    process.start()
    return process


def killed(recordings, folder, reporter, **options):
    """Run in another process that is killed by its reporter."""
    process = start(recordings, folder, reporter, **options)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def weights(folder):
    return load_file(folder / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all((a[key] == b[key]).all() for key in a)


@pytest.fixture(scope="module")
def whole(few, tmp_path_factory):
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole") / "t"
    run(few, folder)
    return folder


@pytest.mark.parametrize(
    "reporter",
    [
        Kill(phase="preparing glide0"),
        Kill(phase="preparing glide3"),
        Kill(step=1),
        Kill(step=5),
        Kill(step=STEPS),
        Kill(phase="building"),
        Kill(phase="built"),
    ],
    ids=["first file", "last file", "warm-up", "quantised", "end", "building", "built"],
)
def test_killed_and_resumed_is_the_same_timbre(few, whole, tmp_path, reporter):
    folder = tmp_path / "t"
    killed(few, folder, reporter)
    assert not (folder / "timbre.toml").exists()
    timbre = run(few, folder, resume=True, settings=VqvaeSettings())
    timbre.verify()
    assert same(weights(folder), weights(whole))
    assert {p.name for p in folder.iterdir()} == {p.name for p in whole.iterdir()}
    assert {p.name for p in (folder / "training").iterdir()} == {"settings.toml", "checkpoint.safetensors", "previews"}
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize("reporter", [Kill(phase="preparing glide0"), Kill(step=5)])
def test_a_start_from_other_weights_survives_a_kill(few, whole, tmp_path, reporter):
    """Also before the first checkpoint; and it is another run than one from nothing."""
    started = settings(start_from=str(whole))
    run(few, tmp_path / "a", settings=started)
    killed(few, tmp_path / "b", reporter, settings=started)
    run(few, tmp_path / "b", resume=True, settings=VqvaeSettings())
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(whole))


def test_a_whole_corpus_is_not_prepared_again(few, tmp_path, monkeypatch):
    folder = tmp_path / "t"
    killed(few, folder, Kill(step=1))
    assert is_prepared(folder / "training" / "corpus")
    monkeypatch.setattr("vqsynth.training.pipeline.prepare", lambda *_: pytest.fail("prepared again"))
    assert run(few, folder, resume=True).name == "t"


def test_an_unfinished_run_is_refused_without_resume(few, tmp_path):
    killed(few, tmp_path / "t", Kill(step=2))
    with pytest.raises(UsageError, match="unfinished run"):
        run(few, tmp_path / "t")


def test_resume_where_nothing_is(few, tmp_path):
    for option in ("resume", "finish"):
        with pytest.raises(UsageError, match="no run to go on with"):
            run(few, tmp_path / "books" / "t", **{option: True})
    assert not list(tmp_path.iterdir())


def test_finish_before_the_first_checkpoint(few, tmp_path):
    killed(few, tmp_path / "t", Kill(phase="preparing glide3"))
    with pytest.raises(UsageError, match="no checkpoint yet"):
        run(few, tmp_path / "t", finish=True)


def test_another_configuration_is_no_continuation(few, tmp_path):
    killed(few, tmp_path / "t", Kill(step=1))
    other = TINY.model_copy(update={"width": 32})
    with pytest.raises(UsageError, match="another `preset`"):
        run(few, tmp_path / "t", config=other, resume=True)


def test_a_run_too_short_says_so_and_goes_on(few, tmp_path):
    folder = tmp_path / "t"
    with pytest.raises(VqsynthError, match="codebook has not started"):
        run(few, folder, settings=settings(steps=1))
    assert not (folder / "timbre.toml").exists()
    timbre = run(few, folder, resume=True, settings=VqvaeSettings(steps=4))
    assert timbre.card["training"]["steps"] == 4


@pytest.mark.parametrize("reporter", [Kill(step=3), Kill(phase="building"), Kill(phase="built")])
def test_the_old_timbre_is_usable_until_the_new_one_is_whole(few, tmp_path, reporter):
    folder = tmp_path / "t"
    run(few, folder)
    old = weights(folder)
    killed(few, folder, reporter, overwrite=True, settings=settings(seed=1))
    Timbre(folder).verify()
    assert same(weights(folder), old)
    run(few, folder, resume=True, settings=VqvaeSettings()).verify()
    assert not same(weights(folder), old)


def test_a_finished_timbre_is_not_overwritten(few, whole):
    before = weights(whole)
    with pytest.raises(UsageError, match="overwrite"):
        run(few, whole)
    assert same(weights(whole), before)


def test_two_trainings_of_one_timbre(few, tmp_path):
    """The second one is refused while the first one runs, and takes nothing away from it."""
    folder = tmp_path / "t"
    gate = FORK.Event()

    class Wait(Quiet):
        def step(self, step):
            gate.wait(60)

    process = start(few, folder, Wait())
    try:
        deadline = time.monotonic() + 60
        while not (folder / "training" / "checkpoint.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        for options in ({}, {"overwrite": True}, {"resume": True}):
            with pytest.raises(VqsynthError, match="another training is writing here"):
                run(few, folder, **options)
    finally:
        gate.set()
        process.join(60)
    assert process.exitcode == 0
    Timbre(folder).verify()


def test_a_training_waits_for_nobody_else(few, tmp_path):
    (tmp_path / "t").mkdir()
    with locked(tmp_path / "t", "sweep"), pytest.raises(VqsynthError, match="another sweep is writing here"):
        run(few, tmp_path / "t")
    assert not list((tmp_path / "t").iterdir())


@pytest.mark.parametrize("kind", ["empty", "text", "silence"])
def test_nothing_is_left_where_nothing_can_be_learned(tmp_path, kind):
    source = tmp_path / "in"
    source.mkdir()
    if kind == "text":
        (source / "notes.txt").write_text("hello")
    if kind == "silence":
        soundfile.write(source / "silence.wav", [0.0] * 44_100, 44_100)
    with pytest.raises(VqsynthError, match=r"empty|\.txt|corpus check"):
        run(source, tmp_path / "books" / "wavae" / "t")
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_every_file_is_decoded_once(few, tmp_path, monkeypatch):
    """Blocks that are read, besides the look at the channels of a file: each file's samples once."""
    read = {}
    real = files._read

    def count(sound, path, frames):
        block = real(sound, path, frames)
        read[Path(path).name] = read.get(Path(path).name, 0) + len(block)
        return block

    monkeypatch.setattr(files, "_read", count)
    run(few, tmp_path / "t")
    assert read == {path.name: soundfile.info(path).frames for path in few.iterdir()}


def test_a_damaged_corpus_is_not_whole(few, tmp_path):
    killed(few, tmp_path / "t", Kill(step=1))
    corpus = tmp_path / "t" / "training" / "corpus"
    assert is_prepared(corpus)
    os.truncate(corpus / "audio.raw", 1000)
    assert not is_prepared(corpus)
    (corpus / "pieces.json").write_text(json.dumps({"pieces": 3}))
    assert not is_prepared(corpus)
