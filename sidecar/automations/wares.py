"""Carts, and what can be bought: read from the shop's tables now."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import pymysql

from sidecar.automations.about import about
from sidecar.automations.known import Cart, Known, Ware
from sidecar.crm.suppression import ABSENT
from sidecar.mysql.connection import Reader
from sidecar.store.orders import moment
from sidecar.values import money


class _Line(msgspec.Struct, frozen=True):
    product_id: int = 0
    variation_id: int = 0


_lines = msgspec.json.Decoder(list[_Line]).decode


def carts(reader: Reader, ids: Collection[int]) -> dict[int, Cart]:
    """The plugin's snapshots; those that are gone are missing, and all of them without the plugin."""
    if not ids:
        return {}
    try:
        rows = reader.page("automation_carts", ids=sorted(ids))
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return {}
        raise
    return {
        id_: Cart(
            id=id_, visitor=visitor or "", user_id=int(user or 0), email=email or "", consent=consent or "",
            status=status or "", order_id=int(order or 0), made=moment(made) or 0, updated=moment(updated) or 0,
            wares=_wares(items or ""),
        )
        for id_, visitor, user, email, consent, status, order, items, made, updated in rows
    }  # fmt: skip


def _wares(items: str) -> tuple[int, ...]:
    try:
        lines = _lines(items)
    except msgspec.DecodeError:
        return ()
    return tuple(dict.fromkeys(line.variation_id or line.product_id for line in lines))


def wares(reader: Reader, ids: Collection[int]) -> dict[int, Ware]:
    """Products and variations as they are now; those that are gone are missing."""
    if not ids:
        return {}
    return {
        id_: Ware(
            id=id_, there=status == "publish", in_stock=stock in ("instock", "onbackorder"), on_sale=bool(onsale),
            price=money.to_micros(price),
        )
        for id_, status, stock, price, onsale in reader.page("automation_wares", ids=sorted(ids))
    }  # fmt: skip


def goods(subject: str, known: Known) -> tuple[int, ...]:
    """The products and variations that an enrolment is about."""
    mine = about(subject)
    if mine.ware:
        return (mine.ware,)
    if mine.order:
        return known.order.wares if known.order else ()
    return known.cart.wares if known.cart else ()
