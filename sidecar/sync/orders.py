"""Step 2: orders. Every order row gets its verdict in the ledger; people whose orders moved need another look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC
from itertools import islice
from typing import Any

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.people import ledger
from sidecar.state import bulk, dead_letters
from sidecar.store.model import Order
from sidecar.store.orders import BUCKET, choose
from sidecar.sync.pages import Ahead, ahead
from sidecar.sync.session import Session
from sidecar.sync.sums import differing
from sidecar.values import dates, email

_encode = msgspec.json.Encoder().encode
_INSERT = (
    "INSERT INTO shop_order (id, parent_id, customer_id, person_id, verdict, status, total, rate, created, crc, doc)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET parent_id = excluded.parent_id,"
    " customer_id = excluded.customer_id, person_id = excluded.person_id, verdict = excluded.verdict,"
    " status = excluded.status, total = excluded.total, rate = excluded.rate, created = excluded.created,"
    " crc = excluded.crc, doc = excluded.doc"
)
_CURSOR = "orders.cursor"
_WALK = "orders.walk"
# Pages that the readers are ahead: about as many as the server gives while the accounts are walked.
_DEPTH = 10
# Pages a transaction: people and customers stand in their indexes in no order, so each transaction writes most of
# those pages again.
_TOGETHER = 4


class Walk:
    """Every order row by primary key, from where an interrupted walk stopped; then what changed meanwhile.

    Reading begins at once, in threads, so that the shop's server works while the accounts are walked; `run` takes what
    was read. Close it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._latest = session.orders.latest()
        self._after = int(session.state.get(_WALK, "0"))
        self._known = bool(session.state.rows("SELECT 1 FROM shop_order WHERE id > ? LIMIT 1", (self._after,)))
        self._pages = _load(session, _pages(session, self._after))
        self._pages.start()

    def run(self) -> None:
        """All pages into the ledger."""
        session = self._session
        total = session.orders.last_id()
        empty = not self._known and not self._after
        with bulk.without_indexes(session.state, "shop_order") if empty else nullcontext():
            while some := list(islice(self._pages, _TOGETHER)):
                with session.state.transaction():
                    for ids, orders in some:
                        stage(session, orders, fresh=not self._known)
                        session.state.set(_WALK, str(ids[-1]))
                session.progress("orders", some[-1][0][-1], total)
        with session.state.transaction():
            session.state.set(_WALK, "0")
            if self._latest:
                session.state.set(_CURSOR, f"{not_ahead(session, self._latest[0])}|{self._latest[1]}")
        if self._known or self._after:
            sweep(session)

    def close(self) -> None:
        """End the reading, wherever it is."""
        self._pages.close()


def changed(session: Session) -> None:
    """What changed since the last run: HPOS by the compound cursor with an overlap, then both storages by digests
    of ranges, which also see deletions and rows whose date did not move."""
    cursor = session.state.get(_CURSOR)
    latest = session.orders.latest()
    if cursor and latest:
        start = not_ahead(session, cursor.partition("|")[0])
        at = dates.utc(start)
        if at is not None:
            start = dates.local_text(max(0, at - session.config.sync.overlap_seconds), UTC)
        place: tuple[str, int] = (start, 0)
        while found := session.orders.changed(place, session.config.sync.page_orders):
            place = found[-1]
            restage(session, sorted(id_ for _, id_ in found))
    sweep(session)
    if latest:
        session.state.set(_CURSOR, f"{not_ahead(session, latest[0])}|{latest[1]}")


def not_ahead(session: Session, at: str) -> str:
    """Where a cursor may stand: an order that is dated into the future (a wrong clock, an importer) would take it past
    everything that is still to come."""
    return min(at, dates.local_text(session.now, UTC))


def sweep(session: Session) -> None:
    """Compare digests of ranges and load again what differs; rows that are gone leave the ledger."""
    lowest, highest = session.state.rows("SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM shop_order")[0]
    first = min([*session.orders.ids(0, 1), *([lowest] if highest else [])], default=0)
    last = max(session.orders.last_id(), highest)
    storage = session.info.storage
    keys = session.order_keys
    stale = differing(
        session.reader, session.state, ("shop_order", "id"), (first, last), keys, lambda reader: choose(reader, storage)
    )

    def load(reader: Reader, bucket: int) -> dict[int, int]:
        return choose(reader, storage).crcs(bucket * BUCKET, (bucket + 1) * BUCKET - 1, keys)

    moved: list[int] = []
    gone: list[int] = []
    for number, (bucket, there) in enumerate(ahead(session.reader, stale, load), 1):
        known = _known(session, bucket)
        moved += [id_ for id_, crc in there.items() if known.get(id_) != crc]
        gone += [id_ for id_ in known if id_ not in there]
        session.progress("changes", number, len(stale))
    _forget(session, gone)
    restage(session, sorted(moved))


def restage(session: Session, ids: Sequence[int]) -> list[Order]:
    """Load some orders again. Returns those that exist."""
    size = session.config.sync.page_orders
    found: list[Order] = []
    for start in range(0, len(ids), size):
        part = ids[start : start + size]
        orders = session.orders.load(part, session.order_keys, session.loaded_statuses)
        with session.state.transaction():
            stage(session, orders)
            _forget(session, sorted(set(part) - {order.id for order in orders}))
        found += orders
    return found


def of_accounts(session: Session, user_ids: Iterable[int]) -> None:
    """Orders of accounts that came, went or moved: they may belong to somebody else now."""
    wanted = msgspec.json.encode(sorted(user_ids)).decode()
    if wanted == "[]":
        return
    rows = session.state.rows(
        "SELECT id FROM shop_order WHERE customer_id > 0 AND customer_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (wanted,),
    )
    restage(session, [row[0] for row in rows])


