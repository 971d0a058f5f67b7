"""Every ready-made automation from entering to its end, on simulated time in a shop in Tehran (+03:30), by the real engine: all at once,
each with somebody of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from automating import DAY, World, unix
from msgspec.structs import replace

from sidecar.automations import engine, file, library, model
from sidecar.segments import file as segments_file
from sidecar.segments import membership

TEHRAN = ZoneInfo("Asia/Tehran")
SEGMENTS = tuple(segments_file.load(None, TEHRAN))
# A Monday, eleven o'clock in Tehran.
START = unix("2026-11-02 07:30")

# What goes out within 17 days, and when by the clocks of Tehran; with two marketing messages a day and channel allowed.
WALKS = {
    "back-in-stock": ["02 11:00 back"],
    "birthday": ["02 11:00 wish", "13 10:00 remind"],
    "booking": ["02 11:00 confirm", "04 18:00 remind", "06 18:00 survey"],
    "browse-follow-up": ["02 15:00 offer", "04 15:00 last"],
    "cart-recovery": ["02 11:00 first", "02 18:30 second", "03 11:00 third", "05 11:00 last"],
    "cross-sell": ["08 10:00 goes-with"],
    "digital-goods": ["02 11:20 guide", "05 11:00 help", "10 11:00 tips"],
    "first-purchase-anniversary": ["02 11:00 wish", "13 10:00 remind"],
    "high-intent": ["02 14:00 choices", "03 11:00 offer"],
    "long-cycle": ["05 10:00 how-to", "13 10:00 tips"],
    "membership-anniversary": ["02 11:00 wish", "13 10:00 remind"],
    "milestone": ["04 10:00 thanks"],
    "order-delayed": ["09 11:00 delayed"],
    "order-delivered": ["06 11:00 csat"],
    "order-placed": ["02 11:00 placed"],
    "order-shipped": ["02 11:15 shipped"],
    "payment-reminder": ["02 11:30 first", "03 11:30 second", "05 11:30 last"],
    "replenishment": ["03 09:30 due", "10 09:30 overdue"],
    "review-request": ["12 17:00 ask"],
    "sudden-drop": ["04 10:00 ask", "17 10:00 offer"],
    "thank-you": ["03 10:00 again"],
    "viewed-three-days": ["02 14:00 reviews", "04 14:00 offer"],
    "vip-care": ["04 10:00 thanks"],
    "welcome": ["02 11:15 hello", "06 10:00 offer", "12 10:00 last"],
    "win-back-30": ["03 10:00 news"],
    "win-back-60": ["03 10:00 offer", "10 17:00 remind"],
    "win-back-90": ["03 10:00 offer", "15 17:00 why"],
}
READY = {name: file.parse(library.ready_text(name), f"{name}.toml", TEHRAN, SEGMENTS) for name in WALKS}


class Shop:
    """A shop in Tehran where everybody is in one automation."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.info = replace(world.info, timezone="Asia/Tehran")
        world.config = replace(world.config, automations=replace(world.config.automations, cap_week=9))
        world.segments, world.now = SEGMENTS, START
        world.segmented()
        world.state.sql.execute("DELETE FROM membership")
        # Have bought before, not lately, and are no hunters of coupons.
        rows = world.state.rows(
            "SELECT person_id FROM trait WHERE orders_count >= 2 AND coupons_count < 2 AND last_order < ?",
            (START - 40 * DAY,),
        )
        ordinary = {row[0] for row in rows}
        people = [person for person in world.subscribed(150) if person in ordinary]
        self.people = dict(zip(WALKS, people, strict=False))
        assert len(self.people) == len(WALKS)
        world.keeper.do("UPDATE wp_fc_subscribers SET timezone = 'Asia/Tehran'")
        world.state.sql.execute(
            "INSERT OR REPLACE INTO contact_trait (person_id, contact_id, status, consent)"
            " SELECT id, contact_id, 'subscribed', 1 FROM person WHERE contact_id IS NOT NULL"
        )
        self.product = int(world.keeper.one("SELECT MIN(product_id) FROM wp_wc_product_meta_lookup WHERE stock_status = 'instock'"))  # fmt: skip
        self.orders: dict[str, int] = {}
        self.ids: dict[str, int] = {}

    def subject(self, name: str) -> str:
        world, trigger, person = self.world, READY[name].trigger, self.people[name]
        if isinstance(trigger, model.OnCart):
            return f"cart:{world.cart(person, lines_=((self.product, 0),))}:{START - 3600}"
        if isinstance(trigger, model.OnViews | model.OnStock | model.OnReorder):
            return f"product:{self.product}:0:{START}"
        if isinstance(trigger, model.OnDay):
            return "day:2026-11-02"
        if isinstance(trigger, model.OnEvent) and trigger.topic.startswith("order."):
            status = trigger.to[0] if trigger.to else "processing"
            meta = {"_booking_start": "2026-11-05 18:00:00"} if name == "booking" else {}
            order = world.keeper.order(world.address(person), at=world.at(START), status=f"wc-{status}", meta=meta)
            self.orders[name] = order
            return f"order:{order}"
        return ""

    def enter(self, *names: str) -> None:
        for name in names:
            self.world.on(name=name)
            if name == "welcome":
                self.world.newcomer(self.people[name])
            self.ids[name] = self.world.enter(READY[name], self.people[name], self.subject(name))

    def walk(self, days: float, after: Callable[[], None] | None = None) -> None:
        """On, from one due moment to the next. `after` each."""
        world = self.world
        for _ in range(2000):
            at = membership.moment(world.state, SEGMENTS, world.now, TEHRAN)
            engine.run(replace(world.place(), at=at))
            if after is not None:
                after()
            (due,) = world.state.rows("SELECT MIN(due) FROM enrolment WHERE state = 'waiting'")[0]
            if due is None or due > START + days * DAY:
                return
            world.now = max(due, world.now + 1)
        raise AssertionError("it does not end")

    def sent(self) -> dict[str, list[str]]:
        """By automation: day of November, time in Tehran, message."""
        rows = self.world.state.rows(
            "SELECT a.name, m.step, m.decided FROM message m JOIN automation a ON a.id = m.automation_id"
            " WHERE m.state = 'sent' ORDER BY m.decided, m.id"
        )
        found: dict[str, list[str]] = {name: [] for name in self.ids}
        for name, step, decided in rows:
            at = datetime.fromtimestamp(decided / 1000, UTC).astimezone(TEHRAN)
            found[name].append(f"{at:%d %H:%M} {step}")
        return found

    def skipped(self, name: str) -> dict[str, str]:
        return {step: why for step, outcome, why in self.world.steps(self.ids[name]) if outcome == "skipped"}


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def test_from_entering_to_the_end(shop: Shop) -> None:
    shop.enter(*WALKS)
    shop.walk(17)
    assert shop.sent() == WALKS
    # Each message once, and nobody was told twice of anything.
    told = [(message.person_id, message.container) for message in shop.world.recorder.sent]
    assert len(told) == len(set(told))
    shop.walk(400)
    assert {shop.world.one(id_).state for id_ in shop.ids.values()} == {"done"}


