"""RFM: how recently, how often and for how much people bought, each as a score from 1 to 5. Pure.

A score is 1 + floor(5 × share of buyers with a strictly lower value): equal fifths where values differ, and the same score for
the same value. Recency goes by the moment of the last order, not by its age, so that time alone moves nobody.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

SCORES = 5
# In front of every moment: a buyer whose order has no time.
NEVER = -(1 << 62)

# The values above which the scores 2, 3, 4 and 5 are reached; () while nobody has bought.
Borders = tuple[int, ...]


class Scores(msgspec.Struct, frozen=True):
    """The borders of the three scores."""

    recency: Borders = ()
    frequency: Borders = ()
    monetary: Borders = ()


def places(buyers: int) -> list[int]:
    """Where in the values of so many buyers, sorted from the lowest, the borders stand (from 0)."""
    return [-(-step * buyers // SCORES) - 1 for step in range(1, SCORES)] if buyers else []


def borders(values: Sequence[int]) -> Borders:
    """The borders of sorted values."""
    return tuple(values[place] for place in places(len(values)))


def score(value: int, of: Borders) -> int | None:
    """The score of a buyer's value; None while there are no borders."""
    return 1 + bisect_left(of, value) if of else None
