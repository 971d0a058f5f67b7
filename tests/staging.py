"""What tests that drive whole automations share: a shop in another zone, somebody who acts in it, and a clock that runs from one
moment at which something is due to the next. All parts are the real ones but the channels, which write down what they are given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from automating import World
from support import ShopDatabase

from sidecar.automations import engine, sources, switching
from sidecar.automations.channels.model import Outgoing
from sidecar.automations.library import Library
from sidecar.automations.messages.writer import MessageWriter
from sidecar.automations.place import Place
from sidecar.automations.sources import Sources
from sidecar.config import Config
from sidecar.people.model import Facts, OrderDoc
from sidecar.segments import file as segments_file
from sidecar.segments import membership, table
from sidecar.values import money

ADDRESS, PHONE, ACCOUNT = "hero@example.net", "+48501700899", 7701
PAID = ("processing", "completed")
# Products of the demo shop; APPOINTMENT and MACHINE get the categories that ready-made automations ask for.
GOODS, OTHER, APPOINTMENT, MACHINE = 14, 15, 16, 17
# Nobody comes in later than this after the last thing that they did.
_LOOK, _PATIENCE = 1800, 3 * 86_400


class Stage(World):
    """Somebody (`hero`), in a zone. Moments are written as the shop's clock shows them: "2027-03-27 11:20"."""

    def __init__(
        self, shop: ShopDatabase, config: Config, zone: ZoneInfo, begin: str, patch: pytest.MonkeyPatch
    ) -> None:
        super().__init__(shop, config, tuple(segments_file.load(None, zone)))
        self.info = msgspec.structs.replace(self.info, timezone=str(zone))
        self.words = MessageWriter(self.config, self.state, self.reader, zone, self.ways)  # type: ignore[assignment]
        self.ways.there["email"] = "fluentcrm"
        self.library = Library(config, zone, self.segments)
        self.sources = Sources()
        self._zone, self._patch = zone, patch
        self._shipping: dict[int, tuple[str, ...]] = {}
        self._facts, self._orders = Facts(), dict[int, tuple[int, str, tuple[int, ...]]]()
        self._products: set[int] = set()
        self._flagged: set[int] = set()
        self.keeper.do("DELETE FROM wp_options WHERE option_name = 'fcsc_link_key'")
        self.keeper.do("INSERT INTO wp_options (option_name, option_value) VALUES ('fcsc_link_key', %s)", "00" * 32)
        self.sets(begin)
        self.hero = self._born()
        with self.state.transaction() as sql:
            # The others have bought lately: who has not bought for long is not among the latest buyers.
            sql.execute(
                "UPDATE person_doc SET facts = CAST(json_set(CAST(facts AS TEXT), '$.last_order', ? - person_id * 60) AS BLOB)"
                " WHERE person_id <> ? AND json_extract(CAST(facts AS TEXT), '$.last_order') IS NOT NULL",
                (self.now - 15 * 86_400, self.hero),
            )
            sql.execute("INSERT OR IGNORE INTO product_category VALUES (?, 'appointments')", (APPOINTMENT,))
            sql.execute("INSERT OR IGNORE INTO product_category VALUES (?, 'machines')", (MACHINE,))

    def close(self) -> None:
        for product in tuple(self._products):
            self.stock(product, "instock")
        for product in tuple(self._flagged):
            self.flags(product, virtual=0, downloadable=0)
        self.keeper.do("DELETE FROM wp_fc_subscribers WHERE email = %s", ADDRESS)
        self.keeper.do("DELETE FROM wp_options WHERE option_name = 'fcsc_link_key'")
        super().close()

    # --- the clock -----------------------------------------------------------------------------------------

    def unix(self, text: str) -> int:
        """The shop's clock → Unix seconds."""
        return int(datetime.fromisoformat(text).replace(tzinfo=self._zone).timestamp())

    def local(self, moment: float) -> str:
        """The other way, to the minute."""
        return f"{datetime.fromtimestamp(moment, self._zone):%Y-%m-%d %H:%M}"

    def sets(self, moment: str | int) -> None:
        self.now = moment if isinstance(moment, int) else self.unix(moment)
        self._patch.setenv("SIDECAR_NOW", datetime.fromtimestamp(self.now, UTC).isoformat())

    def place(self, *_: Any, **how: Any) -> Place:
        made = super().place(**how)
        made.at = membership.moment(self.state, list(self.segments), self.now, self._zone)
        made.start = lambda name, entry: sources.start(made, self.library, name, entry)
        return made

    def pass_(self) -> None:
        """What the running sidecar does every few seconds."""
        membership.tick(self.state, self.segments, self.now, self._zone)
        collected = self.sources.collect(self.place(), self.library)
        assert collected.faults == {}
        engine.run(self.place())

    def until(self, moment: str | int) -> None:
        """Let time pass: a look every half hour until they are inside, then at each moment at which something is due."""
        end = moment if isinstance(moment, int) else self.unix(moment)
        patience = self.now + _PATIENCE
        self.pass_()
        while self.now < end:
            due = self.state.rows(
                "SELECT MIN(due) FROM enrolment WHERE person_id = ? AND due > ?", (self.hero, self.now)
            )[0][0]
            entered = self.state.rows("SELECT 1 FROM enrolment WHERE person_id = ?", (self.hero,))
            assert entered or self.now < patience, "nothing starts them"
            after = due if entered and due else end if entered else self.now - self.now % _LOOK + _LOOK
            self.sets(min(end, after))
            self.pass_()

    # --- what the hero is and does ---------------------------------------------------------------------------

    def _born(self) -> int:
        self.keeper.do("DELETE FROM wp_fc_subscribers WHERE email = %s", ADDRESS)
        self.keeper.do(
            "INSERT INTO wp_fc_subscribers (email, hash, status, first_name, last_name, phone, timezone, country, user_id)"
            " VALUES (%s, 'hero', 'subscribed', 'Sara', 'Petrova', %s, '', 'PL', %s)",
            ADDRESS, PHONE, ACCOUNT,
        )  # fmt: skip
        contact = int(self.keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", ADDRESS))
        with self.state.transaction() as sql:
            sql.execute(
                "INSERT INTO person (key, user_id, contact_id, verdict, dirty) VALUES (?, ?, ?, 'in', 0)",
                (self.state.key(ADDRESS), ACCOUNT, contact),
            )
        person = self.person(ADDRESS)
        self.state.sql.execute("INSERT INTO account (user_id, person_id) VALUES (?, ?)", (ACCOUNT, person))
        self.hero = person
        self.knows()
        return person

    def knows(self, **facts: Any) -> None:
        """What the sync has found out about them, by something that they did."""
        self._facts = msgspec.structs.replace(self._facts, **facts)
        counted = sorted((at, id_) for id_, (at, status, _) in self._orders.items() if status in PAID)
        worth = max(self._facts.ltv, 100_000_000 * len(counted))
        dated = (
            {"first_order": counted[0][0], "last_order": counted[-1][0], "first_order_id": counted[0][1], "last_order_id": counted[-1][1]}
            if counted
            else {}
        )  # fmt: skip
        facts_ = msgspec.structs.replace(
            self._facts, orders_count=len(counted), ltv=worth, gross=worth, orders_seen=len(self._orders),
            is_account=True, **dated,
        )  # fmt: skip
        with self.state.transaction() as sql:
            sql.execute("DELETE FROM person_doc WHERE person_id = ?", (self.hero,))
            sql.execute(
                "INSERT INTO person_doc (person_id, facts) VALUES (?, ?)", (self.hero, msgspec.json.encode(facts_))
            )
        table.lively(self.state, [self.hero], self.now)

    def registers(self) -> None:
        self.knows(registered=self.now)
        self.event("customer.created", ACCOUNT)

    def orders(
        self, status: str = "processing", *, at: int | None = None, goods: tuple[int, ...] = (GOODS,), told: bool = True,
        meta: dict[str, str] | None = None,
        shipping: tuple[str, ...] = (),
    ) -> int:  # fmt: skip
        """A new order of theirs; `told`: by the plugin, at once. (Else it is in the shop, and nobody has looked yet.)"""
        moment = self.now if at is None else at
        lines = tuple((id_, 1, "Thing") for id_ in goods)
        order = self.keeper.order(
            ADDRESS, at=self.at(moment), status=f"wc-{status}", customer=ACCOUNT, lines=lines, meta=meta
        )
        if told:
            self._orders[order] = (moment, status, goods)
            self._shipping[order] = shipping
            self._ledger(order)
            self.event("order.created", order)
            self.event("order.status", order, detail=f"pending>{status}")
            if status in PAID:
                self.event("order.paid", order)
        return order

    def becomes(self, order: int, status: str, *, told: bool = True) -> None:
        """An order gets another status."""
        self.keeper.status(order, f"wc-{status}")
        if told:
            at, before, goods = self._orders[order]
            self._orders[order] = (at, status, goods)
            self._ledger(order)
            self.event("order.status", order, detail=f"{before}>{status}")
            if status in PAID and before not in PAID:
                self.event("order.paid", order)

    def _ledger(self, order: int) -> None:
        at, status, goods = self._orders[order]
        verdict = "candidate" if status in PAID else "unpaid"
        doc = OrderDoc(lines=tuple((id_, 0, 1, "Thing") for id_ in goods), shipping=self._shipping.get(order, ()))
        with self.state.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO shop_order (id, customer_id, person_id, verdict, status, total, created, crc, doc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (order, ACCOUNT, self.hero, verdict, status, 100 * money.MICROS, at, msgspec.json.encode(doc)),
            )
        self.knows()

    def event(self, topic: str, object_id: int = 0, *, sub: int = 0, detail: str = "") -> None:
        """A line of the event monitor."""
        self.state.sql.execute(
            "INSERT INTO event (outbox_id, at, done_at, topic, object_id, sub_id, detail, label, person_id, outcome, reason, live)"
            " VALUES ((SELECT COALESCE(MAX(outbox_id), 0) + 1 FROM event), ?, ?, ?, ?, ?, ?, '', ?, 'changed', '', 1)",
            (self.now * 1000, self.now * 1000, topic, object_id, sub, detail, self.hero),
        )

    def views(self, product: int = GOODS) -> None:
        self.state.sql.execute(
            "INSERT INTO activity (outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail)"
            " VALUES ((SELECT COALESCE(MAX(outbox_id), 1000000) + 1 FROM activity), ?, 'view', '', ?, ?, 0, '')",
            (self.now * 1000, self.hero, product),
        )

    def leaves_cart(self) -> int:
        touched = self.at(self.now)
        return self.cart(
            self.hero, lines_=((GOODS, 0),), created_gmt=touched, updated_gmt=touched, language=self._facts.locale
        )

    def stock(self, product: int, status: str) -> None:
        self._products.add(product)
        self.keeper.do("UPDATE wp_wc_product_meta_lookup SET stock_status = %s WHERE product_id = %s", status, product)
        self.keeper.do(
            "UPDATE wp_postmeta SET meta_value = %s WHERE post_id = %s AND meta_key = '_stock_status'", status, product
        )

    def flags(self, product: int, *, virtual: int, downloadable: int) -> None:
        self._flagged.add(product)
        self.keeper.do(
            "UPDATE wp_wc_product_meta_lookup SET `virtual` = %s, downloadable = %s WHERE product_id = %s",
            virtual,
            downloadable,
            product,
        )

    # --- automations -----------------------------------------------------------------------------------------

    def switch_on(self, name: str) -> None:
        """Whoever else sends the same."""
        membership.tick(self.state, self.segments, self.now, self._zone)
        switching.on(self.place(), self.library.get(name), anyway=True)

    def got(self) -> list[tuple[str, str, str]]:
        """(when by the shop's clock, step, channel) of the messages that they got, in their order."""
        rows = self.state.rows(
            "SELECT decided / 1000, step, channel FROM message WHERE person_id = ? AND state = 'sent' ORDER BY decided, id",
            (self.hero,),
        )
        return [(self.local(at), step, channel) for at, step, channel in rows]

    def mails(self) -> list[Outgoing]:
        return [one for one in self.recorder.sent if one.person_id == self.hero]

    def ends(self) -> list[tuple[str, str]]:
        """(state, reason) of each time that they were inside."""
        return self.state.rows("SELECT state, reason FROM enrolment WHERE person_id = ? ORDER BY id", (self.hero,))
