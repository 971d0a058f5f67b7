"""What the shop will hold, before a single row is written: people, products and orders as plain objects.

Money is whole cents (int), moments are Unix seconds (int). Ids of orders and refunds are given last, in the
order of time, as a real shop's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as somebody typed it. Empty parts have no row in the shop."""

    first: str = ""
    last: str = ""
    company: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""

    def parts(self) -> Iterator[tuple[str, str]]:
        """WooCommerce's names for the parts that are filled in."""
        named = (
            ("first_name", self.first), ("last_name", self.last), ("company", self.company),
            ("address_1", self.street), ("city", self.city), ("state", self.state),
            ("postcode", self.postcode), ("country", self.country), ("phone", self.phone),
        )  # fmt: skip
        return ((name, value) for name, value in named if value)


@dataclass(slots=True)
class Person:
    """Somebody who buys. `user_id` 0 is a guest; `profile` is the account's own billing address, if any."""

    email: str
    address: Address
    user_id: int = 0
    roles: tuple[str, ...] = ("customer",)
    registered: int = 0
    profile: Address | None = None
    profile_email: str = ""
    meta: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """Something sold. A variation has a `parent`; `price` is in cents."""

    id: int
    name: str
    kind: str
    price: int
    categories: tuple[str, ...] = ()
    parent: int = 0
    virtual: bool = False
    downloadable: bool = False
    size: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order: `total` after discount, `subtotal` before."""

    product: int
    variation: int
    name: str
    quantity: int
    subtotal: int
    total: int
    size: str = ""


@dataclass(slots=True)
class Refund:
    """Money given back, `amount` positive. `line` is which line came back, None: amount only."""

    amount: int
    at: int
    line: int | None = None
    quantity: int = 0
    full: bool = False
    id: int = 0


@dataclass(slots=True)
class Order:
    """A row of the orders table: an order, a subscription or something that no one knows.

    `rate` converts: shop currency = amount / rate; None means that the shop does not know the rate.
    `base_total` is the amount in the shop's currency where the shop stored that instead of a rate.
    """

    email: str | None
    customer_id: int
    billing: Address | None
    created: int | None
    status: str = "wc-completed"
    type: str = "shop_order"
    lines: list[Line] = field(default_factory=list)
    shipping: list[tuple[str, str, int]] = field(default_factory=list)
    fees: list[tuple[str, int]] = field(default_factory=list)
    coupons: list[tuple[str, int]] = field(default_factory=list)
    tax: int = 0
    total: int = 0
    currency: str = "PLN"
    rate: Decimal | None = Decimal(1)
    base_total: int | None = None
    payment: str = "cod"
    via: str = "checkout"
    meta: dict[str, str] = field(default_factory=dict)
    refunds: list[Refund] = field(default_factory=list)
    zero_date: bool = False
    parent: Order | None = None
    id: int = 0

    def add_up(self) -> Order:
        """Set `total` to what the lines, fees, shipping and tax come to."""
        self.total = (
            sum(line.total for line in self.lines)
            + sum(cents for _, cents in self.fees)
            + sum(cost for _, _, cost in self.shipping)
            + self.tax
        )
        return self


@dataclass(slots=True)
class Plan:
    """The whole shop. `cases` names the deliberate oddities: `order.*` are orders, the rest values."""

    now: int
    zone: tzinfo
    people: list[Person] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    cases: dict[str, list[Order | int | str]] = field(default_factory=dict)
    next_user: int = 2

    def mark(self, case: str, *keys: Order | int | str) -> None:
        """Remember that these are examples of a case."""
        self.cases.setdefault(case, []).extend(keys)

    def account(self, person: Person) -> Person:
        """Take somebody in as a registered user: the next user id."""
        person.user_id, self.next_user = self.next_user, self.next_user + 1
        person.registered = person.registered or self.now - 700 * 86400
        self.people.append(person)
        return person

    def guest(self, person: Person) -> Person:
        """Take somebody in who never registered."""
        self.people.append(person)
        return person

    def number(self, first: int) -> None:
        """Give every order and refund its id from `first` up, by time; the undated come first."""
        events: list[tuple[int, int, Order | Refund]] = []
        for order in self.orders:
            events.append((order.created or 0, len(events), order))
            events += [(refund.at, len(events) + k, refund) for k, refund in enumerate(order.refunds)]
        events.sort(key=lambda event: event[:2])
        for number, (_, _, thing) in enumerate(events, first):
            thing.id = number
        self.orders.sort(key=lambda order: order.id)
