"""Bounds of seeds."""

from __future__ import annotations

from vqsynth.errors import UsageError

LARGEST_SEED = 2**63 - 1


def check_seed(seed: int) -> None:
    """Raise UsageError unless a seed is a whole number from 0 that fits 63 bits."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise UsageError(
            "give a whole number from 0 to 2^63 - 1",
            field="seed",
            value=seed if not isinstance(seed, int) or abs(seed) < 10**30 else "of so many digits",
        )
