"""Coupons that automations made: rows of `coupon`, and how many there may be in a day."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import tzinfo

import msgspec

from sidecar.automations.enrolments import Enrolment
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store import products
from sidecar.values import dates


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon that is to be made, or was. `expires`: Unix seconds."""

    code: str
    expires: int


def plan(
    sql: sqlite3.Connection, key: str, one: Enrolment, new: Planned, now: int, most: int, zone: tzinfo
) -> Planned | None:
    """Write down that a coupon is to be made, before it is; the same answer whenever it is asked again. None when so many were made
    since midnight by the shop's clock (`most` 0: no limit)."""
    row = sql.execute("SELECT code, expires FROM coupon WHERE key = ?", (key,)).fetchone()
    if row is not None:
        return Planned(code=row[0], expires=row[1])
    day = dates.from_local(f"{dates.local_day(now, zone)} 00:00:00", zone) or now - 86_400
    if most and sql.execute("SELECT COUNT(*) FROM coupon WHERE made >= ?", (day,)).fetchone()[0] >= most:
        return None
    sql.execute(
        "INSERT INTO coupon (key, enrolment_id, automation_id, person_id, code, made, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, one.id, one.automation_id, one.person_id, new.code, now, new.expires),
    )
    return new


def made(sql: sqlite3.Connection, key: str, code: str, coupon_id: int) -> None:
    """It is there. WooCommerce may write the code another way."""
    sql.execute("UPDATE coupon SET coupon_id = ?, code = ? WHERE key = ?", (coupon_id or None, code, key))


def spent(state: State, reader: Reader, ids: Collection[int]) -> set[int]:
    """Those of these enrolments whose coupons are all used: by what the shop says now, which knows of an order before we do."""
    rows = state.rows(
        "SELECT enrolment_id, coupon_id, order_id IS NOT NULL OR cleared FROM coupon WHERE enrolment_id IN"
        " (SELECT value FROM json_each(?)) AND code <> ''",
        (msgspec.json.encode(sorted(ids)).decode(),),
    )
    counts = products.meta(reader, sorted({row[1] for row in rows if row[1]}), ("usage_count",))
    good = {
        id_
        for id_, coupon, over in rows
        if not over and counts.get(coupon or 0, {}).get("usage_count", "0") in ("0", "")
    }
    return {id_ for id_, _, _ in rows} - good


def refused(sql: sqlite3.Connection, key: str) -> None:
    """There is none."""
    sql.execute("DELETE FROM coupon WHERE key = ? AND coupon_id IS NULL", (key,))
