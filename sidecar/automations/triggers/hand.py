"""Nothing starts it by itself."""

from __future__ import annotations

from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source


def find(ask: Ask) -> Found:
    """Nobody."""
    return Found(cursor=ask.cursor)


def newest(ask: Ask) -> Cursor:
    """There is nothing to read."""
    return {}


SOURCE = Source(find, newest)
