"""Finding what changed where nothing tells: digests of ranges of ids, here and in the shop, compared."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store.orders import BUCKET, Sums
from sidecar.sync.pages import ahead

# Ids a query, so that none takes long: rows are looked up with their neighbours, meta rows are only passed over.
_SPAN = 16 * BUCKET
_META_SPAN = 256 * BUCKET


class Summed(Protocol):
    """What both order readers and the customers can do."""

    def sums(self, after: int, upto: int) -> Sums:
        """{bucket: (rows, sum of crc)} of rows in a range of ids."""

    def last_meta_id(self) -> int:
        """The highest id of their meta; 0 where no meta counts."""

    def meta_sums(self, after: int, upto: int, keys: Collection[str]) -> dict[int, int]:
        """{bucket: sum of crc} of their wanted meta in a range of meta ids."""


def differing(
    reader: Reader,
    state: State,
    place: tuple[str, str],
    ids: tuple[int, int],
    keys: Collection[str],
    make: Callable[[Reader], Summed],
) -> list[int]:
    """The buckets of 256 ids whose rows or digests differ between the state and the shop.

    The server adds up CRC-32s of its rows and their meta, SQLite those of ours. `place`: table and id column of the
    state; `ids`: the lowest and the highest that either side has; `make`: what reads the shop on a connection.
    """
    first, last = ids
    spans = [(after, min(after + _SPAN, last)) for after in range(max(0, first - 1), last, _SPAN)]
    shop: Sums = {}
    for _, found in ahead(reader, spans, lambda own, span: make(own).sums(*span)):
        # A bucket may be cut by two spans: its parts add up.
        for bucket, (rows, crc) in found.items():
            had = shop.get(bucket, (0, 0))
            shop[bucket] = (had[0] + rows, had[1] + crc)
    metas = [(after, after + _META_SPAN) for after in range(0, make(reader).last_meta_id(), _META_SPAN)]
    for _, parts in ahead(reader, metas, lambda own, span: make(own).meta_sums(*span, keys)):
        for bucket, crc in parts.items():
            if bucket in shop:
                shop[bucket] = (shop[bucket][0], shop[bucket][1] + crc)
    table, column = place
    mine = {
        row[0]: (row[1], row[2])
        for row in state.rows(f"SELECT {column} / {BUCKET}, COUNT(*), SUM(COALESCE(crc, -1)) FROM {table} GROUP BY 1")
    }
    return sorted(bucket for bucket in shop.keys() | mine.keys() if shop.get(bucket) != mine.get(bucket))
