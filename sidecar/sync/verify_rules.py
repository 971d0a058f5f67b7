"""The recount's own reading of the definitions (design §4): amounts, moments, rates, statuses, roles. Pure.

Nothing here is shared with `people` or `store`: a fault there must not hide itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import msgspec

from sidecar.config import Config
from sidecar.store.schema import ShopInfo
from sidecar.values import email

ZERO = Decimal(0)
ERASED = "_anonymized"
# (meta with units of the order's currency in one of the shop's, meta that says which the shop's was then)
STORED_RATES = (
    ("_wcpay_multi_currency_order_exchange_rate", "_wcpay_multi_currency_order_default_currency"),
    ("_woocs_order_rate", "_woocs_order_base_currency"),
)
BASE_TOTAL = "_order_total_base_currency"
DECIDING = (ERASED, BASE_TOTAL, *(key for pair in STORED_RATES for key in pair))
KNOWN_STATUSES = {"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"}
DRAFTS = {"auto-draft", "draft", "new", "checkout-draft"}
# What no order is worth, in whole units, and the year 2200 in Unix seconds: beyond them somebody mistyped.
_MOST = 10**11
_LATEST = 7258118400
_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+\.?")
_THOUSANDS = re.compile(r",[0-9]{3}$")
_ROLE = re.compile(r's:\d+:"([^"]*)";(?:b:1|i:1|s:1:"1");')


class OrderRow(msgspec.Struct, kw_only=True):
    """One order as the recount reads it. `raw` is the stored amount as the server adds it up, `refunded` the
    (negative) sum of its refunds, both in `currency`; `total` is None when it is no usable number."""

    id: int
    status: str
    customer: int
    email: str
    raw: Decimal
    total: Decimal | None
    currency: str
    created: int | None
    refunds: int
    refunded: Decimal
    meta: dict[str, str]


def amount(text: str | None) -> Decimal:
    """What the server's own sum makes of a stored amount: 0 when it is no number."""
    cleaned = (text or "").replace(" ", "").replace(",", ".")
    return Decimal(cleaned) if _NUMBER.fullmatch(cleaned) and cleaned.isascii() else ZERO


def usable(text: str | None) -> Decimal | None:
    """A total that can be counted with, or None; '1,234' may be thousands, so it is not one."""
    cleaned = (text or "").replace(" ", "")
    if not _NUMBER.fullmatch(cleaned.replace(",", ".")) or _THOUSANDS.search(cleaned):
        return None
    return Decimal(cleaned.replace(",", "."))


def moment(text: str | None) -> int | None:
    """MySQL's UTC text → Unix seconds; None for a zero or missing date, and for one before 1970 or from 2200 on."""
    try:
        found = int(datetime.fromisoformat(text or "").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
    return found if 0 < found < _LATEST else None


def roles(serialized: str | None) -> list[str]:
    """The roles that are on in `{prefix}capabilities`."""
    return _ROLE.findall(serialized or "")


def rate(row: OrderRow, info: ShopInfo, declared: Mapping[str, str]) -> Decimal | None:
    """Units of the order's currency in one of the shop's, or None when nobody says."""
    for value, base in STORED_RATES:
        if row.meta.get(base, "").upper() in ("", info.currency):
            found = _positive(row.meta.get(value, ""))
            if found is not None:
                return found
    based = _positive(row.meta.get(BASE_TOTAL, ""))
    if based is not None and row.total is not None and row.total > 0:
        return row.total / based
    return _positive(declared.get(row.currency, ""))


def _positive(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() and Decimal("0.000001") <= found <= 10**9 else None


class Reasons:
    """Why an order does not count: '' when it does."""

    def __init__(self, config: Config, info: ShopInfo) -> None:
        people = config.people
        self._info = info
        self._means = {key.removeprefix("wc-"): value.removeprefix("wc-") for key, value in people.status_map.items()}
        self.declared = {key.upper(): value for key, value in people.currency_rates.items()}

    def without_person(self, row: OrderRow) -> str:
        """trash, draft, anonymised, or '': such orders make nobody a contact."""
        if row.status == "trash":
            return "trash"
        if row.status in DRAFTS:
            return "draft"
        if row.meta.get(ERASED) == "yes" or (email.identity(row.email) or "").endswith("@site.invalid"):
            return "anonymised"
        return ""

    def worth(self, row: OrderRow) -> Decimal:
        """The net of a paid order in the shop's currency, whoever it belongs to; 0 when it is not paid for."""
        if self._means.get(row.status, row.status) not in self._info.paid_statuses or row.total is None:
            return ZERO
        found = Decimal(1) if row.currency in ("", self._info.currency) else rate(row, self._info, self.declared)
        return (row.total + row.refunded) / found if found else ZERO

    def of_order(self, row: OrderRow) -> tuple[str, Decimal | None]:
        """(reason or '', rate) of an order that has a person."""
        status = self._means.get(row.status, row.status)
        if status not in self._info.paid_statuses:
            return ("unpaid" if status in KNOWN_STATUSES else "custom_status"), None
        if row.total is None or abs(row.total) > _MOST:
            return "bad_total", None
        if row.created is None:
            return "no_date", None
        if row.currency in ("", self._info.currency):
            return "", Decimal(1)
        found = rate(row, self._info, self.declared)
        if found is None:
            return "no_rate", None
        return ("", found) if abs(row.total) <= _MOST * found else ("bad_total", None)
