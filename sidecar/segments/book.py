"""The segments of one shop, as its owner asks for them: the file in force, the shop's clock, and what the state knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from functools import cached_property
from typing import TextIO

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.crm import segment_tags
from sidecar.edited_file import RulesText
from sidecar.errors import NotFound
from sidecar.mysql.connection import Reader
from sidecar.people.identity import Registry
from sidecar.segments import contacts, dwell, export, figures, file, membership, people, rules, table, view
from sidecar.segments.dwell import Stage, Stay
from sidecar.segments.evaluate import Moment
from sidecar.segments.export import Exported
from sidecar.segments.figures import Full, Line
from sidecar.segments.model import Condition, Grouping, Segment
from sidecar.segments.people import Member, Sample
from sidecar.segments.view import Sheet, Why
from sidecar.state.database import State
from sidecar.store import schema
from sidecar.values import dates
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
        return file.load(self.file or None, self.zone)

    @property
    def file(self) -> str:
        """The owner's file, '' while the built-in segments are in force."""
        return rules.in_force(self._config)

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
        """The people of whom a rule holds now, in figures. What it asks of FluentCRM is read when it is not there yet."""
        return self._sheet(rule, self.segments)

    def _sheet(self, rule: Condition, segments: Sequence[Segment]) -> Sheet:
        with Reader(self._config) as reader:
            contacts.try_out(self._state, reader, rule, self.zone)
        at = self._moment(segments)
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
        person = self._person(email)
        ids = [row[0] for row in self._state.rows("SELECT contact_id FROM person WHERE id = ?", (person,)) if row[0]]
        with Reader(self._config) as reader:
            contacts.refresh(self._state, reader, self.segments, self.zone, ids)
        found = view.why(self._state, self.segments, person, at)
        if found is None:
            raise _nobody()
        return found

    def _person(self, email: str) -> int:
        key = self._state.key(emails.identity(email) or "")
        person = Registry(self._state).find([key]).get(key)
        if person is None:
            raise _nobody()
        return person

    def _moment(self, segments: Sequence[Segment] | None = None) -> Moment:
        table.refresh(self._state, self.zone)
        return membership.moment(self._state, segments or self.segments, self._now, self.zone)

    # --- pages and the editor ----------------------------------------------------------------------------

    @cached_property
    def _today(self) -> str:
        return dates.local_day(self._now, self.zone)

    def lines(self) -> list[Line]:
        """Every segment in a line, as of the last refresh."""
        return figures.lines(self._state, self.segments, self._today)

    def full(self, slug: str) -> Full:
        """One segment in figures, as of the last refresh. Raises NotFound."""
        return figures.full(self._state, self.segment(slug), self._today, self._now)

    def people(self, slug: str, after: int = 0, limit: int = 50) -> list[Member]:
        """A page of the people of a segment, masked; `after` is the last `id` of the page before. Raises NotFound."""
        self.segment(slug)
        with Reader(self._config) as reader:
            return people.page(self._state, reader, slug, after, limit)

    def tag(self, slug: str) -> int | None:
        """The tag of a segment in FluentCRM, if it has one by now."""
        with Reader(self._config) as reader:
            return segment_tags.made(reader).get(slug, (None, ""))[0]

    def samples(self, contacts: Sequence[int]) -> list[Sample]:
        """These contacts, masked."""
        with Reader(self._config) as reader:
            return people.samples(reader, contacts)

    def text(self) -> RulesText:
        """The file in force as it is written. Raises SegmentError when it cannot be read."""
        return rules.read(self._config)

    def block(self, slug: str) -> str:
        """How one segment is written. Raises NotFound; SegmentError when only the whole file can be edited."""
        return rules.block(self.text().text, slug)

    def try_out(self, slug: str, new: str) -> Sheet | None:
        """The people of a segment as it would be; `slug` and `new` as for `rules.draft`. None for the whole file.

        Raises SegmentError with every problem.
        """
        made = rules.draft("" if slug == rules.ALL else self.text().text, slug, new, self.zone)
        return None if made.edited is None else self._sheet(made.edited.rule, made.segments)

    def save(self, slug: str, new: str, base: str) -> str:
        """Put an edit in force, keeping a backup: the slug of what was edited. Memberships follow with the next refresh.

        Raises SegmentError with every problem, Conflict when `base` is not the digest of the text in force.
        """
        edited = slug

        def make(text: str) -> str:
            nonlocal edited
            made = rules.draft(text, slug, new, self.zone)
            edited = made.edited.slug if made.edited else slug
            return made.text

        rules.save(self._config, base, make)
        return edited

    def remove(self, slug: str, base: str) -> None:
        """Take a segment out of the file. Raises as `save` does, and NotFound; SegmentError when others ask for it."""
        rules.save(self._config, base, lambda text: rules.without(text, slug, self.zone))

    def export(
        self, slug: str, stream: TextIO, *, form: export.Format, everybody: bool, progress: Callable[[int], None]
    ) -> Exported:
        """Write the contacts of a segment; see `export.write`. Raises NotFound."""
        self.segment(slug)
        with Reader(self._config) as reader:
            return export.write(
                self._state, reader, slug, stream, form=form, everybody=everybody, zone=self.zone, progress=progress
            )


def _nobody() -> NotFound:
    return NotFound(
        "this address belongs to no contact that the sidecar knows", hint="`sidecar mapping explain` says more"
    )