def test_all_are_driven() -> None:
    assert set(WALKS) == set(library.ready())


def test_nothing_after_what_it_is_for(shop: Shop) -> None:
    """A minute after the first message of each they order, pay, or give the order back."""
    keeper, world = shop.world.keeper, shop.world
    shop.enter(*WALKS)
    over: set[str] = set()

    def happens() -> None:
        for name, messages in shop.sent().items():
            if not messages or name in over:
                continue
            over.add(name)
            if name == "payment-reminder":
                keeper.status(shop.orders[name], "wc-processing")
            elif READY[name].goal.topics == ("order.placed",):
                keeper.order(world.address(shop.people[name]), at=world.at(world.now + 60), status="wc-processing", lines=((shop.product, 1, "It"),))  # fmt: skip
            elif name in shop.orders:
                keeper.status(shop.orders[name], "wc-refunded")

    shop.walk(400, happens)
    sent = shop.sent()
    assert over == set(WALKS)
    assert all(len(messages) == 1 for messages in sent.values()), sent
    reached = {name for name, id_ in shop.ids.items() if world.one(id_).state == "goal"}
    # Those whose first message is not their last step.
    assert reached >= {"cart-recovery", "payment-reminder", "welcome", "birthday", "win-back-60", "high-intent"}


def test_an_order_that_is_given_back_is_not_talked_about(shop: Shop) -> None:
    names = [name for name in WALKS if isinstance(READY[name].trigger, model.OnEvent) and name != "welcome"]
    shop.enter(*names)
    for order in shop.orders.values():
        shop.world.keeper.status(order, "wc-refunded")
    shop.walk(400)
    assert shop.sent() == {name: [] for name in names}


def test_vips_get_gifts_and_no_discounts(shop: Shop) -> None:
    # What tells of an offer alone is left out, all else goes without one.
    left_out = {
        "browse-follow-up": {"gift", "last"}, "cart-recovery": {"gift"}, "cross-sell": {"gift"}, "welcome": {"gift", "last"},
        "win-back-60": {"gift", "remind"}, "birthday": set(), "milestone": set(),
    }  # fmt: skip
    for name in left_out:
        shop.world.state.sql.execute("INSERT INTO membership VALUES ('vip', ?, ?)", (shop.people[name], START))
    shop.enter(*left_out)
    shop.walk(17)
    assert len(shop.world.recorder.done["coupons"]) == 2
    assert {name: set(shop.skipped(name)) for name in left_out} == left_out


def test_one_message_a_day_leaves_the_second_reminder_of_a_cart_out(shop: Shop) -> None:
    """What docs/automations.md says of cap_day = 1."""
    world = shop.world
    world.config = replace(world.config, automations=replace(world.config.automations, cap_day=1))
    shop.enter("cart-recovery")
    shop.walk(17)
    assert [one.split(" ")[-1] for one in shop.sent()["cart-recovery"]] == ["first", "third", "last"]
    assert shop.skipped("cart-recovery") == {"second": "cap"}


def test_what_a_shop_slept_through_is_not_told_when_it_makes_no_sense_any_more(shop: Shop) -> None:
    shop.enter("cart-recovery", "payment-reminder", "birthday", "order-placed", "win-back-60")
    shop.world.now += 2 * DAY
    shop.walk(17)
    sent = shop.sent()
    # What was due while it slept is left out (the birthday is over), and what comes after it comes in its time.
    assert sent["birthday"] == ["15 10:00 remind"]
    assert sent["order-placed"] == []
    assert [one.split(" ")[-1] for one in sent["cart-recovery"]] == ["second", "third", "last"]
    # Planned for Tuesday at ten, it may be five days late.
    assert sent["win-back-60"] == ["04 11:00 offer", "11 17:00 remind"]


def test_a_message_with_a_coupon_may_be_too_late_too(shop: Shop) -> None:
    """A coupon that is made late does not make the message one of now."""
    shop.enter("cart-recovery", "high-intent")
    shop.walk(0.5)
    shop.world.now += 3 * DAY
    shop.walk(17)
    sent = shop.sent()
    assert [one.split(" ")[-1] for one in sent["cart-recovery"]] == ["first", "second", "last"]
    assert [one.split(" ")[-1] for one in sent["high-intent"]] == ["choices"]
    assert shop.skipped("high-intent") == {"offer": "too_late"}
