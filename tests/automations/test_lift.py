"""The holdout's statistics, against published numbers and what must always be so."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.automations.lift import FEWEST, Mean, Share, earned, lift, wilson


def test_the_intervals_are_those_of_newcombes_papers() -> None:
    # Statistics in Medicine 17 (1998), 857: 81 of 263; and 873, table II: 56/70 - 48/80, 9/10 - 3/10, method 10.
    assert wilson(Share(did=81, people=263)) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    one = lift(Share(did=56, people=70), Share(did=48, people=80))
    assert one is not None
    assert (one.difference, one.low, one.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert one.proven
    assert one.relative == pytest.approx(1 / 3)
    few = lift(Share(did=9, people=10), Share(did=3, people=10))
    assert few is not None
    assert (few.low, few.high) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert not few.enough
    assert not few.proven


def test_nobody_says_nothing() -> None:
    assert lift(Share(did=0, people=0), Share(did=1, people=2)) is None
    assert lift(Share(did=1, people=2), Share(did=0, people=0)) is None
    assert earned(Mean(people=0, total=0, squares=0), Mean(people=1, total=1, squares=1)) is None
    none = lift(Share(did=5, people=50), Share(did=0, people=50))
    assert none is not None
    assert none.relative is None


shares = st.integers(1, 500).flatmap(lambda n: st.builds(Share, did=st.integers(0, n), people=st.just(n)))


@given(shares, shares)
def test_the_interval_holds_the_difference_and_turns_with_it(one: Share, other: Share) -> None:
    found, turned = lift(one, other), lift(other, one)
    assert found is not None
    assert turned is not None
    assert -1.0 - 1e-9 <= found.low <= found.difference + 1e-9
    assert found.difference - 1e-9 <= found.high <= 1.0 + 1e-9
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))


@given(
    st.lists(st.integers(0, 10**6), min_size=FEWEST, max_size=60),
    st.lists(st.integers(0, 10**6), min_size=2, max_size=60),
)
def test_money_a_person_is_the_mean_with_its_error(reached: list[int], held: list[int]) -> None:
    def mean(values: list[int]) -> Mean:
        return Mean(people=len(values), total=sum(values), squares=sum(value * value for value in values))

    found = earned(mean(reached), mean(held))
    assert found is not None
    assert found.difference == pytest.approx(statistics.mean(reached) - statistics.mean(held), abs=1e-6)
    error = math.sqrt(statistics.variance(reached) / len(reached) + statistics.variance(held) / len(held))
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * error, rel=1e-4, abs=1e-3)
    assert found.enough == (len(held) >= FEWEST)
