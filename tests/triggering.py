"""What tests of triggers share: a state with people, a place to work, and automations that are on."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from sidecar.automations import model, sources, versions
from sidecar.automations.place import Place
from sidecar.automations.sources import Collected, Sources
from sidecar.automations.triggers.registry import source
from sidecar.config import Config
from sidecar.config import State as Folder
from sidecar.errors import NotFound
from sidecar.mysql.connection import Reader
from sidecar.people.model import Facts, OrderDoc
from sidecar.segments.evaluate import Moment
from sidecar.segments.model import Period, Segment
from sidecar.state.database import State
from sidecar.store.schema import ShopInfo

WARSAW = ZoneInfo("Europe/Warsaw")
HOUR, DAY = 3600, 86_400
# WooCommerce makes this table only in shops that have its notices of stock.
SIGNUPS = """CREATE TABLE wp_wc_stock_notifications (
 id bigint(20) unsigned NOT NULL AUTO_INCREMENT, product_id bigint(20) unsigned NOT NULL, user_id bigint(20) unsigned NOT NULL,
 user_email varchar(100) NOT NULL, status varchar(20) NOT NULL DEFAULT 'pending', date_last_attempt_gmt datetime NULL,
 PRIMARY KEY (id), KEY product_status_attempt (product_id, status, date_last_attempt_gmt, id)) ENGINE=InnoDB"""
STEPS = (model.Wait(id="wait", period=Period(days=1)),)


def unix(text: str) -> int:
    """Unix seconds of `2026-11-01 12:00` UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NOW = unix("2026-11-01 12:00")


