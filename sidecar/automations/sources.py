"""What is new for the automations that run: read by their triggers, entered, and told to those who are in one.

`collect` is part of a pass. It reads little at a time and may be called again at once; called twice, it enters nobody twice.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol

import msgspec
import pymysql

from sidecar import logs
from sidecar.automations import endings, enter, happenings, versions
from sidecar.automations.enrolments import Entry
from sidecar.automations.model import Automation, OnEvent
from sidecar.automations.place import Place
from sidecar.automations.triggers.registry import Ask, Cursor, source
from sidecar.automations.versions import Row
from sidecar.errors import SidecarError, StoreUnavailable

log = logging.getLogger(__name__)

# Pages of one automation in one call: the others are served, too.
_PAGES = 20
# Where people come in and what visitors do; events are read anyway.
_NEWS = ("membership_event", "activity")
# Also without news an automation is looked at after so many seconds: its file may be another one.
_ANYWAY = 30
_cursor = msgspec.json.Decoder(dict[str, int])


class Shelf(Protocol):
    """Where automations come from (`library.Library`)."""

    def get(self, name: str) -> Automation:
        """One by its name. Raises NotFound, AutomationError."""
        ...


class Collected(msgspec.Struct, kw_only=True):
    """What a call did. `more`: there is more to read at once; `faults`: why automations that are on could not be read."""

    entered: int = 0
    goals: int = 0
    exits: int = 0
    woken: int = 0
    more: bool = False
    faults: dict[str, str] = {}


class Sources:
    """Keeps between passes what needs no look: while nothing happened and no clock is due, a call asks the state a few things."""

    def __init__(self) -> None:
        self._seen: tuple[int, ...] = ()
        # By automation (and since when it is on): when it was looked at, how often it wants that, and whether news hurry it.
        self._looked: dict[tuple[int, int], tuple[int, int, bool]] = {}
        self._unread: set[int] = set()

    def collect(self, place: Place, shelf: Shelf) -> Collected:
        """Read, enter, end and wake; nothing while nothing may go out. Raises StoreUnavailable; another fault is that
        automation's alone."""
        counts = Collected()
        if place.held:
            return counts
        upto = happenings.last(place.state)
        marks = (upto, *(place.state.rows(f"SELECT COALESCE(MAX(id), 0) FROM {table}")[0][0] for table in _NEWS))
        news = marks != self._seen
        running = [row for row in versions.rows(place.state).values() if row.running]
        running = [row for row in running if self._wanted(row, place.now, news=news)]
        if running:
            enter.fresh(place.state, place.zone)
        for row in running:
            upto = min(upto, self._guarded(place, shelf, row, counts))
        self._seen = marks
        ended = endings.follow(place.state, upto, place.now)
        counts.goals, counts.exits, counts.woken = ended.goals, ended.exits, ended.woken
        counts.more = bool(self._unread) or ended.more
        return counts

    def _wanted(self, row: Row, now: int, *, news: bool) -> bool:
        last = self._looked.get((row.id, row.live_from))
        if last is None or row.id in self._unread:
            return True
        at, every, told = last
        return (news and told) or not 0 <= now - at < every

    def _guarded(self, place: Place, shelf: Shelf, row: Row, counts: Collected) -> int:
        """One automation, whose fault is its own. Up to which event it has read."""
        upto, fault = happenings.last(place.state), ""
        try:
            upto = self._one(place, shelf, row, counts)
        except StoreUnavailable:
            raise
        except Exception as error:
            self._unread.discard(row.id)
            self._looked[row.id, row.live_from] = (place.now, _ANYWAY, False)
            fault = counts.faults[row.name] = logs.redact(_why(error))[:300]
            if fault != row.fault:
                unknown = not isinstance(error, SidecarError)
                log.warning("automation %s cannot start anybody: %s", row.name, fault, exc_info=unknown)
        if fault != row.fault:
            place.state.sql.execute("UPDATE automation SET fault = ? WHERE id = ?", (fault, row.id))
        return upto

    def _one(self, place: Place, shelf: Shelf, row: Row, counts: Collected) -> int:
        automation = shelf.get(row.name)
        found = source(automation.trigger)
        kept = cursor(place, row)
        self._unread.add(row.id)
        for _ in range(_PAGES):
            if not kept:
                kept = found.newest(asked(place, row, automation, kept))
            page = found.find(asked(place, row, automation, kept))
            counts.entered += enter.enter(asked(place, row, automation, kept), page)
            kept = page.cursor
            if not page.more:
                self._unread.discard(row.id)
                every = found.every or _ANYWAY
                self._looked[row.id, row.live_from] = (place.now, every, found.told or not found.every)
                break
            if place.until and time.monotonic() >= place.until:
                break
        return kept["event"] if isinstance(automation.trigger, OnEvent) else happenings.last(place.state)


def _why(error: Exception) -> str:
    if isinstance(error, SidecarError):
        return error.message
    if isinstance(error, pymysql.err.MySQLError) and len(error.args) > 1:
        return f"the shop's database refuses: {error.args[1]}"
    return type(error).__name__


def asked(place: Place, row: Row, automation: Automation, kept: Cursor) -> Ask:
    """What a trigger is asked."""
    return Ask(
        config=place.config, state=place.state, reader=place.reader, zone=place.zone, now=place.now, at=place.at, row=row,
        automation=automation, cursor=kept,
    )  # fmt: skip


def cursor(place: Place, row: Row) -> Cursor:
    """How far an automation has read; empty when it never did."""
    text: Any = place.state.rows("SELECT cursors FROM automation WHERE id = ?", (row.id,))[0][0]
    return _cursor.decode(text)


def start(place: Place, shelf: Shelf, name: str, entry: Entry) -> str:
    """Enrol somebody in an automation by its name: '' done, else why not (`enter.start`). For `Place.start`; raises NotFound,
    AutomationError."""
    row = versions.named(place.state, name)
    if row is None:
        return "off"
    return enter.start(asked(place, row, shelf.get(name), {}), entry)
