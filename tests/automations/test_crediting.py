"""Crediting orders to messages: at most one, the last touch, whatever becomes known when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.automations import crediting
from sidecar.people.model import OrderDoc
from sidecar.state.database import State

DAY, NOW, DAYS = 86_400, 1_795_000_000, 5


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(str(tmp_path)) as opened:
        yield opened


def order(state: State, id_: int, person: int, at: int, *coupons: str) -> None:
    doc = msgspec.json.encode(OrderDoc(coupons=coupons))
    state.sql.execute(
        "INSERT OR REPLACE INTO shop_order (id, person_id, verdict, status, total, created, crc, doc)"
        " VALUES (?, ?, 'candidate', 'completed', 1, ?, 0, ?)", (id_, person, at, doc),
    )  # fmt: skip
    state.sql.execute("INSERT OR REPLACE INTO counted_order VALUES (?, ?, ?)", (id_, person, at))


def message(state: State, id_: int, person: int, *, clicked: int | None, opened: int | None = None) -> None:
    state.sql.execute(
        "INSERT INTO message (id, key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose,"
        " language, state, decided, opened, clicked) VALUES (?, ?, ?, 1, 1, 's', ?, 'email', 'x', 'marketing', 'en', 'sent',"
        " ?, ?, ?)", (id_, f"k{id_}", id_ + 100, person, (clicked or NOW - 30 * DAY) * 1000 - 1000, opened, clicked),
    )  # fmt: skip


def coupon(
    state: State, id_: int, person: int, code: str, *, made: int, enrolment: int, coupon_id: int | None = None
) -> None:
    state.sql.execute(
        "INSERT INTO coupon (id, key, enrolment_id, automation_id, person_id, coupon_id, code, made, expires)"
        " VALUES (?, ?, ?, 2, ?, ?, ?, ?, ?)", (id_, f"c{id_}", enrolment, person, coupon_id, code, made, made + 9 * DAY),
    )  # fmt: skip


def owed(state: State) -> dict[int, tuple[int | None, str]]:
    crediting.refresh(state, NOW, DAYS)
    return {row[0]: (row[1], row[2]) for row in state.rows("SELECT order_id, message_id, how FROM credit")}


def test_opens_earn_nothing(state: State) -> None:
    message(state, 1, 7, clicked=None, opened=NOW - 2 * DAY)
    order(state, 50, 7, NOW - DAY)
    assert owed(state) == {}


def test_the_last_click_before_the_order_has_it_and_late_news_moves_it(state: State) -> None:
    message(state, 1, 7, clicked=NOW - 3 * DAY)
    order(state, 50, 7, NOW - DAY)
    order(state, 51, 8, NOW - DAY)
    assert owed(state) == {50: (1, "click")}
    message(state, 2, 7, clicked=NOW - 2 * DAY)
    message(state, 3, 7, clicked=NOW - DAY + 1)
    assert owed(state) == {50: (2, "click")}


def test_a_coupon_of_ours_decides(state: State) -> None:
    message(state, 1, 7, clicked=NOW - 2 * DAY)
    coupon(state, 1, 7, "back-abc", made=NOW - 3 * DAY, enrolment=101)
    order(state, 50, 7, NOW - DAY, "BACK-abc")
    order(state, 51, 7, NOW - DAY + 5)
    assert owed(state) == {50: (1, "coupon"), 51: (1, "click")}
    # Used by somebody else (not bound): the plugin told of it.
    coupon(state, 2, 7, "back-xyz", made=NOW - 3 * DAY, enrolment=300, coupon_id=900)
    order(state, 60, 9, NOW - DAY, "back-xyz")
    state.sql.execute(
        "INSERT INTO event (at, done_at, topic, object_id, sub_id, detail, label, outcome, reason, live)"
        " VALUES (1, 1, 'coupon.used', 60, 900, '', '', 'nothing', '', 1)"
    )
    assert owed(state)[60] == (None, "coupon")
    # Clicks that become known later do not take it away.
    message(state, 4, 9, clicked=NOW - DAY - 60)
    assert owed(state)[60] == (None, "coupon")


def test_a_click_that_only_the_plugin_tells_of(state: State) -> None:
    """A link in an SMS: the hint names the message."""
    message(state, 1, 7, clicked=None)
    message(state, 2, 7, clicked=NOW - 2 * DAY)
    order(state, 50, 7, NOW - DAY)
    for id_, at in ((1, NOW - DAY - 60), (1, NOW - DAY - 30), (2, NOW - DAY - 20), (99, NOW - DAY)):
        state.sql.execute(
            "INSERT INTO event (at, done_at, topic, object_id, sub_id, detail, label, outcome, reason, live)"
            " VALUES (?, 1, 'message.clicked', ?, 0, '', '', 'nothing', '', 1)", (at * 1000, id_),
        )  # fmt: skip
    assert owed(state) == {50: (1, "click")}
    assert state.rows("SELECT id, clicked FROM message ORDER BY id") == [(1, NOW - DAY - 60), (2, NOW - 2 * DAY)]


def test_who_clicks_as_soon_as_it_was_sent_is_a_program(state: State) -> None:
    """It tries the links before it lets the mail through. When a mail of FluentCRM's queue went is known later."""
    for id_, queued in ((1, False), (2, True)):
        message(state, id_, 6 + id_, clicked=None)
        order(state, 49 + id_, 6 + id_, NOW - DAY)
        sent, how = (None, "queued") if queued else (NOW - 2 * DAY, "sent")
        state.sql.execute("UPDATE message SET sent = ?, state = ? WHERE id = ?", (sent, how, id_))
        state.sql.execute(
            "INSERT INTO event (at, done_at, topic, object_id, sub_id, detail, label, outcome, reason, live)"
            " VALUES (?, 1, 'message.clicked', ?, 0, '', '', 'nothing', '', 1)", ((NOW - 2 * DAY + 4) * 1000, id_),
        )  # fmt: skip
    assert owed(state) == {}
    state.sql.execute("UPDATE message SET sent = ?, state = 'sent' WHERE id = 2", (NOW - 2 * DAY,))
    assert owed(state) == {}
    state.sql.execute("UPDATE event SET at = at + 10000 WHERE object_id = 2")
    assert owed(state) == {51: (2, "click")}


