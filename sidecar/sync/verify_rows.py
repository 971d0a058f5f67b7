"""The recount's pages of orders from either storage, by its own queries (`store/sql/verify.sql`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sidecar.mysql.connection import Reader
from sidecar.store.schema import Storage
from sidecar.sync.verify_rules import DECIDING, OrderRow, amount, moment, usable

_COLUMNS = ("_customer_user", "_billing_email", "_order_total", "_order_currency")


def load(reader: Reader, storage: Storage, after: int, limit: int) -> list[OrderRow]:
    """The next orders by id, each with its refunds summed."""
    if storage == "hpos":
        rows = reader.page("verify_hpos_orders", after=after, limit=limit)
        ids = [row[0] for row in rows]
        meta = _first_rows(reader.page("verify_hpos_meta", ids=ids, keys=DECIDING)) if ids else {}
        found = [
            OrderRow(
                id=id_, status=(status or "").removeprefix("wc-"), customer=customer or 0, email=address or "",
                raw=amount(total), total=usable(total), currency=(currency or "").upper(), created=moment(created),
                refunds=refunds, refunded=Decimal(refunded), meta=meta.get(id_, {}),
            )
            for id_, status, customer, address, total, currency, created, refunds, refunded in rows
        ]  # fmt: skip
    else:
        rows = reader.page("verify_posts_orders", after=after, limit=limit)
        ids = [row[0] for row in rows]
        meta = _first_rows(reader.page("verify_posts_meta", ids=ids, keys=(*_COLUMNS, *DECIDING))) if ids else {}
        found = [_from_post(row, meta.get(row[0], {})) for row in rows]
    return sorted(found, key=lambda row: row.id)


def _from_post(row: list[Any], meta: dict[str, str]) -> OrderRow:
    id_, status, created, refunds, refunded = row
    total = meta.get("_order_total", "")
    return OrderRow(
        id=id_, status=(status or "").removeprefix("wc-"), customer=_id(meta.get("_customer_user", "")),
        email=meta.get("_billing_email", ""), raw=amount(total), total=usable(total),
        currency=meta.get("_order_currency", "").upper(), created=moment(created), refunds=refunds,
        refunded=Decimal(refunded), meta=meta,
    )  # fmt: skip


def _first_rows(rows: list[list[Any]]) -> dict[int, dict[str, str]]:
    """{order: {key: value}}: the lowest row of a key, as WordPress reads it."""
    found: dict[int, dict[str, str]] = {}
    for order_id, _meta_id, key, value in sorted(rows, key=lambda row: (row[0], row[1])):
        found.setdefault(order_id, {}).setdefault(key, value or "")
    return found


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
