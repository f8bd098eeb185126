"""Target curves: what a descriptor should do over time.

``parse_target("sin")`` gives a Target; ``target.values(times, duration, lo, hi)`` its values, in the
descriptor's unit, at any times. ``parse_range("p10:p90")`` gives the range that a shape is mapped to.
"""

from vqsynth.control.quantity import check_unit, parse_quantity
from vqsynth.control.ranges import GAIN_RANGE, TABLE_RANGE, Range, parse_range
from vqsynth.control.targets.base import Constant, Target, Vibrato
from vqsynth.control.targets.library import available, available_sweeps, find_sweep
from vqsynth.control.targets.parse import parse_target
from vqsynth.control.targets.shapes import NAMES as SHAPES
from vqsynth.control.targets.shapes import Shape

__all__ = [
    "GAIN_RANGE",
    "SHAPES",
    "TABLE_RANGE",
    "Constant",
    "Range",
    "Shape",
    "Target",
    "Vibrato",
    "available",
    "available_sweeps",
    "check_unit",
    "find_sweep",
    "parse_quantity",
    "parse_range",
    "parse_target",
]
