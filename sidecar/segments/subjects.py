"""Some people as the naive evaluator wants them, read from the state."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sidecar.people.model import OrderDoc
from sidecar.segments.evaluate import Act, Order, Subject
from sidecar.segments.traits import COLUMNS, fold
from sidecar.state.database import State

_document = msgspec.json.Decoder(OrderDoc).decode
_THESE = "person_id IN (SELECT value FROM json_each(?))"
_NO_DOC = OrderDoc()


def load(state: State, ids: Sequence[int]) -> dict[int, Subject]:
    """These people; those without traits (no contacts) are missing."""
    wanted = (msgspec.json.encode(list(ids)).decode(),)
    categories: dict[int, frozenset[str]] = {}
    orders: dict[int, list[Order]] = {}
    acts: dict[int, list[Act]] = {}
    documents = [
        (person, at, _document(doc) if doc else _NO_DOC)
        for person, at, doc in state.rows(
            "SELECT c.person_id, c.at, o.doc FROM counted_order c JOIN shop_order o ON o.id = c.order_id"
            f" WHERE c.{_THESE}",
            wanted,
        )
    ]
    done = state.rows(f"SELECT person_id, at / 1000, kind, object_id FROM activity WHERE {_THESE}", wanted)
    products = {line[0] for _, _, doc in documents for line in doc.lines} | {row[3] for row in done}
    for id_, category in state.rows(
        "SELECT product_id, category FROM product_category WHERE product_id IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(sorted(products)).decode(),),
    ):
        categories[id_] = categories.get(id_, frozenset()) | {category}
    for person, at, doc in documents:
        bought = frozenset(line[0] for line in doc.lines)
        of = frozenset(category for id_ in bought for category in categories.get(id_, ()))
        orders.setdefault(person, []).append(Order(at, bought, of, frozenset(map(fold, doc.coupons))))
    for person, at, kind, product in done:
        acts.setdefault(person, []).append(Act(at, kind, product, categories.get(product, frozenset())))
    return {
        row[0]: Subject(
            traits=dict(zip(COLUMNS, row[1:], strict=True)),
            orders=tuple(orders.get(row[0], ())),
            acts=tuple(acts.get(row[0], ())),
        )
        for row in state.rows(f"SELECT person_id, {', '.join(COLUMNS)} FROM trait WHERE {_THESE}", wanted)
    }
