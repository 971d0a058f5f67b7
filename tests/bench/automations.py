"""`make bench`: the engine with everything that it decides by, on ten thousand enrolments that are due at once, and what a hundred
thousand that ended take of the disk. Not a test: nothing here fails by the clock.

usage: automations.py [CUSTOMERS]
"""

from __future__ import annotations

import os
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("SIDECAR_NOW", "2026-11-01T12:00:00Z")

from automating import Death, Recorder, prepared
from support import ShopDatabase

from sidecar.automations import engine, enrolments, versions
from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.enrolments import Entry
from sidecar.automations.messages.writer import MessageWriter
from sidecar.automations.model import Automation, Branch, ByHand, ChannelName, Coupon, Goal, Send, Text, Wait
from sidecar.automations.place import Place
from sidecar.config import Config, Database, Shop
from sidecar.config import State as Folder
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.shop import build
from sidecar.mysql.connection import Reader
from sidecar.segments.evaluate import Moment
from sidecar.segments.membership import refresh
from sidecar.segments.model import Number, Period
from sidecar.state.database import State
from sidecar.store.schema import probe
from sidecar.values import dates

NOW = dates.utc("2026-11-01 12:00:00") or 0
BODY = "{{ person.greeting }},\n\nwe have something for you at {{ shop.name }}.\n\n{% if coupon %}{{ coupon_box(coupon) }}{% endif %}\n\n{{ product_grid(products) }}"
TEXT = {"en": Text(subject="Something for you", body=BODY)}
STEPS = (
    Branch(id="b", rule=Number("orders_count", 1, None), then="c", otherwise="m"),
    Coupon(id="c", kind="percent", amount="10", expires=Period(days=7)),
    Send(id="m", channels=("email",), texts=TEXT, still=("not_bought",)),
    Wait(id="w", period=Period(days=1)),
    Send(id="n", channels=("email",), texts=TEXT),
)


class World(Recorder):
    """Takes everything at once: what is measured is the sidecar."""

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        self.calls += len(batch)
        return [Handed(key=one.key, state="queued", ref=f"{self.calls}-{number}") for number, one in enumerate(batch)]

    def _made(self, kind: str, wishes: Sequence[Any]) -> list[Any]:
        from sidecar.automations.effects import Outcome

        return [
            Outcome(key=wish.key, state="done", id=number, value=getattr(wish, "code", ""))
            for number, wish in enumerate(wishes, 1)
        ]


class Reach:
    """E-mail alone."""

    def providers(self) -> dict[ChannelName, str]:
        return {"email": "fluentcrm"}

    def off(self) -> set[ChannelName]:
        return set()

    def knows(self, provider: str) -> bool:
        return True

    def addresses(self, channel: ChannelName, people: Sequence[int]) -> dict[int, str]:
        return {}


def line(label: str, value: str) -> None:
    print(f"  {label:<60}{value:>14}", flush=True)


def mib() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() / 2**20


def speed(shop: ShopDatabase, config: Config, count: int) -> None:
    with State(config.state.dir) as state, Reader(config) as reader:
        info = probe(reader)
        refresh(state, [], NOW, info.zone)
        connection = shop.connect()
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("UPDATE wp_fc_subscribers SET status = 'subscribed'")
        people = [row[0] for row in state.rows("SELECT id FROM person WHERE verdict = 'in' AND contact_id IS NOT NULL")]
        spec = Automation(name="bench", title="B", trigger=ByHand(), steps=STEPS, goal=Goal(topics=("order.paid",)))
        row = versions.row(state, "bench")
        state.sql.execute("UPDATE automation SET running = 1")
        entries = [
            Entry(person_id=people[n % len(people)], subject=f"product:{10 + n % 40}:{n // len(people)}", at=NOW)
            for n in range(count)
        ]
        enrolments.enter(state, row, spec, entries)
        effects = World(Death())
        place = Place(
            config=config, state=state, reader=reader, info=info, now=NOW, effects=effects,
            writer=MessageWriter(config, state, reader, info.zone, Reach()), reach=Reach(),
            at=Moment(now=NOW, zone=info.zone, segments={}, tops={}), until=1e18, clock=lambda: float(NOW),
        )  # fmt: skip
        before, started, queries = mib(), time.perf_counter(), reader.queries
        worked, batches = engine.Worked(), []
        place.until = 0.0
        while (some := engine.run(place)).taken:
            worked.taken, worked.steps, worked.sent = (
                worked.taken + some.taken,
                worked.steps + some.steps,
                worked.sent + some.sent,
            )
            batches.append(mib())
        took = time.perf_counter() - started
        line(f"{worked.taken} enrolments due at once: seconds", f"{took:.1f}")
        line("  steps that were done", str(worked.steps))
        line("  messages handed over", str(worked.sent))
        line("  steps a second", f"{worked.steps / took:.0f}")
        line("  queries to the shop for a batch", f"{(reader.queries - queries) / max(1, len(batches)):.1f}")
        line(
            "  memory at the start, after a tenth, at the end (MiB)",
            f"{before:.0f} {batches[len(batches) // 10]:.0f} {batches[-1]:.0f}",
        )


def size(folder: Path, count: int = 100_000) -> None:
    with State(folder) as state:
        empty = (folder / "state.sqlite3").stat().st_size
        spec = Automation(name="bench", title="B", trigger=ByHand(), steps=STEPS)
        row = versions.row(state, "bench")
        for start in range(0, count, 5000):
            entries = [
                Entry(person_id=n // 3, subject=f"cart:{n}:{NOW + n}", at=NOW + n) for n in range(start, start + 5000)
            ]
            enrolments.enter(state, row, spec, entries)
        with state.transaction() as sql:
            for (id_,) in sql.execute("SELECT id FROM enrolment").fetchall():
                sql.executemany(
                    "INSERT INTO step_done VALUES (?, ?, ?, ?, '')",
                    [(id_, step, NOW + id_, "done") for step in ("first", "wait-a-day", "second")],
                )
                sql.executemany(
                    "INSERT INTO message (key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose,"
                    " language, state, ref, decided, handed, sent) VALUES (?, ?, 1, 1, ?, ?, 'email', 'fluentcrm', 'marketing', 'en', 'sent',"
                    " ?, ?, ?, ?)",
                    [
                        (secrets.token_urlsafe(16), id_, step, id_ // 3, str(id_ * 2 + number), (NOW + id_) * 1000, (NOW + id_) * 1000, NOW + id_)
                        for number, step in enumerate(("first", "second"))
                    ],
                )  # fmt: skip
            sql.execute(
                "UPDATE enrolment SET state = 'done', due = NULL, ended = entered + 90000, data = '{\"planned\":0}'"
            )
        state.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        line(
            f"{count} that ended, 3 steps and 2 messages each (MB)",
            f"{((folder / 'state.sqlite3').stat().st_size - empty) / 1e6:.1f}",
        )


def main(customers: int) -> None:
    server = PrivateMariaDB()
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            server.create_database("bench")
            with closing(server.connect("bench")) as connection:
                truth = build(connection, storage="hpos", customers=customers, orders=customers * 3)
            shop = ShopDatabase(server, "bench", "hpos", truth)
            database = Database(unix_socket=shop.socket, user="root", name="bench")
            config = Config(shop=Shop(table_prefix="wp_", database=database), state=Folder(dir=f"{folder}/state"))
            prepared(shop, config)
            speed(shop, config, 10_000)
            size(Path(folder) / "size")
    finally:
        server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
