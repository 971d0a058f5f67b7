"""Orders from either storage, behind one reader. `choose` is the only place that picks one.

Known traps, all handled below this interface: placeholder posts under HPOS (`shop_order_placehold`), stale
`shop_order` posts after a switch, refunds as children with status `wc-completed` in both storages, drafts
with a zero date, amounts as text in postmeta, several meta rows under one key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import Spans
from sidecar.store.model import Address, Kind, Order
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

    def load(
        self, ids: Sequence[int], keys: Collection[str], paid: Collection[str], *, whole: bool = False
    ) -> list[Order]:
        """Those orders, ascending; ids that are gone are missing. `paid`: statuses whose lines are wanted. `whole`:
        `ids` is a page with every order between its first and its last, which the server reads faster."""

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


def page_of(ids: Sequence[int], *, whole: bool) -> list[int] | Spans:
    """Ascending ids as the server takes them best: a whole page is one range."""
    return Spans([(ids[0], ids[-1])]) if whole else list(ids)
