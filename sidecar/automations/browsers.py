"""Browsers that get notifications, and whose they are: of the order's buyer, else of the account, else of whom the browser is
known to be. The plugin keeps them (`{prefix}fcsc_push`)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import pymysql

from sidecar.automations import whose
from sidecar.automations.whose import Sign
from sidecar.crm import suppression
from sidecar.mysql.connection import Reader
from sidecar.people import consents
from sidecar.people.consents import Act, Word
from sidecar.state.database import State

_PAGE = 1000
_encode = msgspec.json.encode


class _Row(msgspec.Struct, array_like=True):
    """A row of the plugin."""

    id: int
    user_id: int
    order_id: int
    visitor: str
    endpoint: str
    p256dh: str
    auth: str


class _Address(msgspec.Struct):
    endpoint: str


def subscriptions(reader: Reader, state: State, people: Sequence[int]) -> dict[int, str]:
    """{person: the subscription of their newest browser, as JSON}; empty without the plugin. Raises StoreUnavailable."""
    return {
        person: _encode({"endpoint": row.endpoint, "keys": {"p256dh": row.p256dh, "auth": row.auth}}).decode()
        for person, row in sorted(_of(reader, state, people), key=lambda found: found[1].id)
    }


def numbers(reader: Reader, state: State, people: Collection[int]) -> list[int]:
    """The numbers of the plugin's rows that are of these people. Raises StoreUnavailable."""
    return sorted(row.id for _, row in _of(reader, state, people))


def digest(subscription: str) -> str:
    """What the plugin knows a subscription (JSON) by: the SHA-256 of its address; '' for what is none."""
    try:
        return hashlib.sha256(msgspec.json.decode(subscription, type=_Address).endpoint.encode()).hexdigest()
    except ValueError:
        return ""


def recognised(reader: Reader, state: State) -> int:
    """Who has clicked as a stranger and is known by now has given their word then: record it. Returns how many words were
    new. Raises StoreUnavailable."""
    new = after = 0
    while True:
        rows = sorted(_page(reader, "automation_strangers", after=after, limit=_PAGE))
        people = whose.people(state, [Sign(user_id=0, visitor=visitor) for _, visitor, _ in rows])
        new += consents.record(
            state,
            [
                Act(person_id=person, channel="push", word=Word(state="given", at=at, source="push", evidence=f"push:{id_}"))
                for (id_, _, at), person in zip(rows, people, strict=True)
                if person is not None
            ],
        )  # fmt: skip
        if len(rows) < _PAGE:
            return new
        after = rows[-1][0]


def _of(reader: Reader, state: State, people: Collection[int]) -> list[tuple[int, _Row]]:
    """(person, row) of these people."""
    wanted = (_encode(sorted(people)).decode(),)

    def known(column: str, table: str) -> list[Any]:
        where = "person_id IN (SELECT value FROM json_each(?))"
        return [row[0] for row in state.rows(f"SELECT {column} FROM {table} WHERE {where}", wanted)]

    users, orders, visitors = known("user_id", "account"), known("id", "shop_order"), known("visitor", "visitor")
    if not (users or orders or visitors):
        return []
    # What nobody has stands for an empty list: SQL has none.
    page = _page(
        reader, "automation_browsers", users=users or [-1], ids=orders or [-1], visitors=[one for one in visitors if one] or ["-"]
    )  # fmt: skip
    rows = [msgspec.convert(row, _Row) for row in page]
    buyers: dict[int, int] = dict(
        state.rows(
            "SELECT id, person_id FROM shop_order WHERE person_id IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
            (_encode(sorted({row.order_id for row in rows})).decode(),),
        )
    )
    owners = whose.people(state, [Sign(user_id=row.user_id, visitor=row.visitor) for row in rows])
    found = [(buyers.get(row.order_id) or owner, row) for row, owner in zip(rows, owners, strict=True)]
    return [(owner, row) for owner, row in found if owner in people and owner is not None]


def _page(reader: Reader, name: str, **params: Any) -> list[list[Any]]:
    try:
        return reader.page(name, **params)
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in suppression.ABSENT:
            return []  # without the plugin, or with an old one
        raise
