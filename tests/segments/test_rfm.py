"""RFM: fifths of the buyers by a naive count, the borders kept in the state, and the segments made of the scores."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crowd import DAY, NOWS, ZONES, Made, buyer, facts_of, fill, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.insights import rfm
from sidecar.people.model import Facts
from sidecar.segments import due, evaluate, file, membership, scores, table, traits
from sidecar.segments.evaluate import Moment, Subject
from sidecar.state.database import State

SOFIA = ZoneInfo("Europe/Sofia")


def _naive(value: int, everybody: list[int]) -> int:
    lower = sum(other < value for other in everybody)
    return min(5, 1 + 5 * lower // len(everybody))


@given(st.lists(st.integers(-5, 20) | st.integers(-(1 << 62), 1 << 53), min_size=1, max_size=60))
def test_scores_equal_a_naive_count(values: list[int]) -> None:
    borders = rfm.borders(sorted(values))
    assert [rfm.score(value, borders) for value in values] == [_naive(value, values) for value in values]


def test_fifths_where_values_differ_and_ties_together() -> None:
    borders = rfm.borders(range(100))
    assert Counter(rfm.score(value, borders) for value in range(100)) == dict.fromkeys(range(1, 6), 20)
    assert {rfm.score(7, rfm.borders([7] * 9))} == {1}
    assert rfm.score(7, rfm.borders([])) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_state_has_the_scores_of_everybody(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    now, zone = data.draw(st.sampled_from(NOWS)), data.draw(st.sampled_from(ZONES))
    everybody: list[Made] = data.draw(st.lists(people(now), min_size=1, max_size=10))
    with State(tmp_path_factory.mktemp("state")) as state:
        fill(state, everybody, zone)
        membership.refresh(state, [], now, zone)
        assert _scored(state) == _wanted([facts_of(made) for made in everybody])
        assert table.stale(state) == []


def _scored(state: State) -> dict[int, tuple[Any, ...]]:
    rows = state.rows("SELECT person_id, recency_score, frequency_score, monetary_score FROM trait")
    return {row[0]: row[1:] for row in rows}


def _wanted(everybody: list[Facts]) -> dict[int, tuple[Any, ...]]:
    buyers = [facts for facts in everybody if facts.orders_count]
    of = {
        "last_order": [facts.last_order or 0 for facts in buyers],
        "orders_count": [facts.orders_count for facts in buyers],
        "ltv": [facts.ltv for facts in buyers],
    }
    return {
        id_: tuple(_naive(getattr(facts, name), values) for name, values in of.items()) if facts.orders_count else (None,) * 3
        for id_, facts in enumerate(everybody, 1)
    }  # fmt: skip


BUILT_IN = {segment.slug: segment for segment in file.load(None, UTC)}
RFM = [slug for slug, segment in BUILT_IN.items() if segment.group is not None and segment.group.slug == "rfm"]
AT = Moment(now=NOWS[3], zone=UTC, segments=BUILT_IN, tops={})


def _person(*three: int | None) -> Subject:
    values = traits.of(Facts(), UTC, rfm.Scores())
    return Subject(
        traits=values | dict(zip(("recency_score", "frequency_score", "monetary_score"), three, strict=True))
    )


def test_every_buyer_is_in_exactly_one_rfm_segment_and_leads_are_in_none() -> None:
    found: Counter[str] = Counter()
    for three in itertools.product(range(1, 6), repeat=3):
        person = _person(*three)
        ((one,),) = [[slug for slug in RFM if evaluate.member(BUILT_IN[slug].rule, person, AT)]]
        assert evaluate.segments(person, AT) & set(RFM) == {one}
        found[one] += 1
    assert set(found) == set(RFM) and len(RFM) == 11
    assert evaluate.segments(_person(None, None, None), AT) & set(RFM) == set()


@pytest.mark.parametrize(
    ("three", "slug"),
    [
        ((5, 5, 5), "champions"), ((5, 4, 4), "champions"), ((5, 5, 3), "loyal"), ((4, 5, 5), "loyal"), ((3, 4, 1), "loyal"),
        ((1, 5, 1), "cannot-lose"), ((2, 1, 5), "cannot-lose"), ((2, 4, 4), "at-risk"), ((1, 3, 2), "at-risk"),
        ((5, 3, 5), "potential-loyalists"), ((4, 2, 1), "potential-loyalists"), ((5, 1, 5), "new"), ((4, 1, 1), "promising"),
        ((3, 3, 3), "need-attention"), ((3, 2, 4), "about-to-sleep"), ((3, 1, 1), "about-to-sleep"), ((2, 1, 1), "hibernating"),
        ((1, 2, 2), "hibernating"), ((1, 1, 4), "lost"),
    ],
)  # fmt: skip
def test_the_grid(three: tuple[int, int, int], slug: str) -> None:
    assert evaluate.segments(_person(*three), AT) & set(RFM) == {f"rfm-{slug}"}


def test_borders_are_drawn_once_a_day_of_the_shop(tmp_path: Path) -> None:
    now = NOWS[3]  # 24 November, 10:30 by the clock of Sofia
    text = '[[segment]]\nslug = "best"\nname = "B"\nrule = { field = "monetary_score", is = 5 }\n'
    segments = file.parse(text, "s.toml", SOFIA)
    with State(tmp_path) as state:
        fill(state, [buyer(now - DAY, total=total) for total in (10, 20, 30, 40, 50)], SOFIA)
        membership.tick(state, segments, now, SOFIA)
        assert _best(state) == {5}
        # The first one spends most from now on: they are above the border at once, the others wait for the night.
        state.sql.execute(
            "INSERT OR REPLACE INTO person_doc SELECT person_id, json_set(CAST(facts AS TEXT), '$.ltv', 90000000), NULL"
            " FROM person_doc WHERE person_id = 1"
        )
        midnight = now + 13 * 3600 + 1800
        assert due.next_after(state, segments, now, SOFIA) == midnight
        membership.tick(state, segments, midnight - 1, SOFIA)
        assert _best(state) == {1, 5}
        changes = membership.tick(state, segments, midnight, SOFIA)
        assert [(change.entered, change.left) for change in changes] == [(0, 1)]
        assert _best(state) == {1}
        assert {id_: three[2] for id_, three in _scored(state).items()} == {1: 5, 2: 1, 3: 2, 4: 3, 5: 4}
        assert membership.tick(state, segments, midnight + DAY, SOFIA) == []


def _best(state: State) -> set[int]:
    return {row[0] for row in state.rows("SELECT person_id FROM membership")}


def test_who_is_waiting_for_traits_still_waits(tmp_path: Path) -> None:
    """Another score marks a person as to be looked at, not as done with traits; who has the same score is not marked."""
    now = NOWS[3]
    with State(tmp_path) as state:
        fill(state, [buyer(now - total, total=total) for total in (10, 20, 30, 40, 50)], SOFIA)
        table.refresh(state, SOFIA)
        state.sql.execute("UPDATE trait_stale SET traits = 0 WHERE person_id = 1")
        state.sql.execute("DELETE FROM trait_stale WHERE person_id IN (2, 3)")
        scores.refresh(state, now, SOFIA, always=True)
        rows = [(1, 0), (2, 1), (3, 1), (4, 1), (5, 1)]
        assert state.rows("SELECT person_id, traits FROM trait_stale ORDER BY 1") == rows
        state.sql.execute("DELETE FROM trait_stale")
        scores.refresh(state, now, SOFIA, always=True)
        state.sql.execute("UPDATE trait SET ltv = 99000000 WHERE person_id = 5")
        scores.refresh(state, now, SOFIA, always=True)
        assert state.rows("SELECT person_id FROM trait_stale") == []


def test_a_buyer_whose_order_has_no_time_was_never_recent(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        fill(state, [buyer(NOWS[3]), buyer(NOWS[3])], UTC)
        state.sql.execute(
            "UPDATE person_doc SET facts = json_remove(CAST(facts AS TEXT), '$.last_order', '$.first_order') WHERE person_id = 2"
        )
        membership.refresh(state, [], NOWS[3], UTC)
        assert {id_: three[0] for id_, three in _scored(state).items()} == {1: 3, 2: 1}
