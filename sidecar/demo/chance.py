"""Chance that repeats: the same seed gives the same shop on every Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A thin layer over `Random.random()`, the one method whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random  # noqa: S311 (nothing secret)

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit-1."""
        return int(self.random() * limit)

    def pick(self, things: Sequence[T]) -> T:
        """One of the things."""
        return things[int(self.random() * len(things))]

    def one_in(self, number: int) -> bool:
        """True once in so many times."""
        return self.random() * number < 1
