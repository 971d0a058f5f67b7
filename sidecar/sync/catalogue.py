"""Step 3: products. A renamed, moved or deleted product concerns everybody who bought it."""

from __future__ import annotations

import zlib

import msgspec

from sidecar.segments import categories
from sidecar.sync import orders
from sidecar.sync.session import Session

_MANY = 40


def changed(session: Session) -> None:
    """Compare the products with what they were; people who bought a changed one get another look."""
    now = {id_: zlib.crc32(msgspec.json.encode(product)) for id_, product in session.products.items()}
    before = dict(session.state.rows("SELECT id, crc FROM product"))
    if now == before:
        return
    if before and any(id_ not in before for id_ in now):
        # A deleted product may have come back: those who have a nameless one look again.
        session.state.sql.execute(
            "UPDATE person SET dirty = 1 WHERE id IN (SELECT person_id FROM person_doc"
            " WHERE instr(CAST(facts AS TEXT), '\"lost_products\"'))"
        )
    gone = [id_ for id_ in before if id_ not in now]
    other = [id_ for id_, crc in now.items() if id_ in before and before[id_] != crc]
    if len(gone) + len(other) > _MANY:
        session.state.sql.execute("UPDATE person SET dirty = 1 WHERE orders_count > 0")
        if gone:
            orders.restage(
                session,
                [
                    row[0]
                    for row in session.state.rows("SELECT id FROM shop_order WHERE verdict = 'candidate' ORDER BY id")
                ],
            )
    else:
        for id_ in [*gone, *other]:
            # Lines stand in the ledger as [[product, variation, quantity, name], …].
            found = session.state.rows(
                "SELECT id, person_id FROM shop_order WHERE verdict = 'candidate' AND instr(CAST(doc AS TEXT), ?)",
                (f"[{id_},",),
            )
            session.registry.touch(row[1] for row in found)
            if id_ in gone:
                # The ledger kept no name while the product had one: read it from the lines now.
                orders.restage(session, sorted(row[0] for row in found))
    with session.state.transaction() as sql:
        sql.execute("DELETE FROM product")
        sql.executemany("INSERT INTO product VALUES (?, ?)", list(now.items()))
        categories.keep(sql, {id_: product.categories for id_, product in session.products.items()})
