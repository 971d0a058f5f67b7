"""What happened makes people enter: each order, account and contact once, and nothing of an import or of before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from triggering import DAY, HOUR, NOW, Yard, alone

from sidecar.automations import enter, guards, model, switching, versions
from sidecar.events import monitor
from sidecar.events.monitor import Done
from sidecar.events.outbox import Hint
from sidecar.segments.model import Number, Period
from sidecar.state import database
from sidecar.state.migrations import MIGRATIONS

PAID = model.OnEvent(topic="order.paid")
PLACED = model.OnEvent(topic="order.placed")


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = alone(tmp_path)
    made.person(1, user=11)
    made.person(2)
    yield made
    made.close()


def test_an_order_is_entered_once_however_often_it_is_told(yard: Yard) -> None:
    yard.on(PLACED)
    yard.order(55, 1)
    number = yard.event("order.created", 55, 1)
    yard.event("order.found", 55, 1, found=True)
    assert yard.collect().entered == 1
    # The pass died before the row went: the event takes its old place under a new id.
    yard.event("order.created", 55, 1, outbox=number)
    assert yard.collect().entered == 0
    assert yard.inside() == [(1, "order:55")]
    assert yard.state.rows("SELECT entered, due FROM enrolment") == [(NOW, NOW)]


def test_ids_of_events_never_come_again(yard: Yard) -> None:
    """Of an erased person the newest events go; the next one must not be taken for one that was read."""
    yard.on(PAID)
    yard.order(55, 1)
    yard.event("order.paid", 55, 1)
    yard.collect()
    yard.state.sql.execute("DELETE FROM event")
    yard.order(56, 2)
    yard.event("order.paid", 56, 2)
    assert yard.collect().entered == 1


def test_a_repeated_hint_keeps_its_place_behind_what_was_read(yard: Yard) -> None:
    hint = Hint(7, "order.paid", 55, created_ms=NOW * 1000)
    monitor.record(yard.state, [Done(hint=hint, outcome="changed", person_id=1)], NOW * 1000)
    first = yard.state.rows("SELECT id FROM event")
    monitor.record(yard.state, [Done(hint=hint, outcome="changed", person_id=1)], NOW * 1000)
    assert yard.state.rows("SELECT id FROM event") > first


@pytest.mark.parametrize("topic", ["order.placed", "order.paid", "order.status"])
def test_an_import_enters_nobody(yard: Yard, topic: str) -> None:
    """Pain 5: orders that are old when they are made, told by every hook that an importer sets off."""
    yard.on(model.OnEvent(topic=topic, to=("completed",) if topic == "order.status" else ()))
    for id_ in range(100, 150):
        yard.order(id_, 1, at=NOW - 30 * DAY)
        yard.event("order.created", id_, 1)
        yard.event("order.status", id_, 1, detail="pending>completed")
        yard.event("order.paid", id_, 1)
        yard.event("order.found", id_, 1, found=True)
    assert yard.collect().entered == 0


def test_an_old_order_that_is_paid_today_is_one(yard: Yard) -> None:
    yard.order(55, 1, at=NOW - 10 * DAY)
    yard.event("order.created", 55, 1, at=NOW - 10 * DAY)
    yard.on(PAID)
    yard.event("order.paid", 55, 1)
    assert yard.collect().entered == 1


def test_what_was_before_it_was_on_never_starts_anybody(yard: Yard) -> None:
    """Pain 5: also when it comes late, after a pause."""
    yard.on(PAID)
    yard.now += 2 * HOUR
    yard.order(55, 1, at=NOW - 60)
    yard.event("order.paid", 55, 1, at=NOW - 60)
    yard.order(56, 1, at=NOW + 60)
    yard.event("order.paid", 56, 1, at=NOW + 60)
    assert yard.collect().entered == 1
    assert yard.inside() == [(1, "order:56")]


def test_what_is_told_too_late_starts_nobody(yard: Yard) -> None:
    yard.on(PAID)
    for id_, hours in ((55, 25), (56, 23)):
        at = NOW + 30 * HOUR - hours * HOUR
        yard.order(id_, 1, at=at)
        yard.event("order.paid", id_, 1, at=at)
    yard.collect(NOW + 30 * HOUR)
    assert yard.inside() == [(1, "order:56")]


def test_orders_found_by_asking_are_placed_and_paid(yard: Yard) -> None:
    yard.on(PLACED, "placed")
    yard.on(PAID, "paid")
    yard.now += HOUR
    yard.order(55, 1, verdict="unpaid", status="on-hold", at=NOW + 60)
    yard.event("order.found", 55, 1, found=True)
    yard.collect()
    assert (yard.inside("placed"), yard.inside("paid")) == ([(1, "order:55")], [])
    yard.order(55, 1, at=NOW + 60)
    yard.event("order.found", 55, 1, found=True)
    yard.collect()
    assert yard.inside("paid") == [(1, "order:55")]


@pytest.mark.parametrize("verdict", ["refund", "trash", "draft", "other_type", "anonymised", "erased"])
def test_what_is_no_order_enters_nobody(yard: Yard, verdict: str) -> None:
    yard.on(PLACED)
    yard.order(55, 1, verdict=verdict)
    yard.event("order.created", 55, 1)
    assert yard.collect().entered == 0


def test_a_status_is_led_to(yard: Yard) -> None:
    yard.on(model.OnEvent(topic="order.status", to=("failed", "pending")))
    for id_, detail in ((55, "pending>failed"), (56, "failed>processing"), (57, "failed>wc-pending")):
        yard.order(id_, 1)
        yard.event("order.status", id_, 1, detail=detail)
    # The checkout makes orders pending: there is no transition.
    yard.order(58, 2, verdict="unpaid", status="pending")
    yard.event("order.created", 58, 2)
    yard.collect()
    assert yard.inside() == [(1, "order:55"), (1, "order:57"), (2, "order:58")]


def test_the_first_and_every_so_manyth_counted_order(yard: Yard) -> None:
    """Pain 42: counted from the orders themselves."""
    yard.on(model.OnEvent(topic="order.paid", first=True), "first")
    yard.on(model.OnEvent(topic="order.paid", every=3), "third")
    for number in range(7):
        yard.order(50 + number, 1, at=NOW + number * 60, total=0 if number == 1 else 5_000_000)
        yard.event("order.paid", 50 + number, 1, at=NOW + number * 60)
    yard.collect(NOW + HOUR)
    assert yard.inside("first") == [(1, "order:50")]
    # The free one does not count.
    assert yard.inside("third") == [(1, "order:53"), (1, "order:56")]


def test_accounts_reviews_and_contacts(yard: Yard) -> None:
    yard.on(model.OnEvent(topic="customer.created"), "account")
    yard.on(model.OnEvent(topic="review.posted"), "review")
    yard.on(model.OnEvent(topic="contact.status", to=("subscribed",)), "news")
    yard.person(3, user=13, registered=NOW - 400 * DAY)
    yard.event("customer.created", 11, 1)
    yard.event("customer.created", 13, 3)  # imported: it was registered long ago
    yard.event("review.posted", 7, 2, sub=99)
    yard.event("review.posted", 7, None, sub=100)
    yard.event("contact.status", 1002, 2, detail="pending>subscribed")
    yard.event("contact.status", 1001, 1, detail="subscribed>unsubscribed")
    yard.collect()
    assert yard.inside("account") == [(1, "account:11")]
    assert yard.inside("review") == [(2, "product:7:0:review-99")]
    assert yard.inside("news") == [(2, "contact:1002")]


def test_only_contacts_enter(yard: Yard) -> None:
    yard.on(PAID)
    yard.person(3, verdict="left")
    yard.person(4)
    yard.state.sql.execute("UPDATE person SET contact_id = NULL WHERE id = 4")
    yard.person(5)
    yard.state.sql.execute("INSERT INTO suppressed SELECT key, 0 FROM person WHERE id = 5")
    for person in (3, 4, 5, 1):
        yard.order(50 + person, person)
        yard.event("order.paid", 50 + person, person)
    yard.collect()
    assert yard.inside() == [(1, "order:51")]


def test_the_filter_is_asked_of_what_is_so_now(yard: Yard) -> None:
    """Also of somebody whose traits nobody has made yet."""
    yard.on(PAID, filter=Number("orders_count", 2, None))
    yard.person(3, orders_count=1)
    yard.person(4, orders_count=2)
    for person in (3, 4):
        yard.order(50 + person, person)
        yard.event("order.paid", 50 + person, person)
    yard.collect()
    assert yard.inside() == [(4, "order:54")]


@pytest.mark.parametrize(
    ("again", "wanted"),
    [(Period(), [50, 51, 52, 53]), (None, [50]), (Period(days=1), [50, 52]), (Period(seconds=3600), [50, 52])],
)
def test_again(yard: Yard, again: Period | None, wanted: list[int]) -> None:
    """A day by the shop's calendar: the second order is a minute later, the third a day and the last one a minute after that."""
    yard.on(PAID, again=again)
    for id_, at in ((50, 0), (51, 60), (52, DAY), (53, DAY + 60)):
        yard.now = NOW + at
        yard.order(id_, 1)
        yard.event("order.paid", id_, 1)
        yard.collect()
    assert [subject for _, subject in yard.inside()] == [f"order:{id_}" for id_ in wanted]


