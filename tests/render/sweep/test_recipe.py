"""Recipes: the product, stable names, and what is wrong said before anything is rendered."""

from __future__ import annotations

import shutil

import pytest

from vqsynth.control.targets import available_sweeps
from vqsynth.errors import UsageError
from vqsynth.render.sweep.recipe import expand, parse_seeds, read_recipe


@pytest.fixture
def recipe(tiny_timbre):
    return {"timbres": [str(tiny_timbre.path)], "targets": ["sin", "line"], "seeds": "0:3", "duration": 1.0}


def test_the_product_has_every_combination_once(recipe):
    items = expand(recipe | {"descriptors": ["centroid", "f0"], "ranges": ["p10:p90", "p90:p10"]})
    assert len(items) == len({item.name for item in items}) == 2 * 2 * 2 * 3
    assert {(i.settings["target"], i.settings["seed"]) for i in items} == {
        (t, s) for t in ("sin", "line") for s in range(3)
    }
    assert all(i.settings["duration"] == 1.0 for i in items)
    assert items[0].name.startswith("tiny_centroid_sin_p10-p90_s0_")


def test_names_are_stable_and_follow_everything_that_decides_the_sound(recipe, tiny_timbre, tmp_path, monkeypatch):
    names = [item.name for item in expand(recipe)]
    assert names == [item.name for item in expand(recipe)]
    more = [item.name for item in expand(recipe | {"seeds": [0, 1, 2, 7], "targets": ["arch", "sin", "line"]})]
    assert set(names) < set(more)
    assert not set(names) & {item.name for item in expand(recipe | {"duration": 2.0})}
    moved = shutil.copytree(tiny_timbre.path, tmp_path / "tiny")
    assert names == [item.name for item in expand(recipe | {"timbres": [str(moved)]})]
    files = {**tiny_timbre.card["files"], "model.safetensors": "0" * 64}
    tiny_timbre.write_card(moved, {**tiny_timbre.card, "files": files})
    assert not set(names) & {item.name for item in expand(recipe | {"timbres": [str(moved)]})}
    curve = tmp_path / "curve.csv"
    drawn = []
    for text in ("0,1000\n1,2000\n", "0,1000\n1,2500\n"):
        curve.write_text(text)
        drawn.append(expand(recipe | {"targets": [str(curve)], "seeds": [0]})[0].name)
    assert drawn[0] != drawn[1] and drawn[0].startswith("tiny_centroid_curve_s0_")


def test_repeated_values_make_one_render(recipe):
    assert len(expand(recipe | {"targets": ["sin", "sin"], "seeds": [1, 1]})) == 1


def test_seeds():
    assert parse_seeds("0:3") == [0, 1, 2]
    assert parse_seeds("4,1, 8:10") == [4, 1, 8, 9]
    for text in ("", "a", "3:3", "-1", "1.5"):
        with pytest.raises(UsageError, match="seeds"):
            parse_seeds(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timbre": "violn"}, "no timbre of this name"),
        ({"tragets": ["sin"]}, "did you mean targets"),
        ({"targets": []}, "empty"),
        ({"descriptors": ["brightness"]}, "unknown descriptor"),
        ({"duration": -1}, "above 0"),
        ({"duration": "long"}, "does not fit"),
        ({"seeds": [True]}, "does not fit"),
        ({"seeds": list(range(60_000))}, "more than 100000"),
    ],
)
def test_what_is_wrong_is_said_at_once(recipe, change, message):
    changed = {k: v for k, v in recipe.items() if not ("timbre" in change and k == "timbres")} | change
    with pytest.raises(UsageError, match=message):
        expand(changed)


def test_a_timbre_is_needed():
    with pytest.raises(UsageError, match="no timbre"):
        expand({"targets": ["sin"]})


def test_every_shipped_recipe_is_sound(tiny_timbre):
    assert available_sweeps()
    for name in available_sweeps():
        assert len(expand(read_recipe(name) | {"timbres": [str(tiny_timbre.path)]})) > 1
    with pytest.raises(UsageError, match="did you mean shapes"):
        read_recipe("shape")
