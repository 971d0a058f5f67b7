"""What is new for the automations that run: read by their triggers, entered, and told to those who are in one.

`collect` is part of a pass. It reads little at a time and may be called again at once; called twice, it enters nobody twice.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol

import msgspec

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
    """Keeps between passes when it last looked where a look costs something."""

    def __init__(self) -> None:
        self._looked: dict[int, float] = {}

    def collect(self, place: Place, shelf: Shelf) -> Collected:
        """Read, enter, end and wake. Raises StoreUnavailable; another fault is that automation's alone."""
        counts = Collected()
        upto = happenings.last(place.state)
        running = [row for row in versions.rows(place.state).values() if row.running]
        if running:
            enter.fresh(place.state, place.zone)
        for row in running:
            try:
                upto = min(upto, self._one(place, shelf, row, counts))
                fault = ""
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - the others must not wait for it; told by `fault`
                fault = logs.redact(error.message if isinstance(error, SidecarError) else type(error).__name__)[:300]
                counts.faults[row.name] = fault
            if fault != row.fault:
                if fault:
                    log.warning("automation %s cannot start anybody: %s", row.name, fault)
                place.state.sql.execute("UPDATE automation SET fault = ? WHERE id = ?", (fault, row.id))
        ended = endings.follow(place.state, upto, place.now)
        counts.goals, counts.exits, counts.woken = ended.goals, ended.exits, ended.woken
        return counts

    def _one(self, place: Place, shelf: Shelf, row: Row, counts: Collected) -> int:
        """Up to which event an automation has read."""
        automation = shelf.get(row.name)
        found = source(automation.trigger)
        last = self._looked.get(row.id)
        if found.every and last is not None and 0 <= place.now - last < found.every:
            return happenings.last(place.state)
        kept = cursor(place, row)
        for _ in range(_PAGES):
            ask = asked(place, row, automation, kept)
            if not kept:
                kept = found.newest(ask)
                ask = asked(place, row, automation, kept)
            page = found.find(ask)
            counts.entered += enter.enter(ask, page)
            kept = page.cursor
            if not page.more:
                self._looked[row.id] = place.now
                break
            if place.until and time.monotonic() >= place.until:
                break
        counts.more |= page.more
        return kept["event"] if isinstance(automation.trigger, OnEvent) else happenings.last(place.state)


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
    """Enrol somebody in an automation by its name: '' done, else why not. Raises NotFound, AutomationError."""
    row = versions.named(place.state, name)
    if row is None:
        return "it is switched off"
    return enter.start(asked(place, row, shelf.get(name), {}), entry)
