"""What things are called, asked when a page shows them: the state keeps ids only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from sidecar.mysql.connection import Reader
from sidecar.store import schema

Kind = Literal["customer", "product", "order", "contact"]
Ref = tuple[Kind, int]
_QUERIES = {"customer": "names_users", "product": "names_posts", "contact": "names_contacts"}


def names(shop: Reader, refs: Iterable[Ref]) -> dict[Ref, str]:
    """The names of these; what is gone, or has none, is missing. At most four short queries."""
    by_kind: dict[Kind, set[int]] = {}
    for kind, id_ in refs:
        if id_ > 0:
            by_kind.setdefault(kind, set()).add(id_)
    found: dict[Ref, str] = {}
    for kind, ids in by_kind.items():
        if kind == "order":
            rows = _orders(shop, ids)
        else:
            rows = {row[0]: row[1] or "" for row in shop.page(_QUERIES[kind], ids=sorted(ids))}
        found.update({(kind, id_): name.strip() for id_, name in rows.items() if name.strip()})
    return found


def _orders(shop: Reader, ids: Collection[int]) -> dict[int, str]:
    """Buyers by order."""
    if schema.storage(shop) == "hpos":
        return {row[0]: row[1] or "" for row in shop.page("names_orders_hpos", ids=sorted(ids))}
    parts: dict[int, dict[str, str]] = {}
    for id_, part, name in shop.page("names_orders_posts", ids=sorted(ids)):
        parts.setdefault(id_, {}).setdefault(part, name or "")
    keys = ("_billing_first_name", "_billing_last_name")
    return {id_: " ".join(filter(None, (mine.get(key, "") for key in keys))) for id_, mine in parts.items()}
