"""Coupons that automations made: rows of `coupon`, and how many there may be in a day."""

from __future__ import annotations

import sqlite3
from datetime import tzinfo

import msgspec

from sidecar.automations.enrolments import Enrolment
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


def refused(sql: sqlite3.Connection, key: str) -> None:
    """There is none."""
    sql.execute("DELETE FROM coupon WHERE key = ? AND coupon_id IS NULL", (key,))
