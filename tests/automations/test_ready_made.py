"""Every ready-made automation, driven from its trigger to its end on simulated time: engine, triggers, messages and the files are the
real ones, in Tehran (+03:30, no change of the clock) and in Sofia, where 28 March 2027 has no hour from three to four.

What is expected is written out by hand from what the files promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from automating import copied
from staging import APPOINTMENT, GOODS, MACHINE, OTHER, Stage
from support import ShopDatabase

from sidecar.automations import library
from sidecar.config import Config

Act = Callable[[Stage], object]
ZONES = {"fa": "Asia/Tehran", "bg": "Europe/Sofia"}
LOCALES = {"fa": "fa_IR", "bg": "bg_BG"}


@dataclass(frozen=True)
class Story:
    """`acts`: what they do and when, before and at the trigger. `gets`: (when, step, channel), all by the shop's clock; `sofia`: what is
    an hour later there, because hours are counted through the night without three o'clock. `ends`: how it ends by itself. `stop`:
    when, what, how that ends it, and how many of the messages they have got by then."""

    acts: tuple[tuple[str, Act], ...]
    gets: tuple[tuple[str, str, str], ...]
    stop: tuple[str, Act, tuple[str, str], int]
    sofia: tuple[tuple[str, str, str], ...] = ()
    ends: tuple[str, str] = ("done", "")
    coupons: int = 0
    begin: str = "2027-03-25 09:30"
    until: str = "2027-10-01 12:00"


def orders(status: str = "processing", *goods: int, **how: object) -> Act:
    """They order; what they buy decides what is known of their taste."""
    return lambda stage: stage.orders(status, goods=goods or (GOODS,), **how)  # type: ignore[arg-type]


def buys(*goods: int) -> Act:
    """A purchase that ends what wants one; in Tehran the plugin tells of it, in Sofia nobody has seen it yet but the shop."""

    def act(stage: Stage) -> None:
        stage.orders(goods=goods or (OTHER,), told=str(stage.info.timezone) == "Asia/Tehran")

    return act


def first_order(status: str) -> Act:
    """The order that it is about gets another status; told, or only to be seen in the shop."""
    return lambda stage: stage.becomes(min(stage._orders), status, told=str(stage.info.timezone) == "Asia/Tehran")


def knows(**facts: object) -> Act:
    return lambda stage: stage.knows(**facts)


def download(stage: Stage) -> None:
    """OTHER is something to download."""
    stage.flags(OTHER, virtual=1, downloadable=1)


def views(stage: Stage) -> None:
    stage.views()


def cart(stage: Stage) -> None:
    stage.leaves_cart()


def registers(stage: Stage) -> None:
    stage.registers()


def tells(topic: str, object_id: int = 0, **how: object) -> Act:
    return lambda stage: stage.event(topic, object_id, **how)  # type: ignore[arg-type]


def stock(status: str) -> Act:
    return lambda stage: stage.stock(GOODS, status)


def before(text: str, *goods: int) -> Act:
    """An order of the past, which the sync has found."""

    def act(stage: Stage) -> None:
        moment = stage.unix(text)
        order = stage.orders("completed", at=moment, goods=goods or (GOODS,), told=False)
        stage._orders[order] = (moment, "completed", goods or (GOODS,))
        stage._ledger(order)

    return act


def reorders(days: int) -> Act:
    """They buy GOODS every `days` days."""

    def act(stage: Stage) -> None:
        for number in (4, 3, 2, 1, 0):
            before(stage.local(stage.unix("2027-03-01 11:20") - number * days * 86_400))(stage)

    return act


# What they look at, leave in the cart and buy again.
NAME = "Grinder no. 5"
ABOUT_GOODS = (
    "back-in-stock",
    "browse-follow-up",
    "cart-recovery",
    "high-intent",
    "replenishment",
    "viewed-three-days",
)
GOAL, EXIT = ("goal", "goal"), ("exit", "exit")
T0 = "2027-03-27 11:20"

STORIES = {
    "back-in-stock": Story(
        # It comes back in the evening: marketing waits for the morning.
        acts=(("2027-03-27 09:40", stock("outofstock")), ("2027-03-27 10:00", views), ("2027-03-27 18:00", views), ("2027-03-27 22:00", stock("instock"))),
        gets=(("2027-03-28 09:00", "back", "email"),),
        stop=("2027-03-27 23:00", buys(GOODS), GOAL, 0),
    ),
    "birthday": Story(
        acts=(("2027-03-27 10:00", knows(birthday="1990-03-28")),),
        gets=(("2027-03-28 09:00", "wish", "email"), ("2027-04-07 10:00", "remind", "email")),
        coupons=1, stop=("2027-04-01 15:00", buys(), GOAL, 1),
    ),
    "booking": Story(
        acts=(("2027-03-26 11:20", orders("processing", APPOINTMENT, meta={"_booking_start": "2027-03-28 18:30"})),),
        gets=(("2027-03-26 11:20", "confirm", "email"), ("2027-03-27 18:30", "remind", "sms"), ("2027-03-29 18:30", "survey", "email"), ("2027-04-28 10:00", "invite", "email")),
        # 24 hours before 18:30 of the short day.
        sofia=(("2027-03-27 17:30", "remind", "sms"),),
        coupons=1, stop=("2027-03-27 09:00", first_order("cancelled"), EXIT, 1),
    ),
    "browse-follow-up": Story(
        acts=(("2027-03-25 09:40", before("2027-03-24 12:00", OTHER)), ("2027-03-25 10:00", views), ("2027-03-26 20:00", views), (T0, views)),
        gets=(("2027-03-27 15:20", "offer", "email"), ("2027-03-29 15:20", "last", "email")),
        coupons=1, stop=("2027-03-28 12:00", buys(GOODS), GOAL, 1),
    ),
    "cart-recovery": Story(
        acts=(("2027-03-27 11:00", cart),),
        gets=(("2027-03-27 11:30", "first", "email"), ("2027-03-27 19:00", "second", "email"), ("2027-03-28 11:00", "third", "email"), ("2027-03-30 11:00", "last", "email")),
        sofia=(("2027-03-28 12:00", "third", "email"), ("2027-03-30 12:00", "last", "email")),
        coupons=1, stop=("2027-03-28 09:00", buys(), GOAL, 2),
    ),
    "cross-sell": Story(
        acts=(("2027-03-26 11:20", orders()),),
        gets=(("2027-04-01 10:00", "goes-with", "email"),),
        coupons=1, stop=("2027-03-29 12:00", buys(), GOAL, 0),
    ),
    "digital-goods": Story(
        acts=(("2027-03-26 09:00", download), (T0, orders("completed", OTHER))),
        gets=(("2027-03-27 11:40", "guide", "email"), ("2027-03-30 11:00", "help", "email"), ("2027-04-04 11:00", "tips", "email")),
        stop=("2027-03-28 12:00", first_order("refunded"), EXIT, 1),
    ),
    "first-purchase-anniversary": Story(
        acts=(("2027-03-26 10:00", before("2026-03-28 20:00")),),
        gets=(("2027-03-28 09:00", "wish", "email"), ("2027-04-07 10:00", "remind", "email")),
        coupons=1, stop=("2027-04-01 15:00", buys(), GOAL, 1),
    ),
    "high-intent": Story(
        acts=(("2027-03-26 20:00", views), (T0, views)),
        gets=(("2027-03-27 14:20", "choices", "email"), ("2027-03-28 11:20", "offer", "email")),
        sofia=(("2027-03-28 12:20", "offer", "email"),),
        coupons=1, stop=("2027-03-27 20:00", buys(GOODS), GOAL, 1),
    ),
    "long-cycle": Story(
        acts=(("2027-03-26 11:20", orders("processing", MACHINE)),),
        gets=(("2027-03-29 10:00", "how-to", "email"), ("2027-04-06 10:00", "tips", "email"), ("2027-04-26 10:00", "upkeep", "email"), ("2027-05-26 10:00", "accessories", "email"), ("2027-09-23 10:00", "service", "email")),
        stop=("2027-04-20 12:00", first_order("refunded"), EXIT, 2),
    ),
    "membership-anniversary": Story(
        acts=(("2027-03-26 10:00", before("2026-06-01 20:00")), ("2027-03-26 10:01", knows(registered=1_743_160_000))),  # 28 March 2025
        gets=(("2027-03-28 09:00", "wish", "email"), ("2027-04-07 10:00", "remind", "email")),
        coupons=1, stop=("2027-04-01 15:00", buys(), GOAL, 1),
    ),
    "milestone": Story(
        acts=(*((f"2027-03-26 10:0{n}", before(f"2026-0{n}-01 12:00")) for n in range(1, 5)), (T0, orders())),
        gets=(("2027-03-29 10:00", "thanks", "email"),),
        coupons=1, stop=("2027-03-28 12:00", lambda stage: stage.becomes(max(stage._orders), "refunded"), EXIT, 0),
    ),
    "order-delayed": Story(
        acts=(("2027-03-26 11:20", orders()),),
        gets=(("2027-03-31 11:00", "delayed", "sms"),),
        stop=("2027-03-31 10:00", first_order("completed"), EXIT, 0),
    ),
    "order-delivered": Story(
        acts=((T0, orders("completed")),),
        gets=(("2027-04-01 11:00", "csat", "email"),),
        stop=("2027-03-30 12:00", first_order("refunded"), EXIT, 0),
    ),
    "order-placed": Story(
        acts=((T0, orders()),),
        gets=((T0, "placed", "sms"),),
        # Cancelled before anybody has looked.
        stop=(T0, lambda stage: stage.keeper.status(min(stage._orders), "wc-cancelled"), EXIT, 0),
    ),
    "order-shipped": Story(
        acts=((T0, orders("completed")),),
        gets=(("2027-03-27 11:35", "shipped", "sms"),),
        stop=("2027-03-27 11:30", first_order("refunded"), EXIT, 0),
    ),
    "payment-reminder": Story(
        acts=((T0, orders("pending")),),
        gets=(("2027-03-27 11:50", "first", "email"), ("2027-03-28 11:50", "second", "email"), ("2027-03-30 11:50", "last", "email")),
        stop=("2027-03-28 08:00", first_order("processing"), GOAL, 1),
    ),
    "replenishment": Story(
        # Bought every 30 days, the last time on 1 March at 11:20: due from 27 days after.
        acts=(("2027-03-26 10:00", reorders(30)),),
        gets=(("2027-03-29 09:30", "due", "email"), ("2027-04-05 09:30", "overdue", "email")),
        stop=("2027-04-01 12:00", buys(GOODS), GOAL, 1),
    ),
    "review-request": Story(
        acts=((T0, orders("completed")),),
        gets=(("2027-04-06 17:00", "ask", "email"), ("2027-04-13 17:00", "remind", "email")),
        stop=("2027-04-08 12:00", tells("review.posted", GOODS, sub=5), GOAL, 1),
    ),
    "sudden-drop": Story(
        acts=(("2027-03-26 10:00", before("2026-06-01 12:00")), ("2027-03-26 10:01", before("2026-08-01 12:00")), ("2027-03-26 10:02", before("2026-12-27 11:20"))),
        gets=(("2027-03-30 10:00", "ask", "email"), ("2027-04-13 10:00", "offer", "email")),
        coupons=1, stop=("2027-04-05 12:00", buys(), GOAL, 1),
    ),
    "thank-you": Story(
        acts=((T0, orders()),),
        gets=(("2027-03-28 10:00", "first", "email"), ("2027-04-07 10:00", "next-order", "email")),
        coupons=1, stop=("2027-03-30 12:00", buys(), GOAL, 1),
    ),
    "viewed-three-days": Story(
        acts=(("2027-03-25 10:00", views), ("2027-03-26 20:00", views), (T0, views)),
        gets=(("2027-03-27 14:20", "reviews", "email"), ("2027-03-29 14:20", "offer", "email")),
        coupons=1, stop=("2027-03-28 12:00", buys(GOODS), GOAL, 1),
    ),
    "vip-care": Story(
        acts=(("2027-03-26 10:00", before("2027-02-01 12:00")), (T0, lambda stage: (stage.knows(ltv=10**12), stage.orders()))),
        gets=(("2027-03-29 10:00", "thanks", "email"), ("2027-04-28 10:00", "early", "email")),
        stop=("2027-04-05 12:00", tells("contact.unsubscribed"), EXIT, 1),
    ),
    "welcome": Story(
        acts=((T0, registers),),
        gets=(("2027-03-27 11:35", "hello", "email"), ("2027-03-31 10:00", "offer", "email"), ("2027-04-06 10:00", "last", "email")),
        coupons=1, stop=("2027-04-02 12:00", buys(), GOAL, 2),
    ),
    "win-back-30": Story(
        acts=(("2027-03-26 10:00", before("2027-02-25 11:20")),),
        gets=(("2027-03-30 10:00", "news", "email"),),
        stop=("2027-03-29 12:00", buys(), GOAL, 0),
    ),
    "win-back-60": Story(
        acts=(("2027-03-26 10:00", before("2027-01-26 11:20")),),
        gets=(("2027-03-30 10:00", "offer", "email"), ("2027-04-06 17:00", "remind", "email")),
        coupons=1, stop=("2027-04-02 12:00", buys(), GOAL, 1),
    ),
    "win-back-90": Story(
        acts=(("2027-03-26 10:00", before("2026-12-27 11:20")),),
        gets=(("2027-03-30 10:00", "offer", "email"), ("2027-04-11 17:00", "why", "email")),
        coupons=1, stop=("2027-04-05 12:00", buys(), GOAL, 1),
    ),
}  # fmt: skip


@pytest.fixture(params=ZONES)
def stage(
    request: pytest.FixtureRequest,
    known_shop: tuple[ShopDatabase, Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """No caps: what they leave out is tested elsewhere."""
    shop, config = known_shop
    limits = msgspec.structs.replace(config.automations, cap_day=0, cap_week=0)
    config = copied(msgspec.structs.replace(config, automations=limits), tmp_path / "state")
    made = Stage(shop, config, ZoneInfo(ZONES[request.param]), "2027-03-25 09:30", monkeypatch)
    # They have used a coupon before: some segments get no discounts.
    made.knows(locale=LOCALES[request.param], coupons=["ONCE"])
    made.said(made.hero, "sms", "given")
    yield made
    made.close()


def test_all_have_a_story() -> None:
    assert sorted(STORIES) == list(library.ready())


def expected(stage: Stage, story: Story) -> list[tuple[str, str, str]]:
    later = {step: (when, step, channel) for when, step, channel in story.sofia}
    sofia = stage.info.timezone == "Europe/Sofia"
    return [later.get(one[1], one) if sofia else one for one in story.gets]


def play(stage: Stage, name: str, story: Story) -> None:
    stage.switch_on(name)
    for number, (when, act) in enumerate(story.acts):
        if number:
            stage.pass_()
        stage.sets(when)
        act(stage)


@pytest.mark.parametrize("name", STORIES)
def test_from_the_trigger_to_the_end(stage: Stage, name: str) -> None:
    story = STORIES[name]
    play(stage, name, story)
    stage.until(story.until)
    assert stage.got() == expected(stage, story)
    assert stage.ends() == [story.ends]
    assert len([wish for wish in stage.recorder.done["coupons"] if "hero" in wish.email]) == story.coupons
    language = stage.state.rows("SELECT DISTINCT language FROM message WHERE person_id = ?", (stage.hero,))
    assert language == [("fa" if stage.info.timezone == "Asia/Tehran" else "bg",)]
    mails = stage.mails()
    assert len({one.key for one in mails}) == len(mails) == len(story.gets)
    assert all(one.subject and one.html if one.channel == "email" else one.text for one in mails)
    if name in ABOUT_GOODS:
        # It tells of what they are in for, and not of what they bought last.
        assert all(NAME in one.html for one in mails if one.channel == "email")


@pytest.mark.parametrize(
    ("stage", "name"), [(list(ZONES)[number % 2], name) for number, name in enumerate(STORIES)], indirect=["stage"]
)
def test_what_they_do_in_the_middle_ends_it(stage: Stage, name: str) -> None:
    story = STORIES[name]
    when, act, end, count = story.stop
    play(stage, name, story)
    if when != story.acts[-1][0]:
        stage.until(when)
    act(stage)
    stage.until(story.until)
    assert stage.got() == expected(stage, story)[:count]
    assert stage.ends()[0] == end


@pytest.mark.parametrize("stage", ["fa"], indirect=True)
@pytest.mark.parametrize("name", ["digital-goods", "order-delayed", "order-delivered", "order-shipped"])
def test_what_an_order_holds_decides_and_not_what_they_ever_bought(stage: Stage, name: str) -> None:
    """Who once bought an e-book is not told to download a mug, and no parcel of an e-book, an appointment or a mug that they fetch
    themselves is late or on its way."""
    download(stage)
    stage.flags(APPOINTMENT, virtual=1, downloadable=0)
    status = "processing" if name == "order-delayed" else "completed"
    before("2027-01-10 10:00", GOODS)(stage)
    before("2027-01-11 10:00", OTHER)(stage)
    stage.knows(product_types=["digital", "physical"])
    stage.switch_on(name)
    wanted = set()
    for goods, shipping, sent in (
        (GOODS, ("flat_rate",), True), (GOODS, (), True), (OTHER, (), False), (APPOINTMENT, (), False), (GOODS, ("pickup_location",), False),
    ):  # fmt: skip
        stage.sets(stage.now + 60)
        order = stage.orders(status, goods=(goods,), shipping=shipping)
        if (goods == OTHER) if name == "digital-goods" else sent:
            wanted.add(f"order:{order}")
        stage.pass_()
    assert {subject for (subject,) in stage.state.rows("SELECT subject FROM enrolment")} == wanted


@pytest.mark.parametrize("stage", ["bg"], indirect=True)
def test_who_bought_as_a_guest_gets_nothing_for_a_first_order(stage: Stage) -> None:
    """They make an account after three orders: they are greeted, and that is all."""
    for month in (1, 2, 3):
        before(f"2027-0{month}-10 10:00")(stage)
    stage.switch_on("welcome")
    stage.sets(T0)
    registers(stage)
    stage.until("2027-05-01 12:00")
    assert [step for _, step, _ in stage.got()] == ["hello"]
    assert stage.recorder.done["coupons"] == []


@pytest.mark.parametrize("stage", ["fa"], indirect=True)
@pytest.mark.parametrize("name", ["order-delayed", "order-delivered", "review-request", "thank-you", "cross-sell"])
def test_of_an_order_that_is_in_the_trash_nobody_hears(stage: Stage, name: str) -> None:
    """A double one, a test or a fraud that the owner has thrown away; the plugin may be told of it or not."""
    stage.switch_on(name)
    stage.sets(T0)
    order = stage.orders("completed" if name in ("order-delivered", "review-request") else "processing")
    stage.pass_()
    stage.sets("2027-03-27 12:00")
    stage.keeper.status(order, "trash")
    stage.until("2027-05-01 12:00")
    assert stage.got() == []
    assert stage.recorder.done["notes"] == []
    assert stage.recorder.done["coupons"] == []
