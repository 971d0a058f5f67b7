"""Memberships → tags (and fields of groups) of contacts in FluentCRM, as differences to what is there.

What is live goes through WordPress, so that the owner's automations start; everything else is written quietly.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from pymysql.connections import Connection

from sidecar.crm.batch import Batch, Change
from sidecar.crm.fields import Definition, Fields
from sidecar.crm.model import Patch
from sidecar.crm.segment_tags import SegmentTags
from sidecar.errors import BridgeRefused, BridgeUnreachable
from sidecar.mapping.compiled import field_key
from sidecar.mysql.connection import Reader
from sidecar.segments import tags
from sidecar.segments.model import Segment
from sidecar.segments.tags import Due, Wanted
from sidecar.state.database import State
from sidecar.sync.few import LIVE_PAGE, Writes

# "Unix seconds|digest" of the last comparison of everybody; the titles that the tags were given.
_COMPARED, _TITLES = "segments.compared", "segments.titles"
_DAY = 86_400
# Fields of groups are of no run: undoing one does not take them away.
_NO_RUN = 0
_ROUNDS = 3


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where tags are written to. `live` is None while there is no bridge; `failed` is told when it fails, and says whether
    to go on quietly (else what is live waits). `wall` is wall-clock text in the shop's time zone."""

    reader: Reader
    connect: Callable[[], Connection[Any]]
    quiet: Writes
    live: Writes | None
    failed: Callable[[BridgeUnreachable | BridgeRefused], bool]
    wall: str
    now: int


class Tagging:
    """One go at the tags. `titles` are {segment: title of its tag}; who is in any other segment has no tag of it."""

    def __init__(self, state: State, place: Place, segments: Sequence[Segment], titles: Mapping[str, str]) -> None:
        self._state = state
        self._place = place
        self._segments = {segment.slug: segment for segment in segments}
        self._titles = titles
        self._fields = _fields(segments)
        self._live = place.live
        self._tags = SegmentTags(place.reader, place.connect(), place.wall)
        self.contacts = 0

    def write(self, *, everybody: bool = False) -> None:
        """Write what is due; everybody once a day, when the segments are others, or when it is asked for.

        What cannot be written live now stays due. Raises StoreUnavailable, CrmRefused.
        """
        state, place = self._state, self._place
        self._prepare()
        digest = _digest(self._tags.ids, self._titles, self._fields)
        last, _, before = state.get(_COMPARED).partition("|")
        if everybody or not last or before != digest or not 0 <= place.now - int(last) < _DAY:
            self._everybody()
            state.set(_COMPARED, f"{place.now}|{digest}")
        while (due := tags.due(state)) is not None:
            again = self._some(due)
            if again is None:
                return
            tags.done(state, due, again)
            if again:
                return

    def _prepare(self) -> None:
        """Make the tags and fields that are missing."""
        state, place = self._state, self._place
        last: dict[str, str] = msgspec.json.decode(state.get(_TITLES, "{}"), type=dict[str, str])
        self._tags.ensure(self._titles, last)
        if last != self._titles:
            state.set(_TITLES, msgspec.json.encode(self._titles).decode())
        if self._fields:
            fields = Fields(place.reader, place.connect(), _NO_RUN, place.wall)
            fields.ensure(
                [
                    Definition(
                        slug=slug, label=label, type="select-one", key=field_key("select-one"), options=tuple(names)
                    )
                    for slug, (label, names) in self._fields.items()
                ]
            )
            self._tags.own(self._fields)
            fields.offer({slug: set(names) for slug, (_, names) in self._fields.items()})

    def _everybody(self) -> None:
        """Compare all contacts, quietly; what happens meanwhile is due afterwards."""
        upto = tags.newest(self._state)
        for page in tags.everybody(self._state):
            self._compare(page, self._place.quiet)
        known = tags.contacts(self._state)
        strays: dict[int, list[int]] = {}
        for contact, tag in self._tags.carriers():
            if contact not in known:
                strays.setdefault(contact, []).append(tag)
        changes = [
            Change(person=0, patch=Patch(contact_id=contact, tags_remove=carried))
            for contact, carried in strays.items()
        ]
        for start in range(0, len(changes), 500):
            self._place.quiet.write(Batch(undo=False, changes=changes[start : start + 500]))
        tags.done(self._state, Due(people={}, upto=upto))

    def _some(self, due: Due) -> list[int] | None:
        """Those who must be looked at again; None when the bridge does not answer and it is better to wait."""
        live = [person for person, lively in due.people.items() if lively and self._live is not None]
        again: list[int] = []
        for start in range(0, len(live), LIVE_PAGE):
            if self._live is None:
                break
            try:
                again += self._compare(live[start : start + LIVE_PAGE], self._live)
            except (BridgeUnreachable, BridgeRefused) as error:
                if not self._place.failed(error):
                    return None
                self._live = None
        quiet = list(due.people) if self._live is None else [one for one in due.people if one not in set(live)]
        return [*again, *self._compare(quiet, self._place.quiet)]

    def _compare(self, people: Sequence[int], writer: Writes) -> list[int]:
        """Bring these people's contacts up to date. Those that changed under us again and again are returned."""
        left = list(people)
        for _ in range(_ROUNDS):
            wanted = tags.wanted(self._state, left)
            contacts = {one.contact for one in wanted.values()}
            attached = self._tags.attached(contacts)
            values = self._tags.values(attached, self._fields)
            batch = Batch(undo=False)
            for person, one in wanted.items():
                if one.contact in attached:
                    patch = self._patch(one, attached[one.contact].tags, values.get(one.contact, {}))
                    if patch:
                        batch.changes.append(Change(person=person, patch=patch, email=attached[one.contact].email))
            if not batch.changes:
                return []
            outcomes = writer.write(batch)
            self.contacts += sum(outcome.state == "done" for outcome in outcomes)
            if any(outcome.state == "refused" for outcome in outcomes):
                # A tag was deleted meanwhile, say: it is made again, and everybody compared, with the next go.
                self._state.set(_COMPARED, "")
            left = [outcome.person for outcome in outcomes if outcome.state == "raced"]
            if not left:
                return []
        return left

    def _patch(self, one: Wanted, attached: Collection[int], values: Mapping[str, Any]) -> Patch:
        ids = self._tags.ids
        want = {ids[slug] for slug in one.segments if slug in self._titles}
        patch = Patch(
            contact_id=one.contact, tags_add=sorted(want - set(attached)), tags_remove=sorted(set(attached) - want)
        )
        named = dict.fromkeys(self._fields, "")
        for slug in one.segments:
            segment = self._segments.get(slug)
            if segment is not None and segment.group is not None and segment.group.field:
                named[segment.group.field] = segment.name
        for field, name in named.items():
            row = values.get(field)
            if (row.value if row is not None else "") != name:
                patch.fields[field] = (row, name)
        return patch


def _digest(*things: object) -> str:
    """A digest that is the same in every process."""
    return f"{zlib.crc32(msgspec.json.encode(things, order='deterministic')):08x}"


def _fields(segments: Sequence[Segment]) -> dict[str, tuple[str, list[str]]]:
    """{custom field: (label, values)} of the groups that have one."""
    found: dict[str, tuple[str, list[str]]] = {}
    for segment in segments:
        group = segment.group
        if group is not None and group.field:
            found.setdefault(group.field, (group.field_label or group.name, []))[1].append(segment.name)
    return found
