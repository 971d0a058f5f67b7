"""How long people stay at the stages of a journey, or in any segments that exclude one another. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Collection

import msgspec

DAY = 86_400


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Lengths of time in figures: how many there are, their median and their mean in days (None without any)."""

    number: int = 0
    median: float | None = None
    mean: float | None = None


def spread(seconds: Collection[int]) -> Spread:
    """The figures of these lengths, given in seconds."""
    if not seconds:
        return Spread()
    return Spread(
        number=len(seconds),
        median=round(statistics.median(seconds) / DAY, 2),
        mean=round(statistics.fmean(seconds) / DAY, 2),
    )
