"""A product or exactly that variation is in stock again, for those who wait for it: who asked WooCommerce to be told, whose cart
held it, and who looked at it twice or more while it was out."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec
import pymysql

from sidecar.automations.enrolments import Entry
from sidecar.automations.triggers import shelves
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source
from sidecar.automations.triggers.shelves import Back
from sidecar.automations.whose import Sign, people, remindable
from sidecar.crm.suppression import ABSENT
from sidecar.values import dates

_VIEWED = (
    "SELECT person_id FROM activity INDEXED BY activity_kind WHERE kind = 'view' AND at BETWEEN ? AND ? AND person_id IS NOT NULL"
    " AND object_id = ? AND sub_id = ? GROUP BY person_id HAVING COUNT(*) >= 2"
)
# Products that came back in one look: more than that is somebody's clean-up, and still comes, look by look.
_AT_ONCE = 20
_LAST = 2**62  # behind every product of that second
_PAGE = 2000
_MOST_CARTS = 5000
_CART_DAYS = 30
# Stock that goes and comes within a day is told of once.
_FLAPS = 86_400
_TOLD_DAYS = 30
_ALLOWED = "woocommerce_customer_stock_notifications_allow_signups"


def find(ask: Ask) -> Found:
    """Once for each time that it comes back."""
    shelves.look(ask.state, ask.reader, ask.now)
    since, ware = ask.cursor.get("since", ask.now), ask.cursor.get("ware", _LAST)
    if since > ask.now + shelves.AHEAD:
        # A clock that was ahead left a moment that has not come: nothing would be back until then.
        since, ware = ask.now, _LAST
    found = shelves.back(ask.state, since, ware, _AT_ONCE)
    if not found:
        return Found(cursor={"since": since, "ware": ware})
    core = _core(ask)
    entries = [entry for one in found if one.since >= ask.since for entry in _waiting(ask, one, core)]
    place = {"since": found[-1].since, "ware": found[-1].ware}
    return Found(entries=_exactly(entries), cursor=place, more=len(found) >= _AT_ONCE)


def newest(ask: Ask) -> Cursor:
    """What comes back from now on; a first look so that it is known what is out."""
    shelves.look(ask.state, ask.reader, ask.now)
    return {"since": ask.now, "ware": _LAST}


def _waiting(ask: Ask, one: Back, core: bool | None) -> list[Entry]:
    """`core`: whether WooCommerce tells those who asked it; then they are not ours to tell. None: nobody can ask it."""
    signed = set() if core is None else _signed_up(ask, one.ware)
    waiting = _holding(ask, one) | _viewing(ask, one)
    waiting = waiting - signed if core else waiting | signed
    subject = f"product:{one.product}:{one.variation}"
    lately = {
        row[0]
        for row in ask.state.rows(
            "SELECT person_id FROM enrolment WHERE automation_id = ? AND entered > ? AND subject >= ? AND subject < ?"
            " AND person_id IN (SELECT value FROM json_each(?))",
            (
                ask.row.id, one.since - _FLAPS, f"{subject}:", f"{subject};",
                msgspec.json.encode(sorted(waiting)).decode(),
            ),
        )
    }  # fmt: skip
    return [
        Entry(person_id=person, subject=f"{subject}:{one.since}", at=one.since) for person in sorted(waiting - lately)
    ]


def _exactly(entries: list[Entry]) -> list[Entry]:
    """A product comes back with its variations: who waits for one of these is told of that."""
    exact = {(entry.person_id, _product(entry)) for entry in entries if ":0:" not in entry.subject}
    return [entry for entry in entries if ":0:" not in entry.subject or (entry.person_id, _product(entry)) not in exact]


def _product(entry: Entry) -> str:
    return entry.subject.split(":")[1]


# --- who waits -------------------------------------------------------------------------------------------------


def _signed_up(ask: Ask, ware: int) -> set[int]:
    signs: list[Sign] = []
    after = 0
    while True:
        rows = sorted(ask.reader.page("stock_signups", ids=[ware], after=after, limit=_PAGE))
        signs += [Sign(user, email or "") for _, _, user, email in rows]
        if len(rows) < _PAGE:
            return {person for person in people(ask.state, signs) if person is not None}
        after = rows[-1][0]


def _core(ask: Ask) -> bool | None:
    """Whether WooCommerce's own notices of stock are on: people may sign up, or some were sent lately. None where it has none."""
    option: dict[str, str] = dict(ask.reader.rows("schema_options", names=[_ALLOWED]))
    lately = dates.local_text(ask.now - _TOLD_DAYS * 86400, UTC)
    try:
        told = bool(ask.reader.value("stock_told", since=lately))
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return None
        raise
    return told or option.get(_ALLOWED) == "yes"


def _holding(ask: Ask, one: Back) -> set[int]:
    name = "variation_id" if one.variation else "product_id"
    since = dates.local_text(ask.now - _CART_DAYS * 86400, UTC)
    try:
        rows = ask.reader.page("carts_holding", since=since, held=f'%"{name}":{one.ware},%', limit=_MOST_CARTS)
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return set()
        raise
    signs = [Sign(user, email or "", visitor) for _, user, visitor, email, items in rows if _held(items, one)]
    return {person for person in remindable(ask.state, signs) if person is not None}


def _held(items: str, one: Back) -> bool:
    try:
        lines: Any = msgspec.json.decode(items)
    except msgspec.DecodeError:
        return False
    return isinstance(lines, list) and any(
        isinstance(line, dict)
        and line.get("product_id") == one.product
        and (line.get("variation_id") or 0) == one.variation
        for line in lines
    )


def _viewing(ask: Ask, one: Back) -> set[int]:
    rows = ask.state.rows(_VIEWED, (one.out_since * 1000, one.since * 1000, one.product, one.variation))
    return {row[0] for row in rows}


SOURCE = Source(find, newest, every=20, told=True)
