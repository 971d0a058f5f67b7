"""A random shop with what real shops have: addresses, money, dates and items of every kind of wrong. See `hostile_truth.py`
and `hostile_rows.py`."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sidecar.demo import schema

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ZERO = "0000-00-00 00:00:00"
STATUSES = [
    *["wc-completed"] * 9, *["wc-processing"] * 5, "wc-pending", "wc-on-hold", "wc-cancelled", "wc-refunded", "wc-failed",
    "wc-checkout-draft", "trash", "auto-draft", "draft", "wc-shipped", "completed", "", "publish", "wc-",
]  # fmt: skip
ZONES = ["Europe/Warsaw", "Asia/Tehran", "America/New_York", "+5.75", "-3.5", "UTC+3.5", ""]
CURRENCIES = ["PLN", "JPY", "KWD", "IRT", "VND"]
LOCALS = [
    "anna",
    "Anna",
    "ANNA",
    "an.na",
    "anna+shop",
    "o'neil",
    "b",
    "x" * 50,
    "josé",
    "ann\u200ba",
    "Łucja",
    "anna.",
    "İan",
]
DOMAINS = [
    "example.org",
    "Example.ORG",
    "gmail.com",
    "sklep.example.co.uk",
    "localhost",
    "site.invalid",
    "żółw.pl",
    "a" * 60 + "." + "b" * 60 + "." + "c" * 60 + ".org",
]
DECOR = ["{}"] * 12 + [" {}", "{} ", "\t{}\n", "\u00a0{}", "{}\u200b", "\ufeff{}", "<{}>", "mailto:{}"]
NAMES = ["Kawa", "Herbata & spółka", "چای سبز", "Чай", "🫖 czajnik", "x" * 250, 'Kubek "duży"', "Kubek \\ 'mały'"]


@dataclass
class Order:
    """One row of either storage as a shop has it; `lines` are (product or None, variation, quantity text, name)."""

    id: int
    type: str = "shop_order"
    status: str = "wc-completed"
    customer: int = 0
    email: str | None = ""
    total: str = "10"
    currency: str | None = ""
    created: str | None = None
    parent: int = 0
    payment: str = ""
    lines: list[tuple[int | None, int, str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    meta: list[tuple[str, str | None]] = field(default_factory=list)


class Shop:
    """`orders` and `accounts` {id: e-mail as stored, capabilities} are the truth; the dice are always the same."""

    def __init__(self, seed: int, storage: schema.Storage) -> None:
        self.dice = dice = random.Random(seed)
        self.storage: schema.Storage = storage
        self.prefix = dice.choice(["wp_", "wp_", "Xy7_", "wp_2_", "shop"])
        self.zone = dice.choice(ZONES)
        self.currency = dice.choice(CURRENCIES)
        self.accounts: dict[int, tuple[str, str | None]] = {}
        self.products: dict[int, tuple[str, int, list[str], str]] = {}
        self.orders: dict[int, Order] = {}
        self._next = 1000
        self._products()
        addresses = [self._email() for _ in range(30)]
        for user in range(1, 25):
            role = dice.choice(["customer"] * 8 + ["administrator", "subscriber", "shop_manager"])
            caps = dice.choice([f'a:1:{{s:{len(role)}:"{role}";b:1;}}'] * 9 + [None, "a:0:{}"])
            self.accounts[user * 3] = (dice.choice(addresses)[:100], caps)
        for _ in range(160):
            self._order(addresses)

    # --- making it up ------------------------------------------------------------------------------------

    def _email(self) -> str:
        dice = self.dice
        if dice.random() < 0.05:
            return dice.choice(["", " ", "@", "nobody", "a@b", "deleted@site.invalid"])
        local = dice.choice(LOCALS) + (str(dice.randrange(6)) if dice.random() < 0.8 else "")
        return dice.choice(DECOR).format(f"{local}@{dice.choice(DOMAINS[:4] if dice.random() < 0.85 else DOMAINS)}")

    def _products(self) -> None:
        dice = self.dice
        for id_ in range(100, 112):
            kind = dice.choice(["simple", "simple", "variable", "subscription"])
            names = sorted({f"Kat {dice.randrange(4)}" for _ in range(dice.randrange(4))})
            self.products[id_] = (f"{dice.choice(NAMES)} {id_}", 0, names, kind)
        for id_ in range(200, 206):
            # 113 is a parent that is gone.
            self.products[id_] = (f"Wariant {id_}", dice.choice([100, 101, 113]), [], "")

    def id(self) -> int:
        self._next += self.dice.choice([1, 1, 1, 2, 7, 300])
        return self._next

    def _moment(self) -> str:
        at = NOW - timedelta(seconds=self.dice.randrange(0, 900 * 86400))
        return at.strftime("%Y-%m-%d %H:%M:%S")

    def _money(self) -> str:
        dice = self.dice
        places = {"JPY": 0, "IRT": 0, "VND": 0, "KWD": 3}.get(self.currency, 2)
        if dice.random() < 0.08:
            return dice.choice(["0", "0.00", "-5.00", "0.005", "0.994999", "1234567.89", "99.999999", "2500000"])
        return f"{dice.randrange(1, 10**6) / 10 ** dice.choice([2, 3, 4]):.{places}f}"

    def _order(self, addresses: list[str]) -> None:
        dice = self.dice
        order = Order(
            self.id(), status=dice.choice(STATUSES), total=self._money(), created=self._moment(),
            customer=dice.choice([0, 0, *self.accounts, 4, 5]), email=dice.choice([*addresses, "", None]),
            currency=dice.choice([self.currency] * 12 + ["", None, self.currency.lower(), "EUR", "USD", "USD"]),
            payment=dice.choice(["bacs", "cod", "przelewy24", "", "Stripe"]),
        )  # fmt: skip
        if dice.random() < 0.04:
            order.created = dice.choice([None, ZERO, "9999-12-31 23:59:59", "1969-07-20 20:17:00"])
        if dice.random() < 0.06:
            order.type = dice.choice(["shop_subscription", "shop_order_placehold", "wcdp_payment", "shop_orders"])
        for _ in range(dice.randrange(4)):
            product = dice.choice([*range(100, 112), 113, 150, 0, None])
            variation = dice.choice([0, 0, 200, 201, 202, 299]) if product in (100, 101, 113) else 0
            if variation in self.products and self.products[variation][1] != product:
                variation = 0
            name = f"Linia {product or dice.randrange(5)}"
            order.lines.append((product, variation, dice.choice(["1", "2", "0.5", "2.5", "3", ""]), name))
        order.methods = [dice.choice(["flat_rate", "local_pickup", "flat_rate:3"]) for _ in range(dice.randrange(3))]
        for key in ("utm_source", "device_type"):
            if dice.random() < 0.5:
                order.meta.append(
                    (f"_wc_order_attribution_{key}", dice.choice(["google", "Mobile", "", None, "é" * 100]))
                )
                if dice.random() < 0.2:
                    order.meta.append((f"_wc_order_attribution_{key}", "second row"))
        if dice.random() < 0.04:
            order.meta.append(("_anonymized", "yes"))
        if (order.currency or self.currency).upper() != self.currency:
            order.meta += dice.choice([[], [("_woocs_order_rate", "0.0000393")], [("_wcpay_multi_currency_order_exchange_rate", "3.25")],
                                       [("_order_total_base_currency", "2544529.26")], [("_woocs_order_rate", "abc")], [("_woocs_order_rate", "2"), ("_woocs_order_base_currency", "CHF")]])  # fmt: skip
        self.orders[order.id] = order
        for _ in range(dice.choice([0, 0, 0, 0, 1, 1, 2])):
            self._refund(order)

    def _refund(self, order: Order) -> None:
        dice = self.dice
        part = dice.choice([Decimal(1), Decimal("0.5"), Decimal("0.333"), Decimal("1.2"), Decimal(0)])
        amount = -(Decimal(order.total) * part).quantize(Decimal("0.0001"))
        refund = Order(
            self.id(), "shop_order_refund", dice.choice(["wc-completed"] * 4 + ["trash", "wc-refunded"]), 0, dice.choice([None, ""]), str(amount),
            order.currency, dice.choice([self._moment(), None, ZERO, "9999-12-31 23:59:59"]), dice.choice([order.id] * 12 + [0, 999_999]),
        )  # fmt: skip
        self.orders[refund.id] = refund

    def change(self) -> None:
        """What happens in a shop between two runs: rows come, change and go."""
        dice = self.dice
        for order in dice.sample(list(self.orders.values()), 25):
            what = dice.randrange(7)
            if what == 0:
                del self.orders[order.id]
            elif order.type != "shop_order":
                order.total = str(Decimal(order.total) / 2)
            elif what == 1:
                order.status = dice.choice(STATUSES)
            elif what == 2:
                order.email = self._email()
            elif what == 3:
                order.customer = dice.choice([0, *self.accounts])
            elif what == 4:
                self._refund(order)
            elif what == 5:
                order.total = self._money()
            else:
                order.created = self._moment()
        for user in dice.sample(list(self.accounts), 4):
            if dice.random() < 0.5:
                del self.accounts[user]
        self.accounts[max(self.accounts) + 2] = (self._email()[:100], 'a:1:{s:8:"customer";b:1;}')
        for _ in range(8):
            self._order([self._email() for _ in range(4)])
