"""The contacts of a segment as a file for other tools: CSV or JSON, written page by page."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import Any, Literal, TextIO

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.segments import people
from sidecar.state.database import State
from sidecar.values import dates, money

Format = Literal["csv", "json"]
FIELDS = (
    "contact_id", "email", "first_name", "last_name", "phone", "country", "status", "orders", "ltv", "aov", "last_order",
)  # fmt: skip
_TEXTS = FIELDS[1:7]
_PAGE = 1000
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Exported(msgspec.Struct, kw_only=True):
    """How many were written, and how many left out because they are not subscribed."""

    written: int = 0
    left_out: int = 0


def write(
    state: State,
    reader: Reader,
    slug: str,
    stream: TextIO,
    *,
    form: Format,
    everybody: bool,
    zone: tzinfo,
    progress: Callable[[int], None],
) -> Exported:
    """Write who is in the segment as of the last refresh: subscribed contacts only, unless `everybody`.

    Money is in the shop's currency with two decimals, `last_order` the shop's time (2026-11-01 13:00:00). Texts of a CSV
    that a spreadsheet would take for a formula begin with an apostrophe. `progress` is told how many more were looked at.
    """
    done = Exported()
    put = _csv(stream) if form == "csv" else _json(stream)
    for rows in _pages(state, slug):
        known = people.shown(reader, [row[1] for row in rows])
        for _, contact, orders, ltv, aov, last in rows:
            texts = known.get(contact)
            if texts is None or not (everybody or texts[-1] == "subscribed"):
                done.left_out += 1
                continue
            put([
                contact, *texts, orders, money.fixed(ltv), "" if aov is None else money.fixed(aov),
                "" if last is None else dates.local_text(last, zone),
            ])  # fmt: skip
            done.written += 1
        progress(len(rows))
    put(None)
    return done


def _pages(state: State, slug: str) -> Iterator[list[Any]]:
    after = 0
    while True:
        rows = state.rows(
            "SELECT m.person_id, p.contact_id, t.orders_count, t.ltv, t.aov, t.last_order FROM membership m"
            " JOIN trait t ON t.person_id = m.person_id JOIN person p ON p.id = m.person_id"
            " WHERE m.segment = ? AND m.person_id > ? AND p.contact_id IS NOT NULL ORDER BY m.person_id LIMIT ?",
            (slug, after, _PAGE),
        )
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _csv(stream: TextIO) -> Callable[[list[Any] | None], None]:
    out = csv.writer(stream)
    out.writerow(FIELDS)
    texts = range(1, 1 + len(_TEXTS))

    def put(row: list[Any] | None) -> None:
        if row is not None:
            out.writerow([harmless(cell) if at in texts else cell for at, cell in enumerate(row)])

    return put


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _json(stream: TextIO) -> Callable[[list[Any] | None], None]:
    first = True

    def put(row: list[Any] | None) -> None:
        nonlocal first
        if row is None:
            stream.write("[]\n" if first else "\n]\n")
            return
        stream.write("[\n" if first else ",\n")
        stream.write(msgspec.json.encode(dict(zip(FIELDS, row, strict=True))).decode())
        first = False

    return put
