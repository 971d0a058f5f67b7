"""Whom a hint concerns, as the state knows it, and whether it may start automations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from sidecar.events import topics
from sidecar.events.outbox import Hint
from sidecar.events.topics import ORDER_FOUND
from sidecar.state.database import State

_encode = msgspec.json.encode
# An order that is older than this when it is "created" was imported into the shop.
_IMPORTED_MS = 86_400_000
# What polling finds is written live only when it has just happened: its hint is on its way, or was lost.
_FOUND_MS = 600_000
# Left out until something changes in the shop: a hint that comes twice must not bring them back.
RESTING = ("undone", "deleted")


class Ledgered(msgspec.Struct, frozen=True):
    """One order as the ledger has it. `person_id` is the parent's for a refund; `created` Unix seconds UTC."""

    person_id: int | None
    verdict: str
    created: int | None


class Concerned:
    """What the state says of a batch of hints, asked in a few statements."""

    def __init__(self, state: State, hints: Sequence[Hint]) -> None:
        self._state = state
        self._made = {hint.object_id for hint in hints if hint.topic == "order.created"}
        ids: dict[str, set[int]] = {"order": set(), "user": set(), "contact": set()}
        visitors: set[str] = set()
        for hint in hints:
            family = topics.of(hint.topic).family
            if family == "order":
                ids["order"].update(id_ for id_ in (hint.object_id, _refund(hint)) if id_)
            elif family == "customer" and hint.topic != "person.erased":
                ids["user"].add(hint.object_id)
            elif family in ("contact", "email"):
                ids["contact"].add(hint.object_id)
            if hint.user_id:
                ids["user"].add(hint.user_id)
            if hint.visitor:
                visitors.add(hint.visitor)
        self.orders = {
            row[0]: Ledgered(*row[1:])
            for row in self._ask(
                "SELECT o.id, COALESCE(o.person_id, p.person_id), o.verdict, o.created FROM shop_order o"
                " LEFT JOIN shop_order p ON p.id = o.parent_id AND o.verdict = 'refund'"
                " WHERE o.id IN (SELECT value FROM json_each(?))",
                ids["order"],
            )
        }
        self._users = dict(
            self._ask(
                "SELECT user_id, person_id FROM account WHERE user_id IN (SELECT value FROM json_each(?))", ids["user"]
            )
        )
        self._contacts = dict(
            self._ask(
                "SELECT contact_id, id FROM person WHERE contact_id IN (SELECT value FROM json_each(?))",
                ids["contact"],
            )
        )
        self._visitors = dict(
            self._ask(
                "SELECT visitor, person_id FROM visitor WHERE visitor IN (SELECT value FROM json_each(?))", visitors
            )
        )

    def _ask(self, sql: str, values: Collection[int] | Collection[str]) -> list[tuple[Any, ...]]:
        return self._state.rows(sql, (_encode(list(values)).decode(),)) if values else []

    def people(self, hint: Hint) -> set[int]:
        """The people that a hint is about (not those who only looked at something)."""
        family = topics.of(hint.topic).family
        found: set[int | None] = set()
        if family == "order":
            for id_ in (hint.object_id, _refund(hint)):
                if id_ in self.orders:
                    found.add(self.orders[id_].person_id)
        elif family == "customer" and hint.topic != "person.erased":
            found.add(self._users.get(hint.object_id))
        elif family in ("contact", "email"):
            found.add(self._contacts.get(hint.object_id))
        return {id_ for id_ in found if id_ is not None}

    def actor(self, hint: Hint) -> int | None:
        """Who did it: the person concerned, else the one logged in, else the visitor as known so far."""
        about = self.people(hint)
        if len(about) == 1:
            return next(iter(about))
        return self._users.get(hint.user_id) or self._visitors.get(hint.visitor)

    def imported(self, hint: Hint, known: Collection[int] = ()) -> bool:
        """Whether it tells of an order that was old already when it was made: somebody imports history into the shop. `known`:
        the orders that the ledger had before."""
        order = self.orders.get(hint.object_id)
        if topics.of(hint.topic).family != "order" or order is None or order.created is None:
            return False
        if order.created * 1000 >= hint.created_ms - _IMPORTED_MS:
            return False
        if hint.topic == ORDER_FOUND:
            return hint.object_id not in known
        # An old order that is paid today is one thing, what an importer does to the order that it has just made another.
        return hint.topic == "order.created" or hint.object_id in self._made or self._made_old(hint.object_id, order)

    def _made_old(self, id_: int, order: Ledgered) -> bool:
        """Whether a pass of before has taken it for imported."""
        if order.person_id is None or order.created is None:
            return False
        rows = self._state.rows(
            "SELECT 1 FROM event WHERE person_id = ? AND topic = 'order.created' AND object_id = ? AND at > ? LIMIT 1",
            (order.person_id, id_, order.created * 1000 + _IMPORTED_MS),
        )
        return bool(rows)


def may_be_live(hint: Hint, now_ms: int, live_from_ms: int, live_hours: int) -> bool:
    """Whether a hint is young enough to start automations."""
    age = now_ms - hint.created_ms
    if not hint.id:
        return hint.created_ms >= live_from_ms and age <= _FOUND_MS
    return hint.created_ms >= live_from_ms and age <= live_hours * 3_600_000


def resting(state: State, ids: Collection[int]) -> dict[int, str]:
    """Those of these people who are left out until something changes in the shop, and why; not the changed ones."""
    return dict(
        state.rows(
            "SELECT id, reason FROM person WHERE id IN (SELECT value FROM json_each(?)) AND dirty = 0"
            " AND reason IN (SELECT value FROM json_each(?))",
            (_encode(list(ids)).decode(), _encode(RESTING).decode()),
        )
    )


def dirty(state: State) -> set[int]:
    """Everybody who needs a look now."""
    return {row[0] for row in state.rows("SELECT id FROM person WHERE dirty = 1")}


def _refund(hint: Hint) -> int:
    return hint.sub_id if hint.topic in ("order.refunded", "order.refund_deleted") else 0