def test_again_counts_within_one_call(yard: Yard) -> None:
    yard.on(PAID, again=None)
    for id_ in (50, 51):
        yard.order(id_, 1)
        yard.event("order.paid", id_, 1)
    yard.collect()
    assert yard.inside() == [(1, "order:50")]


def test_a_share_of_people_and_who_is_only_watched(yard: Yard) -> None:
    """Raising the share keeps the first ones; holdout is another draw."""
    yard.on(PAID, rollout=10, holdout=20)
    for person in range(100, 600):
        yard.person(person)
        yard.order(person, person)
        yard.event("order.paid", person, person)
    yard.collect()
    first = {person for person, _ in yard.inside()}
    assert 30 < len(first) < 75
    yard.state.sql.execute("UPDATE automation SET rollout = 40, cursors = '{\"event\": 0}'")
    yard.collect(NOW + 60)
    more = {person for person, _ in yard.inside()}
    assert first < more
    assert 160 < len(more) < 240
    held = yard.state.rows("SELECT COUNT(*) FROM enrolment WHERE held = 1")[0][0]
    assert len(more) * 0.1 < held < len(more) * 0.3


@given(st.text(min_size=1, max_size=20), st.integers(1, 10**9), st.integers(0, 99))
def test_who_is_among_some_is_among_more(name: str, person: int, percent: int) -> None:
    if enter.within(name, person, percent):
        assert enter.within(name, person, percent + 1)
    assert not enter.within(name, person, 0)
    assert enter.within(name, person, 100)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 4))
