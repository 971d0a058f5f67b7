"""What people are due to buy again: their own interval for a product or a category, from the orders of the ledger."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from crowd import DAY, NOWS, Made, fill

from sidecar.people.model import LedgerOrder, OrderDoc
from sidecar.segments import due, evaluate, membership, subjects, table, traits, words
from sidecar.segments.model import Reorder, Segment
from sidecar.state.database import State

ZONE = ZoneInfo("Europe/Sofia")
NOW = NOWS[3]


def _bought(*orders: tuple[int, tuple[int, ...]], verdict: str = "candidate", refunded: int = 0) -> Made:
    """Orders: (days before NOW, ids of products); 1 and 2 are tea, 2 and 5 are gifts."""
    return Made(
        orders=[
            LedgerOrder(
                0, verdict, "completed", 10_000_000, refunded, NOW - days * DAY,
                OrderDoc(lines=tuple((id_, 0, 1, "n") for id_ in ids)),
            )
            for days, ids in orders
        ],
        acts=[], account=None, country="", birthday="",
    )  # fmt: skip


def _rows(state: State, person: int = 1) -> list[tuple[object, ...]]:
    table.refresh(state, ZONE)
    return state.rows(
        "SELECT product, category, last_order, interval_days FROM reorder WHERE person_id = ? ORDER BY 1, 2", (person,)
    )


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (_bought((40, (1,))), []),
        (_bought((40, (1,)), (10, (3,))), []),
        # The other orders do not count, nor how often it is in one.
        (_bought((40, (1, 1)), (30, (3,)), (10, (1,))), [(0, "tea", 10, 30.0), (1, "", 10, 30.0)]),
        (_bought((90, (3,)), (45, (3,)), (10, (3,))), [(0, "łyżki", 10, 40.0), (3, "", 10, 40.0)]),
        # Two products of one category: an interval for it, none for them. And one product of two categories.
        (_bought((40, (1,)), (10, (2,))), [(0, "tea", 10, 30.0)]),
        (_bought((40, (2,)), (10, (2, 5))), [(0, "gifts", 10, 30.0), (0, "tea", 10, 30.0), (2, "", 10, 30.0)]),
        # A product that is gone from the shop.
        (_bought((40, (6,)), (10, (6,))), [(6, "", 10, 30.0)]),
        # Parts of one purchase are no habit: on average a day apart at least.
        (_bought((10, (6,)), (10, (6,))), []),
        (_bought((11, (6,)), (11, (6,)), (10, (6,))), []),
        (_bought((11, (6,)), (10, (6,))), [(6, "", 10, 1.0)]),
        (_bought((40, (6,)), (10, (6,)), verdict="unpaid"), []),
        (_bought((40, (6,)), (10, (6,)), refunded=10_000_000), []),
        (_bought((40, (0,)), (10, (0,))), []),
    ],
)  # fmt: skip
def test_intervals(made: Made, wanted: list[tuple[int, str, int, float]], tmp_path: Path) -> None:
    with State(tmp_path) as state:
        people = fill(state, [made], ZONE)
        assert _rows(state) == [(product, name, NOW - ago * DAY, days) for product, name, ago, days in wanted]
        # And so the evaluator of one person.
        at = membership.moment(state, [], NOW, ZONE)
        products = evaluate.explain(Reorder("product", 0.1, 100.0), people[1], at).value
        categories = evaluate.explain(Reorder("category", 0.1, 100.0), people[1], at).value
        assert traits.members(str(products)) == [str(row[0]) for row in wanted if row[0]]
        assert traits.members(str(categories)) == [row[1] for row in wanted if row[1]]


def test_another_order_another_interval(tmp_path: Path) -> None:
    """What is written anew is of the orders that count now."""
    with State(tmp_path) as state:
        fill(state, [_bought((40, (3,)), (20, (3,))), _bought((50, (6,)), (10, (6,)))], ZONE)
        before = _rows(state, 2)
        assert [row[3] for row in _rows(state)] == [20.0, 20.0] and len(before) == 1
        state.sql.execute("UPDATE shop_order SET created = ? WHERE id = 2", (NOW,))
        assert [row[3] for row in _rows(state)] == [20.0, 20.0]
        state.sql.execute("INSERT OR REPLACE INTO person_doc SELECT * FROM person_doc WHERE person_id = 1")
        assert [(row[2], row[3]) for row in _rows(state)] == [(NOW, 40.0)] * 2
        # Refunded as a whole: one order is left.
        state.sql.execute("UPDATE shop_order SET verdict = 'unpaid' WHERE id = 2")
        state.sql.execute("INSERT OR REPLACE INTO person_doc SELECT * FROM person_doc WHERE person_id = 1")
        assert _rows(state) == []
        state.sql.execute("DELETE FROM person WHERE id = 2")
        assert state.rows("SELECT 1 FROM reorder") == [] and before


@pytest.mark.parametrize(
    ("rule", "comes", "goes"),
    [
        # Products 1 and 3: every 20 days, and every 45; the last orders 10 and 30 days ago.
        (Reorder("product", product=1), 10, 30),
        (Reorder("product", product=3), 15, 60),
        (Reorder("product"), 10, 60),
        (Reorder("category", 1.5, 3.0, category="TEA"), 20, 50),
        (Reorder("product", 1.0, 1.1), 10, 12),
    ],
)
def test_due_to_the_second(rule: Reorder, comes: int, goes: int, tmp_path: Path) -> None:
    """From the first second of being due to the last; of everything that is due the first coming and the last going."""
    made = _bought((50, (1,)), (30, (1, 3)), (10, (1,)), (75, (3,)))
    segments = [Segment(slug="due", name="D", rule=rule)]
    comes, goes = NOW + comes * DAY, NOW + goes * DAY
    with State(tmp_path) as state:
        fill(state, [made, _bought((10, (1, 3)))], ZONE)
        for now, holds in ((comes - 1, []), (comes, [1]), (goes - 1, [1]), (goes, [])):
            table.refresh(state, ZONE)
            assert membership.matching(state, rule, membership.moment(state, segments, now, ZONE)) == holds
        assert membership.tick(state, segments, NOW, ZONE) == []
        assert due.next_after(state, segments, NOW, ZONE) == comes
        assert membership.tick(state, segments, comes - 1, ZONE) == []
        assert [change.entered for change in membership.tick(state, segments, comes, ZONE)] == [1]
        assert membership.tick(state, segments, goes - 1, ZONE) == []
        assert [change.left for change in membership.tick(state, segments, goes, ZONE)] == [1]
        assert due.next_after(state, segments, goes, ZONE) is None or rule.overdue == 1.1
        assert state.rows("SELECT DISTINCT person_id FROM membership_event") == [(1,)]


def test_an_explanation_names_what_is_due(tmp_path: Path) -> None:
    made = _bought((70, (1,)), (65, (3,)), (50, (5,)), (40, (1,)), (35, (3,)))
    with State(tmp_path) as state:
        fill(state, [made], ZONE)
        table.refresh(state, ZONE)
        person = subjects.load(state, [1])[1]
        at = membership.moment(state, [], NOW, ZONE)
        for rule, said in (
            (Reorder("product"), "1, 3"),
            (Reorder("category"), "tea, łyżki"),
            (Reorder("category", 1.0, 2.0, category="Łyżki"), "łyżki"),
            (Reorder("product", product=5), "nothing"),
        ):
            found = evaluate.explain(rule, person, at)
            told = words.value(rule, found.value, ZONE)
            assert (found.holds, set(told.split(", "))) == (said != "nothing", set(said.split(", "))), rule


def test_everybody_is_looked_at_once_when_intervals_are_new(tmp_path: Path) -> None:
    """A state of the version before has traits, but no intervals."""
    with State(tmp_path) as state:
        fill(state, [_bought((40, (6,)), (10, (6,)))], ZONE)
        assert len(_rows(state)) == 1
        state.sql.execute("DELETE FROM reorder")
        state.set("segments.traits", f"1|{ZONE}")
        assert len(_rows(state)) == 1
        # The trait is what it was: this is no change of hers.
        assert msgspec.json.decode(state.rows("SELECT facts FROM person_doc")[0][0])["orders_count"] == 2
