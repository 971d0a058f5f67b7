"""Segments, views and goods that are due again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from triggering import DAY, HOUR, NOW, Yard, alone, unix

from sidecar.automations import model
from sidecar.segments import membership, table
from sidecar.segments.model import Number, Period, Segment

BUYERS = Segment(slug="buyers", name="Buyers", rule=Number("orders_count", 1, None))


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = alone(tmp_path)
    made.person(1)
    made.person(2)
    yield made
    made.close()


# --- segments --------------------------------------------------------------------------------------------------


def buys(yard: Yard, person: int, orders: int, live: bool = True) -> None:
    """Their facts change, by an act of theirs or by an import; then the segments are looked at."""
    facts = f'{{"orders_count":{orders}}}'
    yard.state.sql.execute("INSERT OR REPLACE INTO person_doc VALUES (?, ?, NULL)", (person, facts.encode()))
    if live:
        table.lively(yard.state, [person], yard.now)
    membership.tick(yard.state, [BUYERS], yard.now, yard.zone)


def test_who_comes_into_a_segment_and_who_leaves_it(yard: Yard) -> None:
    membership.refresh(yard.state, [BUYERS], NOW, yard.zone)
    yard.on(model.OnSegment(segment="buyers"), "in")
    yard.on(model.OnSegment(segment="buyers", entered=False), "out")
    yard.on(model.OnSegment(segment="others"), "others")
    yard.now += 60
    buys(yard, 1, 1)
    yard.collect()
    yard.now += 60
    buys(yard, 1, 0)
    yard.collect()
    yard.now += 60
    buys(yard, 1, 2)
    yard.collect()
    assert yard.inside("in") == [(1, f"segment:buyers:{NOW + 60}"), (1, f"segment:buyers:{NOW + 180}")]
    assert yard.inside("out") == [(1, f"segment:buyers:{NOW + 120}")]
    assert yard.inside("others") == []


def test_who_came_by_an_import_does_not_enter(yard: Yard) -> None:
    """Pain 5."""
    membership.refresh(yard.state, [BUYERS], NOW, yard.zone)
    yard.on(model.OnSegment(segment="buyers"))
    yard.now += 60
    buys(yard, 1, 1, live=False)
    buys(yard, 2, 1)
    yard.collect()
    assert [person for person, _ in yard.inside()] == [2]


def test_who_is_not_inside_any_more_does_not_enter(yard: Yard) -> None:
    membership.refresh(yard.state, [BUYERS], NOW, yard.zone)
    yard.on(model.OnSegment(segment="buyers"))
    yard.now += 60
    buys(yard, 1, 1)
    buys(yard, 1, 0)
    assert yard.collect().entered == 0


def test_comings_of_before_it_was_on(yard: Yard) -> None:
    membership.refresh(yard.state, [BUYERS], NOW, yard.zone)
    buys(yard, 1, 1)
    yard.now += 60
    yard.on(model.OnSegment(segment="buyers"))
    yard.state.sql.execute("UPDATE automation SET cursors = '{\"membership\": 0}'")
    assert yard.collect().entered == 0


# --- views -----------------------------------------------------------------------------------------------------


def views(yard: Yard, product: int, *minutes: int, person: int | None = 1, visitor: str = "") -> None:
    for minute in minutes:
        yard.act("view", product, person, at=NOW + minute * 60, visitor=visitor)


def test_the_third_view_within_a_week(yard: Yard) -> None:
    """Once a day and product, however often they look."""
    yard.on(model.OnViews(times=3, within=Period(days=7)))
    views(yard, 7, 1, 2)
    views(yard, 8, 3)
    views(yard, 7, 1, 2, 3, person=None)
    yard.collect(NOW + HOUR)
    assert yard.inside() == []
    views(yard, 7, 61, 62)
    yard.collect(NOW + 2 * HOUR)
    assert yard.inside() == [(1, "product:7:0:2026-11-01")]
    assert yard.state.rows("SELECT due FROM enrolment") == [(NOW + 62 * 60,)]
    views(yard, 7, 121)
    yard.collect(NOW + 3 * HOUR)
    assert len(yard.inside()) == 1


def test_views_of_long_ago_do_not_count(yard: Yard) -> None:
    yard.on(model.OnViews(times=3, within=Period(days=7)))
    views(yard, 7, 1, 2)
    yard.now = NOW + 7 * DAY + HOUR
    yard.act("view", 7, 1)
    assert yard.collect().entered == 0


def test_who_has_bought_it_since_is_left_alone(yard: Yard) -> None:
    yard.on(model.OnViews(times=2, within=Period(days=7)))
    views(yard, 7, 1, 2)
    views(yard, 8, 1, 2)
    yard.order(55, 1, verdict="unpaid", at=NOW + 90, products=(7,))
    yard.order(56, 1, at=NOW - 90, products=(8,))
    yard.collect(NOW + HOUR)
    assert yard.inside() == [(1, "product:8:0:2026-11-01")]


def test_days_in_a_row(yard: Yard) -> None:
    """By the shop's calendar: 23:30 and 00:30 in Warsaw are two days."""
    yard.on(model.OnViews(times=3, within=Period(days=7), days=True))
    for at in ("2026-11-02 22:30", "2026-11-02 23:30", "2026-11-04 10:00"):
        yard.act("view", 7, 1, at=unix(at))
    yard.act("view", 8, 1, at=unix("2026-11-02 22:30"))
    yard.act("view", 8, 1, at=unix("2026-11-04 10:00"))
    yard.act("view", 8, 1, at=unix("2026-11-04 11:00"))
    yard.collect(unix("2026-11-04 12:00"))
    assert yard.inside() == [(1, "product:7:0:2026-11-04")]


