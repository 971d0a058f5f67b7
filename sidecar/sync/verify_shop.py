"""The recount of the shop, from its rows, by queries of its own: who bought what, and what became of every row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from sidecar.config import Config
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store.schema import ShopInfo
from sidecar.sync.verify_rows import load
from sidecar.sync.verify_rules import ZERO, OrderRow, Reasons, moment, roles
from sidecar.values import email

_PAGE = 2000
_END = 2**62
FAILED = {"bad_total", "no_date"}
_MANY = 20

Tick = Callable[[str, int, int], None]


class Line(msgspec.Struct, kw_only=True):
    """One line of the account: rows of a kind (order, refund, other, user, guest), where they are (in, left,
    failed) and why. `amounts` is {currency: sum as stored}, `worth` the net of paid orders in the shop's currency."""

    kind: str
    place: str
    reason: str
    rows: int = 0
    amounts: dict[str, Decimal] = {}
    worth: Decimal = ZERO


class Account:
    """Adds rows up by kind, place and reason."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str, str], Line] = {}

    def add(self, kind: str, place: str, reason: str, rows: int = 1) -> Line:
        line = self.lines.get((kind, place, reason))
        if line is None:
            line = self.lines[kind, place, reason] = Line(kind=kind, place=place, reason=reason)
        line.rows += rows
        return line

    def money(self, line: Line, currency: str, raw: Decimal) -> None:
        line.amounts[currency] = line.amounts.get(currency, ZERO) + raw


class Somebody:
    """One identity and what the shop says of them. `reason` says why they are no contact, '' for one who is."""

    __slots__ = ("count", "first", "foreign", "last", "ltv", "newest", "orders", "raw", "reason", "refunded",
                 "refunds", "seen", "user_id", "users")  # fmt: skip

    def __init__(self) -> None:
        self.user_id = 0
        self.users = 0
        self.reason = ""
        self.newest = (-1, 0)
        self.seen = -1
        self.count = self.orders = self.refunds = 0
        self.ltv = self.raw = self.refunded = ZERO
        self.first: tuple[int, int] | None = None
        self.last: tuple[int, int] | None = None
        self.foreign: dict[str, Decimal] | None = None

    @property
    def ref(self) -> str:
        return f"user:{self.user_id}" if self.user_id else f"order:{self.newest[1]}"


class Recount:
    """Reads accounts, then orders. Afterwards `people`, `account`, `faults` and `disagreements` are complete."""

    def __init__(self, reader: Reader, info: ShopInfo, config: Config, state: State, tick: Tick) -> None:
        self._reader, self._info, self._config, self._state, self._tick = reader, info, config, state, tick
        self._reasons = Reasons(config, info)
        self.people: dict[str, Somebody] = {}
        self.users: dict[int, str] = {}
        self.account = Account()
        self.faults: list[str] = []
        self.disagreements: list[str] = []
        self.disagreed = 0
        self.orphans: list[str] = []
        self._aliases: dict[bytes, int] = dict(
            state.rows(
                "SELECT a.key, p.user_id FROM alias a JOIN person p ON p.id = a.person_id WHERE p.user_id IS NOT NULL"
            )
        )
        self._erased = {row[0] for row in state.rows("SELECT key FROM suppressed")}
        self._refunds: list[Any] = [0, ZERO, 0, ZERO]

    def run(self) -> None:
        """Recount everything."""
        self._users()
        self._orders()
        self._orphans()
        rows, money, seen_rows, seen_money = self._refunds
        if (rows, money) != (seen_rows, seen_money):
            self.faults.append(
                f"refunds do not add up: the database holds {rows} of {money}, orders have {seen_rows} of {seen_money}"
            )

    # --- accounts ----------------------------------------------------------------------------------------

    def _users(self) -> None:
        people = self._config.people
        key = f"{self._reader.tables.prefix}capabilities"
        total = int(self._reader.value("users_last_id") or 0)
        after = 0
        while page := sorted(self._reader.page("verify_users", after=after, limit=_PAGE, capabilities=key), key=_first):
            after = page[-1][0]
            for user_id, address, registered, capabilities in page:
                identity = email.identity(address)
                if identity is None or email.problem(identity) is not None:
                    why = (
                        "no_email" if identity is None else "anonymised" if email.anonymised(identity) else "bad_email"
                    )
                    self.account.add("user", "left", why)
                    continue
                if self._erased and self._state.key(identity) in self._erased:
                    self.account.add("user", "left", "suppressed")
                    continue
                self.users[user_id] = identity
                somebody = self._somebody(identity)
                somebody.users += 1
                if somebody.user_id:
                    continue
                somebody.user_id = user_id
                somebody.seen = moment(registered) or -1
                mine = roles(capabilities)
                if any(role in people.exclude_roles for role in mine):
                    somebody.reason = "excluded_role"
                elif capabilities is None:
                    somebody.reason = "no_role_here"
                elif any(role in people.staff_roles for role in mine):
                    somebody.reason = "staff"
            self._tick("verify accounts", after, total)

    def _somebody(self, identity: str) -> Somebody:
        somebody = self.people.get(identity)
        if somebody is None:
            somebody = self.people[identity] = Somebody()
        return somebody

    # --- orders ------------------------------------------------------------------------------------------

    def _orders(self) -> None:
        storage = self._info.storage
        total = int(self._reader.value(f"orders_{storage}_last_id") or 0)
        after = 0
        while True:
            rows, upto = self._page(after)
            for row in rows:
                self._place(row)
            self._agree(rows)
            if upto == _END:
                return
            after = upto
            self._tick("verify orders", after, total)

    def _page(self, after: int) -> tuple[list[OrderRow], int]:
        """A page of orders that adds up to what the server says of the same ids; orders that move while we read
        are read again."""
        for attempt in (1, 2, 3):
            rows = load(self._reader, self._info.storage, after, _PAGE)
            upto = rows[-1].id if len(rows) == _PAGE else _END
            totals = self._reader.page(f"verify_{self._info.storage}_totals", after=after, upto=upto)
            held: dict[str, tuple[int, Decimal]] = {}
            for type_, currency, count, money in totals:
                if type_ == "shop_order":
                    held[currency] = (count, Decimal(money))
            read: dict[str, tuple[int, Decimal]] = {}
            for row in rows:
                count, money = read.get(row.currency, (0, ZERO))
                read[row.currency] = (count + 1, money + row.raw)
            if held == read or attempt == 3:
                break
        if held != read:
            self.faults.append(
                f"orders after {after} do not add up: the database holds {_told(held)}, read were {_told(read)}"
            )
        in_range = 0
        for type_, currency, count, money in totals:
            in_range += count
            if type_ == "shop_order_refund":
                self._refunds[0] += count
                self._refunds[1] += Decimal(money)
            elif type_ != "shop_order":
                self.account.money(self.account.add("other", "left", "other_type", count), currency, Decimal(money))
        known = self._state.rows("SELECT COUNT(*) FROM shop_order WHERE id > ? AND id <= ?", (after, upto))[0][0]
        if known != in_range:
            self._disagree(f"after order {after} the shop has {in_range} rows, the sync's ledger {known}")
        return rows, upto

    def _owner(self, row: OrderRow) -> tuple[str | None, str]:
        """(identity, '') or (None, why there is none): the account's, if it exists, else the billing address."""
        if row.customer and row.customer in self.users:
            return self.users[row.customer], ""
        identity = email.identity(row.email)
        if identity is None:
            return None, "no_email"
        if email.problem(identity) is not None:
            return None, "bad_email"
        if identity in self.people and self.people[identity].user_id:
            return identity, ""
        if self._aliases or self._erased:
            key = self._state.key(identity)
            if key in self._erased:
                return None, "erased"
            if key in self._aliases:
                return self.users.get(self._aliases[key], identity), ""
        return identity, ""

    def _place(self, row: OrderRow) -> None:
        self._refunds[2] += row.refunds
        self._refunds[3] += row.refunded
        reason = self._reasons.without_person(row)
        if not reason:
            identity, reason = self._owner(row)
            if identity is not None:
                somebody = self._somebody(identity)
                if somebody.reason in ("staff", "no_role_here"):
                    somebody.reason = ""  # who buys is a customer, whatever else they are
                somebody.newest = max(somebody.newest, (row.created or 0, row.id))
                somebody.seen = max(somebody.seen, row.created or 0)
                reason, rate = self._reasons.of_order(row)
                if rate is not None:
                    row.status = ""
                    self._count(somebody, row, rate)
                    return
        place = "failed" if reason in FAILED else "left"
        line = self.account.add("order", place, reason)
        line.worth += self._reasons.worth(row)
        self.account.money(line, row.currency, row.raw)
        row.status = reason
        if row.refunds:
            self.account.money(
                self.account.add("refund", place, f"of_{reason}", row.refunds), row.currency, row.refunded
            )

    def _count(self, somebody: Somebody, row: OrderRow, rate: Decimal) -> None:
        assert row.total is not None and row.created is not None
        worth, back = row.total / rate, row.refunded / rate
        somebody.orders += 1
        somebody.ltv += worth + back
        somebody.refunds += row.refunds
        if row.currency in ("", self._info.currency):
            somebody.raw += row.raw
            somebody.refunded += row.refunded
        else:
            somebody.foreign = somebody.foreign or {}
            for key, value in ((row.currency, row.raw), (f"-{row.currency}", row.refunded)):
                somebody.foreign[key] = somebody.foreign.get(key, ZERO) + value
        if row.total + row.refunded > 0:
            at = (row.created, row.id)
            somebody.count += 1
            somebody.first = min(somebody.first or at, at)
            somebody.last = max(somebody.last or at, at)

    def _agree(self, rows: list[OrderRow]) -> None:
        """The sync's own verdicts, row by row. `_place` has put ours where the status was."""
        ids = msgspec.json.encode([row.id for row in rows]).decode()
        theirs = dict(
            self._state.rows("SELECT id, verdict FROM shop_order WHERE id IN (SELECT value FROM json_each(?))", (ids,))
        )
        for row in rows:
            mine = row.status or "candidate"
            if theirs.get(row.id) != mine:
                self._disagree(f"order {row.id}: {mine} here, {theirs.get(row.id, 'not there')} in the sync's ledger")

    def _disagree(self, text: str) -> None:
        self.disagreed += 1
        if len(self.disagreements) < _MANY:
            self.disagreements.append(text)

    def _orphans(self) -> None:
        for id_, parent, currency, money in self._reader.page(f"verify_{self._info.storage}_orphans"):
            self._refunds[2] += 1
            self._refunds[3] += Decimal(money)
            self.account.money(self.account.add("refund", "left", "of_missing_order"), currency, Decimal(money))
            self.orphans.append(f"refund {id_} of order {parent}")


def _first(row: list[Any]) -> int:
    return int(row[0])


def _told(sums: dict[str, tuple[int, Decimal]]) -> str:
    return (
        ", ".join(f"{count} rows of {money} {currency}" for currency, (count, money) in sorted(sums.items()))
        or "nothing"
    )
