"""Products and categories that people bought in several orders, each with the person's own interval for it: table `reorder`."""

from __future__ import annotations

import sqlite3

from sidecar.segments.times import DAY

# One row a person and product, and one a person and category. An order counts once, whatever it holds of it. Who bought on
# average less than a day apart has no habit: those were parts of one purchase.
_KEEP = f"""
WITH bought AS MATERIALIZED (
 SELECT DISTINCT c.person_id, c.order_id, c.at, json_extract(l.value, '$[0]') AS product
 FROM counted_order c JOIN shop_order o ON o.id = c.order_id, json_each(CAST(o.doc AS TEXT), '$[0]') l
 WHERE c.person_id IN (SELECT value FROM json_each(?))
)
INSERT INTO reorder
SELECT person_id, product, '', MAX(at), (MAX(at) - MIN(at)) * 1.0 / (COUNT(*) - 1) / {DAY}
 FROM bought WHERE product > 0
 GROUP BY person_id, product HAVING COUNT(*) > 1 AND MAX(at) - MIN(at) >= {DAY} * (COUNT(*) - 1)
UNION ALL
SELECT person_id, 0, category, MAX(at), (MAX(at) - MIN(at)) * 1.0 / (COUNT(*) - 1) / {DAY}
 FROM (SELECT DISTINCT person_id, order_id, at, category FROM bought JOIN product_category ON product_id = product WHERE category <> '')
 GROUP BY person_id, category HAVING COUNT(*) > 1 AND MAX(at) - MIN(at) >= {DAY} * (COUNT(*) - 1)
"""


def keep(sql: sqlite3.Connection, people: str) -> None:
    """Write the rows of these people (ids as a JSON list), who have none; their counted orders are right. Call it in a transaction."""
    sql.execute(_KEEP, (people,))
