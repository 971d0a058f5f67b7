"""What orders hold: whether something of one is sent, or can be downloaded. That their buyer has ever bought such things says nothing
of this order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.people.model import OrderDoc
from sidecar.state.database import State

Goods = Literal["", "shipped", "downloadable"]
# Who fetches it gets no parcel: WooCommerce's own ways of that, in the classic and in the block checkout.
_FETCHED = ("local_pickup", "pickup_location")
_MOST = 500
_document = msgspec.json.Decoder(OrderDoc).decode


def holding(state: State, reader: Reader, orders: Collection[int], kind: Goods) -> set[int]:
    """Those of these orders that hold something of the kind, as their products are now; what is gone was a thing to be sent."""
    found: set[int] = set()
    ids = sorted(orders)
    for start in range(0, len(ids), _MOST):
        rows = state.rows(
            "SELECT id, doc FROM shop_order WHERE id IN (SELECT value FROM json_each(?)) AND doc IS NOT NULL",
            (msgspec.json.encode(ids[start : start + _MOST]).decode(),),
        )
        docs = {id_: _document(doc) for id_, doc in rows}
        products = sorted({line[1] or line[0] for doc in docs.values() for line in doc.lines})
        known = (
            {row[0]: (bool(row[1]), bool(row[2])) for row in reader.page("products_lookup", ids=products)}
            if products
            else {}
        )
        for id_, doc in docs.items():
            kinds = [known.get(line[1] or line[0], (False, False)) for line in doc.lines]
            if kind == "downloadable" and any(downloadable for _, downloadable in kinds):
                found.add(id_)
            if kind == "shipped" and not _fetched(doc) and any(not virtual for virtual, _ in kinds):
                found.add(id_)
    return found


def _fetched(doc: OrderDoc) -> bool:
    return bool(doc.shipping) and all(method.partition(":")[0] in _FETCHED for method in doc.shipping)
