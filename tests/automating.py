"""What tests of the engine share: a shop whose people are known, automations that are on, a clock, effects that write down what was
done, and deaths: a process that dies at a certain point of its work."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from bridging import install
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import run

from sidecar.automations import engine, enrolments, versions
from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.effects import ContactWish, CouponWish, HookWish, NoteWish, Outcome
from sidecar.automations.enrolments import Enrolment, Entry
from sidecar.automations.model import Automation, ByHand, ChannelName, Send, Text
from sidecar.automations.place import Item, Place, Written
from sidecar.automations.worked import Worked
from sidecar.config import Config
from sidecar.mysql.connection import Reader
from sidecar.segments.evaluate import Moment
from sidecar.segments.model import Segment
from sidecar.state.database import State
from sidecar.store.schema import ShopInfo, probe
from sidecar.values import email

HOUR, DAY = 3600, 86_400
_OF_ORDERS = (
    ("wc_orders", "id"), ("wc_order_addresses", "order_id"), ("wc_orders_meta", "order_id"), ("posts", "ID"),
    ("postmeta", "post_id"), ("woocommerce_order_items", "order_id"),
)  # fmt: skip
TEXT = {"en": Text(subject="s", body="b", short="s")}


def unix(text: str) -> int:
    """Unix seconds of `2026-11-02 12:00` UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


# A Monday, eleven o'clock in Warsaw: no quiet hours.
NOW = unix("2026-11-02 10:00")


class Killed(BaseException):
    """The process is gone: no handler of ours sees it."""


class Death:
    """Counts the points at which a process may die, and dies at the one that is wanted."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.at is not None and self.passed == self.at:
            raise Killed


class MortalState(State):
    """A state whose process may die just before and just after each transaction ends."""

    death: Death

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with super().transaction() as sql:
            yield sql
            self.death.point()
        self.death.point()


class Recorder:
    """The world: what came to it, by key. `knows`: the channels know keys, as FluentCRM's queue does; else the same key handed over
    twice is two messages. `answers`: what it says of a key instead of taking it."""

    def __init__(self, death: Death) -> None:
        self.death = death
        self.knows = False
        self.sent: list[Outgoing] = []
        self.answers: list[Handed | str] = []
        self.done: dict[str, list[Any]] = {"coupons": [], "contacts": [], "notes": [], "hooks": []}
        self.calls = 0
        self.largest = 0
        self.before: Callable[[Sequence[Outgoing]], None] | None = None

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        self.calls += 1
        self.largest = max(self.largest, len(batch))
        if self.before is not None:
            self.before(batch)
        found = []
        for one in batch:
            self.death.point()
            answer = self.answers.pop(0) if self.answers else "sent"
            if isinstance(answer, str):
                answer = Handed(key=one.key, state=answer)  # type: ignore[arg-type]
            if answer.state in ("sent", "queued") and not (self.knows and one.key in {was.key for was in self.sent}):
                self.sent.append(one)
            self.death.point()
            found.append(msgspec.structs.replace(answer, key=one.key))
        return found

    def asked(self, keys: Sequence[str]) -> dict[str, Handed]:
        if not self.knows:
            return {}
        return {one.key: Handed(key=one.key, state="queued") for one in self.sent if one.key in keys}

    def coupons(self, wishes: Sequence[CouponWish]) -> list[Outcome]:
        return self._made("coupons", wishes)

    def contacts(self, wishes: Sequence[ContactWish]) -> list[Outcome]:
        return self._made("contacts", wishes)

    def notes(self, wishes: Sequence[NoteWish]) -> list[Outcome]:
        return self._made("notes", wishes)

    def hooks(self, wishes: Sequence[HookWish]) -> list[Outcome]:
        return self._made("hooks", wishes)

    def _made(self, kind: str, wishes: Sequence[Any]) -> list[Outcome]:
        found = []
        for wish in wishes:
            self.death.point()
            if wish.key not in {one.key for one in self.done[kind]}:
                self.done[kind].append(wish)
            self.death.point()
            found.append(Outcome(key=wish.key, state="done", id=7, value=getattr(wish, "code", "")))
        return found


class Words:
    """Texts as they stand. A subject `BROKEN` cannot be sent, a template `BROKEN` is broken."""

    def messages(self, wanted: Sequence[tuple[Item, Send, ChannelName]]) -> list[Written]:
        found = []
        for item, send, channel in wanted:
            assert item.message, "a link in it names the row"
            text = next(iter(send.texts.values()))
            code = next(reversed(item.data.coupons.values()), "") if item.data.coupons else ""
            problems = ("a merge tag is broken",) if text.subject == "BROKEN" else ()
            found.append(
                Written(language="en", subject=text.subject, text=f"{channel} {code}".strip(), problems=problems)
            )
        return found

    def texts(self, wanted: Sequence[tuple[Item, str]]) -> list[str | None]:
        return [None if template == "BROKEN" else template for _, template in wanted]


class Ways:
    """Which channels there are. Chat ids and the like by person."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.there: dict[ChannelName, str] = {"email": "mail", "sms": "gateway", "telegram": "bot"}
        self.broken: set[ChannelName] = set()
        self.chats: dict[int, str] = {}

    def providers(self) -> Mapping[ChannelName, str]:
        return self.there

    def off(self) -> set[ChannelName]:
        return self.broken

    def knows(self, provider: str) -> bool:
        return self._recorder.knows

    def addresses(self, channel: ChannelName, people: Sequence[int]) -> dict[int, str]:
        return self.chats


