"""Asking the shop itself for what changed: cheap enough for twice a minute, with or without hints.

HPOS has a date of change with an index: rows after a compound cursor, looked back two minutes for slow transactions.
Posts have none: new ids, and digests of the newest two thousand. Accounts: new ids. All else (deleted rows, silent
edits, changed accounts) is the reconciliation's work (`sidecar sync`, its digests of everything).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import msgspec

from sidecar.events.outbox import Hint
from sidecar.events.topics import CUSTOMER_FOUND, ORDER_FOUND
from sidecar.state.database import State
from sidecar.store.orders import BUCKET
from sidecar.sync.orders import not_ahead
from sidecar.sync.session import Session
from sidecar.values import dates

_CURSOR = "poll.cursor"
_AGAIN = "poll.again"
_BACK_SECONDS = 120
_MOST = 500
_NEWEST = 8


class Polled(msgspec.Struct, kw_only=True):
    """What changed and is not known yet, as hints without a row (`id` 0). `cursor` is kept once their effect is there."""

    hints: list[Hint]
    cursor: str = ""


def changed(session: Session, now_ms: int) -> Polled:
    """Ask the shop."""
    if session.info.storage == "hpos":
        found, cursor = _hpos(session)
    else:
        found, cursor = dict.fromkeys(_posts(session), now_ms), ""
    found |= {id_: at for id_, at in _half(session.state) if id_ not in found}
    hints = [Hint(0, ORDER_FOUND, id_, created_ms=at) for id_, at in sorted(found.items())]
    return Polled(hints=[*hints, *_accounts(session, now_ms)], cursor=cursor)


def keep(session: Session, polled: Polled, half: Sequence[Hint]) -> None:
    """The effect is there: the next poll goes on from here, and takes the half-written orders again."""
    with session.state.transaction():
        if polled.cursor:
            session.state.set(_CURSOR, polled.cursor)
        if half or _half(session.state):
            again = [(hint.object_id, hint.created_ms) for hint in half if hint.topic == ORDER_FOUND]
            session.state.set(_AGAIN, msgspec.json.encode(again).decode())


def _half(state: State) -> list[tuple[int, int]]:
    """Orders that looked half-written last time, and since when (Unix ms): their other half moves no date of theirs."""
    return msgspec.json.decode(state.get(_AGAIN, "[]"), type=list[tuple[int, int]])


def _hpos(session: Session) -> tuple[dict[int, int], str]:
    """({order: when it changed, Unix ms}, the new cursor)."""
    # The first poll goes on where the last run of the main job stood.
    known = session.state.get(_CURSOR) or session.state.get("orders.cursor").partition("|")[0]
    if not known:
        latest = session.orders.latest()
        return {}, not_ahead(session, latest[0]) if latest else ""
    known = not_ahead(session, known)
    at = dates.utc(known)
    place: tuple[str, int] = (dates.local_text(max(0, at - _BACK_SECONDS), UTC) if at is not None else known, 0)
    found: dict[int, int] = {}
    upto = known
    while rows := session.orders.changed(place, _MOST):
        place = rows[-1]
        upto = max(upto, not_ahead(session, place[0]))
        crcs = _known(session, [id_ for _, id_ in rows])
        same = sorted(id_ for _, id_ in rows if id_ in crcs)
        now = {order.id: order.crc for order in session.orders.load(same, (), ())}
        found |= {
            id_: (dates.utc(text) or 0) * 1000 for text, id_ in rows if id_ not in crcs or now.get(id_) != crcs[id_]
        }
        if len(rows) < _MOST:
            break
    return found, upto


def _posts(session: Session) -> list[int]:
    highest = int(session.state.rows("SELECT COALESCE(MAX(id), 0) FROM shop_order")[0][0])
    found = set(session.orders.ids(highest, _MOST))
    first = max(0, highest // BUCKET - _NEWEST + 1) * BUCKET
    if highest:
        there = session.orders.crcs(first, highest, session.order_keys)
        mine = dict(session.state.rows("SELECT id, crc FROM shop_order WHERE id BETWEEN ? AND ?", (first, highest)))
        found |= {id_ for id_ in there.keys() | mine.keys() if there.get(id_) != mine.get(id_)}
    return sorted(found)


def _accounts(session: Session, now_ms: int) -> list[Hint]:
    highest = int(session.state.rows("SELECT COALESCE(MAX(user_id), 0) FROM account")[0][0])
    return [
        Hint(0, CUSTOMER_FOUND, id_, user_id=id_, created_ms=now_ms)
        for id_, _ in session.customers.page(highest, _MOST)
    ]


def _known(session: Session, ids: list[int]) -> dict[int, int]:
    wanted = msgspec.json.encode(ids).decode()
    return dict(
        session.state.rows("SELECT id, crc FROM shop_order WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    )
