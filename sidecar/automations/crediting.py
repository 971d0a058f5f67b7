"""Which message an order is owed to: at most one, the last touch.

A coupon that was made for an enrolment and used in the order decides; else the last message that the buyer clicked (a link, or the
link to their cart) within `days` before the order. An open never earns anything. What is found is always the same function of
what is known: a click that becomes known late moves the credit, it never doubles it.
"""

from __future__ import annotations

import msgspec

from sidecar.automations.channels.model import ROBOT_SECONDS
from sidecar.people.model import OrderDoc
from sidecar.state.database import State

_DAY = 86_400
# Orders are paid, and clicks and coupons told of, up to so many days after.
_LATE = 30
_document = msgspec.json.Decoder(OrderDoc).decode

_CLICKS = """
 SELECT order_id, message_id, enrolment_id, automation_id, person_id, at, 'click' FROM (
  SELECT o.order_id, m.id AS message_id, m.enrolment_id, m.automation_id, o.person_id, o.at,
   ROW_NUMBER() OVER (PARTITION BY o.order_id ORDER BY m.clicked DESC, m.id DESC) AS place
  FROM message m JOIN counted_order o ON o.person_id = m.person_id AND o.at >= m.clicked AND o.at < m.clicked + :window
  WHERE m.clicked >= :since)
 WHERE place = 1
"""
_PUT = (
    "INSERT INTO credit (order_id, message_id, enrolment_id, automation_id, person_id, at, how) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (order_id) DO UPDATE SET message_id = excluded.message_id, enrolment_id = excluded.enrolment_id,"
    " automation_id = excluded.automation_id, how = excluded.how WHERE credit.how <> 'coupon' OR excluded.how = 'coupon'"
)


def refresh(state: State, now: int, days: int) -> int:
    """Credit what can be credited; Unix seconds UTC. Returns how many orders of the last weeks are credited."""
    since = now - (days + _LATE) * _DAY
    with state.transaction() as sql:
        _clicks(state, since)
        _coupons(state, since)
        rows = sql.execute(_CLICKS, {"window": days * _DAY, "since": since}).fetchall()
        sql.executemany(_PUT, rows)
        rows = sql.execute(
            "SELECT c.order_id, m.id, c.enrolment_id, c.automation_id, c.person_id, o.at, 'coupon' FROM coupon c"
            " JOIN counted_order o ON o.order_id = c.order_id LEFT JOIN message m ON m.id = (SELECT MAX(id) FROM message"
            "  WHERE enrolment_id = c.enrolment_id AND decided <= o.at * 1000) WHERE c.order_id IS NOT NULL AND c.made >= ?",
            (since,),
        ).fetchall()
        sql.executemany(_PUT, rows)
        # An order that does not count any more (refunded whole, cancelled) has earned nothing.
        sql.execute("DELETE FROM credit WHERE order_id NOT IN (SELECT order_id FROM counted_order)")
        return int(sql.execute("SELECT COUNT(*) FROM credit WHERE at >= ?", (since,)).fetchone()[0])


def _clicks(state: State, since: int) -> None:
    """Note the first click on a link of ours that the plugin told of: of SMS, push and the like nobody else tells. Of what still
    waits in FluentCRM's queue, as far as is known, nobody can tell yet who clicked."""
    state.sql.execute(
        "UPDATE message SET clicked = c.at FROM (SELECT e.object_id, MIN(e.at) / 1000 AS at FROM event e"
        " JOIN message m ON m.id = e.object_id WHERE e.topic = 'message.clicked' AND e.at >= ?1"
        " AND e.at >= (COALESCE(m.sent, IIF(m.state = 'queued', NULL, m.decided / 1000)) + ?2) * 1000 GROUP BY 1) c"
        " WHERE message.id = c.object_id AND (message.clicked IS NULL OR message.clicked > c.at)",
        (since * 1000, ROBOT_SECONDS),
    )


def _coupons(state: State, since: int) -> None:
    """Note in which order a coupon was used: told by the plugin, else seen in the orders of whom it was made for."""
    told = state.rows(
        "SELECT c.id, o.order_id FROM coupon c JOIN event e ON e.topic = 'coupon.used' AND e.sub_id = c.coupon_id"
        " JOIN counted_order o ON o.order_id = e.object_id WHERE c.order_id IS NULL AND c.coupon_id IS NOT NULL AND c.made >= ?",
        (since,),
    )
    used: dict[int, int] = {row[0]: row[1] for row in told}
    for coupon, code, order, doc in state.rows(
        "SELECT c.id, c.code, o.order_id, s.doc FROM coupon c JOIN counted_order o ON o.person_id = c.person_id"
        " AND o.at >= c.made JOIN shop_order s ON s.id = o.order_id WHERE c.order_id IS NULL AND c.code <> '' AND c.made >= ?",
        (since,),
    ):
        if doc and code.lower() in {one.lower() for one in _document(doc).coupons}:
            used.setdefault(coupon, order)
    state.sql.executemany("UPDATE coupon SET order_id = ? WHERE id = ?", [(order, id_) for id_, order in used.items()])
