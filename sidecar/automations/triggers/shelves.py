"""What is out of stock, and what came back: the table `stock`, kept by asking the shop now and then, and when it tells of a change.

WooCommerce's own lookup table has the status of every product and variation in either order storage.
"""

from __future__ import annotations

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.state.database import State

# JSON of _Look: when the shop was asked last, and up to which event.
_LOOKED = "automations.stock"
_EVERY = 60
# Who did not ask for longer does not know when something came back: that was not just now.
_LOST = 86_400
# A clock may be set back by so many seconds without anybody taking notice.
AHEAD = 5
_PAGE = 5000
# In stock, or to be had on backorder, as WooCommerce's own notices take it.
_THERE = ("instock", "onbackorder")


class _Look(msgspec.Struct, frozen=True):
    at: int = 0
    event: int = 0


class Back(msgspec.Struct, frozen=True):
    """A product (`variation` 0) or a variation that is in stock again. Times are Unix seconds UTC."""

    product: int
    variation: int
    since: int
    out_since: int

    @property
    def ware(self) -> int:
        """What WooCommerce knows it by."""
        return self.variation or self.product


def look(state: State, reader: Reader, now: int) -> None:
    """Ask the shop, if it is time."""
    text = state.get(_LOOKED)
    last = msgspec.json.decode(text, type=_Look) if text else _Look()
    event = state.rows("SELECT COALESCE(MAX(id), 0) FROM event WHERE topic = 'stock.changed'")[0][0]
    if event <= last.event and -AHEAD <= now - last.at < _EVERY:
        return
    out = _out(reader)
    # Two looks within a second must not stamp the same one: who follows goes by the stamps.
    stamp = max(now, last.at + 1) if now - last.at >= -AHEAD else now
    if not -AHEAD <= now - last.at < _LOST:
        with state.transaction() as sql:
            sql.execute("DELETE FROM stock")
            state.set(_LOOKED, "")
    known = {row[0]: row[1] for row in state.rows("SELECT product_id, status FROM stock")}
    gone = {id_ for id_, status in known.items() if status == "outofstock"} - out
    new = {id_ for id_ in out if known.get(id_) != "outofstock"}
    rows = _of(reader, gone | new)
    with state.transaction() as sql:
        sql.executemany(
            "INSERT INTO stock VALUES (?1, ?2, 'outofstock', ?3, ?3) ON CONFLICT DO UPDATE SET parent_id = excluded.parent_id,"
            " status = excluded.status, since = excluded.since, out_since = excluded.out_since",
            [(id_, rows[id_][0], stamp) for id_ in sorted(new) if id_ in rows],
        )
        for id_ in sorted(gone):
            _, seen, status = rows.get(id_, (0, False, ""))
            if status in _THERE and seen:
                sql.execute("UPDATE stock SET status = ?, since = ? WHERE product_id = ?", (status, stamp, id_))
            elif status not in _THERE:
                sql.execute("DELETE FROM stock WHERE product_id = ?", (id_,))
        state.set(_LOOKED, msgspec.json.encode(_Look(stamp, event)).decode())


def back(state: State, since: int, ware: int, most: int) -> list[Back]:
    """What came back after (moment, id of the last one), the first first."""
    rows = state.rows(
        "SELECT product_id, parent_id, since, out_since FROM stock WHERE status <> 'outofstock' AND (since, product_id) > (?, ?)"
        " ORDER BY since, product_id LIMIT ?",
        (since, ware, most),
    )
    return [Back(parent or id_, id_ if parent else 0, at, out) for id_, parent, at, out in rows]


def _out(reader: Reader) -> set[int]:
    found: set[int] = set()
    after = 0
    while ids := reader.numbers("stock_out", after=after, limit=_PAGE):
        found.update(ids)
        after = max(ids)
        if len(ids) < _PAGE:
            break
    return found


def _of(reader: Reader, ids: set[int]) -> dict[int, tuple[int, bool, str]]:
    """{id: (parent, whether it can be seen, status)} of those that are there."""
    wanted = sorted(ids)
    found: dict[int, tuple[int, bool, str]] = {}
    for start in range(0, len(wanted), _PAGE):
        rows = reader.page("stock_of", ids=wanted[start : start + _PAGE])
        found.update({id_: (parent, bool(seen), status) for id_, parent, seen, status in rows})
    return found
