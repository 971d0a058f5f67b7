"""Unix seconds as the texts that WordPress and WooCommerce store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

ZERO = "0000-00-00 00:00:00"


def utc(moment: int) -> str:
    """`YYYY-MM-DD HH:MM:SS` in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(" ")[:19]


def local(moment: int, zone: tzinfo) -> str:
    """`YYYY-MM-DD HH:MM:SS` on the shop's wall clock."""
    return datetime.fromtimestamp(moment, zone).isoformat(" ")[:19]


def unix(text: str) -> int:
    """The Unix seconds of a UTC text like `2025-12-31 23:00:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name, or of an offset in hours like `+5.5`."""
    return timezone(timedelta(hours=float(name))) if name[:1] in ("+", "-") else ZoneInfo(name)
