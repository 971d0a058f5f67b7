"""What a message can tell of: the person, their order or cart, products, a coupon, the shop.

Plain data, cleaned when it was read: every text is one line without HTML and without template codes. The names of the fields are
the names in templates, so they are part of the contract with everybody's files (docs/automations.md, "Messages").
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Money(msgspec.Struct, frozen=True):
    """An amount. `micros` as everywhere; `currency` ISO 4217 (or what the shop calls it, as IRT); `decimals` to show."""

    micros: int
    currency: str
    decimals: int = 2


class Moment(msgspec.Struct, frozen=True):
    """A moment, shown as a day in the shop's time. Unix seconds UTC."""

    at: int


class Percent(msgspec.Struct, frozen=True):
    """A share: 10 is 10 %. Decimal as text."""

    value: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whom it goes to, as FluentCRM has them. `fields`: custom fields by slug, several values joined by commas. `greeting` is
    made for each language: "Hello Anna", "Hello" without a name."""

    first_name: str = ""
    last_name: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    city: str = ""
    country: str = ""
    greeting: str = ""
    fields: dict[str, str] = {}


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product or a variation, as it is now. `price` is what it costs (of a product with variations: the lowest),
    `regular_price` what it costs without the sale; both as the shop stores them, with or without tax. `options`: what kind of
    variation it is, as "Red, L". `rating` is 0 to 5 as text ('' without reviews). `stock` is None where it is not counted."""

    id: int
    variation_id: int = 0
    name: str
    options: str = ""
    price: Money | None = None
    regular_price: Money | None = None
    on_sale: bool = False
    image: str = ""
    url: str = ""
    rating: str = ""
    reviews: int = 0
    stock: int | None = None
    in_stock: bool = True


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order or a cart. `price` is of one piece. `name` is the one stored with an order's line, so it is there
    when the product is gone; then `image` and `url` are not."""

    product_id: int
    variation_id: int = 0
    name: str
    options: str = ""
    quantity: int = 1
    price: Money | None = None
    total: Money | None = None
    image: str = ""
    url: str = ""


class Tracking(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel on its way."""

    code: str = ""
    url: str = ""
    carrier: str = ""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order. `status` is WooCommerce's, without `wc-`. `link` shows it to whoever has it, `pay_link` pays it while it is
    not paid: both hold the order's secret, as in WooCommerce's own e-mails. `tracking` is the first parcel of `parcels`."""

    id: int
    number: str
    status: str
    items: tuple[Line, ...] = ()
    total: Money | None = None
    date: Moment | None = None
    payment: str = ""
    tracking: Tracking | None = None
    parcels: tuple[Tracking, ...] = ()
    pay_link: str = ""
    link: str = ""


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart that was left. `link` brings it back with what was in it (and the coupon of this automation)."""

    id: int
    items: tuple[Line, ...] = ()
    total: Money | None = None
    link: str = ""


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """The person's own coupon, as WooCommerce has it."""

    code: str
    amount: Money | Percent | None = None
    expires: Moment | None = None
    minimum: Money | None = None
    free_shipping: bool = False


class Reorder(msgspec.Struct, frozen=True, kw_only=True):
    """A product that the person buys again and again. `days`: their usual interval."""

    product: Product
    days: int = 0


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """The shop. `address` is one line; `decimals` of its currency."""

    name: str = ""
    url: str = ""
    address: str = ""
    currency: str = "USD"
    logo: str = ""
    decimals: int = 2


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """All that one message can tell. `locale` is the person's (or their cart's or order's), `shop_locale` the shop's: WordPress
    locales as fa_IR. `zone`: the shop's tzinfo. `gone`: what the subject was about is not there any more."""

    person: Person = Person()
    shop: Shop = Shop()
    order: Order | None = None
    cart: Cart | None = None
    coupon: Coupon | None = None
    reorder: Reorder | None = None
    products: tuple[Product, ...] = ()
    cross_sells: tuple[Product, ...] = ()
    locale: str = ""
    shop_locale: str = ""
    zone: Any = None
    gone: bool = False


class Carried(Protocol):
    """What an enrolment carries along (`automations.enrolments.Data`), as far as messages show it."""

    @property
    def coupons(self) -> dict[str, str]: ...


class Whom(Protocol):
    """Whom and what to load for, as the engine says it. `id`: the enrolment; `subject` as that has it (cart:12, order:55 …)."""

    @property
    def id(self) -> int: ...
    @property
    def person_id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def subject(self) -> str: ...
    @property
    def data(self) -> Carried | None: ...


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A `Whom` of one's own."""

    id: int
    person_id: int
    contact_id: int
    subject: str = ""
    data: Carried | None = None


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is ready. `html` is '' when the text has no body. `problems` refuse it: why, in plain words and without
    personal data. `language` it is in; `host` is the shop's own, `home` its address."""

    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    short: str = ""
    problems: tuple[str, ...] = ()
    language: str = "en"
    home: str = ""
