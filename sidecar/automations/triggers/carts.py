"""A cart that is left: not touched for a while, and nothing ordered since by anybody whose it may be."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pymysql

from sidecar.automations import model
from sidecar.automations.enrolments import Entry
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source
from sidecar.automations.whose import Sign, remindable
from sidecar.crm.suppression import ABSENT
from sidecar.values import dates

# A cart that lies there for longer is another one: what was ordered before is not what it is about.
_ONE_CART = 7 * 86400
# An order that waits for its money, or whose payment failed, has a reminder of its own.
_ORDERED = (
    "SELECT 1 FROM shop_order WHERE person_id = ? AND created >= ? AND verdict IN ('candidate', 'unpaid', 'custom_status',"
    " 'no_rate', 'bad_total') LIMIT 1"
)
_ORDERED_HERE = "SELECT 1 FROM activity WHERE visitor = ? AND visitor <> '' AND kind = 'order' AND at >= ? LIMIT 1"


class _Cart(msgspec.Struct, frozen=True):
    """Times are Unix seconds UTC. `created`: when something was put into the empty cart."""

    id: int
    user_id: int
    created: int
    updated: int
    visitor: str
    email: str


def find(ask: Ask) -> Found:
    """Once for each cart: the row of a visitor is used again, `created` tells its carts apart."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnCart)
    idle = trigger.idle.days * 86400 + trigger.idle.seconds
    until = ask.now - idle
    # A clock that was ahead left a moment that has not come: nobody would be reminded until then.
    cursor = ask.cursor if ask.cursor.get("updated", 0) <= ask.now else {"updated": until}
    since = max(cursor.get("updated", until), ask.row.live_from, ask.since - idle)
    after = cursor.get("cart", 0) if since == cursor.get("updated") else 0
    if since > until:
        return Found(cursor=cursor or newest(ask))
    try:
        rows = ask.reader.page(
            "carts_idle", since=_text(since), until=_text(until), after=after, limit=ask.most
        )  # fmt: skip
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:  # there is no plugin, so there are no carts
            return Found(cursor=newest(ask))
        raise
    carts = sorted((_Cart(*row) for row in rows), key=lambda cart: (cart.updated, cart.id))
    people = remindable(ask.state, [Sign(cart.user_id, cart.email, cart.visitor) for cart in carts])
    entries = [
        Entry(person_id=person, subject=f"cart:{cart.id}:{cart.created}", at=cart.updated + idle)
        for cart, person in zip(carts, people, strict=True)
        if person is not None and not _ordered(ask, person, cart)
    ]
    if len(carts) >= ask.most:
        return Found(entries=entries, cursor={"updated": carts[-1].updated, "cart": carts[-1].id}, more=True)
    return Found(entries=entries, cursor={"updated": max(since, until)})


def newest(ask: Ask) -> Cursor:
    """Carts that are touched from now on."""
    return {"updated": ask.now}


def _ordered(ask: Ask, person: int, cart: _Cart) -> bool:
    since = max(cart.created, cart.updated - _ONE_CART)
    if ask.state.rows(_ORDERED, (person, since)):
        return True
    return bool(cart.visitor and ask.state.rows(_ORDERED_HERE, (cart.visitor, since * 1000)))


def _text(moment: int) -> str:
    return dates.local_text(moment, UTC)


SOURCE = Source(find, newest, every=20)
