"""What comes out of the shop. Money is int micros (1 = 0.000001 of the currency), times are Unix seconds UTC."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["order", "refund", "other"]


# One order line: (product id, variation id or 0, quantity, title as sold, '' while the product exists).
# A plain tuple, because half a million of them pass through a first sync.
Line = tuple[int, int, int, str]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One row of either order storage.

    `status` has no `wc-`. `total` is in `currency`, negative for a refund, None when it is no number.
    `created` is None for a zero or missing date. `email` is as stored. `meta` holds only the keys that were
    asked for, each key's first row. `lines`, `shipping` (method ids) and `coupons` (codes) are loaded for
    orders in a paid status only. `crc` moves when the order changes.
    """

    id: int
    kind: Kind
    type: str
    status: str
    parent_id: int
    customer_id: int
    email: str
    total: int | None
    currency: str
    created: int | None
    payment: str
    crc: int
    meta: dict[str, str]
    lines: tuple[Line, ...] = ()
    shipping: tuple[str, ...] = ()
    coupons: tuple[str, ...] = ()


class Address(msgspec.Struct, frozen=True):
    """A billing or shipping address as stored; '' where there is nothing."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A WordPress user. `registered` is Unix seconds UTC; `meta` holds only the keys asked for."""

    id: int
    email: str
    registered: int | None
    display_name: str
    crc: int
    meta: dict[str, str]


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product or variation; a variation has its parent's title, categories and type."""

    id: int
    title: str
    kind: str
    categories: tuple[str, ...]
    physical: bool
