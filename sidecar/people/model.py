"""What the sidecar knows of an order and of a person. Money: micros of the shop's currency. Times: Unix seconds UTC."""

from __future__ import annotations

from typing import Literal

import msgspec

from sidecar.store.model import Line
from sidecar.values import money

CustomerStatus = Literal["", "lead", "new", "returning", "vip"]


class Touch(msgspec.Struct, frozen=True, array_like=True):
    """WooCommerce's order attribution of one order; '' where it has none."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    device: str = ""
    type: str = ""

    def __bool__(self) -> bool:
        return bool(self.source or self.medium or self.campaign or self.device or self.type)


class OrderDoc(msgspec.Struct, frozen=True, array_like=True):
    """The parts of an order that no SQL asks for; kept in the ledger as JSON, free of personal data."""

    lines: tuple[Line, ...] = ()
    shipping: tuple[str, ...] = ()
    coupons: tuple[str, ...] = ()
    payment: str = ""
    touch: Touch = Touch()
    b2b: bool = False
    optin: bool | None = None


class LedgerOrder(msgspec.Struct, frozen=True):
    """One order of a person as the ledger holds it; `refunded` is the sum of its refunds, 0 or above."""

    id: int
    verdict: str
    status: str
    total: int
    refunded: int
    created: int
    doc: OrderDoc

    @property
    def net(self) -> int:
        return self.total - self.refunded


class Facts(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that is known of one person, without a name or an address (design §4 defines each figure).

    `orders_count` counts paid orders whose net is above 0; `gross` and `refunded` sum over paid orders and
    `ltv` = gross - refunded. `first_*` and `last_*` are of the first and last counted order. `products` is
    {product id: quantity}, `categories` {name: quantity}, both over counted orders. `lost_products` keeps the
    stored name of products that are deleted. `address_order` is the newest order of any real status.
    """

    orders_count: int = 0
    gross: int = 0
    refunded: int = 0
    ltv: int = 0
    first_order: int | None = None
    last_order: int | None = None
    first_order_id: int = 0
    last_order_id: int = 0
    address_order: int = 0
    orders_seen: int = 0
    products: dict[int, int] = {}
    lost_products: dict[int, str] = {}
    categories: dict[str, int] = {}
    product_types: list[str] = []
    payment_method: str = ""
    payment_methods: list[str] = []
    shipping_method: str = ""
    shipping_methods: list[str] = []
    coupons: list[str] = []
    first_touch: Touch = Touch()
    last_touch: Touch = Touch()
    customer_type: str = ""
    customer_status: CustomerStatus = ""
    is_account: bool = False
    roles: list[str] = []
    registered: int | None = None
    locale: str = ""
    country: str = ""
    birthday: str = ""
    optin: bool | None = None

    @property
    def aov(self) -> int:
        """LTV / orders_count in micros; 0 without an order."""
        return money.divide(self.ltv, self.orders_count) if self.orders_count else 0
