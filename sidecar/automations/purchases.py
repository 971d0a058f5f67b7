"""Which orders somebody has placed since a moment, asked of the shop's own tables now: by account, e-mail, phone, and the cart.

What the ledger knows is read again by its ids; what is too new for it is found among the latest orders, whoever they are of. Both
order storages can do both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from sidecar.automations.known import Cart, Purchase
from sidecar.automations.place import Place
from sidecar.people.identity import Registry
from sidecar.store.model import Order
from sidecar.store.orders import OrderReader, choose
from sidecar.values import email, phone

# Orders as new as this are looked for among all of the shop's; so are those since somebody entered, up to a week ago.
FRESH, _LONGEST = 6 * 3600, 7 * 86_400
_PAGE, _PAGES = 1000, 8


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose orders are wanted, since when (Unix seconds), and by what else than their account and address they are known: a phone
    (E.164), the cart. `order`: one that is wanted in any case; `products`: whether it matters what was bought."""

    id: int
    person_id: int
    since: int
    phone: str = ""
    cart: Cart | None = None
    order: int = 0
    products: bool = False


def load(place: Place, buyers: Sequence[Buyer]) -> dict[int, tuple[Purchase, ...]]:
    """{id of the buyer: their orders since then, the oldest first}; the wanted `order` is among them whenever it was placed, and
    whoever it is of by now."""
    reader = choose(place.reader, place.info.storage)
    people: dict[int, int] = {}
    for one in buyers:
        people[one.person_id] = min(one.since, people.get(one.person_id, one.since))
    ledger = _ledger(place, people)
    visits = _visits(place, buyers)
    recent = _recent(place, reader, min((one.since for one in buyers), default=place.now))
    wanted = {one.order for one in buyers} | {one.cart.order_id for one in buyers if one.cart}
    visited = {id_ for found in visits.values() for id_ in found}
    ids = sorted((set(recent) | ledger.keys() | wanted | visited) - {0})
    orders = [order for order in reader.load(ids, (), ()) if order.kind == "order"] if ids else []
    owners = _Owners(place, reader, orders, recent if any(one.phone for one in buyers) else ())
    found: dict[int, list[Order]] = {}
    for one in buyers:
        mine = owners.of(one) | set(visits.get(one.id, ()))
        always = {one.order, one.cart.order_id if one.cart else 0}
        found[one.id] = [
            order for order in orders
            if order.id in always
            or ((ledger.get(order.id) == one.person_id or order.id in mine) and (order.created or 0) >= one.since)
        ]  # fmt: skip
    lines = _lines(reader, found, [one.id for one in buyers if one.products])
    others = {one.id: one.order for one in buyers if one.order and owners.other(one)}
    return {
        id_: tuple(_purchase(place, order, lines, theirs=others.get(id_) != order.id) for order in mine)
        for id_, mine in found.items()
    }


def _purchase(place: Place, order: Order, lines: Mapping[int, Sequence[tuple[int, int]]], theirs: bool) -> Purchase:
    status = place.config.people.status_map.get(order.status, order.status).removeprefix("wc-")
    return Purchase(
        id=order.id, status=status, created=order.created or 0, total=order.total or 0,
        products=frozenset(part for line in lines.get(order.id, ()) for part in line if part),
        wares=tuple(dict.fromkeys(line[1] or line[0] for line in lines.get(order.id, ()) if any(line))), theirs=theirs,
    )  # fmt: skip


def _ledger(place: Place, people: Mapping[int, int]) -> dict[int, int]:
    """{order: person} of what the ledger has of these people since then."""
    rows = place.state.rows(
        "SELECT id, person_id, created FROM shop_order WHERE person_id IN (SELECT value FROM json_each(?))"
        " AND created >= ?",
        (_json(people), min(people.values(), default=place.now)),
    )
    return {row[0]: row[1] for row in rows if row[2] >= people[row[1]]}


