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
from sidecar.values import dates

ORDER = "shop_order"
REFUND = "shop_order_refund"
Cursor = tuple[str, int]
Sums = dict[int, tuple[int, int]]
BUCKET = 256


class OrderReader(Protocol):
    """What both storages can do. Ids are order ids (the same in both); pages are by primary key."""

    @property
    def storage(self) -> Storage:
        """Which one it is."""

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

    def crcs(self, low: int, high: int, keys: Collection[str]) -> dict[int, int]:
        """{id: crc} of the orders from `low` to `high`, as `load` gives them."""

    def sums(self, after: int, upto: int) -> Sums:
        """{bucket of BUCKET ids: (rows, sum of crc)} of the rows alone: which ranges changed since they were loaded."""

    def last_meta_id(self) -> int:
        """The highest id of the meta that belongs to a row's crc; 0 where the row stands for all."""

    def meta_sums(self, after: int, upto: int, keys: Collection[str]) -> dict[int, int]:
        """{bucket: sum of crc} of the wanted meta with these meta ids; to be added to the rows' sums."""


def choose(shop: Reader, storage: Storage, products: Collection[int] = ()) -> OrderReader:
    """The reader for a storage (see `schema.storage`, which says which one rules now). `products`: ids that exist."""
    from sidecar.store.orders_hpos import HposOrders
    from sidecar.store.orders_posts import PostsOrders

    return HposOrders(shop, products) if storage == "hpos" else PostsOrders(shop, products)


# 1 January 2200: beyond it a date is somebody's mistake, and would run out of the calendar in some time zones.
_LATEST = 7258118400


def moment(text: str | None) -> int | None:
    """A UTC date-time of the shop as Unix seconds; None when it is missing, zero, no date, or beyond reason."""
    found = dates.utc(text or "")
    return found if found is not None and 0 < found < _LATEST else None


def id_of(number: int | None) -> int:
    """An id as the state can keep it; 0 for none and for what no real id is (beyond 64 bits with a sign)."""
    return number if number is not None and 0 < number < 2**63 else 0


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
    """Lines, shipping methods and coupons of a page of orders (the same tables in both storages).

    A line's stored name is read only when its product is not among `products`.
    """

    def __init__(self, shop: Reader, ids: Sequence[int], products: Collection[int]) -> None:
        self.lines: dict[int, list[Line]] = {}
        self.shipping: dict[int, list[str]] = {}
        self.coupons: dict[int, list[str]] = {}
        if ids:
            self._load(shop, ids, products)

    def _load(self, shop: Reader, ids: Sequence[int], products: Collection[int]) -> None:
        bought: dict[int, tuple[int, int]] = {}
        variations: dict[int, int] = {}
        quantities: dict[int, int] = {}
        for item_id, order_id, key, value in shop.page("items_meta", ids=ids):
            if key == "_product_id":
                if item_id not in bought:
                    bought[item_id] = (order_id, _int(value))
            elif key == "_qty":
                quantities.setdefault(item_id, _int(value))
            elif key == "_variation_id":
                variations.setdefault(item_id, _int(value))
            elif value:
                self.shipping.setdefault(order_id, []).append(value.partition(":")[0])
        lost = [item_id for item_id, (_, product) in bought.items() if product not in products]
        names = dict(shop.page("items_names", ids=lost)) if lost else {}
        lines = self.lines
        for item_id in sorted(bought):
            order_id, product = bought[item_id]
            line = (product, variations.get(item_id, 0), quantities.get(item_id, 1), names.get(item_id) or "")
            if order_id in lines:
                lines[order_id].append(line)
            else:
                lines[order_id] = [line]
        for _, order_id, name in sorted(shop.page("items_coupons", ids=ids)):
            if name:
                self.coupons.setdefault(order_id, []).append(name)


_MOST = 10**15


def _int(text: str | None) -> int:
    """Ids and quantities of lines: whole numbers from 0 ('2.5' of weighed goods is rounded), 0 for junk."""
    if not text:
        return 0
    try:
        found = int(text)
    except ValueError:
        try:
            found = round(float(text))
        except (ValueError, OverflowError):
            return 0
    return found if 0 <= found <= _MOST else 0
