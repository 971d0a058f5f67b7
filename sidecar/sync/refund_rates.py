"""Refunds of orders in another currency, brought to the shop's at their order's rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sidecar.people import ledger
from sidecar.sync import orders
from sidecar.sync.session import Session

_UNSETTLED = (
    "SELECT r.id, o.id, r.total, o.rate FROM shop_order r JOIN shop_order o ON o.id = r.parent_id"
    " WHERE r.verdict = 'refund' AND r.total IS NOT NULL AND r.rate IS NOT o.rate"
)
_OF = " AND o.id IN (SELECT value FROM json_each(?))"


def settle(session: Session, ids: Sequence[int] | None = None) -> None:
    """Bring refunds of foreign-currency orders (of these orders only, when `ids` is given) to the shop's currency, at
    their order's rate.

    All refunds of an order together are what their sum is: each rounded alone, an order that was paid back in three parts
    would keep a millionth, and count.
    """
    rows = _unsettled(session, ids)
    if not rows:
        return
    parents = _json({row[1] for row in rows})
    settled = session.state.rows(
        "SELECT id FROM shop_order WHERE verdict = 'refund' AND rate IS NOT NULL"
        " AND parent_id IN (SELECT value FROM json_each(?))",
        (parents,),
    )
    if settled:
        # Another one has come, or their order has another rate: what they are in their own currency is read again.
        again = [row[0] for row in settled]
        session.state.sql.execute(
            "UPDATE shop_order SET crc = -1 WHERE id IN (SELECT value FROM json_each(?))", (_json(again),)
        )
        orders.restage(session, again)
        rows = _unsettled(session, ids)
    converted = []
    raw: Counter[int] = Counter()
    for id_, parent, total, rate in sorted(rows):
        if rate is not None:
            before = ledger.convert(raw[parent], rate)
            raw[parent] += total
            mine = ledger.convert(raw[parent], rate) - before
            converted.append((mine if abs(mine) <= ledger.MOST else None, rate, id_))
    with session.state.transaction() as sql:
        sql.executemany("UPDATE shop_order SET total = ?, rate = ? WHERE id = ?", converted)


def _unsettled(session: Session, ids: Sequence[int] | None) -> list[tuple[Any, ...]]:
    """(id, order, total, the order's rate) of refunds that were not converted at the rate that their order has."""
    if ids is None:
        return session.state.rows(_UNSETTLED)
    return session.state.rows(_UNSETTLED + _OF, (_json(ids),))


def _json(ids: Iterable[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