def _known(session: Session, bucket: int) -> dict[int, int]:
    low, high = bucket * BUCKET, (bucket + 1) * BUCKET - 1
    return dict(session.state.rows("SELECT id, crc FROM shop_order WHERE id BETWEEN ? AND ?", (low, high)))


def _pages(session: Session, after: int) -> Iterator[list[int]]:
    while ids := session.orders.ids(after, session.config.sync.page_orders):
        after = ids[-1]
        yield ids


def _load(session: Session, pages: Iterable[list[int]]) -> Ahead[list[int], list[Order]]:
    storage, keys, paid = session.info.storage, session.order_keys, session.loaded_statuses
    products = session.products

    def load(reader: Reader, ids: list[int]) -> list[Order]:
        return choose(reader, storage, products).load(ids, keys, paid, whole=True)

    return Ahead(session.reader, pages, load, threads=3, depth=_DEPTH)


def stage(session: Session, orders: Sequence[Order], *, fresh: bool = False) -> None:
    """Verdicts into the ledger. Call it in a transaction. `fresh`: none of them stands there yet."""
    rules, state = session.rules, session.state
    old = {} if fresh else _before(session, orders)
    owners = session.registry.of_accounts({order.customer_id for order in orders if order.customer_id})
    firsts = [ledger.before_person(order, rules) for order in orders]
    identities: dict[int, str] = {}
    for order, first in zip(orders, firsts, strict=True):
        if first is None and owners.get(order.customer_id) is None:
            found = ledger.identity(order)
            if found is not None and email.problem(found) is None:
                identities[order.id] = found
    people = session.registry.people(list(identities.values()))
    rows: list[tuple[Any, ...]] = []
    touched: set[int] = set()
    fixed: list[str] = []
    for order, first in zip(orders, firsts, strict=True):
        person = None
        if first is None:
            person = owners.get(order.customer_id)
            if person is None:
                person = people.get(identities.get(order.id, ""))
            verdict = ledger.with_person(order, rules, person is not None)
        else:
            verdict = first
        row = _row(session, order, verdict, person)
        before = old.get(order.id)
        if before is not None and before[2:] == (verdict, person, row[9], row[10]):
            continue
        rows.append(row)
        _touch(touched, before, person, order)
        if verdict in ledger.FAILED:
            dead_letters.add(
                state, "order", f"order:{order.id}", verdict, ledger.REASONS[verdict], run_id=session.run.id
            )
        elif before is not None and before[2] in ledger.FAILED:
            fixed.append(f"order:{order.id}")
        if before is not None and before[3] is not None and verdict == "anonymised":
            state.sql.execute("UPDATE person SET reason = 'anonymised' WHERE id = ?", (before[3],))
    state.sql.executemany(_INSERT, rows)
    dead_letters.resolve(state, "order", fixed)
    session.counts.orders_read += len(orders)
    session.counts.orders_changed += len(rows)
    _touch_parents(session, rows)
    session.registry.touch(touched)


def _before(session: Session, orders: Sequence[Order]) -> dict[int, tuple[Any, ...]]:
    wanted = msgspec.json.encode([order.id for order in orders]).decode()
    rows = session.state.rows(
        "SELECT id, parent_id, verdict, person_id, crc, doc FROM shop_order WHERE id IN (SELECT value FROM json_each(?))",
        (wanted,),
    )
    return {row[0]: row for row in rows}


def _row(session: Session, order: Order, verdict: str, person: int | None) -> tuple[Any, ...]:
    total, rate = order.total, None
    if total is not None and abs(total) > ledger.MOST:
        total = None
    if verdict == "candidate":
        assert total is not None
        if order.currency and order.currency != session.rules.currency:
            rate = ledger.rate(order, session.rules)
            total = ledger.convert(total, rate) if rate else total
    doc = None
    if person is not None:
        doc = _encode(ledger.document(order, session.rules))
    status = ledger.status(order, session.rules)
    return (
        order.id, order.parent_id, order.customer_id, person, verdict, status, total, rate, order.created, order.crc, doc,
    )  # fmt: skip


def _touch(touched: set[int], before: tuple[Any, ...] | None, person: int | None, order: Order) -> None:
    if before is not None and before[3] is not None:
        touched.add(before[3])
    if person is not None:
        touched.add(person)


def _touch_parents(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """A refund that came or changed concerns the person of its order; in another currency it takes its order's rate."""
    refunds = [row for row in rows if row[4] == "refund"]
    if not refunds:
        return
    sql = session.state.sql
    sql.executemany(
        "UPDATE person SET dirty = 1 WHERE id = (SELECT person_id FROM shop_order WHERE id = ?)",
        [(row[1],) for row in refunds],
    )


def _forget(session: Session, ids: Sequence[int]) -> None:
    """Orders that are deleted in the shop leave the ledger; their people and parents' people are looked at again."""
    if not ids:
        return
    wanted = msgspec.json.encode(list(ids)).decode()
    with session.state.transaction() as sql:
        sql.execute(
            "UPDATE person SET dirty = 1 WHERE id IN (SELECT person_id FROM shop_order"
            " WHERE id IN (SELECT value FROM json_each(?1)) UNION SELECT o.person_id FROM shop_order r"
            " JOIN shop_order o ON o.id = r.parent_id WHERE r.id IN (SELECT value FROM json_each(?1)))",
            (wanted,),
        )
        sql.execute("DELETE FROM shop_order WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
        dead_letters.resolve(session.state, "order", [f"order:{id_}" for id_ in ids])
