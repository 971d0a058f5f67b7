"""The segments of one process: brought up to date when somebody changed, when time alone moves somebody, and when the rules
are others; then their tags.

Faults of the owner's file stop nothing else: memberships stay as they are until the file is mended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import tzinfo
from pathlib import Path

import msgspec

from sidecar import clock, logs
from sidecar.config import Config
from sidecar.crm.writer_sql import Writer
from sidecar.errors import SegmentError, SidecarError
from sidecar.mysql.connection import Reader
from sidecar.segments import contacts, due, file, membership, tags
from sidecar.segments.membership import Change
from sidecar.segments.model import Segment
from sidecar.segments.rules import in_force
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.store.schema import probe
from sidecar.sync import engine, site
from sidecar.sync.tagging import Place, Tagging
from sidecar.values import dates

log = logging.getLogger(__name__)

# When time alone moves somebody next ('' never), in Unix seconds; what is wrong with the owner's file, and with fields that
# groups want ('' nothing).
_NEXT, _FAULT, _FIELDS = "segments.next", "segments.fault", "segments.fault_fields"
# "since when|why" segments cannot be brought up to date; '' they can.
_ERROR = "segments.error"
_PAUSES = (5, 30, 120, 600)  # seconds after the first error, the second …
# When FluentCRM was last read as a whole, in Unix seconds.
_READ = "segments.read"
_DAY = 86_400


class Looked(msgspec.Struct, kw_only=True):
    """What a look did: the segments that changed, how many contacts were written, and what is wrong with the file."""

    changes: list[Change] = []
    contacts: int = 0
    fault: str = ""

    @property
    def moved(self) -> int:
        """How many came and went."""
        return sum(change.entered + change.left for change in self.changes)


class Groups:
    """Keeps the rules between two looks."""

    def __init__(self, config: Config, state: State) -> None:
        self._config = config
        self._state = state
        self._rules: list[Segment] = []
        self._read: tuple[object, ...] = ()
        self._faulty: tuple[object, ...] = ()
        self._compared = 0
        self._failures, self._not_before = 0, 0.0

    def due(self) -> bool:
        """Whether there is anything to do; asks the state only. Not for a while after an error."""
        if time.monotonic() < self._not_before:
            return False
        if self._faulty and self._faulty[:-1] == self._stamp():
            return False
        now = _now()
        next_ = self._state.get(_NEXT)
        return (
            self._read[:-1] != self._stamp()
            or bool(next_ and now >= int(next_))
            or not 0 <= now - self._compared < _DAY
            or bool(self._state.rows("SELECT 1 FROM trait_stale LIMIT 1"))
            or tags.waits(self._state)
            or contacts.waits(self._state)
            or self._read_again()
        )

    def _read_again(self) -> bool:
        """Whether FluentCRM is to be read as a whole: what nobody told us about is found so."""
        last = int(self._state.get(_READ) or 0)
        return not 0 <= _now() - last < self._config.service.reconcile_minutes * 60

    def failed(self, error: Exception) -> None:
        """A look raised this: it is told once, and tried again after a pause, so that nothing else has to wait for it."""
        why = logs.redact(error.message if isinstance(error, SidecarError) else type(error).__name__)[:300]
        since, _, before = self._state.get(_ERROR).partition("|")
        if before != why:
            log.error("segments could not be brought up to date: %s", why, exc_info=not isinstance(error, SidecarError))
            self._state.set(_ERROR, f"{since or _now()}|{why}")
        self._not_before = time.monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1

    def look(
        self, reader: Reader, zone: tzinfo, place: Place | None, *, full: bool = False, fresh: int = membership.FRESH
    ) -> Looked:
        """Bring memberships and tags up to date (`place` None: no tags); `full`: look at everybody. Call it under the lock
        of the runs. A fault of the owner's file is told once and answered; raises StoreUnavailable, CrmRefused."""
        try:
            segments = self.rules(zone)
        except SegmentError as error:
            if self._state.get(_FAULT) != error.message:
                log.warning("the file of segments has faults: %s", error.message)
                self._state.set(_FAULT, error.message)
            self._faulty = (*self._stamp(), zone)
            return Looked(fault=error.message)
        if self._state.get(_FAULT):
            self._state.set(_FAULT, "")
        self._faulty = ()
        now = _now()
        if full or self._read_again():
            contacts.refresh(self._state, reader, segments, zone, full=full)
            self._state.set(_READ, str(now))
        contacts.follow(self._state, reader, segments, zone)
        if full:
            changes = membership.refresh(self._state, segments, now, zone, fresh)
        else:
            changes = membership.tick(self._state, segments, now, zone, fresh)
        next_ = due.next_after(self._state, segments, now, zone)
        self._state.set(_NEXT, "" if next_ is None else str(next_))
        written = 0 if place is None else self._tag(segments, place, full)
        self._compared, self._failures = now, 0
        if self._state.get(_ERROR):
            self._state.set(_ERROR, "")
        return Looked(changes=changes, contacts=written, fault=self._state.get(_FIELDS))

    def _tag(self, segments: list[Segment], place: Place, full: bool) -> int:
        config = self._config.segments
        titles = {
            one.slug: config.tag_title.replace("{name}", one.name)[:192] for one in segments if one.tag and config.tags
        }
        tagging = Tagging(self._state, place, segments, titles)
        tagging.write(everybody=full)
        fault = "; ".join(dict.fromkeys(tagging.faults))
        if self._state.get(_FIELDS) != fault:
            if fault:
                log.warning("groups of segments go without their fields: %s", fault)
            self._state.set(_FIELDS, fault)
        return tagging.contacts

    def rules(self, zone: tzinfo) -> list[Segment]:
        """The segments in force; read anew when the file is another one. Raises SegmentError with every problem."""
        stamp = (*self._stamp(), zone)
        if stamp != self._read:
            self._rules = file.load(in_force(self._config) or None, zone)
            self._read = stamp
        return self._rules

    def _stamp(self) -> tuple[object, ...]:
        """Tells whether the file is another one."""
        name = in_force(self._config)
        if not name:
            return ("built-in",)
        try:
            found = Path(name).stat()
        except OSError:
            return ("missing",)
        # The last one also when it may be read again.
        return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def refresh(
    config: Config, state: State, *, full: bool = False, tagged: bool = True, taken: Collection[str] = ()
) -> Looked:
    """Bring segments and (`tagged`) their tags up to date here and now, quietly. `taken`: custom fields of the mapping.

    Raises SegmentError with every problem, OnHold, Conflict while a run is at work, StoreUnavailable, CrmRefused.
    """
    with runs.lock(state, "segments"), Reader(config) as reader:
        info = probe(reader, config.people.paid_statuses)
        file.load(in_force(config) or None, info.zone)
        now = _now()
        if not tagged:
            return Groups(config, state).look(reader, info.zone, None, full=full)
        site.guard(reader, state)
        engine.own_tables(config)
        wall = dates.local_text(now, info.zone)
        writer = Writer(config.shop.database, reader.tables.prefix, 0, wall, pivot_unique=info.pivot_unique)
        place = Place(
            reader=reader, connect=lambda: writer.connection, quiet=writer, live=None, failed=lambda _: True, wall=wall,
            now=now, taken=frozenset(taken),
        )  # fmt: skip
        try:
            return Groups(config, state).look(reader, info.zone, place, full=full)
        finally:
            writer.close()


def fault(state: State) -> str:
    """What is wrong with the owner's file, as of the last look; '' nothing."""
    return state.get(_FAULT) or state.get(_FIELDS)


def trouble(state: State) -> tuple[int, str] | None:
    """Since when (Unix seconds) and why segments cannot be brought up to date; None: they can."""
    since, _, why = state.get(_ERROR).partition("|")
    return (int(since), why) if since else None


def _now() -> int:
    return int(clock.now().timestamp())
