"""Doubtful data, found record by record: duplicates, test orders, bad addresses, phones and names. Pure.

A record is an account, or the addresses of an order. A person counts once for each check. People are remembered
as 64-bit numbers: a big shop costs some megabytes, and no address is kept but a few masked examples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from hashlib import blake2b

import msgspec

from sidecar.config import TestOrders
from sidecar.people import addresses
from sidecar.people.oddities import CHECKS, Example, Finding
from sidecar.store.model import Address
from sidecar.values import email, money, names, phone, places
from sidecar.values.masking import mask_text

MOST_EXAMPLES = 5
Odd = tuple[str, str]


class Record(msgspec.Struct, kw_only=True):
    """An account (`user_id` is its own) or a real order (`user_id` is its buyer's, 0 for a guest). `total` is micros
    of an order, None for an account or when it is no number. `first` and `last` are the account's own name."""

    ref: str
    user_id: int
    email: str
    billing: Address
    shipping: Address
    first: str = ""
    last: str = ""
    total: int | None = None

    @property
    def is_account(self) -> bool:
        return self.ref.startswith("user:")


class Examiner:
    """All records go through `look`, accounts before orders; then `findings` tells."""

    def __init__(self, tests: TestOrders, shop_country: str, only: Collection[str] = ()) -> None:
        self._country = shop_country
        self._only = frozenset(only) or frozenset(CHECKS)
        self._patterns = tuple(pattern.lower() for pattern in tests.emails)
        self._test_names = frozenset(name.strip().casefold() for name in tests.names)
        self._most = money.to_micros(tests.max_total) if tests.max_total else None
        self._counts = dict.fromkeys(CHECKS, 0)
        self._examples: dict[str, list[Example]] = {name: [] for name in CHECKS}
        self._told: dict[str, set[int]] = {name: set() for name in CHECKS}
        self._accounts: dict[int, int] = {}
        self._holders: set[int] = set()
        self._names: dict[int, int] = {}
        self._spellings: dict[int, int] = {}
        self._mobiles: dict[int, int] = {}

    def look(self, record: Record) -> None:
        """Examine one record."""
        if email.anonymised(email.identity(record.email) or ""):
            return
        person = self._person(record)
        for name, value in self._odd(record, person):
            if name in self._only:
                self._tell(name, record.ref, value, person)

    def add(self, name: str, count: int, examples: list[Example]) -> None:
        """What was found elsewhere (stale meta keys)."""
        self._counts[name] += count
        self._examples[name] += examples[: MOST_EXAMPLES - len(self._examples[name])]

    def findings(self) -> list[Finding]:
        """Every check that was asked for, also those that found nothing."""
        return [
            Finding(
                name=name, inventory=check.inventory, of=check.of, about=check.about, action=check.action,
                count=self._counts[name], examples=self._examples[name],
            )
            for name, check in CHECKS.items()
            if name in self._only
        ]  # fmt: skip

    def _person(self, record: Record) -> int:
        """Whose record it is: 0 for nobody's. An account's orders are the account's (design §4)."""
        if not record.is_account and record.user_id in self._accounts:
            return self._accounts[record.user_id]
        identity = email.identity(record.email)
        person = number(identity) if identity else 0
        if record.is_account:
            self._accounts[record.user_id] = person
        return person

    def _tell(self, name: str, ref: str, value: str, person: int) -> None:
        told = self._told[name]
        if person and CHECKS[name].of == "people":
            if person in told:
                return
            told.add(person)
        self._counts[name] += 1
        if len(self._examples[name]) < MOST_EXAMPLES:
            self._examples[name].append(Example(ref, value))

    def _odd(self, record: Record, person: int) -> Iterator[Odd]:
        own = record.is_account or record.user_id not in self._accounts
        identity = email.identity(record.email)
        if not record.is_account:
            yield from self._test(record, identity)
        if own:
            yield from self._email(record, identity, person)
        yield from self._phones(record, person)
        for address in (record.billing, record.shipping):
            yield from addresses.odd(address)
        yield from self._name(record, person, own)

    def _test(self, record: Record, identity: str | None) -> Iterator[Odd]:
        first, last = record.billing.first_name.strip().casefold(), record.billing.last_name.strip().casefold()
        words = {first, last, f"{first} {last}".strip()} - {""}
        named = bool(words & self._test_names)
        mailed = identity is not None and any(fnmatchcase(identity, pattern) for pattern in self._patterns)
        cheap = self._most is None or (record.total is not None and record.total <= self._most)
        if (named or mailed) and cheap:
            yield "test_order", email.mask(identity) if mailed else mask_text(f"{first} {last}".strip())

    def _email(self, record: Record, identity: str | None, person: int) -> Iterator[Odd]:
        if identity is None:
            reachable = bool(record.billing.phone.strip() or record.shipping.phone.strip())
            yield ("no_email", mask_text(record.billing.phone)) if reachable else ("unreachable", "")
            return
        mask = email.mask(identity)
        if record.email != identity:
            yield "email_spelling", mask
        if email.problem(identity) is not None:
            yield "bad_email", mask_text(identity) if "@" not in identity else mask
            return
        key = email.spelling_key(identity)
        if key.rpartition("@")[2] != identity.rpartition("@")[2]:
            yield "email_typo", mask
        if self._spellings.setdefault(number(key), person) != person:
            yield "duplicate_spelling", mask
        if record.is_account:
            if person in self._holders:
                yield "same_email_accounts", mask
            self._holders.add(person)

    def _phones(self, record: Record, person: int) -> Iterator[Odd]:
        typed = record.billing.phone or record.shipping.phone
        if not typed.strip():
            return
        home = places.country(record.billing.country or record.shipping.country)
        found = phone.normalize(typed, home or self._country)
        if found.e164 is None:
            if found.problem == "ambiguous":
                yield "ambiguous_phone", mask_text(typed)
            elif found.problem != "empty":
                yield "bad_phone", mask_text(typed)
            return
        mask = phone.mask(found.e164)
        if typed != found.e164:
            yield "phone_spelling", mask_text(typed)
        if home and not addresses.phone_fits(found.e164, home):
            yield "phone_country", f"{mask} {home}"
        if person and found.mobile is not False and self._mobiles.setdefault(int(found.e164[1:]), person) != person:
            yield "duplicate_mobile", mask

    def _name(self, record: Record, person: int, own: bool) -> Iterator[Odd]:
        billing, shipping = record.billing, record.shipping
        pairs = [
            (billing.first_name, billing.last_name),
            (record.first, record.last),
            (shipping.first_name, shipping.last_name),
        ]
        first, last = next(((one.strip(), two.strip()) for one, two in pairs if one.strip() or two.strip()), ("", ""))
        full = f"{first} {last}".strip()
        if not full:
            if own and person:
                yield "missing_name", ""
            return
        mask = mask_text(full)
        clean = names.clean(full)
        if clean != " ".join(full.split()):
            yield "unsafe_name", mask
        elif names.proper(full) != clean:
            yield "name_case", mask
        if (not last and " " in names.clean(first)) or (not first and " " in names.clean(last)):
            yield "full_name", mask
        if person and clean:
            key = number(email.fold(clean))
            if self._names.setdefault(person, key) != key:
                yield "two_names", mask


def number(text: str) -> int:
    """A text as a 64-bit number: for telling apart, not for hiding."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
