"""Step 4: who stands where among all: the figures that depend on everybody, before anybody is written."""

from __future__ import annotations

import math

from sidecar.sync.session import Session

_FIGURES = """
UPDATE person SET (orders_count, ltv) = (
 SELECT COUNT(*) FILTER (WHERE net > 0), COALESCE(SUM(net), 0) FROM (
  SELECT o.total
   + COALESCE((SELECT SUM(r.total) FROM shop_order r WHERE r.parent_id = o.id AND r.verdict = 'refund'), 0) AS net
  FROM shop_order o WHERE o.person_id = person.id AND o.verdict = 'candidate'))
WHERE dirty = 1
"""
# The same for many: one walk over the orders as they lie, instead of a search for each person.
_NOTHING = "UPDATE person SET orders_count = 0, ltv = 0 WHERE dirty = 1 AND (orders_count <> 0 OR ltv <> 0)"
_FIGURES_OF_MANY = """
UPDATE person SET orders_count = s.orders, ltv = s.net FROM (
 SELECT o.person_id, COUNT(*) FILTER (WHERE o.total + COALESCE(r.total, 0) > 0) AS orders,
  SUM(o.total + COALESCE(r.total, 0)) AS net
 FROM shop_order o NOT INDEXED
 LEFT JOIN (SELECT parent_id, SUM(total) AS total FROM shop_order WHERE verdict = 'refund' GROUP BY parent_id) r
  ON r.parent_id = o.id
 WHERE o.verdict = 'candidate' AND o.person_id IS NOT NULL GROUP BY o.person_id) s
WHERE person.id = s.person_id AND dirty = 1
"""


def settle(session: Session) -> int | None:
    """Bring counts and LTV of changed people up to date, find the LTV (micros) from which one is a VIP, and mark
    everybody whose status that moves. Returns that LTV, None when nobody can be one.

    The top `percent` of n buyers are the ceil(n * percent / 100) with the highest LTV, and all who tie with the last.
    """
    vip = session.config.people.vip
    with session.state.transaction() as sql:
        people, dirty = sql.execute("SELECT COUNT(*), COALESCE(SUM(dirty), 0) FROM person").fetchone()
        if dirty * 4 > people:
            sql.execute(_NOTHING)
            sql.execute(_FIGURES_OF_MANY)
        else:
            sql.execute(_FIGURES)
        buyers = sql.execute("SELECT COUNT(*) FROM person WHERE orders_count > 0").fetchone()[0]
        places = math.ceil(buyers * vip.percent / 100 - 1e-9)
        if places <= 0:
            start = None
        else:
            start = sql.execute(
                "SELECT ltv FROM person WHERE orders_count > 0 ORDER BY ltv DESC LIMIT 1 OFFSET ?",
                (places - 1,),
            ).fetchone()[0]
        sql.execute(
            "UPDATE person SET dirty = 1 WHERE dirty = 0 AND orders_count > 0 AND status <> ''"
            " AND (ltv >= ? AND orders_count >= ?) <> (status = 'vip')",
            (2**62 if start is None else start, vip.min_orders),
        )
        session.state.set("vip.from", "" if start is None else str(start))
    return start
