"""What is decided when a step is due, and not before: each guard with its reason, in a real shop."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from automating import DAY, HOUR, NOW, TEXT, World, unix

from sidecar.automations import guards, purchases
from sidecar.automations.channels.model import NOBODY, Handed
from sidecar.automations.model import Branch, Coupon, Exit, Goal, OnCart, Send, Tagged, Wait
from sidecar.config import Automations
from sidecar.events import refusals
from sidecar.segments.model import Age, Number, Period, Segment
from sidecar.values import email

MAIL = Send(id="mail", channels=("email",), texts=TEXT)
CART = OnCart(idle=Period(seconds=1800))


def mail(**how: Any) -> Send:
    return msgspec.structs.replace(MAIL, **how)


def outcome(world: World, one: int) -> tuple[str, str]:
    """(state of the enrolment, why it ended or its last step was left out)."""
    found = world.one(one)
    return found.state, found.reason or world.steps(one)[-1][2]


# --- purchases: pains 28, 33 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["email", "other spelling", "account", "phone", "cart", "visitor"])
def test_a_purchase_a_second_before_the_message_stops_it(world: World, way: str) -> None:
    """By the address, the account, the phone, the cart's own order and the visitor: asked of the shop, which nobody told us of."""
    person = world.subscribed(1)[0]
    visitor = "ab" * 16
    cart = world.cart(person, visitor=visitor)
    one = world.enter(world.on(Wait(id="w", period=Period(seconds=HOUR)), MAIL, trigger=CART), person, f"cart:{cart}")
    world.work()
    world.now += HOUR
    at = world.at(world.now - 1)
    other = {"phone": "000"}
    if way == "email":
        world.keeper.order(world.address(person), at=at, status="wc-processing", billing=other)
    elif way == "other spelling":
        world.keeper.order(f" {world.address(person).upper()} ", at=at, status="wc-processing", billing=other)
    elif way == "account":
        user = world.state.rows("SELECT user_id FROM account WHERE person_id = ?", (person,))
        if not user:
            user = [(990_001,)]
            world.state.sql.execute("INSERT INTO account (user_id, person_id) VALUES (990001, ?)", (person,))
        world.keeper.order("x@y.example", at=at, status="wc-processing", customer=user[0][0], billing=other)
    elif way == "phone":
        number = f"501 {world.contact_of(person):06}"
        world.keeper.order("x@y.example", at=at, status="wc-processing", billing={"phone": number, "country": "PL"})
    else:
        order = world.keeper.order("x@y.example", at=at, status="wc-processing", billing=other)
        if way == "cart":
            world.keeper.do("UPDATE wp_fcsc_carts SET status = 'ordered', order_id = %s WHERE id = %s", order, cart)
        else:
            world.state.sql.execute(
                "INSERT INTO activity (outbox_id, at, kind, visitor, object_id, sub_id, detail) VALUES (1, ?, 'order', ?, ?, 0, '')",
                (world.now * 1000 - 1000, visitor, order),
            )
    world.work()
    assert world.recorder.sent == [] and outcome(world, one) == ("goal", "bought")


def test_the_legacy_storage_is_asked_the_same(legacy: World) -> None:
    """Purchases by address, account and phone, the status of an order that is known, and what it holds."""
    world = legacy
    assert world.info.storage == "posts"
    people = world.subscribed(6)
    spec = world.on(Wait(id="w", period=Period(seconds=HOUR)), MAIL, trigger=CART)
    ids = [world.enter(spec, person, f"cart:{world.cart(person)}") for person in people[:4]]
    pay = world.on(
        mail(still=("unpaid",), purpose="service"), name="pay", goal=Goal(topics=("order.paid",), same_order=True)
    )
    unpaid = [
        world.keeper.order(world.address(person), at=world.at(NOW - DAY), status="wc-pending") for person in people[4:]
    ]
    paying = [world.enter(pay, person, f"order:{order}") for person, order in zip(people[4:], unpaid, strict=True)]
    tea = world.on(mail(still=("not_bought",), purpose="service"), name="tea")
    had = world.enter(tea, people[0], "product:10")
    world.keeper.status(unpaid[1], "wc-processing")
    world.now += HOUR
    at, other = world.at(world.now - 1), {"phone": "000"}
    world.keeper.order(
        world.address(people[0]).upper(), at=at, status="wc-processing", billing=other, lines=((10, 1, "Tea"),)
    )
    world.state.sql.execute("INSERT OR REPLACE INTO account (user_id, person_id) VALUES (990001, ?)", (people[1],))
    world.keeper.order("x@y.example", at=at, status="wc-on-hold", customer=990_001, billing=other)
    number = f"0048 501 {world.contact_of(people[2]):06}"
    world.keeper.order("x@y.example", at=at, status="wc-pending", billing={"phone": number, "country": "PL"})
    world.work()
    assert [outcome(world, id_) for id_ in ids[:3]] == [
        ("goal", "bought"),
        ("goal", "bought"),
        ("exit", "awaiting_payment"),
    ]
    assert outcome(world, ids[3]) == ("done", "")
    assert [world.one(id_).state for id_ in paying] == ["done", "goal"]
    assert world.steps(had) == [("mail", "skipped", "bought")]