def test_what_a_visitor_looked_at_before_they_were_known(yard: Yard) -> None:
    """They type their address: the acts of before are theirs from then on."""
    yard.on(model.OnViews(times=3, within=Period(days=7)))
    views(yard, 7, 1, 2, 3, person=None, visitor="ab" * 16)
    assert yard.collect(NOW + HOUR).entered == 0
    yard.state.sql.execute("UPDATE activity SET person_id = 2 WHERE visitor = ?", ("ab" * 16,))
    yard.event("cart.email", 4, None)
    yard.state.sql.execute("INSERT INTO visitor VALUES (?, 2, ?)", ("ab" * 16, yard.now * 1000 + 5))
    yard.collect()
    assert yard.inside() == [(2, "product:7:0:2026-11-01")]


def test_views_of_before_it_was_on(yard: Yard) -> None:
    views(yard, 7, 1, 2, 3)
    yard.now = NOW + HOUR
    yard.on(model.OnViews(times=3, within=Period(days=7)))
    yard.act("cart", 4, 1, at=NOW + 2 * HOUR)
    assert yard.collect(NOW + 3 * HOUR).entered == 0
    yard.act("view", 7, 1, at=NOW + 3 * HOUR)
    assert yard.collect(NOW + 4 * HOUR).entered == 1, "the fourth one is of now"


# --- goods that are due again --------------------------------------------------------------------------------


def habit(yard: Yard, person: int, product: int, last: int, days: float) -> None:
    table.refresh(yard.state, yard.zone)  # it makes habits from orders, and there are none here
    yard.state.sql.execute("INSERT OR REPLACE INTO reorder VALUES (?, ?, '', ?, ?)", (person, product, last, days))


def test_a_product_is_due_by_the_persons_own_interval(yard: Yard) -> None:
    last = NOW - 10 * DAY
    habit(yard, 1, 7, last, 12)
    habit(yard, 2, 7, last, 11)
    yard.on(model.OnReorder())
    assert yard.collect(NOW + DAY - 1).entered == 0
    assert yard.collect(NOW + 2 * DAY).entered == 2
    assert sorted(yard.inside()) == [(1, f"product:7:0:{last}"), (2, f"product:7:0:{last}")]
    yard.collect(NOW + 3 * DAY)
    # They buy, and the time begins anew.
    habit(yard, 1, 7, NOW + 3 * DAY, 12)
    for day in range(4, 17):
        yard.collect(NOW + day * DAY)
    assert yard.inside()[2:] == [(1, f"product:7:0:{NOW + 3 * DAY}")]


def test_what_was_due_before_it_was_on_or_is_overdue(yard: Yard) -> None:
    habit(yard, 1, 7, NOW - 13 * DAY, 12)
    yard.on(model.OnReorder(due=1.0, overdue=1.01))
    habit(yard, 2, 7, NOW - 11 * DAY, 12)
    assert yard.collect(NOW + 2 * DAY).entered == 0, "a hundredth of twelve days later it is overdue"


def test_an_import_brings_nobody_who_was_due_already(yard: Yard) -> None:
    yard.on(model.OnReorder())
    yard.collect(NOW + HOUR)
    for person in range(10, 60):
        yard.person(person)
        habit(yard, person, 7, NOW - person * DAY, 9)
    assert yard.collect(NOW + 2 * HOUR).entered == 0


def test_many_who_are_due_come_by_pages(yard: Yard) -> None:
    for person in range(10, 1210):
        yard.person(person)
        habit(yard, person, 7, NOW - 9 * DAY + person, 9)
    yard.on(model.OnReorder())
    assert yard.collect(NOW + HOUR).entered == 1200
