"""What else to show: the shop's own cross-sells, then its upsells, then what others bought together with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from sidecar.automations.messages.model import Product
from sidecar.automations.messages.products import Catalogue
from sidecar.people.model import OrderDoc
from sidecar.state.database import State

MOST = 4
# The newest orders tell what goes together; older ones would only make it slower.
_ORDERS = 5000
_CANDIDATES = 12
_document = msgspec.json.Decoder(OrderDoc).decode


def bought(state: State, people: Collection[int]) -> dict[int, set[int]]:
    """The products that people have bought, as counted orders say."""
    found: dict[int, set[int]] = {}
    for person, doc in state.rows(
        "SELECT c.person_id, o.doc FROM counted_order c JOIN shop_order o ON o.id = c.order_id"
        " WHERE c.person_id IN (SELECT value FROM json_each(?)) AND o.doc IS NOT NULL",
        (msgspec.json.encode(sorted(people)).decode(),),
    ):
        found.setdefault(person, set()).update(line[0] for line in _document(doc).lines)
    return found


def last_order(state: State, people: Collection[int]) -> dict[int, list[int]]:
    """The products of people's last counted order, for messages that are about nothing in particular."""
    found: dict[int, list[int]] = {}
    for person, doc in state.rows(
        "SELECT c.person_id, o.doc FROM counted_order c JOIN shop_order o ON o.id = c.order_id"
        " WHERE c.person_id IN (SELECT value FROM json_each(?)) AND o.doc IS NOT NULL"
        " AND c.at = (SELECT MAX(at) FROM counted_order WHERE person_id = c.person_id)",
        (msgspec.json.encode(sorted(people)).decode(),),
    ):
        found[person] = list(dict.fromkeys(line[0] for line in _document(doc).lines))
    return found


def counts(state: State, wanted: Collection[int]) -> dict[int, list[int]]:
    """{product: others, those bought together with it most often first}, over the newest orders."""
    pairs: dict[int, Counter[int]] = {}
    if not wanted:
        return {}
    these = frozenset(wanted)
    for (doc,) in state.rows(
        "SELECT doc FROM shop_order WHERE verdict = 'candidate' AND doc IS NOT NULL ORDER BY id DESC LIMIT ?",
        (_ORDERS,),
    ):
        products = {line[0] for line in _document(doc).lines if line[0] > 0}
        for product in products & these:
            pairs.setdefault(product, Counter()).update(products - {product})
    return {
        product: [other for other, _ in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:_CANDIDATES]]
        for product, found in pairs.items()
    }


def named(id_: int, catalogue: Catalogue) -> tuple[int, ...]:
    """What the shop itself names for a product."""
    found = catalogue.get(id_)
    return found.others if found else ()


def short(id_: int, catalogue: Catalogue) -> bool:
    """Whether of these too few can be shown."""
    return len(choose(named(id_, catalogue), {id_}, catalogue)) < MOST


def candidates(base: Sequence[int], catalogue: Catalogue, together: Mapping[int, Sequence[int]]) -> list[int]:
    """What goes with these products, the best first."""
    own = [other for id_ in base for other in named(id_, catalogue)]
    return list(dict.fromkeys([*own, *(other for id_ in base for other in together.get(id_, ()))]))


def choose(ids: Sequence[int], without: Collection[int], catalogue: Catalogue) -> tuple[Product, ...]:
    """Up to MOST of them that the shop sells and has, and that the person has not got."""
    chosen: list[Product] = []
    for id_ in ids:
        found = catalogue.get(id_)
        if found is None or not found.published or not found.shown.in_stock:
            continue
        if found.shown.id in without or any(found.shown.id == other.id for other in chosen):
            continue
        chosen.append(found.shown)
        if len(chosen) == MOST:
            break
    return tuple(chosen)
