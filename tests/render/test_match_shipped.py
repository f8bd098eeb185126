"""Matching on shipped timbres stays what it is: how near codes come to a curve, and how far they jump."""

import numpy as np
import pytest

from vqsynth.control.request import Request
from vqsynth.control.resolve import resolve
from vqsynth.library.timbre import installed, load
from vqsynth.render.match import Costs, PathSettings, jump_costs, match, nearest, path

# Mean distance from the curve in octaves, and mean latent jump in that of real playing.
KNOWN = {
    ("violin", "centroid", "path"): (0.03978, 0.2039),
    ("violin", "centroid", "nearest"): (0.03833, 0.3060),
    ("violin", "f0", "path"): (0.00736, 1.7898),
    ("violin", "f0", "nearest"): (0.00268, 4.2725),
    ("trumpet", "centroid", "path"): (0.01730, 0.3035),
    ("trumpet", "centroid", "nearest"): (0.01698, 0.4002),
    ("trumpet", "f0", "path"): (0.00706, 1.4125),
    ("trumpet", "f0", "nearest"): (0.00167, 5.6304),
    ("singing", "centroid", "path"): (0.02903, 0.6067),
    ("singing", "centroid", "nearest"): (0.02252, 1.2577),
    ("singing", "f0", "path"): (0.01430, 2.0391),
    ("singing", "f0", "nearest"): (0.00869, 7.5738),
}
TIMES = np.arange(600) / 86.13


@pytest.mark.parametrize(("name", "descriptor", "matcher"), KNOWN)
def test_codes_are_as_near_and_as_smooth_as_they_were(name, descriptor, matcher):
    timbre = load(name)
    codebook, real = timbre.model.codebook.numpy(), timbre.card["quality"]["roughness_real"]
    goals = resolve([Request(descriptor, "sin:2", "p10:p90")], timbre.table, TIMES, 7.0, reach=1 / 6)
    codes = match(matcher, goals, timbre.table, codebook, 600, real, timbre.transitions)
    error = np.abs(np.log2(timbre.table.column(descriptor)[codes] / goals[0].values)).mean()
    jump = np.linalg.norm(np.diff(codebook[codes], axis=0), axis=1).mean() / real
    # Rounding may change a code here and there, no more.
    assert (error, jump) == pytest.approx(KNOWN[name, descriptor, matcher], rel=0.01)


@pytest.mark.parametrize("name", installed())
@pytest.mark.parametrize("asked", ["centroid", "f0", "bandwidth+centroid", "centroid+f0"])
def test_paths_are_those_among_all_codes(name, asked):
    timbre = load(name)
    requests = [Request(name, shape, "p2:p98") for name, shape in zip(asked.split("+"), ("sin:2", "line"))]
    goals = resolve(requests, timbre.table, TIMES, 7.0, hold="auto", reach=1 / 6)
    costs, settings = Costs(goals, timbre.table), PathSettings()
    jumps = jump_costs(timbre.model.codebook.numpy(), None, timbre.transitions, settings)
    assert (path(costs, 600, jumps, settings) == path(lambda a, b: costs(a, b), 600, jumps, settings)).all()
    assert (nearest(costs, 600) == nearest(lambda a, b: costs(a, b), 600)).all()
