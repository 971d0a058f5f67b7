"""The way of an enrolment: steps, waits, what is late, what is tried again, and what two workers may do at once."""

from __future__ import annotations

import msgspec
import pytest
from automating import DAY, HOUR, NOW, TEXT, World, unix

from sidecar.automations import enrolments, pruning
from sidecar.automations.channels.model import Handed
from sidecar.automations.model import (
    Branch,
    Coupon,
    Note,
    Send,
    SetField,
    Split,
    Start,
    Stop,
    Tagged,
    Ticket,
    Wait,
    WaitEvent,
    WaitMoment,
    Webhook,
)
from sidecar.automations.steps.moves import Go, Walk
from sidecar.automations.steps.ways import split as chosen
from sidecar.segments.model import Number, Period

MAIL = Send(id="mail", channels=("email",), texts=TEXT)


def test_a_message_goes_and_the_way_ends(world: World) -> None:
    one = world.enter(world.on(MAIL), world.subscribed(1)[0], "account:55")
    worked = world.work()
    assert (worked.taken, worked.sent, worked.ended) == (1, 1, 1)
    (message,) = world.recorder.sent
    assert (message.to, message.container, message.purpose) == (
        world.address(message.person_id),
        "one/mail",
        "marketing",
    )
    assert world.one(one).state == "done" and world.steps(one) == [("mail", "done", "")]
    assert world.messages() == [(one, "mail", "sent", "")]
    assert world.work(DAY).taken == 0


