"""What hints say changed, read again from the shop into the state: orders, accounts, products. One function a family."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence

import msgspec

from sidecar.store import person as store_person
from sidecar.store import products as store_products
from sidecar.store.model import Order, Product
from sidecar.sync import accounts as sync_accounts
from sidecar.sync import orders as sync_orders
from sidecar.sync import refund_rates
from sidecar.sync.session import Session

_encode = msgspec.json.encode


def accounts(session: Session, user_ids: Collection[int]) -> None:
    """Accounts that came, changed, moved or went, with their orders where these may belong to somebody else now."""
    again = sync_accounts.some(session, sorted(user_ids))
    if again:
        sync_orders.of_accounts(session, again)


def orders(session: Session, ids: Collection[int]) -> dict[int, Order]:
    """Orders with all their refunds, those we know and those the shop has now: deleting a refund tells nobody.

    Returns those that exist.
    """
    if not ids:
        return {}
    wanted = set(ids)
    wanted.update(store_person.refunds_of(session.reader, session.info.storage, sorted(wanted)))
    rows = session.state.rows(
        "SELECT id FROM shop_order WHERE verdict = 'refund' AND parent_id IN (SELECT value FROM json_each(?))",
        (_encode(sorted(wanted)).decode(),),
    )
    wanted.update(row[0] for row in rows)
    found = sync_orders.restage(session, sorted(wanted))
    strange = {line[0] for order in found for line in order.lines if line[0] and line[0] not in session.products}
    if strange and _learn(session, store_products.some(session.reader, strange)):
        # A product that is new since the session began: its lines were kept as those of a deleted one.
        names = [order.id for order in found if any(line[0] in strange for line in order.lines)]
        found = [order for order in found if order.id not in set(names)] + sync_orders.restage(session, names)
    parents = wanted | {order.parent_id for order in found if order.kind == "refund"}
    refund_rates.settle(session, sorted(parents))
    return {order.id: order for order in found}


def unfinished(session: Session, order: Order) -> bool:
    """Whether an order looks as if its other half were still to be written: paid without lines, or nobody's yet."""
    if order.kind != "order" or order.status in ("trash", "checkout-draft", "auto-draft"):
        return False
    nobody = not order.email.strip() and not order.customer_id
    return nobody or (order.status in session.loaded_statuses and not order.lines) or order.total is None


def products(session: Session, ids: Collection[int]) -> tuple[set[int], list[int]]:
    """Products that changed or went. Returns who bought one whose title, category or kind is another now, and the
    orders whose lines must keep a name because their product is gone (they have been read again)."""
    if not ids:
        return set(), []
    now = store_products.some(session.reader, ids)
    before = dict(
        session.state.rows(
            "SELECT id, crc FROM product WHERE id IN (SELECT value FROM json_each(?))",
            (_encode(sorted(now.keys() | ids)).decode(),),
        )
    )
    gone = [id_ for id_ in ids if id_ not in now and (id_ in before or id_ in session.products)]
    changed = [id_ for id_, product in now.items() if id_ in before and before[id_] != _crc(product)]
    buyers: set[int] = set()
    nameless: list[int] = []
    for id_ in [*gone, *changed]:
        # As in catalogue.py: lines stand in the ledger as [[product, variation, quantity, name], …].
        found = session.state.rows(
            "SELECT id, person_id FROM shop_order WHERE verdict = 'candidate' AND instr(CAST(doc AS TEXT), ?)",
            (f"[{id_},",),
        )
        buyers.update(row[1] for row in found if row[1] is not None)
        if id_ in gone:
            nameless += [row[0] for row in found]
    for id_ in gone:
        session.products.pop(id_, None)
    if gone:
        with session.state.transaction() as sql:
            sql.executemany("DELETE FROM product WHERE id = ?", [(id_,) for id_ in gone])
    _learn(session, now)
    if nameless:
        sync_orders.restage(session, sorted(set(nameless)))
    session.registry.touch(buyers)
    return buyers, nameless


def _learn(session: Session, found: dict[int, Product]) -> bool:
    """Know these products as they are now. Whether there is any."""
    session.products.update(found)
    with session.state.transaction() as sql:
        sql.executemany(
            "INSERT INTO product VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET crc = excluded.crc",
            [(id_, _crc(product)) for id_, product in found.items()],
        )
    return bool(found)


def _crc(product: Product) -> int:
    return zlib.crc32(msgspec.json.encode(product))


def unknown_accounts(session: Session, user_ids: Iterable[int]) -> set[int]:
    """Those of these accounts that the state has not seen: an order may come with its account in one request."""
    wanted = {id_ for id_ in user_ids if id_}
    return wanted - session.registry.of_accounts(wanted).keys()


def titles(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The titles of products, as far as they are known."""
    return {id_: session.products[id_].title for id_ in ids if id_ in session.products}
