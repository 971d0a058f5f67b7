"""Every meta key of the shop (EAV): how many rows carry it, how many owners, how filled, with samples.

The tables may hold millions of rows. They are read by ranges of the owner's primary key and added up here; the
width of a range follows the time that the last one took, so that no query is long. What is kept is bounded: at
most `MOST_KEYS` keys, and a few owner ids for each.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.store.schema import Storage

Kind = Literal["users", "orders", "items", "products"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST_KEYS = 4000
MOST_SAMPLES = 200
SAMPLE_LENGTH = 400  # characters; `meta.sql` cuts there
_MANY_ALIKE = 6
_OWNERS_KEPT = 24
_SPREAD = 240
_SAMPLE_PAGE = 400
_MOST_SAMPLE_OWNERS = 6000
_FIRST_WIDTH = 2000
_WIDEST = 200_000
_GOAL = 0.25  # seconds that one query should take
_DIGITS = re.compile(r"\d+")

Progress = Callable[[int, int], None]


class KeyStats(msgspec.Struct, kw_only=True):
    """One key. `rows` carry it, `filled` of them say something; `owners` have it. For keys that differ only in
    digits (`_transient_123`) `key` is their pattern with # for the digits, `keys` how many there are at
    most, and `owners` may count one owner several times. `samples` are values, cut to 400 characters.
    """

    key: str
    keys: int = 1
    rows: int = 0
    owners: int = 0
    filled: int = 0
    samples: list[str] = []
    some: list[int] = []


class Survey(msgspec.Struct, kw_only=True):
    """All keys of one kind of owner; `left_out` counts rows under keys past the limit of 4,000 keys."""

    kind: Kind
    owners: int = 0
    rows: int = 0
    left_out: int = 0
    longest_query: float = 0.0
    keys: list[KeyStats] = []


class _Source(msgspec.Struct, frozen=True):
    """Which named queries, and their own parameters."""

    queries: str
    parameters: dict[str, str] = {}


def _source(kind: Kind, storage: Storage) -> _Source:
    if kind == "orders":
        return _Source("meta_orders_hpos") if storage == "hpos" else _Source("meta_posts", {"type": "shop_order"})
    if kind == "products":
        return _Source("meta_posts", {"type": "product"})
    return _Source(f"meta_{kind}")


def survey(shop: Reader, kind: Kind, storage: Storage, progress: Progress | None = None) -> Survey:
    """Read all keys of the users, orders, order lines or products. `progress` hears (highest id done, owners)."""
    source = _source(kind, storage)
    found = Survey(kind=kind)
    keys = _Keys()
    spread: list[int] = []
    longest = shop.longest
    shop.longest = 0.0
    for upto in _ranges(shop, source, keys, found, spread):
        if progress is not None:
            progress(upto, found.owners)
    keys.fold()
    _sample(shop, source, keys.stats, spread)
    found.left_out = keys.left_out
    found.keys = sorted(keys.stats.values(), key=lambda one: (-one.rows, one.key))
    found.longest_query = round(shop.longest, 3)
    shop.longest = max(longest, shop.longest)
    return found


def _ranges(shop: Reader, source: _Source, keys: _Keys, found: Survey, spread: list[int]) -> Iterator[int]:
    """Walk the ids range by range; yields how far it is."""
    after, width = 0, _FIRST_WIDTH
    while first := shop.value(f"{source.queries}_next", after=after):
        low, high = int(first) - 1, int(first) - 1 + width
        started = time.perf_counter()
        rows = shop.page(f"{source.queries}_keys", after=low, upto=high, **source.parameters)
        took = time.perf_counter() - started
        owners = int(shop.value(f"{source.queries}_owners", after=low, upto=high, **source.parameters) or 0)
        found.owners += owners
        for row in rows:
            found.rows += row[1]
            keys.add(row)
            spread += [id_ for id_ in (row[4], row[5]) if id_]
        spread[:] = _thinned(sorted(set(spread)), _SPREAD * 2)
        after = high
        # Half and double, not less and more: one slow answer of a busy server must not settle the pace.
        if took > 2 * _GOAL:
            width = max(50, width // 2)
        elif took < _GOAL / 2:
            width = min(_WIDEST, width * 2)
        yield high


class _Keys:
    """What is known of every key. When there are too many, keys that differ only in digits are put together."""

    def __init__(self) -> None:
        self.stats: dict[str, KeyStats] = {}
        self.left_out = 0
        self._full = False

    def add(self, row: list[Any]) -> None:
        """One row of a `…_keys` query."""
        key, rows, owners, filled, low, high = row
        one = self.stats.get(key)
        if one is None and len(self.stats) >= MOST_KEYS and not self._full:
            self.fold()
            self._full = len(self.stats) >= MOST_KEYS
        if one is None:
            one = self.stats.get(pattern(key))
            if one is not None:
                one.keys += 1
        if one is None:
            if self._full:
                self.left_out += rows
                return
            one = self.stats[key] = KeyStats(key=key, samples=[], some=[])
        one.rows += rows
        one.owners += owners
        one.filled += filled
        one.some += {id_ for id_ in (low, high) if id_}
        if len(one.some) > 2 * _OWNERS_KEPT:
            one.some = _thinned(one.some, _OWNERS_KEPT)

    def fold(self) -> None:
        """Make one of the keys that differ only in digits, where there are many (`address_1` and `_2` stay two)."""
        families: dict[str, list[KeyStats]] = {}
        for one in self.stats.values():
            families.setdefault(pattern(one.key), []).append(one)
        for name, members in families.items():
            if len(members) < _MANY_ALIKE and not (len(members) > 1 and name in self.stats):
                continue
            if len(members) == 1:
                continue
            for one in members:
                del self.stats[one.key]
            self.stats[name] = KeyStats(
                key=name,
                keys=sum(one.keys for one in members),
                rows=sum(one.rows for one in members),
                owners=sum(one.owners for one in members),
                filled=sum(one.filled for one in members),
                samples=[],
                some=_thinned(sorted({id_ for one in members for id_ in one.some}), _OWNERS_KEPT),
            )


def _thinned(items: list[int], most: int) -> list[int]:
    """At most so many of them, evenly spread."""
    if len(items) <= most:
        return items
    return [items[number * len(items) // most] for number in range(most)]


def pattern(key: str) -> str:
    """The key with every run of digits as #."""
    return _DIGITS.sub("#", key)