@pytest.mark.parametrize("account", [False, True], ids=["address", "address, but their account"])
def test_an_order_that_becomes_somebody_elses_is_not_told_to_a_stranger(world: World, account: bool) -> None:
    """The shop corrects the address of an order: what was typed first was a stranger's."""
    person, other = world.subscribed(2)
    order = world.keeper.order(world.address(person), at=world.at(), status="wc-completed")
    one = world.enter(world.on(Wait(id="w", period=Period(days=1)), MAIL), person, f"order:{order}")
    world.work()
    for address in (world.address(other), "nobody-knows@x.example"):
        world.keeper.do("UPDATE wp_wc_orders SET billing_email = %s WHERE id = %s", address, order)
        if account:
            world.state.sql.execute("INSERT OR IGNORE INTO account (user_id, person_id) VALUES (990001, ?)", (person,))
            world.keeper.do("UPDATE wp_wc_orders SET customer_id = 990001 WHERE id = %s", order)
    world.work(DAY)
    assert outcome(world, one) == (("done", "") if account else ("exit", "not_theirs"))
    assert len(world.recorder.sent) == account


def test_a_purchase_behind_a_crowd_of_others_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import of so many orders that not all of them are looked at."""
    monkeypatch.setattr(purchases, "_PAGE", 2)
    monkeypatch.setattr(purchases, "_PAGES", 2)
    person = world.subscribed(1)[0]
    one = world.enter(world.on(MAIL, goal=Goal(topics=("order.paid",))), person)
    for number in range(9):
        order = world.keeper.order(f"crowd{number}@x.example", at=world.at(), status="wc-processing")
        if number < 8:
            world.state.sql.execute(
                "INSERT INTO shop_order (id, created, verdict, status, total, crc) VALUES (?, ?, 'candidate', 'processing', 1, 0)",
                (order, world.now),
            )
    world.keeper.order(world.address(person), at=world.at(), status="wc-processing")
    world.work()
    assert world.recorder.sent == [] and outcome(world, one) == ("goal", "goal")


def test_an_order_of_a_visitor_ends_all_that_is_about_their_cart(world: World) -> None:
    """Two automations look after the same cart; the order came under an address that nobody knows."""
    person, visitor = world.subscribed(1)[0], "cd" * 16
    cart = world.cart(person, visitor=visitor)
    steps = (Wait(id="w", period=Period(seconds=HOUR)), MAIL)
    ids = [world.enter(world.on(*steps, name=name, trigger=CART), person, f"cart:{cart}") for name in ("a", "b")]
    world.work()
    world.now += HOUR
    order = world.keeper.order(
        "x@y.example", at=world.at(world.now - 1), status="wc-processing", billing={"phone": "0"}
    )
    world.state.sql.execute(
        "INSERT INTO activity (outbox_id, at, kind, visitor, object_id, sub_id, detail) VALUES (1, ?, 'order', ?, ?, 0, '')",
        (world.now * 1000 - 1000, visitor, order),
    )
    world.work()
    assert world.recorder.sent == [] and [outcome(world, id_) for id_ in ids] == [("goal", "bought")] * 2


@pytest.mark.parametrize(
    "status, ended",
    [
        ("wc-processing", ("goal", "bought")),
        ("wc-completed", ("goal", "bought")),
        ("wc-on-hold", ("goal", "bought")),
        ("wc-shipped", ("goal", "bought")),
        ("wc-pending", ("exit", "awaiting_payment")),
        ("wc-failed", ("exit", "awaiting_payment")),
        ("wc-cancelled", ("done", "")),
        ("wc-checkout-draft", ("done", "")),
        ("trash", ("done", "")),
    ],
)
def test_an_order_from_the_cart_is_another_way_or_none(world: World, status: str, ended: tuple[str, str]) -> None:
    person = world.subscribed(1)[0]
    one = world.enter(world.on(MAIL, trigger=CART), person, f"cart:{world.cart(person)}")
    world.keeper.order(world.address(person), at=world.at(NOW - 60), status=status)
    world.work()
    assert outcome(world, one) == ended and len(world.recorder.sent) == (ended[0] == "done")


def test_an_order_between_the_cart_and_entering_counts(world: World) -> None:
    """The cart was left half an hour before they entered; they ordered ten minutes before."""
    person = world.subscribed(1)[0]
    one = world.enter(world.on(MAIL, trigger=CART), person, f"cart:{world.cart(person)}")
    world.keeper.order(world.address(person), at=world.at(NOW - 600), status="wc-processing")
    world.work()
    assert outcome(world, one) == ("goal", "bought")


def test_older_orders_are_no_purchase(world: World) -> None:
    person = world.subscribed(1)[0]
    world.keeper.order(world.address(person), at=world.at(NOW - 2 * HOUR), status="wc-processing")
    world.enter(world.on(MAIL, trigger=CART), person, f"cart:{world.cart(person)}")
    world.work()
    assert len(world.recorder.sent) == 1


@pytest.mark.parametrize("way", ["unpaid then paid", "found by id"])
def test_an_order_that_the_ledger_knows_is_asked_for_its_status_now(world: World, way: str) -> None:
    """Days old, so not among the latest orders."""
    person = world.subscribed(1)[0]
    spec = world.on(Wait(id="w", period=Period(days=20)), MAIL, goal=Goal(topics=("order.paid",)))
    one = world.enter(spec, person)
    world.work()
    order = world.keeper.order(world.address(person), at=world.at(NOW + DAY), status="wc-pending")
    world.state.sql.execute(
        "INSERT INTO shop_order (id, person_id, verdict, status, total, created, crc) VALUES (?, ?, 'unpaid', 'pending', 1, ?, 0)",
        (order, person, NOW + DAY),
    )
    if way == "unpaid then paid":
        world.keeper.status(order, "wc-processing")
    world.work(20 * DAY)
    assert outcome(world, one)[0] == ("goal" if way == "unpaid then paid" else "done")


# --- goals and exits --------------------------------------------------------------------------------------------


def test_a_goal_is_about_the_same_order_or_product(world: World) -> None:
    people = world.subscribed(3)
    pending = world.keeper.order(world.address(people[0]), at=world.at(NOW - HOUR), status="wc-pending")
    reminder = world.on(MAIL, name="pay", goal=Goal(topics=("order.paid",), same_order=True))
    tea = world.on(MAIL, name="tea", goal=Goal(topics=("order.paid",), same_product=True))
    ids = [
        world.enter(reminder, people[0], f"order:{pending}"),
        world.enter(tea, people[1], "product:10"),
        world.enter(tea, people[2], "product:10"),
    ]
    world.keeper.order(world.address(people[0]), at=world.at(), status="wc-processing")
    world.keeper.order(world.address(people[1]), at=world.at(), status="wc-processing", lines=((11, 1, "Other"),))
    world.keeper.order(world.address(people[2]), at=world.at(), status="wc-processing", lines=((10, 1, "Tea"),))
    world.work()
    assert [world.one(id_).state for id_ in ids] == ["done", "done", "goal"]
    assert len(world.recorder.sent) == 2


def test_the_order_that_they_entered_with_is_no_goal(world: World) -> None:
    person = world.subscribed(1)[0]
    order = world.keeper.order(world.address(person), at=world.at(NOW), status="wc-processing")
    one = world.enter(world.on(MAIL, goal=Goal(topics=("order.placed",))), person, f"order:{order}")
    world.work()
    assert outcome(world, one) == ("done", "")


def test_an_exit_by_what_becomes_of_the_order(world: World) -> None:
    person = world.subscribed(1)[0]
    order = world.keeper.order(world.address(person), at=world.at(NOW - DAY), status="wc-completed")
    spec = world.on(
        Wait(id="w", period=Period(days=1)),
        MAIL,
        exits=(Exit(topics=("order.status",), to=("refunded", "cancelled"), same_order=True),),
    )
    one = world.enter(spec, person, f"order:{order}")
    world.work()
    world.keeper.status(order, "wc-refunded")
    world.work(DAY)
    assert outcome(world, one) == ("exit", "exit") and world.recorder.sent == []


def test_an_exit_by_a_rule_and_by_what_was_told(world: World) -> None:
    world.segmented()
    buyer = world.state.rows("SELECT person_id FROM trait WHERE orders_count > 1 LIMIT 1")[0][0]
    lead = world.state.rows("SELECT person_id FROM trait WHERE orders_count = 0 LIMIT 1")[0][0]
    for person in (buyer, lead):
        world.contact(world.contact_of(person), status="subscribed")
    rule = world.on(MAIL, name="rule", exits=(Exit(rule=Number("orders_count", 1, None)),))
    told = world.on(MAIL, name="told", exits=(Exit(topics=("review.posted",)),))
    ids = [world.enter(rule, buyer), world.enter(rule, lead), world.enter(told, buyer)]
    world.state.sql.execute(
        "INSERT INTO event (at, done_at, topic, object_id, sub_id, detail, label, person_id, outcome, reason, live)"
        " VALUES (?, 0, 'review.posted', 9, 0, '', '', ?, 'nothing', '', 0)",
        (NOW * 1000 + 5000, buyer),
    )
    world.work()
    assert [world.one(id_).state for id_ in ids] == ["exit", "done", "exit"]


def test_an_exit_by_a_status_of_the_contact(world: World) -> None:
    """Only by those that it names."""
    people = world.subscribed(2)
    spec = world.on(
        Wait(id="w", period=Period(days=1)), MAIL, exits=(Exit(topics=("contact.status",), to=("unsubscribed",)),)
    )
    ids = [world.enter(spec, person) for person in people]
    for person, detail in zip(people, ("pending>subscribed", "subscribed>unsubscribed"), strict=True):
        world.state.sql.execute(
            "INSERT INTO event (at, done_at, topic, object_id, sub_id, detail, label, person_id, outcome, reason, live)"
            " VALUES (?, 0, 'contact.status', 9, 0, ?, '', ?, 'nothing', '', 0)",
            (NOW * 1000 + 5000, detail, person),
        )
    world.work(DAY)
    world.work(DAY)
    assert [world.one(id_).state for id_ in ids] == ["done", "exit"]


def test_the_last_purchase_is_found_anew_whatever_the_traits_say(world: World) -> None:
    """Pain 42: a win-back whose figures are old, in both directions."""
    world.segmented()
    rule = Age("last_order", older=True, period=Period(days=60))
    spec = world.on(Branch(id="b", rule=rule, then="mail", otherwise="end"), MAIL)
    rows = world.state.rows(
        "SELECT person_id FROM trait t JOIN person p ON p.id = t.person_id WHERE p.contact_id IS NOT NULL AND t.last_order < ? LIMIT 3",
        (NOW - 90 * DAY,),
    )
    gone, back, unpaid = (row[0] for row in rows)
    for person in (gone, back, unpaid):
        world.contact(world.contact_of(person), status="subscribed")
    # Of the first one the traits say that they bought yesterday, of the others what was true until an hour ago.
    world.state.sql.execute("UPDATE trait SET last_order = ? WHERE person_id = ?", (NOW - DAY, gone))
    world.keeper.order(world.address(back), at=world.at(NOW - HOUR), status="wc-processing")
    world.keeper.order(world.address(unpaid), at=world.at(NOW - HOUR), status="wc-pending")
    for person in (gone, back, unpaid):
        world.enter(spec, person)
    world.work()
    assert {message.person_id for message in world.recorder.sent} == {gone, unpaid}


# --- consent: pains 22 to 24 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "channel, purpose, status, word, why",
    [
        ("email", "marketing", "subscribed", "", ""),
        ("email", "marketing", "subscribed", "given", ""),
        ("email", "marketing", "subscribed", "withdrawn", "withdrawn"),
        ("email", "marketing", "transactional", "given", "no_consent"),
        ("email", "marketing", "pending", "given", "no_consent"),
        ("email", "marketing", "unsubscribed", "given", "no_consent"),
        ("email", "service", "transactional", "", ""),
        ("email", "service", "subscribed", "withdrawn", ""),
        ("email", "service", "unsubscribed", "", "no_consent"),
        ("email", "service", "bounced", "", "no_consent"),
        ("sms", "marketing", "subscribed", "", "no_consent"),
        ("sms", "marketing", "unsubscribed", "given", ""),
        ("sms", "marketing", "subscribed", "withdrawn", "withdrawn"),
        ("sms", "service", "transactional", "", ""),
        ("sms", "service", "transactional", "withdrawn", "withdrawn"),
        ("telegram", "marketing", "subscribed", "", "no_consent"),
        ("telegram", "marketing", "subscribed", "given", ""),
    ],
)
def test_consent(world: World, channel: str, purpose: str, status: str, word: str, why: str) -> None:
    person = world.subscribed(1)[0]
    world.ways.chats = {person: "4711"}
    world.contact(world.contact_of(person), status=status)
    if word:
        world.said(person, "messaging" if channel == "telegram" else channel, word)
    send = Send(id="m", channels=(channel,), texts=TEXT, purpose=purpose)  # type: ignore[arg-type]
    one = world.enter(world.on(send), person)
    world.work()
    assert world.steps(one) == [("m", "skipped" if why else "done", why)]
    assert len(world.recorder.sent) == (not why)


def test_the_first_channel_that_leads_to_the_person(world: World) -> None:
    people = world.subscribed(4)
    send = Send(id="m", channels=("sms", "telegram", "email"), texts=TEXT)
    world.said(people[0], "sms", "given")
    world.said(people[1], "messaging", "given")
    world.ways.chats = {people[1]: "4711", people[2]: "4712"}
    world.said(people[3], "sms", "given")
    world.contact(world.contact_of(people[3]), phone="no number", status="unsubscribed")
    spec = world.on(send)
    ids = [world.enter(spec, person) for person in people]
    world.work()
    assert {message.person_id: message.channel for message in world.recorder.sent} == {
        people[0]: "sms",
        people[1]: "telegram",
        people[2]: "email",
    }
    assert world.steps(ids[3]) == [("m", "skipped", "no_consent")]


def test_why_nobody_can_be_reached(world: World) -> None:
    person = world.subscribed(1)[0]
    world.said(person, "sms", "given")
    world.contact(world.contact_of(person), phone="")
    found = {}
    for name, channels in {"a": ("push",), "b": ("sms",), "c": ("push", "sms")}.items():
        one = world.enter(world.on(Send(id="m", channels=channels, texts=TEXT), name=name), person)  # type: ignore[arg-type]
        world.work()
        found[name] = world.steps(one)[0][2]
    assert found == {"a": "no_provider", "b": "no_address", "c": "no_address"}


@pytest.mark.parametrize("how", ["by the address", "in this cart"])
def test_a_no_to_reminders_of_carts_sticks(world: World, how: str) -> None:
    """Pain 24: for marketing about carts only, and whatever device they come with."""
    person = world.subscribed(1)[0]
    cart = world.cart(person, consent="refused" if how == "in this cart" else "marketing")
    if how == "by the address":
        refusals.add(world.state, [world.state.key(email.identity(world.address(person)) or "")], NOW - 90 * DAY)
    spec = world.on(MAIL, mail(id="service", purpose="service"), trigger=CART)
    one, other = (
        world.enter(spec, person, f"cart:{cart}"),
        world.enter(world.on(MAIL, name="two"), person, "day:2026-11-02"),
    )
    world.work()
    assert world.steps(one) == [("mail", "skipped", "cart_refused"), ("service", "done", "")]
    assert world.steps(other) == [("mail", "done", "")]


# --- how much, and when ---------------------------------------------------------------------------------------------


def capped(world: World, day: int, week: int = 4) -> None:
    world.config = msgspec.structs.replace(world.config, automations=Automations(cap_day=day, cap_week=week))


def test_enough_marketing_by_one_channel_waits_over_all_automations(world: World) -> None:
    capped(world, 1)
    person = world.subscribed(1)[0]
    world.said(person, "sms", "given")
    one = world.enter(world.on(MAIL, name="a"), person)
    two = world.enter(world.on(MAIL, name="b"), person)
    sms = world.enter(world.on(mail(channels=("sms",)), name="c"), person)
    service = world.enter(world.on(mail(purpose="service"), name="d"), person)
    late = world.enter(world.on(mail(late=Period(seconds=HOUR)), name="e"), person)
    world.work()
    assert [world.one(id_).state for id_ in (one, two, sms, service)] == ["done", "waiting", "done", "done"]
    assert world.steps(late) == [("mail", "skipped", "cap")]
    assert world.one(two).due == NOW + DAY + 1 and world.one(two).step == "mail"
    world.work(DAY + 1)
    assert world.one(two).state == "done" and len(world.recorder.sent) == 4


def test_a_week_has_a_cap_of_its_own(world: World) -> None:
    capped(world, 0, 2)
    person = world.subscribed(1)[0]
    spec = world.on(MAIL)
    ids = [world.enter(spec, person, f"day:{n}") for n in range(3)]
    world.work()
    assert [world.one(id_).state for id_ in ids] == ["done", "done", "waiting"]
    assert world.one(ids[2]).due == NOW + 7 * DAY + 1


def test_a_clock_that_was_ahead_blocks_nobody_for_long(world: World) -> None:
    """A message went in a year that a wrong clock showed."""
    capped(world, 1)
    person = world.subscribed(1)[0]
    world.now += 365 * DAY
    world.enter(world.on(MAIL, name="a"), person)
    world.work()
    world.now -= 365 * DAY
    later = world.enter(world.on(MAIL, name="b"), person)
    world.work()
    due = world.one(later).due
    assert due is not None and due <= world.now + DAY + 1


def test_two_workers_keep_the_cap(world: World) -> None:
    """One has decided; before it hands over, the other one sends."""
    capped(world, 1)
    person = world.subscribed(1)[0]
    first = world.enter(world.on(MAIL, name="a"), person)
    messages = world.words.messages

    def meanwhile(wanted):  # type: ignore[no-untyped-def]
        world.words.messages = messages  # type: ignore[method-assign]
        world.enter(world.on(MAIL, name="b"), person)
        state = world.opened()
        from sidecar.automations import engine

        engine.run(world.place(state=state))
        state.close()
        return messages(wanted)

    world.words.messages = meanwhile  # type: ignore[method-assign]
    world.work()
    assert len(world.recorder.sent) == 1
    assert world.one(first).state == "waiting" and world.one(first).due == NOW + DAY + 1
    world.work(DAY + 1)
    assert len(world.recorder.sent) == 2


@pytest.mark.parametrize(
    "zone, now, due",
    [
        ("", "2026-11-02 20:30", "2026-11-03 08:00"),
        ("", "2026-11-03 07:59", "2026-11-03 08:00"),
        ("", "2026-11-02 19:59", None),
        ("Asia/Tehran", "2026-11-02 18:00", "2026-11-03 05:30"),
        ("Asia/Tehran", "2026-11-02 05:29", "2026-11-02 05:30"),
        ("Asia/Tehran", "2026-11-02 05:30", None),
        ("Australia/Lord_Howe", "2026-10-03 12:00", "2026-10-03 22:00"),
        ("Europe/Sofia", "2026-10-24 21:00", "2026-10-25 07:00"),
    ],
)
def test_quiet_hours_are_the_persons_own(world: World, zone: str, now: str, due: str | None) -> None:
    """Pain 41. Lord Howe goes half an hour ahead in that night, Sofia an hour back."""
    person = world.subscribed(1)[0]
    world.contact(world.contact_of(person), timezone=zone)
    world.now = unix(now)
    one = world.enter(world.on(mail(late=Period(seconds=HOUR))), person)
    service = world.enter(world.on(mail(purpose="service"), name="s"), person)
    world.work()
    assert world.one(service).state == "done"
    if due is None:
        assert world.one(one).state == "done"
        return
    assert world.one(one).due == unix(due)
    world.now = unix(due) + HOUR
    world.work()
    assert world.one(one).state == "done" and world.steps(one)[0][1] == "done", "quiet hours make nothing late"


# --- offers ------------------------------------------------------------------------------------------------------


def test_an_offer_that_does_not_fit_a_segment(world: World) -> None:
    """000-34."""
    world.segments = (
        Segment(slug="sale", name="Sale hunters", rule=Number("orders_count", 0, None), no_offers=("discount",)),
    )
    people = world.subscribed(2)
    world.state.sql.execute("INSERT INTO membership VALUES ('sale', ?, 0)", (people[0],))
    coupon = Coupon(id="c", kind="percent", amount="10", expires=Period(days=1))
    spec = world.on(coupon, mail(offer="discount"), mail(id="plain", purpose="service"))
    ids = [world.enter(spec, person) for person in people]
    world.work()
    assert world.steps(ids[0]) == [
        ("c", "skipped", "unfit_offer"),
        ("mail", "skipped", "unfit_offer"),
        ("plain", "done", ""),
    ]
    assert [step[1] for step in world.steps(ids[1])] == ["done"] * 3


@pytest.mark.parametrize("by", ["the shop", "the ledger"])
def test_nobody_is_reminded_of_a_coupon_that_is_used(world: World, by: str) -> None:
    """Also where an order is no goal; the shop knows of it before the ledger does."""
    coupon = Coupon(id="c", kind="percent", amount="10", expires=Period(days=9))
    remind = Send(id="remind", channels=("email",), texts=TEXT, still=("coupon",))
    spec = world.on(coupon, mail(), Wait(id="w", period=Period(days=2)), remind)
    ids = [world.enter(spec, person) for person in world.subscribed(2)]
    world.work()
    world.state.sql.execute("UPDATE coupon SET coupon_id = 990000 + enrolment_id")
    if by == "the shop":
        world.keeper.do(
            "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES (%s, 'usage_count', '1')", 990000 + ids[0]
        )
    else:
        world.state.sql.execute("UPDATE coupon SET order_id = 5 WHERE enrolment_id = ?", (ids[0],))
    world.work(2 * DAY)
    world.keeper.do("DELETE FROM wp_postmeta WHERE post_id > 990000 AND meta_key = 'usage_count'")
    assert world.steps(ids[0])[-1] == ("remind", "skipped", "no_coupon")
    assert world.steps(ids[1])[-1] == ("remind", "done", "")


def test_nothing_more_goes_to_an_address_that_nobody_has(world: World) -> None:
    """Who mails the dead on and on is taken for a spammer. By another channel they get it; after a while it is tried again."""
    spec = world.on(
        mail(purpose="service"), Wait(id="a-day", period=Period(days=1)), Send(id="next", channels=("email", "sms"), purpose="service", texts=TEXT),
        Wait(id="w", period=Period(days=100)), mail(id="late", purpose="service"),
    )  # fmt: skip
    id_ = world.enter(spec, world.subscribed(1)[0])
    world.recorder.answers = [Handed(key="", state="refused", reason=NOBODY, gone=True)]
    world.work()
    world.work(DAY)
    assert [one.channel for one in world.recorder.sent] == ["sms"]
    world.work(100 * DAY)
    assert [one.channel for one in world.recorder.sent] == ["sms", "email"]
    assert world.one(id_).state == "done"


def test_coupons_have_a_limit_by_day(world: World) -> None:
    """Pain 43; without its coupon the message goes all the same."""
    world.config = msgspec.structs.replace(world.config, automations=Automations(coupons_a_day=2))
    spec = world.on(Coupon(id="c", kind="percent", amount="10", expires=Period(days=1)), MAIL)
    ids = [world.enter(spec, person) for person in world.subscribed(3)]
    world.work()
    assert sorted(world.steps(id_)[0][1] for id_ in ids) == ["done", "done", "skipped"]
    assert len(world.recorder.sent) == 3 and len(world.recorder.done["coupons"]) == 2
    world.now = unix("2026-11-02 23:30")
    one = world.enter(
        world.on(Coupon(id="c", kind="percent", amount="10", expires=Period(days=1)), name="two"),
        world.subscribed(1)[0],
    )
    world.work()
    assert world.steps(one) == [("c", "done", "")], "it is the next day in Warsaw"


def test_no_coupon_is_made_for_whom_no_message_reaches(world: World) -> None:
    person = world.subscribed(1)[0]
    world.contact(world.contact_of(person), status="unsubscribed")
    one = world.enter(world.on(Coupon(id="c", kind="percent", amount="10", expires=Period(days=1)), MAIL), person)
    world.work()
    assert world.steps(one) == [("c", "skipped", "no_message"), ("mail", "skipped", "no_consent")]
    assert world.recorder.done["coupons"] == []


# --- what it says is still so -----------------------------------------------------------------------------------------


def test_it_is_in_stock_exactly_that_variation(world: World) -> None:
    """Pain 44."""
    people = world.subscribed(2)
    ids = [row[0] for row in world.shop.rows("SELECT product_id FROM wp_wc_product_meta_lookup ORDER BY 1 LIMIT 2")]
    world.keeper.do("UPDATE wp_wc_product_meta_lookup SET stock_status = 'instock' WHERE product_id = %s", ids[0])
    world.keeper.do("UPDATE wp_wc_product_meta_lookup SET stock_status = 'outofstock' WHERE product_id = %s", ids[1])
    spec = world.on(mail(still=("in_stock",)))
    one, two = (
        world.enter(spec, people[0], f"product:{ids[1]}:{ids[0]}"),
        world.enter(spec, people[1], f"product:{ids[0]}:{ids[1]}"),
    )
    gone = world.enter(spec, people[1], "product:987654")
    world.work()
    world.keeper.do("UPDATE wp_wc_product_meta_lookup SET stock_status = 'instock' WHERE product_id = %s", ids[1])
    assert [world.steps(id_)[0][2] for id_ in (one, two, gone)] == ["", "out_of_stock", "out_of_stock"]


def test_what_an_order_holds_is_what_it_is_about(world: World) -> None:
    """Stock, and products of a coupon: exactly the variation that was ordered."""
    person = world.subscribed(1)[0]
    ids = [row[0] for row in world.shop.rows("SELECT product_id FROM wp_wc_product_meta_lookup ORDER BY 1 LIMIT 2")]
    world.keeper.do("UPDATE wp_wc_product_meta_lookup SET stock_status = 'instock' WHERE product_id = %s", ids[0])
    world.keeper.do("UPDATE wp_wc_product_meta_lookup SET stock_status = 'outofstock' WHERE product_id = %s", ids[1])
    spec = world.on(
        Coupon(id="c", kind="percent", amount="5", expires=Period(days=3), only_products=True),
        mail(still=("in_stock",)),
    )
    orders = [
        world.keeper.order(world.address(person), at=world.at(), status="wc-pending", lines=((id_, 1, "Tea"),))
        for id_ in ids
    ]
    found = [world.enter(spec, person, f"order:{order}") for order in orders]
    world.work()
    world.keeper.do("UPDATE wp_wc_product_meta_lookup SET stock_status = 'instock' WHERE product_id = %s", ids[1])
    assert [wish.products for wish in world.recorder.done["coupons"]] == [(ids[0],), (ids[1],)]
    assert [world.steps(id_)[1][2] for id_ in found] == ["", "out_of_stock"]


def test_a_coupon_that_is_over_is_not_told_of(world: World) -> None:
    """Somebody was away for days: the sidecar, or the plugin."""
    coupon = Coupon(id="c", kind="percent", amount="5", expires=Period(days=3))
    spec = world.on(coupon, Wait(id="w", period=Period(days=2)), mail(still=("coupon",)))
    one, late = (world.enter(spec, person) for person in world.subscribed(2))
    world.work()
    world.state.sql.execute("UPDATE enrolment SET due = due + ? WHERE id = ?", (DAY, late))
    world.work(2 * DAY)
    world.work(DAY)
    assert [world.steps(id_)[2][2] for id_ in (one, late)] == ["", "no_coupon"]


@pytest.mark.parametrize(
    "price, onsale, goes", [("10.00", 0, True), ("9.99", 0, True), ("10.01", 0, False), ("12.00", 1, True)]
)
def test_it_costs_what_it_did(world: World, price: str, onsale: int, goes: bool) -> None:
    person = world.subscribed(1)[0]
    product = world.keeper.one("SELECT product_id FROM wp_wc_product_meta_lookup ORDER BY 1 LIMIT 1")

    def costs(price: str, onsale: int) -> None:
        world.keeper.do(
            "UPDATE wp_wc_product_meta_lookup SET min_price = %s, onsale = %s WHERE product_id = %s",
            price,
            onsale,
            product,
        )

    costs("10.00", 0)
    one = world.enter(
        world.on(Wait(id="w", period=Period(days=1)), mail(still=("price",))), person, f"product:{product}"
    )
    world.work()
    costs(price, onsale)
    world.work(DAY)
    assert world.steps(one)[1] == ("mail", "done" if goes else "skipped", "" if goes else "price_up")


@pytest.mark.parametrize(
    "columns, goes",
    [
        ({}, True), ({"status": "checkout"}, True), ({"status": "emptied"}, False), ({"status": "ordered"}, False),
        ({"items": "[]"}, False), ({"items": "junk"}, False), ({"created_gmt": "2026-11-02 09:30:00"}, False),
    ],
)  # fmt: skip
def test_the_cart_is_still_there_and_the_same(world: World, columns: dict[str, str], goes: bool) -> None:
    """Also when WooCommerce's session is long gone (pain 32): the plugin's snapshot is asked."""
    person = world.subscribed(1)[0]
    cart = world.cart(person, **columns)
    one = world.enter(world.on(mail(still=("cart_open",)), trigger=CART), person, f"cart:{cart}:{NOW - HOUR}")
    gone = world.enter(world.on(mail(still=("cart_open",)), trigger=CART, name="two"), person, "cart:987654")
    world.work()
    assert world.steps(one) == [("mail", "done" if goes else "skipped", "" if goes else "cart_gone")]
    assert world.steps(gone)[0][2] == "cart_gone"


@pytest.mark.parametrize(
    "status, goes",
    [("wc-pending", True), ("wc-failed", True), ("wc-processing", False), ("wc-cancelled", False)],
)
def test_the_order_is_still_unpaid(world: World, status: str, goes: bool) -> None:
    person = world.subscribed(1)[0]
    order = world.keeper.order(world.address(person), at=world.at(NOW - 3 * DAY), status=status)
    one = world.enter(world.on(mail(still=("unpaid",), purpose="service")), person, f"order:{order}")
    world.work()
    assert world.steps(one) == [("mail", "done" if goes else "skipped", "" if goes else "not_unpaid")]


@pytest.mark.parametrize("deleted", [False, True])
def test_an_order_that_is_thrown_away_is_the_end(world: World, deleted: bool) -> None:
    person = world.subscribed(1)[0]
    order = world.keeper.order(world.address(person), at=world.at(NOW - 3 * DAY), status="trash")
    one = world.enter(world.on(mail(purpose="service")), person, f"order:{order + deleted}")
    world.work()
    assert (world.one(one).state, world.one(one).reason, world.steps(one)) == ("exit", "gone", [])


def test_it_was_not_bought_since(world: World) -> None:
    people = world.subscribed(3)
    spec = world.on(mail(still=("not_bought",)))
    ids = [world.enter(spec, person, "product:10:12") for person in people]
    world.keeper.order(world.address(people[0]), at=world.at(), status="wc-on-hold", lines=((10, 1, "Tea"),))
    world.keeper.order(world.address(people[1]), at=world.at(), status="wc-processing", lines=((11, 1, "Cup"),))
    world.keeper.order(
        world.address(people[2]), at=world.at(NOW - DAY), status="wc-processing", lines=((10, 1, "Tea"),)
    )
    world.work()
    assert [world.steps(id_)[0][2] for id_ in ids] == ["bought", "", ""]


# --- who ---------------------------------------------------------------------------------------------------------


def test_who_is_only_watched_walks_along_and_gets_nothing(world: World) -> None:
    person, other = world.subscribed(2)
    spec = world.on(
        Coupon(id="c", kind="percent", amount="5", expires=Period(days=1)),
        MAIL,
        Wait(id="w", period=Period(days=1)),
        Tagged(id="t", add=("x",)),
        goal=Goal(topics=("order.paid",)),
    )
    one, two = world.enter(spec, person, held=True), world.enter(spec, other, held=True)
    world.work()
    world.keeper.order(world.address(other), at=world.at(), status="wc-processing")
    world.work(DAY)
    assert world.steps(one) == [
        ("c", "skipped", "holdout"),
        ("mail", "skipped", "holdout"),
        ("w", "done", ""),
        ("t", "skipped", "holdout"),
    ]
    assert world.one(two).state == "goal", "what they buy is seen: the lift is told by it"
    assert world.recorder.sent == [] and not any(world.recorder.done.values())


def test_who_is_no_contact_any_more_or_was_erased(world: World) -> None:
    """Pain 25."""
    gone, erased, there = world.subscribed(3)
    spec = world.on(MAIL)
    ids = [world.enter(spec, person) for person in (gone, erased, there)]
    world.state.sql.execute("UPDATE person SET contact_id = 99999999 WHERE id = ?", (gone,))
    from bridging import KEY

    from sidecar import signing

    hash_ = signing.suppression_hash(KEY, email.identity(world.address(erased)) or "")
    world.keeper.do("INSERT INTO wp_fcsc_suppressed VALUES (%s, UTC_TIMESTAMP())", hash_)
    world.work()
    world.keeper.do("DELETE FROM wp_fcsc_suppressed")
    assert [outcome(world, id_) for id_ in ids] == [("exit", "no_contact"), ("exit", "suppressed"), ("done", "")]


def test_the_address_is_the_one_that_the_contact_has_now(world: World) -> None:
    person = world.subscribed(1)[0]
    old = world.address(person)
    world.enter(world.on(Wait(id="w", period=Period(days=1)), MAIL), person)
    world.work()
    world.contact(world.contact_of(person), email="moved@new.example")
    world.work(DAY)
    world.contact(world.contact_of(person), email=old)
    assert [message.to for message in world.recorder.sent] == ["moved@new.example"]


def test_every_reason_is_explained() -> None:
    """What step_done and enrolment say is a name of REASONS, and each of them can be said."""
    import re
    from pathlib import Path

    code = "\n".join(path.read_text("utf-8") for path in Path(guards.__file__).parent.rglob("*.py"))
    said = set(re.findall(r'reason="([a-z_]+)"', code)) | {"off", "entered_before", "refused"}
    assert said - {"again", "not_asked"} <= set(guards.REASONS)
    assert set(guards.REASONS) <= said | {"broken", "cut_off", "no_version"}