def _visits(place: Place, buyers: Sequence[Buyer]) -> dict[int, list[int]]:
    """{id of the buyer: orders that the visitor of their cart placed since then}."""
    visitors: dict[str, list[Buyer]] = {}
    for one in buyers:
        if one.cart and one.cart.visitor:
            visitors.setdefault(one.cart.visitor, []).append(one)
    if not visitors:
        return {}
    found: dict[int, list[int]] = {}
    for visitor, order, at in place.state.rows(
        "SELECT visitor, object_id, at / 1000 FROM activity WHERE kind = 'order' AND visitor <> ''"
        " AND visitor IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(sorted(visitors)).decode(),),
    ):
        for one in visitors[visitor]:
            if at >= one.since:
                found.setdefault(one.id, []).append(order)
    return found


def _recent(place: Place, reader: OrderReader, since: int) -> list[int]:
    """Ids of the shop's orders from then on, or from a little before: above the last one that the ledger has from before."""
    begin = max(place.now - _LONGEST, min(since, place.now - FRESH))
    rows = place.state.rows("SELECT id FROM shop_order WHERE created < ? ORDER BY id DESC LIMIT 1", (begin,))
    after = rows[0][0] if rows else 0
    found: list[int] = []
    for _ in range(_PAGES):
        page = reader.ids(after, _PAGE)
        found += page
        if len(page) < _PAGE:
            break
        after = page[-1]
    else:
        # More than that are an import: those at its end are looked at, too, which the ledger may not have yet.
        last = place.state.rows("SELECT COALESCE(MAX(id), 0) FROM shop_order")[0][0]
        found += [id_ for id_ in reader.ids(max(after, last - _PAGE), 2 * _PAGE) if id_ > after]
    return found


class _Owners:
    """Whose each of some orders is."""

    def __init__(self, place: Place, reader: OrderReader, orders: Sequence[Order], called: Collection[int]) -> None:
        registry = Registry(place.state)
        self._ids: dict[tuple[str, object], set[int]] = {}
        addresses = {order.id: email.identity(order.email) for order in orders}
        keys = registry.keys({text for text in addresses.values() if text})
        known = registry.find(list(keys.values()))
        accounts = registry.of_accounts({order.customer_id for order in orders if order.customer_id})
        self._addressed = {id_ for id_, text in addresses.items() if text}
        numbers = _numbers(place, reader, called)
        for order in orders:
            address = addresses[order.id]
            person = known.get(keys[address]) if address else None
            for kind, value in (
                ("person", person), ("person", accounts.get(order.customer_id)), ("email", address),
                ("user", order.customer_id), ("phone", numbers.get(order.id)),
            ):  # fmt: skip
                if value:
                    self._ids.setdefault((kind, value), set()).add(order.id)

    def other(self, buyer: Buyer) -> bool:
        """Whether the order that they are in for has somebody else's address and account by now."""
        return buyer.order in self._addressed - self._ids.get(("person", buyer.person_id), set())

    def of(self, buyer: Buyer) -> set[int]:
        ways: list[tuple[str, object]] = [("person", buyer.person_id)]
        if buyer.phone:
            ways.append(("phone", buyer.phone))
        if buyer.cart:
            ways += [("email", email.identity(buyer.cart.email)), ("user", buyer.cart.user_id)]
        return set().union(*(self._ids.get(way, set()) for way in ways))


def _numbers(place: Place, reader: OrderReader, ids: Collection[int]) -> dict[int, str]:
    """The phones of orders as E.164."""
    found: dict[int, str] = {}
    for id_, (billing, _) in (reader.addresses(list(ids)) if ids else {}).items():
        number = phone.normalize(billing.phone, billing.country or place.info.country).e164
        if number:
            found[id_] = number
    return found


def _lines(
    reader: OrderReader, found: Mapping[int, Sequence[Order]], asking: Iterable[int]
) -> dict[int, list[tuple[int, int]]]:
    """What is in the orders of those who ask: (product, variation or 0)."""
    wanted = {order.id: order.status for id_ in asking for order in found[id_]}
    if not wanted:
        return {}
    return {
        order.id: [(line[0], line[1]) for line in order.lines]
        for order in reader.load(sorted(wanted), (), set(wanted.values()))
    }


def _json(ids: Iterable[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
