"""The segments of one shop, as its owner asks for them: the file in force, the shop's clock, and what the state knows."""

from __future__ import annotations

from datetime import tzinfo
from functools import cached_property

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.errors import NotFound
from sidecar.mysql.connection import Reader
from sidecar.people.identity import Registry
from sidecar.segments import dwell, file, membership, table, view
from sidecar.segments.dwell import Stage, Stay
from sidecar.segments.evaluate import Moment
from sidecar.segments.model import Condition, Grouping, Segment
from sidecar.segments.view import Sheet, Why
from sidecar.state.database import State
from sidecar.store import schema
from sidecar.values import email as emails


class Book:
    """Asks the shop for its time zone and reads the file once, when they are first needed: make one for each question."""

    def __init__(self, config: Config, state: State) -> None:
        self._config = config
        self._state = state
        self._now = int(clock.now().timestamp())

    @cached_property
    def zone(self) -> tzinfo:
        """The shop's time zone. Raises StoreUnavailable."""
        with Reader(self._config) as reader:
            return schema.probe(reader, self._config.people.paid_statuses).zone

    @cached_property
    def segments(self) -> list[Segment]:
        """The segments of the owner's file, else the built-in ones. Raises SegmentError with every problem."""
        return file.load(self._config.segments.file or None, self.zone)

    def segment(self, slug: str) -> Segment:
        """One of them; raises NotFound."""
        for segment in self.segments:
            if segment.slug == slug:
                return segment
        raise NotFound(f"there is no segment {slug}", hint="`sidecar segments list` names them")

    def sizes(self) -> dict[str, int]:
        """How many are in each, as of the last refresh."""
        return membership.sizes(self._state)

    def looked(self) -> int | None:
        """When memberships were last brought up to date, in Unix seconds; None: never."""
        return membership.looked(self._state)

    def sheet(self, rule: Condition) -> Sheet:
        """The people of whom a rule holds now, in figures."""
        at = self._moment()
        return view.sheet(self._state, rule, msgspec.structs.replace(at, tops=membership.tops(self._state, at, rule)))

    def preview(self, rule: str) -> Sheet:
        """The same of a rule as it is written in TOML. Raises SegmentError with every problem."""
        return self.sheet(file.rule(rule, self.zone, self.segments))

    def history(self, slug: str) -> list[tuple[str, int]]:
        """(day in the shop's time, size at its end) of days on which a segment's size changed."""
        return view.history(self._state, slug)

    def groups(self) -> list[Grouping]:
        """The groups of segments that exclude one another."""
        return list(dict.fromkeys(segment.group for segment in self.segments if segment.group is not None))

    def group(self, slug: str) -> list[Segment]:
        """The segments of a group, in their order; raises NotFound."""
        found = [segment for segment in self.segments if segment.group is not None and segment.group.slug == slug]
        if not found:
            raise NotFound(f"there is no group {slug}", hint="`sidecar segments groups` names them")
        return found

    def dwell(self, group: str) -> list[Stage]:
        """How many are in each segment of a group, and for how long, as of the last refresh. Raises NotFound."""
        return dwell.stages(self._state, self.group(group), self._now)

    def stays(self, group: str, email: str) -> list[Stay]:
        """Through which segments of a group a person went, the oldest first. Raises NotFound."""
        segments = self.group(group)
        person = self._person(email)
        return dwell.stays(self._state, segments, person, self._now)

    def of(self, email: str) -> list[Why]:
        """Why a person is in each segment or not. Raises NotFound when they are no contact."""
        at = self._moment()
        found = view.why(self._state, self.segments, self._person(email), at)
        if found is None:
            raise _nobody()
        return found

    def _person(self, email: str) -> int:
        key = self._state.key(emails.identity(email) or "")
        person = Registry(self._state).find([key]).get(key)
        if person is None:
            raise _nobody()
        return person

    def _moment(self) -> Moment:
        table.refresh(self._state, self.zone)
        return membership.moment(self._state, self.segments, self._now, self.zone)


def _nobody() -> NotFound:
    return NotFound(
        "this address belongs to no contact that the sidecar knows", hint="`sidecar mapping explain` says more"
    )
