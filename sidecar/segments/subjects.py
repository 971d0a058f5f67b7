"""Some people as the naive evaluator wants them, read from the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sidecar.people.model import OrderDoc
from sidecar.segments.catalogue import FIELDS
from sidecar.segments.evaluate import Act, Held, Order, Subject
from sidecar.segments.traits import COLUMNS, Value, fold, joined
from sidecar.state.database import State

_document = msgspec.json.Decoder(OrderDoc).decode
_THESE = "person_id IN (SELECT value FROM json_each(?))"
_NO_DOC = OrderDoc()
_CONTACT = [(name, field) for name, field in FIELDS.items() if field.table == "contact_trait"]
# Who has no contact in FluentCRM has no value there, not 0 e-mails.
_NO_CONTACT: dict[str, Value] = {name: "" if field.kind == "text" else None for name, field in _CONTACT}
_TERMS = {field.column: name for name, field in FIELDS.items() if field.kind == "terms"}


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
    contact = _contacts(state, wanted)
    values = _values(state, wanted)
    return {
        row[0]: Subject(
            traits=dict(zip(COLUMNS, row[1:], strict=True))
            | contact.get(row[0], _NO_CONTACT)
            | terms(values.get(row[0], {})),
            values=values.get(row[0], {}),
            orders=tuple(orders.get(row[0], ())),
            acts=tuple(acts.get(row[0], ())),
        )
        for row in state.rows(f"SELECT person_id, {', '.join(COLUMNS)} FROM trait WHERE {_THESE}", wanted)
    }


def _contacts(state: State, wanted: tuple[str]) -> dict[int, dict[str, Value]]:
    names = [name for name, _ in _CONTACT]
    columns = ", ".join(field.column for _, field in _CONTACT)
    rows = state.rows(f"SELECT person_id, {columns} FROM contact_trait WHERE {_THESE}", wanted)
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _values(state: State, wanted: tuple[str]) -> dict[int, dict[str, Held]]:
    found: dict[int, dict[str, Held]] = {}
    for person, name, *held in state.rows(
        f"SELECT person_id, name, value, number, moment FROM contact_value WHERE {_THESE}", wanted
    ):
        found.setdefault(person, {})[name] = Held(*held)
    return found


def terms(values: Mapping[str, Held]) -> dict[str, Value]:
    """Tags and lists, as far as rules name them, as sets."""
    return {
        field: joined([name.removeprefix(begin) for name in values if name.startswith(begin)])
        for begin, field in _TERMS.items()
    }
