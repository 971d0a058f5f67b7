"""The automations of one process: people enter, what is due is done, what became of messages is asked for. A part of each pass, after
the segments; what is wrong here stops neither orders nor segments.

Imported by every service, so what only sending needs is imported when an automation is on.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import msgspec

from sidecar import clock, logs
from sidecar.automations import enrolments, pruning, troubles, versions
from sidecar.config import Config
from sidecar.errors import Conflict, SegmentError, SidecarError
from sidecar.mysql.connection import Reader
from sidecar.segments import membership
from sidecar.segments.model import Segment
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.store.schema import ShopInfo
from sidecar.sync import consents, site
from sidecar.sync.link import Link, listed
from sidecar.sync.segments import Groups
from sidecar.sync.warm import Warm
from sidecar.sync.work import PassReport

if TYPE_CHECKING:
    from sidecar.automations.library import Library, Shelf
    from sidecar.automations.place import Place
    from sidecar.automations.plugin import Plugin
    from sidecar.automations.sources import Sources

log = logging.getLogger(__name__)

# "since when|why" automations cannot be worked on; '' they can.
_ERROR = "automations.error"
_PAUSES = (5, 30, 120, 600)  # seconds after the first error, the second …
# Without news somebody may still come in by time alone: that is looked for so often, in seconds.
_LOOK = 5.0
# So often, in seconds, one automation is counted, and orders are credited: that may take a second or two.
_COUNT = 120.0
# Rounds of forgetting at a time, of 500 enrolments each: the hourly pass must not hold up others for long.
_ROUNDS = 40


class Moved(msgspec.Struct, kw_only=True):
    """What a look did: how many came in, steps that were done, messages that were handed over."""

    entered: int = 0
    steps: int = 0
    messages: int = 0


class Automations:
    """Keeps what is read once between two looks."""

    def __init__(self, config: Config, state: State, groups: Groups) -> None:
        self._config, self._state, self._groups = config, state, groups
        self._shelf: Shelf | None = None
        self._sources: Sources | None = None
        self._looked = self._counted = 0.0
        self._failures, self._not_before = 0, 0.0
        self._paired = False

    def due(self, *, news: bool) -> bool:
        """Whether there is anything to do; asks the state only. `news`: this pass has changed something."""
        if time.monotonic() < self._not_before:
            return False
        running = [row.id for row in versions.rows(self._state).values() if row.running]
        if not running:
            return False
        return news or time.monotonic() - self._looked >= _LOOK or enrolments.due(self._state, _now(), running)

    def work(self, warm: Warm, link: Link, report: PassReport, until: float) -> None:
        """A pass's share for automations, if there is anything to do. Never raises: orders must not wait for a fault here."""
        try:
            if self.due(news=bool(report.events or report.polled or report.moved or report.reconciled)):
                with suppress(Conflict), runs.lock(self._state, runs.PASS):
                    self._pass(warm, link, report, until)
        except Exception as error:  # noqa: BLE001 - told by `failed`
            warm.drop()
            self.failed(error)

    def _pass(self, warm: Warm, link: Link, report: PassReport, until: float) -> None:
        session = warm.session()
        if site.look(session.reader, self._state).held:
            report.state = "held"
            return
        mode = link.ask(session.info.home, listed=listed(session.info.plugins)).mode
        if mode == "waiting":
            return  # for a moment only: messages by WordPress could not be handed over
        plugin = cast("Plugin", link.bridge(session.info.home)) if mode == "live" else None
        self._paired = link.paired
        # Who has taken their consent back a moment ago gets nothing, however many hints stand before that one.
        consents.find(session)
        moved = self.look(session.reader, session.info, plugin, until)
        report.entered, report.steps, report.messages = moved.entered, moved.steps, moved.messages

    def look(self, reader: Reader, info: ShopInfo, plugin: Plugin | None, until: float) -> Moved:
        """Let people in, and do what is due, until `until` (`time.monotonic`). `plugin`: None while it does not answer. Call it under
        the lock of the runs. Raises StoreUnavailable."""
        from sidecar.automations import engine

        try:
            segments = self._groups.rules(info.zone)
        except SegmentError as error:
            # They may name any segment: until the file is mended nobody can tell whom they are for.
            raise SidecarError(f"the segments have a fault: {error.message}") from error
        place = self._place(reader, info, plugin, segments, until)
        sources, library = self._read(info, segments)
        collected = sources.collect(place, library)
        worked = engine.run(place)
        self._channels(place)
        self._count(place, library)
        self._looked, self._failures = time.monotonic(), 0
        if self._state.get(_ERROR):
            self._state.set(_ERROR, "")
        return Moved(entered=collected.entered, steps=worked.steps, messages=worked.sent)

    def failed(self, error: Exception) -> None:
        """A look raised this: it is told once, and tried again after a pause."""
        why = logs.redact(error.message if isinstance(error, SidecarError) else type(error).__name__)[:300]
        since, _, before = self._state.get(_ERROR).partition("|")
        if before != why:
            log.error("automations could not be worked on: %s", why, exc_info=not isinstance(error, SidecarError))
            self._state.set(_ERROR, f"{since or _now()}|{why}")
        self._not_before = time.monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1

    # --- what is at hand ---------------------------------------------------------------------------------------

    def _read(self, info: ShopInfo, segments: list[Segment]) -> tuple[Sources, Library]:
        from sidecar.automations.library import Shelf
        from sidecar.automations.sources import Sources

        self._shelf = self._shelf or Shelf()
        self._sources = self._sources or Sources()
        return self._sources, self._shelf.library(self._config, info.zone, segments)

    def _place(
        self, reader: Reader, info: ShopInfo, plugin: Plugin | None, segments: list[Segment], until: float
    ) -> Place:
        from sidecar.automations import browsers, sources
        from sidecar.automations.channels.registry import Channels
        from sidecar.automations.doing import Doing
        from sidecar.automations.messages.writer import MessageWriter
        from sidecar.automations.place import Place

        now = _now()
        channels = Channels(
            self._config, self._state, plugin, reader, info.zone,
            subscriptions=lambda people: browsers.subscriptions(reader, self._state, people), paired=self._paired,
        )  # fmt: skip
        place = Place(
            config=self._config, state=self._state, reader=reader, info=info, now=now,
            effects=Doing(self._config, self._state, plugin, channels),
            writer=MessageWriter(self._config, self._state, reader, info.zone, channels), reach=channels,
            at=membership.moment(self._state, segments, now, info.zone), until=until,
        )  # fmt: skip
        place.start = lambda name, entry: sources.start(place, self._read(info, segments)[1], name, entry)
        return place

    def _count(self, place: Place, library: Library) -> None:
        """Now and then: which orders are owed to messages, and the figures of the automation whose ones are the oldest."""
        if self._counted and time.monotonic() - self._counted < _COUNT:
            return
        from sidecar.automations import crediting, figures

        self._counted = time.monotonic()
        crediting.refresh(self._state, place.now, self._config.automations.credit_days)
        running = {row.name: row for row in versions.rows(self._state).values() if row.running}
        name = figures.oldest(self._state, running)
        if not name:
            return  # the last one was switched off meanwhile
        try:
            figures.figures(self._state, running[name], library.get(name), place.now)
        except SidecarError as error:
            log.warning("automation %s cannot be counted: %s", name, error.message)

    def _channels(self, place: Place) -> None:
        from sidecar.automations.channels.registry import Channels

        if isinstance(place.reach, Channels):
            place.reach.reports()


def prune(state: State, now: int, days: int) -> int:
    """Forget enrolments that ended more than so many days ago, with their messages and coupons. Returns how many went."""
    gone = 0
    for _ in range(_ROUNDS):
        some = pruning.prune(state, now, days)
        gone += some
        if not some:
            break
    return gone


def any_on(state: State) -> bool:
    """Whether there is one that is on."""
    return any(row.running for row in versions.rows(state).values())


def trouble(state: State) -> tuple[int, str] | None:
    """Since when (Unix seconds) and why automations cannot be worked on; None: they can, or none is on and nobody tries."""
    since, _, why = state.get(_ERROR).partition("|")
    return (int(since), why) if since and any_on(state) else None


def faults(state: State) -> str:
    """What is wrong with single automations: their files, and texts that could not be sent. '' nothing."""
    on = {row.name: row.fault for row in versions.rows(state).values() if row.running}
    texts = {where: why for where, why in troubles.open_(state).items() if where.partition("/")[0] in on}
    return "; ".join(f"{name}: {why}" for name, why in (on | texts).items() if why)[:500]


def _now() -> int:
    return int(clock.now().timestamp())