def test_what_does_not_count_any_more_has_earned_nothing(state: State) -> None:
    message(state, 1, 7, clicked=NOW - 2 * DAY)
    order(state, 50, 7, NOW - DAY)
    assert owed(state) == {50: (1, "click")}
    state.sql.execute("DELETE FROM counted_order")
    assert owed(state) == {}


moments = st.integers(NOW - 12 * DAY, NOW)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), moments), max_size=8),
    st.lists(st.tuples(st.integers(1, 3), moments), max_size=8),
    st.randoms(use_true_random=False),
)
def test_it_is_what_a_naive_look_says_in_whatever_order_it_becomes_known(
    tmp_path_factory: pytest.TempPathFactory,
    clicks: list[tuple[int, int]],
    orders: list[tuple[int, int]],
    chance: object,
) -> None:
    told = [("m", number, *one) for number, one in enumerate(clicks, 1)] + [
        ("o", number, *one) for number, one in enumerate(orders, 1)
    ]
    chance.shuffle(told)  # type: ignore[attr-defined]
    with State(str(tmp_path_factory.mktemp("state"))) as state:
        for kind, id_, person, at in told:
            if kind == "m":
                message(state, id_, person, clicked=at)
            else:
                order(state, id_, person, at)
            if id_ % 3 == 0:
                crediting.refresh(state, NOW, DAYS)
        expected = {}
        for id_, (person, at) in enumerate(orders, 1):
            touches = [
                (clicked, number)
                for number, (who, clicked) in enumerate(clicks, 1)
                if who == person and clicked <= at < clicked + DAYS * DAY
            ]
            if touches:
                expected[id_] = (max(touches)[1], "click")
        assert owed(state) == expected
