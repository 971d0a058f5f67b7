"""Orders from either storage, behind one reader. `choose` is the only place that picks one.

Known traps, all handled below this interface: placeholder posts under HPOS (`shop_order_placehold`), stale
`shop_order` posts after a switch, refunds as children with status `wc-completed` in both storages, drafts
with a zero date, amounts as text in postmeta, several meta rows under one key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sidecar.mysql.connection import Reader
from sidecar.store.model import Address, Kind, Line, Order
from sidecar.store.schema import Storage

ORDER = "shop_order"
REFUND = "shop_order_refund"
Cursor = tuple[str, int]
Sums = dict[int, tuple[int, int]]
BUCKET = 256


class OrderReader(Protocol):
    """What both storages can do. Ids are order ids (the same in both); pages are by primary key."""

    storage: Storage

    def ids(self, after: int, limit: int) -> list[int]:
        """The next ids after one, ascending; empty at the end."""

    def load(self, ids: Sequence[int], keys: Collection[str], paid: Collection[str]) -> list[Order]:
        """Those orders, ascending; ids that are gone are missing. `paid`: statuses whose lines are wanted."""

    def addresses(self, ids: Sequence[int]) -> dict[int, tuple[Address, Address]]:
        """(billing, shipping) of those orders; missing where both are empty."""

    def emails(self, ids: Sequence[int]) -> dict[int, str]:
        """Billing e-mail of those orders, as stored."""

    def meta(self, ids: Sequence[int], keys: Collection[str]) -> dict[int, dict[str, str]]:
        """Wanted meta of those orders."""

    def changed(self, cursor: Cursor, limit: int) -> list[tuple[str, int]] | None:
        """(modified, id) pairs after a compound cursor, or None where the storage has no usable date."""

    def latest(self) -> Cursor | None:
        """Where the cursor stands now, or None where there is none."""

    def last_id(self) -> int:
        """No order has a higher id."""

    def sums(self, after: int, upto: int, keys: Collection[str]) -> Sums:
        """{bucket of BUCKET ids: (rows, sum of crc)}: which ranges changed since they were loaded."""


def choose(shop: Reader, storage: Storage) -> OrderReader:
    """The reader for a storage (see `schema.storage`, which says which one rules now)."""
    from sidecar.store.orders_hpos import HposOrders
    from sidecar.store.orders_posts import PostsOrders

    return HposOrders(shop) if storage == "hpos" else PostsOrders(shop)


def kind_of(type_: str) -> Kind:
    """Orders and refunds by whitelist; subscriptions and what other plugins invent are `other`."""
    return "order" if type_ == ORDER else "refund" if type_ == REFUND else "other"


def first_rows(rows: Sequence[Sequence[Any]]) -> dict[int, dict[str, str]]:
    """{owner: {key: value}} from (owner, meta id, key, value, …) rows: the lowest id of a key wins, as in WordPress."""
    found: dict[int, dict[str, str]] = {}
    for row in rows:
        mine = found.get(row[0])
        if mine is None:
            found[row[0]] = {row[2]: row[3] or ""}
        elif row[2] in mine:
            return _first_of_sorted(rows)
        else:
            mine[row[2]] = row[3] or ""
    return found


def _first_of_sorted(rows: Sequence[Sequence[Any]]) -> dict[int, dict[str, str]]:
    """The same where a key stands twice: rare, so only then the rows are sorted."""
    found: dict[int, dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: (row[0], row[1])):
        found.setdefault(row[0], {}).setdefault(row[2], row[3] or "")
    return found


class Items:
    """Lines, shipping methods and coupons of a page of orders (the same tables in both storages)."""

    def __init__(self, shop: Reader, ids: Sequence[int]) -> None:
        self.lines: dict[int, list[Line]] = {}
        self.shipping: dict[int, list[str]] = {}
        self.coupons: dict[int, list[str]] = {}
        if ids:
            self._load(shop, ids)

    def _load(self, shop: Reader, ids: Sequence[int]) -> None:
        meta: dict[int, dict[str, str]] = {}
        for item_id, key, value in shop.page("items_meta", ids=ids):
            mine = meta.get(item_id)
            if mine is None:
                meta[item_id] = {key: value}
            else:
                mine.setdefault(key, value)
        nothing: dict[str, str] = {}
        rows = shop.page("items_rows", ids=ids)
        rows.sort()
        for item_id, order_id, type_, name in rows:
            mine = meta.get(item_id, nothing)
            if type_ == "line_item":
                line = (_int(mine.get("_product_id")), _int(mine.get("_variation_id")), _int(mine.get("_qty")), name or "")
                if order_id in self.lines:
                    self.lines[order_id].append(line)
                else:
                    self.lines[order_id] = [line]
            elif type_ == "shipping":
                method = (mine.get("method_id") or "").partition(":")[0]
                if method:
                    self.shipping.setdefault(order_id, []).append(method)
            elif name:
                self.coupons.setdefault(order_id, []).append(name)


def _int(text: str | None) -> int:
    """Quantities may be '2', '2.5' (weighed goods) or junk: whole numbers, at least 0."""
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        try:
            return max(0, round(float(text)))
        except (ValueError, OverflowError):
            return 0
