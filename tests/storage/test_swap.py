"""New contents for a folder: whole old or whole new, whatever else lies there stays."""

import functools
import itertools
import os
import shutil

import pytest

from vqsynth.storage import swap


def make(folder, text):
    (folder / "figures").mkdir(parents=True)
    for name in ("card", "weights", "figures/picture"):
        (folder / name).write_text(text)


@pytest.fixture
def folder(tmp_path):
    """An old model with a run beside it, in which a new model lies."""
    make(tmp_path / "a", "old")
    make(tmp_path / "a" / "training" / "model", "new")
    (tmp_path / "a" / "training" / "checkpoint").write_text("kept")
    (tmp_path / "a" / "notes.txt").write_text("kept")
    return tmp_path / "a"


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


NEW = {
    **dict.fromkeys(("card", "weights", "figures/picture"), "new"),
    **dict.fromkeys(("notes.txt", "training/checkpoint"), "kept"),
}


@pytest.mark.parametrize("exchange", [True, False])
def test_the_new_contents_are_there_and_the_rest_stays(folder, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(swap, "_exchange", lambda first, second: False)
    swap.replace_contents(folder, folder / "training" / "model", last="card")
    assert contents(folder) == NEW
    assert [p.name for p in folder.parent.iterdir()] == ["a"]


def test_a_link_to_a_folder_stays_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    swap.replace_contents(tmp_path / "link", tmp_path / "link" / "training" / "model", last="card")
    assert (tmp_path / "link").is_symlink() and contents(folder) == NEW


def test_one_by_one_the_card_comes_last(folder, monkeypatch):
    monkeypatch.setattr(swap, "_exchange", lambda first, second: False)
    moved = []
    replace = swap.Path.replace
    monkeypatch.setattr(swap.Path, "replace", lambda path, to: (moved.append(path.name), replace(path, to)))
    swap.replace_contents(folder, folder / "training" / "model", last="card")
    assert sorted(moved) == ["card", "figures", "weights"] and moved[-1] == "card"


class Killed(BaseException):
    """Stands for the end of the process."""


def test_killed_anywhere_the_model_is_whole_and_nothing_is_lost(folder, monkeypatch, tmp_path):
    """Every call that changes the disk is the last one once."""
    shutil.copytree(folder, tmp_path / "template")
    for last in range(1, 30):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "template", folder)
        calls = itertools.count(1)

        def die(*arguments, real, calls=calls, last=last, **options):
            if next(calls) == last:
                raise Killed
            return real(*arguments, **options)

        with monkeypatch.context() as patch:
            for module, name in ((os, "rename"), (os, "unlink"), (os, "rmdir"), (swap, "_exchange")):
                patch.setattr(module, name, functools.partial(die, real=getattr(module, name)))
            try:
                swap.replace_contents(folder, folder / "training" / "model", last="card")
                done = True
            except Killed:
                done = False
        seen = contents(folder)
        assert len({seen[name] for name in ("card", "weights", "figures/picture")}) == 1, last
        swap.finish_replacing(folder)
        assert contents(folder)["training/checkpoint"] == contents(folder)["notes.txt"] == "kept"
        if done:
            assert last > 3
            return
    pytest.fail("never came to the end")