def test_a_crash_at_any_place_enters_nobody_twice(
    tmp_path_factory: pytest.TempPathFactory, kills: list[int], page: int
) -> None:
    """Collected by little pages, with the process dead before, in and after the transaction."""
    yard = alone(tmp_path_factory.mktemp("state"))
    try:
        yard.on(PAID)
        for person in range(1, 9):
            yard.person(person)
            yard.order(50 + person, person)
            yard.event("order.paid", 50 + person, person)
        for kill in [*kills, -1]:
            _some(yard, page, kill)
        for _ in range(9):
            _some(yard, page, -1)
        assert yard.inside() == [(person, f"order:{50 + person}") for person in range(1, 9)]
    finally:
        yard.close()


class _DeadError(Exception):
    pass


def _some(yard: Yard, page: int, kill: int) -> None:
    import dataclasses

    from sidecar.automations import sources
    from sidecar.automations.triggers import events

    row = versions.row(yard.state, "one")
    ask = sources.asked(yard.place, row, yard.get("one"), sources.cursor(yard.place, row))
    ask = dataclasses.replace(ask, most=page)
    found = events.find(ask)
    if kill == 0:
        return  # dead before anything was written
    if kill in (1, 2):
        with pytest.raises(_DeadError), yard.state.transaction():  # dead in the transaction
            enter.enter(ask, found)
            raise _DeadError
        return
    enter.enter(ask, found)


def test_one_that_cannot_be_read_stops_nobody_else(yard: Yard) -> None:
    yard.on(PAID, "broken")
    yard.on(PAID, "good")
    del yard.shelf["broken"]
    yard.order(55, 1)
    yard.event("order.paid", 55, 1)
    counts = yard.sources.collect(yard.place, yard)
    assert (counts.entered, list(counts.faults)) == (1, ["broken"])
    assert versions.row(yard.state, "broken").fault == "there is no automation broken"
    yard.shelf["broken"] = yard.shelf["good"]
    yard.collect(NOW + 60)
    assert versions.row(yard.state, "broken").fault == ""
    assert yard.inside("broken") == [(1, "order:55")], "what happened meanwhile is not lost"