def _sample(shop: Reader, source: _Source, stats: dict[str, KeyStats], spread: list[int]) -> None:
    """Values of owners spread over all ids, and for rarer keys of owners that are known to have them."""
    ids = set(_thinned(spread, _SPREAD))
    for one in sorted(stats.values(), key=lambda one: one.rows):
        if len(ids) >= _MOST_SAMPLE_OWNERS:
            break
        ids.update(_thinned(one.some, 6 if len(stats) > 500 else _OWNERS_KEPT))
    ordered = sorted(ids)
    most: dict[str, int] = {}
    for start in range(0, len(ordered), _SAMPLE_PAGE):
        part = ordered[start : start + _SAMPLE_PAGE]
        for _owner, key, value in sorted(shop.page(f"{source.queries}_samples", ids=part), key=_by_owner):
            wanted = stats.get(key) or stats.get(pattern(key or ""))
            if wanted is None or not (value or "").strip():
                continue
            seen = most[wanted.key] = most.get(wanted.key, 0) + 1
            if len(wanted.samples) < MOST_SAMPLES:
                wanted.samples.append(value)
            elif seen % 7 == 0:
                # Full: later owners take the place of earlier ones, so that the end of the ids is seen too.
                wanted.samples[seen % MOST_SAMPLES] = value
    for one in stats.values():
        one.some = []


def _by_owner(row: list[Any]) -> tuple[int, str]:
    return row[0], row[1] or ""