class Yard:
    """A shop's automations at work at a moment that the test moves. It is a shelf of automations, too."""

    def __init__(
        self, config: Config, zone: tzinfo = WARSAW, now: int = NOW, segments: tuple[Segment, ...] = ()
    ) -> None:
        self.config, self.zone, self.now, self.segments = config, zone, now, segments
        self.state = State(config.state.dir)
        self.reader = Reader(config)
        self.sources = Sources()
        self.shelf: dict[str, model.Automation] = {}
        self.plugins: tuple[str, ...] = ("fluentcrm-sidecar/fluentcrm-sidecar.php",)

    def close(self) -> None:
        self.reader.close()
        self.state.close()

    def get(self, name: str) -> model.Automation:
        if name not in self.shelf:
            raise NotFound(f"there is no automation {name}")
        return self.shelf[name]

    @property
    def place(self) -> Place:
        nothing = cast(Any, None)
        info = ShopInfo(
            storage="hpos", hpos_sync=False, currency="PLN", decimals=2, country="PL", timezone=str(self.zone), gmt_offset="0",
            locale="pl_PL", home="https://shop.example", woocommerce="10.9.1", fluentcrm_db="2.10.10", pivot_unique=True,
            paid_statuses=frozenset({"processing", "completed"}), plugins=self.plugins,
        )  # fmt: skip
        at = Moment(now=self.now, zone=self.zone, segments={one.slug: one for one in self.segments}, tops={})
        return Place(
            config=self.config, state=self.state, reader=self.reader, info=info, now=self.now, effects=nothing,
            writer=nothing, reach=nothing, at=at,
        )  # fmt: skip

    def on(self, trigger: model.Trigger, name: str = "one", **how: Any) -> model.Automation:
        """An automation that is switched on now, whoever else sends the same."""
        shares = {key: how.pop(key) for key in ("rollout", "holdout") if key in how}
        how.setdefault("steps", STEPS)
        made = model.Automation(name=name, title=name, trigger=trigger, **how)
        self.switch(made, **shares)
        return made

    def switch(self, made: model.Automation, **shares: int) -> None:
        """Switch it on from now on."""
        self.shelf[made.name] = made
        row = versions.row(self.state, made.name)
        sql = "UPDATE automation SET running = 1, live_from = ?, rollout = ?, holdout = ? WHERE id = ?"
        self.state.sql.execute(sql, (self.now, shares.get("rollout", 100), shares.get("holdout", 0), row.id))
        ask = sources.asked(self.place, versions.row(self.state, made.name), made, {})
        newest = msgspec.json.encode(source(made.trigger).newest(ask)).decode()
        self.state.sql.execute("UPDATE automation SET cursors = ? WHERE id = ?", (newest, row.id))

    def collect(self, now: int | None = None) -> Collected:
        """Until there is nothing more to read at that moment."""
        self.now = self.now if now is None else now
        total = self.sources.collect(self.place, self)
        while total.more:
            again = self.sources.collect(self.place, self)
            for name in ("entered", "goals", "exits", "woken"):
                setattr(again, name, getattr(again, name) + getattr(total, name))
            total = again
        assert total.faults == {}
        return total

    def inside(self, name: str = "one") -> list[tuple[int, str]]:
        """(person, subject) of everybody who ever entered, in their order."""
        return self.state.rows(
            "SELECT person_id, subject FROM enrolment e JOIN automation a ON a.id = e.automation_id WHERE a.name = ? ORDER BY e.id",
            (name,),
        )

    def states(self, name: str = "one") -> list[tuple[str, str]]:
        """(subject, state) of everybody who ever entered."""
        return self.state.rows(
            "SELECT subject, state FROM enrolment e JOIN automation a ON a.id = e.automation_id WHERE a.name = ? ORDER BY e.id",
            (name,),
        )

    # --- what happens --------------------------------------------------------------------------------------

    def person(self, id_: int, *, verdict: str = "in", user: int | None = None, email: str = "", **facts: Any) -> int:
        """Somebody with a contact, and with an account if `user`."""
        key = self.state.key(email or f"p{id_}@example.net")
        with self.state.transaction() as sql:
            sql.execute(
                "INSERT INTO person (id, key, verdict, contact_id, user_id) VALUES (?, ?, ?, ?, ?)",
                (id_, key, verdict, 1000 + id_, user),
            )
            sql.execute("INSERT INTO person_doc VALUES (?, ?, NULL)", (id_, msgspec.json.encode(Facts(**facts))))
            if user:
                sql.execute("INSERT INTO account (user_id, person_id) VALUES (?, ?)", (user, id_))
        return id_

    def order(
        self, id_: int, person: int | None, *, at: int | None = None, verdict: str = "candidate", status: str = "completed",
        total: int = 10_000_000, products: tuple[int, ...] = (1,),
    ) -> int:  # fmt: skip
        """An order as the ledger has it."""
        doc = OrderDoc(lines=tuple((product, 0, 1, "n") for product in products))
        with self.state.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO shop_order (id, person_id, verdict, status, total, created, crc, doc)"
                " VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
                (id_, person, verdict, status, total, self.now if at is None else at, msgspec.json.encode(doc)),
            )
            if person is not None:
                sql.execute(
                    "INSERT INTO trait_stale (person_id) VALUES (?) ON CONFLICT DO UPDATE SET traits = 0", (person,)
                )
        return id_

    def event(
        self, topic: str, object_id: int, person: int | None = None, *, at: int | None = None, sub: int = 0, detail: str = "",
        found: bool = False, outbox: int | None = None,
    ) -> int:  # fmt: skip
        """A line of the event monitor, as a pass writes it."""
        moment = (self.now if at is None else at) * 1000 + 5
        number = (
            self.state.rows("SELECT COALESCE(MAX(outbox_id), 0) + 1 FROM event")[0][0] if outbox is None else outbox
        )
        self.state.sql.execute(
            "INSERT OR REPLACE INTO event (outbox_id, at, done_at, topic, object_id, sub_id, detail, label, person_id, outcome,"
            " reason, live) VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, 'changed', '', 0)",
            (None if found else number, moment, self.now * 1000, topic, object_id, sub, detail, person),
        )
        return int(number)

    def act(
        self, kind: str, object_id: int, person: int | None, *, at: int | None = None, sub: int = 0, visitor: str = "",
        outbox: int | None = None,
    ) -> None:  # fmt: skip
        """What a visitor did."""
        number = self.state.rows("SELECT COALESCE(MAX(outbox_id), 1000000) + 1 FROM activity")[0][0]
        self.state.sql.execute(
            "INSERT INTO activity (outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail) VALUES (?, ?, ?, ?, ?, ?, ?, '')",
            (outbox or number, (self.now if at is None else at) * 1000 + 5, kind, visitor, person, object_id, sub),
        )


def alone(folder: Path, zone: tzinfo = WARSAW, now: int = NOW) -> Yard:
    """A yard without a shop's database: who asks it fails."""
    return Yard(Config(state=Folder(dir=str(folder))), zone, now)