def test_another_automation_or_the_owner_enrols(yard: Yard) -> None:
    from sidecar.automations import sources
    from sidecar.automations.enrolments import Entry

    yard.person(3, orders_count=9)
    yard.on(model.ByHand(), again=None, filter=Number("orders_count", 0, 5))
    entry = Entry(person_id=1, subject="order:55", at=NOW)
    wanted = {
        "": entry,
        "entered_before": entry,
        "no_contact": Entry(person_id=77, at=NOW),
        "filtered": Entry(person_id=3, at=NOW),
    }
    for why, one in wanted.items():
        assert sources.start(yard.place, yard, "one", one) == why
    yard.state.sql.execute("UPDATE automation SET rollout = 0")
    assert sources.start(yard.place, yard, "one", Entry(person_id=2, at=NOW)) == "not_in_share"
    yard.state.sql.execute("UPDATE automation SET running = 0")
    assert sources.start(yard.place, yard, "one", entry) == "off"
    assert sources.start(yard.place, yard, "other", entry) == "off"
    assert set(enter.REASONS) | set(guards.REASONS) >= {*wanted, "not_in_share", "off"} - {""}
    assert yard.inside() == [(1, "order:55")]


def test_a_state_of_before_keeps_what_happened(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", MIGRATIONS[:7])
        yard = alone(tmp_path)
    yard.person(1)
    yard.event("order.paid", 55, 1)
    yard.act("view", 7, 1, sub=9, visitor="ab" * 16)
    yard.state.sql.execute("UPDATE trait_stale SET traits = 1")
    rows = [yard.state.rows(f"SELECT * FROM {table}") for table in ("event", "activity")]
    yard.close()
    yard = alone(tmp_path)
    try:
        assert [yard.state.rows(f"SELECT * FROM {table}") for table in ("event", "activity")] == rows
        assert yard.state.rows("SELECT traits FROM trait_stale") == [(1,)], "nobody is looked at again for it"
        yard.act("view", 7, 1)
        assert yard.state.rows("SELECT traits FROM trait_stale") == [(0,)]
        yard.state.sql.execute("DELETE FROM event")
        yard.event("order.paid", 56, 1)
        assert yard.state.rows("SELECT id FROM event") == [(2,)]
    finally:
        yard.close()


def test_two_workers_at_once_enter_nobody_twice(tmp_path: Path) -> None:
    """Pain 31: two processes that both think they are alone, with an automation that nobody enters a second time."""
    yard = alone(tmp_path)
    try:
        yard.on(PAID, again=None)
        for person in range(1, 41):
            yard.person(person)
            for number in (0, 1, 2):
                yard.order(1000 * number + person, person)
                yard.event("order.paid", 1000 * number + person, person)
        entered: list[int] = []

        def work() -> None:
            other = alone(tmp_path)
            other.shelf = yard.shelf
            try:
                entered.append(other.collect().entered)
            finally:
                other.close()

        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sum(entered) == 40
        assert sorted(person for person, _ in yard.inside()) == list(range(1, 41))
    finally:
        yard.close()


def test_a_pass_without_news_asks_little(yard: Yard) -> None:
    """Each second, whatever is on: no file is read and no table gone through."""
    for number, trigger in enumerate(
        (PAID, PLACED, model.OnSegment(segment="x"), model.OnViews(times=2, within=Period(days=1)))
    ):
        yard.on(trigger, f"a{number}")
    yard.collect()
    asked: list[str] = []
    yard.state.sql.set_trace_callback(asked.append)
    shelf, yard.shelf = yard.shelf, {}
    yard.collect(NOW + 1)
    yard.state.sql.set_trace_callback(None)
    assert len(asked) <= 6, asked
    yard.shelf = shelf
    yard.order(55, 1, at=NOW + 2)
    yard.event("order.paid", 55, 1, at=NOW + 2)
    assert yard.collect(NOW + 2).entered == 1


def test_another_one_of_a_name_begins_anew(yard: Yard) -> None:
    """Removed, and one that says something else gets its name: nobody was in that one. But one that says the very same is kept from
    saying it twice."""
    first = yard.on(PAID, again=None)
    yard.order(50, 1)
    yard.event("order.paid", 50, 1)
    assert yard.collect().entered == 1
    for number, (steps, enters) in enumerate(((first.steps, 0), ((model.Wait(id="other", period=Period(days=2)),), 1))):
        yard.now += 3600
        switching.retire(yard.state, "one", yard.now)
        assert versions.named(yard.state, "one") is None
        yard.on(PAID, again=None, steps=steps)
        yard.order(60 + number, 1)
        yard.event("order.paid", 60 + number, 1)
        assert yard.collect().entered == enters, number
    row = versions.row(yard.state, "one")
    assert yard.state.rows("SELECT COUNT(*) FROM enrolment WHERE automation_id = ?", (row.id,)) == [(1,)]
    assert yard.state.rows("SELECT name, running FROM automation ORDER BY id") == [
        ("one~1", 0),
        ("one~2", 0),
        ("one", 1),
    ]