class Keeper(Shopkeeper):
    """The shop's owner on one connection."""

    def __init__(self, shop: ShopDatabase) -> None:
        super().__init__(shop)
        self.connection = shop.connect()
        self.do("SET SESSION sql_mode=''")

    def do(self, sql: str, *arguments: object) -> int:
        with self.connection.cursor() as cursor:
            return int(cursor.execute(sql, arguments or None))

    def one(self, sql: str, *arguments: object) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments or None)
            row = cursor.fetchone()
        return row[0] if row else None


class World:
    """A shop and its automations. `now` moves by hand."""

    def __init__(self, shop: ShopDatabase, config: Config, segments: tuple[Segment, ...] = ()) -> None:
        self.shop, self.config, self.segments = shop, config, segments
        self.keeper = Keeper(shop)
        self.now = NOW
        self.death = Death()
        self.recorder = Recorder(self.death)
        self.words = Words()
        self.ways = Ways(self.recorder)
        self.reader = Reader(config)
        self.info: ShopInfo = probe(self.reader)
        self.state = self.opened()
        self.start: Callable[[str, Entry], str] | None = None
        self.held = False
        self._before = self.keeper.next_id() - 1

    def opened(self) -> MortalState:
        """Another connection to the state, as another process has it."""
        state = MortalState(self.config.state.dir)
        state.death = self.death
        return state

    def close(self) -> None:
        """The shop is as it was, but for contacts, which `subscribed` makes what they should be."""
        self.reader.close()
        self.state.close()
        if self.keeper.next_id() - 1 == self._before:
            tables: tuple[tuple[str, str], ...] = ()
        else:
            tables = _OF_ORDERS
        if not self.keeper.hpos:
            tables = tuple(one for one in tables if not one[0].startswith("wc_"))
        for table, column in tables:
            self.keeper.do(f"DELETE FROM wp_{table} WHERE {column} > %s", self._before)
        self.keeper.do("DELETE FROM wp_fcsc_carts")
        self.keeper.connection.close()

    # --- people ----------------------------------------------------------------------------------------------

    def person(self, address: str) -> int:
        """The id of somebody by their address."""
        identity = email.identity(address)
        assert identity
        return int(self.state.rows("SELECT id FROM person WHERE key = ?", (self.state.key(identity),))[0][0])

    def subscribed(self, count: int) -> list[int]:
        """So many people who may get marketing by e-mail."""
        rows = self.state.rows(
            "SELECT id, contact_id FROM person WHERE contact_id IS NOT NULL AND verdict = 'in' ORDER BY id LIMIT ?",
            (count,),
        )
        assert len(rows) == count
        self.keeper.do(
            "UPDATE wp_fc_subscribers SET status = 'subscribed', phone = CONCAT('+48501', LPAD(id, 6, '0')), timezone = ''"
            " WHERE id IN %s",
            [row[1] for row in rows],
        )
        return [row[0] for row in rows]

    def newcomer(self, person: int) -> None:
        """They have ordered nothing, as far as anybody knows."""
        self.state.sql.execute("DELETE FROM shop_order WHERE person_id = ?", (person,))

    def contact_of(self, person: int) -> int:
        return int(self.state.rows("SELECT contact_id FROM person WHERE id = ?", (person,))[0][0])

    def contact(self, contact: int, **columns: str) -> None:
        for name, value in columns.items():
            self.keeper.do(f"UPDATE wp_fc_subscribers SET {name} = %s WHERE id = %s", value, contact)

    def address(self, person: int) -> str:
        return str(
            self.shop.rows("SELECT email FROM wp_fc_subscribers WHERE id = %s", (self.contact_of(person),))[0][0]
        )

    def segmented(self) -> None:
        """What rules ask about is up to date."""
        from sidecar.segments import membership

        membership.refresh(self.state, self.segments, self.now, self.info.zone)

    def said(self, person: int, channel: str, word: str) -> None:
        self.state.sql.execute(
            "INSERT INTO consent (person_id, channel, state, source, wording, at) VALUES (?, ?, ?, 'test', '', ?)",
            (person, channel, word, self.now),
        )

    # --- what is in the shop ------------------------------------------------------------------------------------

    def at(self, moment: int | None = None) -> str:
        return datetime.fromtimestamp(self.now if moment is None else moment, UTC).strftime("%Y-%m-%d %H:%M:%S")

    def cart(self, person: int, *, lines_: tuple[tuple[int, int], ...] = ((1, 0),), **columns: Any) -> int:
        """A cart of that person as the plugin has it: (product, variation) of each line."""
        lines = [{"product_id": a, "variation_id": b, "quantity": 1, "total": "10.0000"} for a, b in lines_]
        row = {
            "visitor": f"{int(self.keeper.one('SELECT COALESCE(MAX(id), 0) + 1 FROM wp_fcsc_carts')):032x}", "user_id": 0,
            "email": self.address(person), "consent": "", "status": "open", "order_id": 0, "currency": "PLN", "total": "10",
            "items": msgspec.json.encode(lines).decode(), "coupons": "", "language": "pl_PL",
            "created_gmt": self.at(self.now - HOUR), "updated_gmt": self.at(self.now - HOUR // 2),
        } | columns  # fmt: skip
        self.keeper.do(
            f"INSERT INTO wp_fcsc_carts ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", *row.values()
        )
        return int(self.keeper.one("SELECT MAX(id) FROM wp_fcsc_carts"))

    # --- automations -------------------------------------------------------------------------------------------

    def on(self, *steps: Any, name: str = "one", trigger: Any = None, **how: Any) -> Automation:
        """An automation that is switched on."""
        made = Automation(name=name, title=name.title(), trigger=trigger or ByHand(), steps=steps, **how)
        versions.row(self.state, name)
        self.state.sql.execute("UPDATE automation SET running = 1 WHERE name = ?", (name,))
        return made

    def enter(self, automation: Automation, person: int, subject: str = "", **how: Any) -> int:
        """The id of the enrolment."""
        entry = Entry(person_id=person, subject=subject, at=how.pop("at", self.now), **how)
        assert enrolments.enter(self.state, versions.row(self.state, automation.name), automation, [entry]) == 1
        return int(self.state.rows("SELECT MAX(id) FROM enrolment")[0][0])

    def place(self, state: State | None = None, reader: Reader | None = None, **how: Any) -> Place:
        zone = self.info.zone
        at = Moment(now=self.now, zone=zone, segments={one.slug: one for one in self.segments}, tops={})
        return Place(
            config=self.config, state=state or self.state, reader=reader or self.reader, info=self.info, now=self.now,
            effects=self.recorder, writer=self.words, reach=self.ways, at=at, held=self.held, start=self.start,
            until=1e18, clock=lambda: float(self.now), **how,
        )  # fmt: skip

    def work(self, after: int = 0, **how: Any) -> Worked:
        """The engine works off what is due, `after` seconds from now."""
        self.now += after
        return engine.run(self.place(**how))

    def one(self, id_: int) -> Enrolment:
        found = enrolments.get(self.state, id_)
        assert found is not None
        return found

    def steps(self, id_: int) -> list[tuple[str, str, str]]:
        """(step, outcome, reason) of all that is over, in their order."""
        rows = self.state.rows("SELECT step, outcome, reason, at FROM step_done WHERE enrolment_id = ?", (id_,))
        spec = versions.specs(self.state, [self.one(id_).version_id])[self.one(id_).version_id]
        places = {step.id: number for number, step in enumerate(spec.steps)}
        return [row[:3] for row in sorted(rows, key=lambda row: places[row[0]])]

    def messages(self) -> list[tuple[Any, ...]]:
        return self.state.rows("SELECT enrolment_id, step, state, reason FROM message ORDER BY id")


def prepared(shop: ShopDatabase, config: Config) -> None:
    """The shop's people are known, the plugin is there."""
    run(config)
    install(shop)


def copied(config: Config, folder: Path) -> Config:
    """The same shop with a copy of the state."""
    shutil.copytree(config.state.dir, folder)
    return msgspec.structs.replace(config, state=msgspec.structs.replace(config.state, dir=str(folder)))