def test_the_first_wait_counts_from_entering_and_later_ones_from_now(world: World) -> None:
    spec = world.on(
        Wait(id="a", period=Period(seconds=HOUR)), MAIL, Wait(id="b", period=Period(days=1)), Tagged(id="t", add=("x",))
    )
    one = world.enter(spec, world.subscribed(1)[0], at=NOW - HOUR // 2)
    world.work()
    assert world.one(one).due == NOW + HOUR // 2 and world.one(one).step == "mail"
    world.work(2 * HOUR)
    assert world.one(one).due == NOW + 2 * HOUR + DAY
    world.work(DAY)
    assert world.recorder.done["contacts"][0].add == ("x",) and world.one(one).state == "done"


def test_days_keep_the_time_of_day_over_a_change_of_the_clock(world: World) -> None:
    """Warsaw leaves summer time on 25 October 2026."""
    world.now = unix("2026-10-24 10:00")
    one = world.enter(world.on(Wait(id="w", period=Period(days=1)), MAIL), world.subscribed(1)[0])
    world.work()
    assert world.one(one).due == unix("2026-10-25 11:00")


def test_an_hour_of_the_day_in_the_zone_of_the_person(world: World) -> None:
    spec = world.on(Wait(id="w", at="09:00", days=("tue", "wed"), zone="person"), MAIL)
    people = world.subscribed(3)
    world.contact(world.contact_of(people[0]), timezone="Asia/Tehran")
    world.contact(world.contact_of(people[1]), timezone="Mars/Olympus")
    ids = [world.enter(spec, person) for person in people]
    world.work()
    assert [world.one(id_).due for id_ in ids] == [unix("2026-11-03 05:30"), *[unix("2026-11-03 08:00")] * 2]


@pytest.mark.parametrize(
    "text, due",
    [("1794132000", "2026-11-07 10:00"), ("2026-11-08 11:00", "2026-11-07 10:00"), ("2026-11-08", "2026-11-06 23:00")],
)
def test_a_booking_is_waited_for_and_its_moves_are_followed(world: World, text: str, due: str) -> None:
    """Unix seconds, or the shop's own time."""
    spec = world.on(
        WaitMoment(id="w", order_meta="_booking", before=Period(days=1), otherwise="none"), MAIL, Stop(id="none")
    )
    person = world.subscribed(1)[0]
    order = world.keeper.order(world.address(person), at=world.at(NOW - 9 * DAY), meta={"_booking": text})
    one = world.enter(spec, person, f"order:{order}")
    world.work()
    # Looked up once a day on the way, so that an earlier one is noticed.
    assert world.one(one).due == NOW + DAY and world.one(one).step == "w"
    while world.one(one).due != unix(due):
        world.work(DAY)
    assert world.recorder.sent == []
    world.keeper.meta(order, _booking=str(unix("2026-11-09 12:00")))
    world.now = unix(due)
    world.work()
    assert world.recorder.sent == [] and world.one(one).due in (world.now + DAY, unix("2026-11-08 12:00"))
    world.now = unix("2026-11-08 12:00")
    world.work()
    assert len(world.recorder.sent) == 1


def test_a_booking_that_is_none_is_not_waited_for(world: World) -> None:
    spec = world.on(
        WaitMoment(id="w", order_meta="_booking", before=Period(days=1), otherwise="none"), MAIL, Stop(id="none")
    )
    person = world.subscribed(1)[0]
    for meta in ({}, {"_booking": "soon"}, {"_booking": "0000-00-00 00:00:00"}):
        order = world.keeper.order(world.address(person), at=world.at(NOW - 9 * DAY), meta=meta)
        one = world.enter(spec, person, f"order:{order}")
        world.work()
        assert world.one(one).state == "done" and world.steps(one) == [("w", "skipped", "no_moment")]


def test_a_reminder_of_a_booking_that_is_over_is_left_out(world: World) -> None:
    late = Send(id="mail", channels=("email",), texts=TEXT, late=Period(seconds=2 * HOUR))
    spec = world.on(WaitMoment(id="w", order_meta="_booking", before=Period(days=1)), late)
    person = world.subscribed(1)[0]
    order = world.keeper.order(
        world.address(person), at=world.at(NOW - 9 * DAY), meta={"_booking": str(NOW + 20 * HOUR)}
    )
    one = world.enter(spec, person, f"order:{order}")
    world.work()
    assert world.steps(one) == [("w", "done", ""), ("mail", "skipped", "too_late")]


def test_an_event_comes_or_does_not(world: World) -> None:
    spec = world.on(
        WaitEvent(id="w", topic="email.opened", at_most=Period(days=2), then="yes", otherwise="no"),
        Tagged(id="yes", add=("yes",), next="end"),
        Tagged(id="no", add=("no",)),
    )
    first, second = (world.enter(spec, person) for person in world.subscribed(2))
    world.work()
    assert world.one(first).awaits == "email.opened" and world.one(first).due == NOW + 2 * DAY
    assert not enrolments.wake_one(world.state, first, "order.paid", NOW)
    assert enrolments.wake_one(world.state, first, "email.opened", NOW + HOUR)
    world.work(HOUR)
    assert world.steps(first) == [("w", "done", ""), ("yes", "done", "")]
    assert world.work(DAY).taken == 0
    world.work(DAY)
    assert world.steps(second) == [("w", "skipped", "not_come"), ("no", "done", "")]


def test_a_branch_asks_about_the_person_now(world: World) -> None:
    spec = world.on(
        Branch(id="b", rule=Number("orders_count", 1, None), then="buyer", otherwise="lead"),
        Tagged(id="lead", add=("lead",), next="end"),
        Tagged(id="buyer", add=("buyer",)),
    )
    world.segmented()
    rows = world.state.rows(
        "SELECT MIN(CASE WHEN orders_count = 0 THEN person_id END), MAX(CASE WHEN orders_count > 1 THEN person_id END) FROM trait"
    )
    ids = [world.enter(spec, person) for person in rows[0]]
    world.work()
    assert [world.one(id_).data.ways for id_ in ids] == [{"b": "lead"}, {"b": "buyer"}]


def test_chance_is_the_same_each_time_and_keeps_its_weights(world: World) -> None:
    split = Split(id="s", ways={"a": 3, "b": 1, "never": 0})
    spec = world.on(split, Stop(id="a"), Stop(id="b"), Stop(id="never"))
    one = world.one(world.enter(spec, world.subscribed(1)[0]))

    def way(person: int) -> str:
        whose = msgspec.structs.replace(one, person_id=person)
        move = chosen(split, Walk(one=whose, spec=spec, planned=0, base=0))
        assert isinstance(move, Go)
        return move.to

    ways = [way(person) for person in range(400)]
    assert 250 < ways.count("a") < 350 and set(ways) == {"a", "b"}
    assert ways == [way(person) for person in range(400)]
    world.work()
    assert world.one(one.id).data.ways == {"s": way(one.person_id)}


def test_chance_leads_a_person_always_the_same_way(world: World) -> None:
    """Who has seen both ways says nothing about either. Another automation asks anew."""
    split = Split(id="s", ways={"a": 1, "b": 1})
    people = world.subscribed(12)
    specs = [world.on(split, Stop(id="a"), Stop(id="b"), name=name) for name in ("one", "two")]
    ids = [[[world.enter(spec, person, f"day:{n}") for n in range(4)] for person in people] for spec in specs]
    world.work()
    ways = [[{world.one(id_).data.ways["s"] for id_ in mine} for mine in spec] for spec in ids]
    assert {len(way) for spec in ways for way in spec} == {1}
    assert ways[0] != ways[1] and len({str(way) for way in ways[0]}) == 2


def test_everything_that_a_step_can_do(world: World) -> None:
    coupon = Coupon(id="c", kind="percent", amount="10", expires=Period(days=7), minimum="50", prefix="TEA-")
    spec = world.on(
        coupon,
        MAIL,
        SetField(id="f", field="level", value="gold"),
        Note(id="n", title="Called", body="back"),
        Ticket(id="t", subject="Delayed", body="Sorry", priority="critical"),
        Webhook(id="h", url="https://x.example/in", fields=("person.first_name",)),
        Start(id="s", automation="other"),
    )
    person = world.subscribed(1)[0]
    started: list[str] = []
    world.start = lambda name, entry: started.append(f"{name} {entry.person_id} {entry.subject}") or ""
    order = world.keeper.order(world.address(person), at=world.at(NOW - 3 * DAY), status="wc-processing")
    one = world.enter(spec, person, f"order:{order}")
    worked = world.work()
    assert worked.steps == 7 and world.one(one).state == "done"
    (made,) = world.recorder.done["coupons"]
    assert (made.email, made.expires, made.minimum) == (world.address(person), NOW + 7 * DAY, "50")
    assert made.code.startswith("TEA-") and len(made.code) == 14
    assert world.state.rows("SELECT code, coupon_id, expires FROM coupon") == [(made.code, 7, made.expires)]
    assert world.recorder.sent[0].text == f"email {made.code}"
    assert world.recorder.done["contacts"][0].fields == {"level": "gold"}
    note, ticket = world.recorder.done["notes"]
    assert (note.title, ticket.ticket, ticket.priority, ticket.order_id) == ("Called", True, "critical", order)
    (hook,) = world.recorder.done["hooks"]
    assert (
        hook.data["fields"] == {"person.first_name": '{{ person.first_name|default("") }}'}
        and hook.data["coupon"] == made.code
    )
    assert started == [f"other {person} order:{order}"]
    assert len({wish.key for kind in world.recorder.done.values() for wish in kind}) == 5


def test_a_broken_text_is_told_and_goes_nowhere(world: World) -> None:
    from sidecar.automations import troubles
    from sidecar.automations.model import Text

    broken = Send(id="mail", channels=("email",), texts={"en": Text(subject="BROKEN", body="b")})
    one = world.enter(
        world.on(broken, Note(id="n", title="BROKEN"), Tagged(id="t", add=("x",))), world.subscribed(1)[0]
    )
    world.work()
    assert world.recorder.sent == [] and world.recorder.done["notes"] == []
    assert world.messages() == [(one, "mail", "failed", "broken: a merge tag is broken")]
    assert [step[1] for step in world.steps(one)] == ["failed", "failed", "done"]
    assert set(troubles.open_(world.state)) == {"one/mail", "one/n"}
    world.enter(world.on(MAIL), world.subscribed(2)[1])
    world.work()
    assert set(troubles.open_(world.state)) == {"one/n"}


# --- time ------------------------------------------------------------------------------------------------------


def test_a_step_that_is_too_late_is_left_out_and_waits_count_from_then(world: World) -> None:
    late = Send(id="mail", channels=("email",), texts=TEXT, late=Period(seconds=2 * HOUR))
    spec = world.on(
        Wait(id="a", period=Period(seconds=HOUR)), late, Wait(id="b", period=Period(days=1)), Tagged(id="t", add=("x",))
    )
    one, other = (world.enter(spec, person) for person in world.subscribed(2))
    world.work()
    world.state.sql.execute("UPDATE enrolment SET due = due + ? WHERE id = ?", (DAY, other))
    world.work(2 * DAY)
    assert world.steps(one)[1] == ("mail", "skipped", "too_late")
    assert world.one(one).due == world.now + DAY
    assert [message.person_id for message in world.recorder.sent] == []
    world.state.sql.execute(
        "UPDATE enrolment SET due = ?, step = 'mail', state = 'waiting' WHERE id = ?", (world.now, other)
    )
    world.state.sql.execute("DELETE FROM step_done WHERE enrolment_id = ? AND step = 'mail'", (other,))
    world.work(2 * HOUR)
    assert len(world.recorder.sent) == 1, "exactly two hours late is not too late"


def test_a_missed_step_is_made_up_for_once(world: World) -> None:
    """Pain 42: the service was down for a week."""
    one = world.enter(world.on(Wait(id="w", period=Period(days=1)), MAIL), world.subscribed(1)[0])
    world.work()
    world.work(8 * DAY)
    world.work(DAY)
    assert len(world.recorder.sent) == 1 and world.one(one).state == "done"


def test_a_switched_off_automation_stands_still(world: World) -> None:
    late = Send(id="late", channels=("email",), texts=TEXT, late=Period(days=1))
    one = world.enter(world.on(Wait(id="w", period=Period(seconds=HOUR)), late, MAIL), world.subscribed(1)[0])
    world.work()
    world.state.sql.execute("UPDATE automation SET running = 0")
    assert world.work(3 * DAY).taken == 0 and not enrolments.due(world.state, world.now, [])
    world.state.sql.execute("UPDATE automation SET running = 1")
    world.work()
    assert world.steps(one) == [("w", "done", ""), ("late", "skipped", "too_late"), ("mail", "done", "")]


def test_people_finish_the_version_that_they_started(world: World) -> None:
    person, other = world.subscribed(2)
    world.enter(world.on(Wait(id="w", period=Period(seconds=HOUR)), Tagged(id="t", add=("old",))), person)
    world.work()
    world.enter(world.on(Tagged(id="t", add=("new",))), other)
    world.work(HOUR)
    assert {(wish.person_id, wish.add) for wish in world.recorder.done["contacts"]} == {
        (person, ("old",)),
        (other, ("new",)),
    }
    assert world.state.rows("SELECT COUNT(*) FROM automation_version") == [(2,)]


def test_a_subject_is_entered_once_ever(world: World) -> None:
    """Pain 31."""
    from sidecar.automations import versions
    from sidecar.automations.enrolments import Entry

    spec, person = world.on(MAIL), world.subscribed(1)[0]
    entry = Entry(person_id=person, subject="cart:12", at=NOW)
    assert enrolments.enter(world.state, versions.row(world.state, "one"), spec, [entry, entry]) == 1
    world.work()
    assert enrolments.enter(world.state, versions.row(world.state, "one"), spec, [entry]) == 0


# --- when it does not work ---------------------------------------------------------------------------------------


def test_what_a_channel_does_not_take_now_is_tried_again_under_the_same_key(world: World) -> None:
    one = world.enter(world.on(MAIL), world.subscribed(1)[0])
    world.recorder.answers = ["again", Handed(key="", state="again", wait=7.2)]
    keys: list[str] = []
    world.recorder.before = lambda batch: keys.extend(message.key for message in batch)
    assert world.work().postponed == 1
    assert world.messages() == [(one, "mail", "again", "again")] and world.one(one).due == NOW + 30
    world.work(30)
    assert world.one(one).due == NOW + 38, "the channel said when"
    world.work(8)
    assert len(world.recorder.sent) == 1 and len(set(keys)) == 1 and len(keys) == 3
    assert world.messages() == [(one, "mail", "sent", "")]


def test_what_a_channel_never_takes_is_given_up(world: World) -> None:
    one = world.enter(world.on(MAIL, Tagged(id="t", add=("x",))), world.subscribed(1)[0])
    world.recorder.answers = ["again"] * 100
    for _ in range(40):
        due = world.one(one).due
        if due is None:
            break
        world.now = due
        world.work()
    assert world.steps(one) == [("mail", "failed", "gave_up"), ("t", "done", "")]
    assert world.messages() == [(one, "mail", "failed", "gave_up")]


def test_a_rate_is_no_failure(world: World) -> None:
    """Three hundred times "not now" by a slow provider, and it goes all the same."""
    one = world.enter(world.on(MAIL), world.subscribed(1)[0])
    world.recorder.answers = [Handed(key="", state="again", wait=1)] * 300
    for _ in range(301):
        world.work(1)
    assert len(world.recorder.sent) == 1 and world.one(one).state == "done"


def test_what_is_decided_is_decided_again_at_each_try(world: World) -> None:
    person = world.subscribed(1)[0]
    one = world.enter(world.on(MAIL), person)
    world.recorder.answers = ["again"]
    world.work()
    world.contact(world.contact_of(person), status="unsubscribed")
    world.work(30)
    assert world.recorder.sent == [] and world.steps(one) == [("mail", "skipped", "no_consent")]
    assert world.messages() == []


def test_a_refused_message_goes_to_nobody_else(world: World) -> None:
    one = world.enter(world.on(Send(id="mail", channels=("email", "sms"), texts=TEXT)), world.subscribed(1)[0])
    world.recorder.answers = [Handed(key="", state="refused", reason="bad address")]
    world.work()
    assert world.messages() == [(one, "mail", "failed", "bad address")] and world.recorder.sent == []
    assert world.steps(one) == [("mail", "failed", "bad address")]


def test_one_enrolment_that_breaks_the_sidecar_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from sidecar.automations import guards, loading

    people = world.subscribed(5)
    spec = world.on(MAIL)
    ids = [world.enter(spec, person) for person in people]
    load, ended = loading.load, guards.ended

    def poisoned(place: object, claimed: list, specs: object) -> dict:  # type: ignore[type-arg]
        if any(one.id == ids[1] for one in claimed):
            raise ZeroDivisionError
        return load(place, claimed, specs)  # type: ignore[arg-type]

    def strange(one, *rest):  # type: ignore[no-untyped-def]
        if one.id == ids[3]:
            raise ZeroDivisionError
        return ended(one, *rest)

    monkeypatch.setattr(loading, "load", poisoned)
    monkeypatch.setattr(guards, "ended", strange)
    world.work()
    assert sorted(message.person_id for message in world.recorder.sent) == [people[0], people[2], people[4]]
    for _ in range(8):
        world.work(2 * HOUR)
    assert [world.one(ids[place]).state for place in (1, 3)] == ["failed", "failed"]
    assert world.one(ids[1]).reason == "ZeroDivisionError"


def test_the_shops_database_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from sidecar.automations import loading
    from sidecar.errors import StoreUnavailable

    one = world.enter(world.on(MAIL), world.subscribed(1)[0])
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(loading, "load", lambda *_: (_ for _ in ()).throw(StoreUnavailable("gone")))
        world.work()
    assert world.one(one).claim == 0, "the next pass need not wait for the claim to be over"
    world.work()
    assert len(world.recorder.sent) == 1


def test_nothing_runs_while_it_is_paused_or_on_hold(world: World) -> None:
    """Pains 5, 27."""
    from sidecar.state import pause

    world.enter(world.on(MAIL), world.subscribed(1)[0])
    world.held = True
    assert world.work().taken == 0
    world.held = False
    pause.begin(world.state, 60)
    assert world.work().taken == 0
    pause.end(world.state)
    assert world.work().sent == 1


def test_many_go_by_hundreds(world: World) -> None:
    """Where the channel can be asked what became of them."""
    world.recorder.knows = True
    spec = world.on(Send(id="mail", channels=("email",), texts=TEXT, purpose="service"))
    for person in world.subscribed(250):
        world.enter(spec, person)
    worked = world.work(batch=200)
    assert worked.sent == 250 and world.recorder.largest == 100


# --- two workers -------------------------------------------------------------------------------------------------


def test_two_workers_at_once_never_take_the_same(world: World) -> None:
    """Pains 31, 36: each works with a connection of its own, without any lock but the claims."""
    import threading

    from sidecar.mysql.connection import Reader

    spec = world.on(MAIL, Tagged(id="t", add=("x",)))
    people = world.subscribed(60)
    for person in people:
        world.enter(spec, person)
    errors: list[Exception] = []

    def work() -> None:
        state, reader = world.opened(), Reader(world.config)
        try:
            from sidecar.automations import engine

            engine.run(world.place(state=state, reader=reader, batch=7))
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            errors.append(error)
        finally:
            state.close()
            reader.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(message.person_id for message in world.recorder.sent) == sorted(people)
    assert len(world.recorder.done["contacts"]) == 60


def test_a_worker_that_lost_its_claim_writes_nothing(world: World) -> None:
    """It was slow: its claim was over, another one has gone on, and what the first one did counts once."""
    spec = world.on(MAIL, Wait(id="w", period=Period(days=3)), Tagged(id="t", add=("x",)))
    one = world.enter(spec, world.subscribed(1)[0])

    def slow(batch: object) -> None:
        world.recorder.before = None
        world.now += enrolments.LEASE_MS // 1000 + 1
        state = world.opened()
        from sidecar.automations import engine

        engine.run(world.place(state=state))
        state.close()

    world.recorder.before = slow
    world.work()
    assert len(world.recorder.sent) == 1, "the second one could not tell, and so did not send"
    assert world.messages() == [(one, "mail", "sent", "")], "what the first one knows of it is the truth"
    assert world.one(one).step == "t" and world.one(one).state == "waiting"


def test_a_claim_from_before_the_clock_was_set_back_is_over(world: World) -> None:
    world.enter(world.on(MAIL), world.subscribed(1)[0], at=NOW - 9 * DAY)
    world.state.sql.execute("UPDATE enrolment SET claim = ?", ((NOW + 5 * DAY) * 1000,))
    assert enrolments.due(world.state, world.now, [1])
    world.work()
    assert len(world.recorder.sent) == 1


def test_a_claim_is_respected_while_it_lasts(world: World) -> None:
    world.enter(world.on(MAIL), world.subscribed(1)[0])
    world.state.sql.execute("UPDATE enrolment SET claim = ?", (NOW * 1000 + enrolments.LEASE_MS,))
    assert world.work().taken == 0 and not enrolments.due(world.state, world.now, [1])
    world.work(enrolments.LEASE_MS // 1000)
    assert len(world.recorder.sent) == 1


def test_an_enrolment_that_ends_while_a_message_is_written_gets_none(world: World) -> None:
    one = world.enter(world.on(MAIL), world.subscribed(1)[0])
    messages = world.words.messages

    def ending(wanted):  # type: ignore[no-untyped-def]
        enrolments.end(world.state, one, "goal", "order.paid order:9", NOW)
        return messages(wanted)

    world.words.messages = ending  # type: ignore[method-assign]
    world.work()
    assert world.recorder.sent == [] and world.messages() == [] and world.one(one).state == "goal"


# --- what is kept ------------------------------------------------------------------------------------------------


def test_old_ones_are_forgotten_but_for_who_must_not_enter_again(world: World) -> None:
    from sidecar.automations import versions
    from sidecar.automations.enrolments import Entry

    person = world.subscribed(1)[0]
    once, often = world.on(MAIL, name="once", again=None), world.on(MAIL, name="often")
    for spec in (once, often):
        world.enter(spec, person, "order:1")
    open_ = world.enter(world.on(Wait(id="w", period=Period(days=900)), name="open"), person)
    world.work(0)
    world.work(2 * DAY)
    assert pruning.prune(world.state, NOW + 9 * DAY, 0) == 2 and pruning.prune(world.state, NOW + 9 * DAY, 0) == 0
    assert world.state.rows("SELECT COUNT(*) FROM message") == [(0,)]
    assert world.state.rows("SELECT enrolment_id FROM step_done") == [(open_,)]
    assert world.one(open_).state == "waiting"
    entry = Entry(person_id=person, subject="order:1", at=NOW)
    assert enrolments.enter(world.state, versions.row(world.state, "once"), once, [entry]) == 0
    assert enrolments.enter(world.state, versions.row(world.state, "often"), often, [entry]) == 1


def test_who_may_enter_again_later_is_not_forgotten_before(world: World) -> None:
    """`again` may be longer than `keep_days`."""
    from sidecar.automations import enter, sources, versions
    from sidecar.automations.enrolments import Entry

    person = world.subscribed(1)[0]
    spec = world.on(MAIL, again=Period(days=180))
    world.enter(spec, person, "segment:vip:1")
    world.work()
    found = []
    for days in (100, 179, 181):
        world.now = NOW + days * DAY
        pruning.prune(world.state, world.now, 90)
        ask = sources.asked(world.place(), versions.row(world.state, spec.name), spec, {})
        found.append(enter.start(ask, Entry(person_id=person, subject=f"segment:vip:{days}", at=world.now)))
    assert found == ["entered_before", "entered_before", ""]


def test_coupons_that_are_over_for_long_are_forgotten(world: World) -> None:
    person = world.subscribed(1)[0]
    coupon = Coupon(id="c", kind="percent", amount="5", expires=Period(days=30))
    world.enter(world.on(coupon, MAIL), person)
    world.enter(world.on(coupon, Wait(id="w", period=Period(days=900)), MAIL, name="long"), person)
    world.work()
    for days, left in ((100, 2), (121, 1)):
        pruning.prune(world.state, NOW + days * DAY, 90)
        assert world.state.rows("SELECT COUNT(*) FROM coupon") == [(left,)]


def test_who_is_forgotten_leaves_nothing(world: World) -> None:
    """Pain 25."""
    from sidecar.sync import forget

    person = world.subscribed(1)[0]
    world.enter(
        world.on(
            Coupon(id="c", kind="percent", amount="5", expires=Period(days=1)),
            MAIL,
            Wait(id="w", period=Period(days=1)),
        ),
        person,
    )
    world.work()
    forget.people(world.state, {person})
    for table in ("enrolment", "step_done", "message", "coupon"):
        assert world.state.rows(f"SELECT COUNT(*) FROM {table}") == [(0,)], table
    assert world.work(3 * DAY).taken == 0


def test_the_state_holds_nothing_personal(world: World) -> None:
    person = world.subscribed(1)[0]
    spec = world.on(
        Coupon(id="c", kind="percent", amount="5", expires=Period(days=1)), MAIL, Note(id="n", title="T", body="B")
    )
    world.enter(spec, person)
    world.work()
    address = world.address(person).encode()
    for table in ("enrolment", "step_done", "message", "coupon", "setting"):
        assert address not in repr(world.state.rows(f"SELECT * FROM {table}")).encode()
