"""Finding what changed where nothing tells: digests of ranges of ids, here and in the shop, compared."""

from __future__ import annotations

from collections.abc import Callable

from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store.orders import BUCKET, Sums
from sidecar.sync.pages import ahead

_SPAN = 16 * BUCKET


def differing(
    reader: Reader,
    table: str,
    column: str,
    state: State,
    ids: tuple[int, int],
    load: Callable[[Reader, int, int], Sums],
) -> list[int]:
    """The buckets of 256 ids whose rows or digests differ between the state and the shop.

    The server adds up CRC-32s of its rows, SQLite those of ours: 4,096 ids a query, so none takes long even where an order has dozens of meta rows.
    `ids`: the lowest and the highest that either side has.
    """
    first, last = ids
    spans = [(after, min(after + _SPAN, last)) for after in range(max(0, first - 1), last, _SPAN)]
    shop: Sums = {}
    for _, found in ahead(reader, spans, lambda own, span: load(own, *span)):
        # A bucket may be cut by two spans: its parts add up.
        for bucket, (rows, crc) in found.items():
            had = shop.get(bucket, (0, 0))
            shop[bucket] = (had[0] + rows, had[1] + crc)
    mine = {
        row[0]: (row[1], row[2])
        for row in state.rows(f"SELECT {column} / {BUCKET}, COUNT(*), SUM(COALESCE(crc, -1)) FROM {table} GROUP BY 1")
    }
    return sorted(bucket for bucket in shop.keys() | mine.keys() if shop.get(bucket) != mine.get(bucket))
