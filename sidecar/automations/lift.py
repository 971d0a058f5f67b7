"""What an automation changed: those whom it reached against those whom it only watched (the holdout). Pure.

Everybody counts who entered, whether a message went out or not: whom a message reaches is no accident, who is held back is.
"""

from __future__ import annotations

import math

import msgspec

# Two-sided 95 %.
Z = 1.959963984540054
# Below this many people (or successes and failures) in either group an interval says nothing that an owner should act on.
FEWEST = 30


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many of `people` did it."""

    did: int
    people: int

    @property
    def rate(self) -> float | None:
        """0 to 1; None of nobody."""
        return self.did / self.people if self.people else None


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """By how much the rate (0 to 1) of those reached is above that of those held back, and between which ends it is with 95 %
    confidence; `relative`: in parts of the latter's rate (None when that is 0). `enough`: whether there are people enough for
    the interval to mean something."""

    difference: float
    low: float
    high: float
    relative: float | None
    enough: bool

    @property
    def proven(self) -> bool:
        """Whether the effect is not 0."""
        return self.enough and (self.low > 0 or self.high < 0)


class Mean(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over people: money (micros) and its squares."""

    people: int
    total: float
    squares: float

    @property
    def mean(self) -> float | None:
        """None of nobody."""
        return self.total / self.people if self.people else None

    @property
    def variance(self) -> float:
        """Of the sample; 0 of fewer than two."""
        if self.people < 2:
            return 0.0
        return max(0.0, (self.squares - self.total * self.total / self.people) / (self.people - 1))


def wilson(share: Share) -> tuple[float, float]:
    """The score interval of a share (E. B. Wilson 1927), which stays right for small numbers and for 0 or all."""
    n = share.people
    if not n:
        return 0.0, 1.0
    p, zz = share.did / n, Z * Z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z / (1 + zz / n) * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def lift(reached: Share, held: Share) -> Lift | None:
    """The difference of two shares with the hybrid score interval (R. G. Newcombe 1998, Statistics in Medicine 17, method 10).
    None while one of the groups is empty."""
    if reached.rate is None or held.rate is None:
        return None
    p, q = reached.rate, held.rate
    (low_p, high_p), (low_q, high_q) = wilson(reached), wilson(held)
    return Lift(
        difference=p - q,
        low=p - q - math.hypot(p - low_p, high_q - q),
        high=p - q + math.hypot(high_p - p, q - low_q),
        relative=(p - q) / q if q else None,
        enough=min(reached.people, held.people) >= FEWEST,
    )


def earned(reached: Mean, held: Mean) -> Lift | None:
    """The same of money a person (B. L. Welch 1947; with the normal quantile, which needs `enough` people)."""
    if reached.mean is None or held.mean is None:
        return None
    difference = reached.mean - held.mean
    error = Z * math.sqrt(reached.variance / reached.people + held.variance / held.people)
    return Lift(
        difference=difference,
        low=difference - error,
        high=difference + error,
        relative=difference / held.mean if held.mean else None,
        enough=min(reached.people, held.people) >= FEWEST,
    )
