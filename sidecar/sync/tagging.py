"""Memberships → tags (and fields of groups) of contacts in FluentCRM, as differences to what is there.

What is live goes through WordPress, so that the owner's automations start; everything else is written quietly. A comparison of
everybody takes long in a big shop: it halts when its time is over, and the next go takes it up again.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from pymysql.connections import Connection

from sidecar.crm.batch import Batch, Change
from sidecar.crm.fields import Definition, Fields
from sidecar.crm.model import Patch
from sidecar.crm.segment_tags import SegmentTags
from sidecar.errors import BridgeRefused, BridgeUnreachable, CrmRefused
from sidecar.mapping.compiled import field_key
from sidecar.mysql.connection import Reader
from sidecar.segments import groups, tags
from sidecar.segments.model import Segment
from sidecar.segments.tags import Comparison, Due, Wanted
from sidecar.state.database import State
from sidecar.sync.few import LIVE_PAGE, Writes

log = logging.getLogger(__name__)

# "Unix seconds|digest" of the last comparison of everybody; the titles that the tags were given.
_COMPARED, _TITLES = "segments.compared", "segments.titles"
# {custom field that somebody else fills: when that was seen}.
_THEIRS, _LOOK_AGAIN = "segments.theirs", 600
_DAY = 86_400
# Fields of groups are of no run: undoing one does not take them away.
_NO_RUN = 0
_ROUNDS = 3
_MANY = 1_000_000


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where tags are written to. `live` is None while there is no bridge; `failed` is told when it fails, and says whether
    to go on quietly (else what is live waits). `wall` is wall-clock text in the shop's time zone, `now` and `live_since` Unix
    seconds: what happened before the latter is not live any more. `until` (`time.monotonic`): when to halt. `taken` are custom
    fields that the mapping fills."""

    reader: Reader
    connect: Callable[[], Connection[Any]]
    quiet: Writes
    live: Writes | None
    failed: Callable[[BridgeUnreachable | BridgeRefused], bool]
    wall: str
    now: int
    live_since: int = 0
    until: float | None = None
    taken: frozenset[str] = frozenset()


class Tagging:
    """One go at the tags. `titles` are {segment: title of its tag}; who is in any other segment has no tag of it. `faults` are
    sentences about custom fields that groups cannot have."""

    def __init__(self, state: State, place: Place, segments: Sequence[Segment], titles: Mapping[str, str]) -> None:
        self._state = state
        self._place = place
        self._segments = {segment.slug: segment for segment in segments}
        self._titles = titles
        self._fields = _fields(segments)
        self._live = place.live
        self._tags = SegmentTags(place.reader, place.connect(), place.wall)
        self._gone: frozenset[str] = frozenset()
        self.contacts = 0
        self.faults: list[str] = []

    def write(self, *, everybody: bool = False) -> None:
        """Write what is due; everybody once a day, when the segments are others, or when it is asked for.

        What cannot be written live now, and what there is no time for, stays due. Raises StoreUnavailable.
        """
        state, place = self._state, self._place
        self._prepare()
        digest = _digest(self._tags.ids, self._titles, self._fields, sorted(self._gone))
        found = tags.comparison(state)
        last, _, before = state.get(_COMPARED).partition("|")
        if found is None:
            everybody = everybody or not last or before != digest or not 0 <= place.now - int(last) < _DAY
        if everybody or (found is not None and found.digest != digest):
            found = tags.begin(state, digest, place.live_since)
        # First who is due: they may be live, and the comparison is not.
        if self._due() and found is not None and self._everybody(found):
            if self._gone:
                self._tags.disown(self._gone)
            with state.transaction():
                tags.keep(state, None)
                state.set(_COMPARED, f"{place.now}|{digest}")

    def _late(self) -> bool:
        return self._place.until is not None and time.monotonic() >= self._place.until

    # --- tags and fields -------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Make the tags and fields that are missing."""
        state = self._state
        last: dict[str, str] = msgspec.json.decode(state.get(_TITLES, "{}"), type=dict[str, str])
        self._tags.ensure(self._titles, last)
        if last != self._titles:
            state.set(_TITLES, msgspec.json.encode(self._titles).decode())
        ours = self._tags.fields
        # A field that no group has any more is emptied; one that the mapping has taken over is the mapping's.
        self._gone = frozenset(ours - self._fields.keys() - self._place.taken)
        for slug in list(self._fields):
            fault = self._field(slug, known=slug in ours)
            if fault:
                self.faults.append(fault)
                del self._fields[slug]

    def _field(self, slug: str, *, known: bool) -> str:
        """See that a group has its field; else why it cannot have it."""
        place = self._place
        label, names = self._fields[slug]
        for clash in groups.clashes(self._segments.values(), place.taken & {slug}):
            return clash
        if not known and self._theirs(slug):
            return f"FluentCRM has a custom field {slug} with values that are not ours: give the group another one"
        fields = Fields(place.reader, place.connect(), _NO_RUN, place.wall)
        try:
            fields.ensure(
                [
                    Definition(
                        slug=slug, label=label, type="select-one", key=field_key("select-one"), options=tuple(names)
                    )
                ]
            )
            if not known:
                self._tags.own([slug])
            fields.offer({slug: set(names)})
        except CrmRefused as error:
            return error.message
        return ""

    def _theirs(self, slug: str) -> bool:
        """Whether values of somebody else are in a field; not asked again all the time, for that may be slow."""
        seen: dict[str, int] = msgspec.json.decode(self._state.get(_THEIRS, "{}"), type=dict[str, int])
        if 0 <= self._place.now - seen.get(slug, self._place.now + 1) < _LOOK_AGAIN:
            return True
        found = self._tags.theirs(slug)
        if found:
            self._state.set(_THEIRS, msgspec.json.encode(seen | {slug: self._place.now}).decode())
        return found

    # --- people ----------------------------------------------------------------------------------------

    def _due(self) -> bool:
        """Write who is due; whether nobody is any more."""
        state, place = self._state, self._place
        most = LIVE_PAGE if self._live is not None else _MANY
        while (due := tags.due(state, place.live_since, most)) is not None:
            again = self._some(due)
            if again is None:
                return False
            tags.done(state, due, again)
            if again or self._late():
                return False
        return True

    def _everybody(self, found: Comparison) -> bool:
        """Compare all contacts, quietly; what happens meanwhile is due afterwards. Whether it came to its end."""
        for page in tags.everybody(self._state, found.person):
            self._compare(page, self._place.quiet)
            found.person = page[-1]
            tags.keep(self._state, found)
            if self._late():
                return False
        known = tags.contacts(self._state)
        while page_ := self._tags.carriers(found.carrier):
            strays: dict[int, list[int]] = {}
            for _, contact, tag in page_:
                if contact not in known:
                    strays.setdefault(contact, []).append(tag)
            changes = [
                Change(person=0, patch=Patch(contact_id=contact, tags_remove=carried))
                for contact, carried in strays.items()
            ]
            for start in range(0, len(changes), 500):
                self._place.quiet.write(Batch(undo=False, changes=changes[start : start + 500]))
            found.carrier = page_[-1][0]
            tags.keep(self._state, found)
            if self._late():
                return False
        return True

    def _some(self, due: Due) -> dict[int, int] | None:
        """{who must be looked at again: how often through WordPress}; None when the bridge does not answer and it is better
        to wait."""
        live = [person for person, tries in due.people.items() if tries and self._live is not None]
        again: dict[int, int] = {}
        if live:
            assert self._live is not None
            try:
                left = self._compare(live, self._live)
            except (BridgeUnreachable, BridgeRefused) as error:
                if not self._place.failed(error):
                    return None
                self._live, live = None, []
            else:
                again = {person: due.people[person] - 1 if often else 0 for person, often in left.items()}
        self._compare([person for person in due.people if person not in set(live)], self._place.quiet)
        return again

    def _compare(self, people: Sequence[int], writer: Writes) -> dict[int, bool]:
        """Bring these people's contacts up to date. {who is not: whether it may help to try again (it changed under us)}; with
        the quiet writer, the daily comparison will do."""
        left, refused = list(people), set[int]()
        for _ in range(_ROUNDS):
            wanted = tags.wanted(self._state, left)
            fields = self._fields.keys() | self._gone
            attached = self._tags.attached({one.contact for one in wanted.values()})
            values = self._tags.values(attached, fields)
            batch = Batch(undo=False)
            for person, one in wanted.items():
                if one.contact in attached:
                    patch = self._patch(one, attached[one.contact].tags, values.get(one.contact, {}))
                    if patch:
                        batch.changes.append(Change(person=person, patch=patch, email=attached[one.contact].email))
            if not batch.changes:
                left = []
                break
            outcomes = writer.write(batch)
            self.contacts += sum(outcome.state == "done" for outcome in outcomes)
            refused |= {outcome.person for outcome in outcomes if outcome.state == "refused"}
            if refused:
                log.warning(
                    "tags were not written", extra={"why": ",".join({one.reason for one in outcomes if one.reason})}
                )
            left = [outcome.person for outcome in outcomes if outcome.state == "raced"]
            if not left:
                break
        return dict.fromkeys(refused, False) | dict.fromkeys(left, True)

    def _patch(self, one: Wanted, attached: Collection[int], values: Mapping[str, Any]) -> Patch:
        ids = self._tags.ids
        want = {ids[slug] for slug in one.segments if slug in self._titles}
        patch = Patch(
            contact_id=one.contact, tags_add=sorted(want - set(attached)), tags_remove=sorted(set(attached) - want)
        )
        named = dict.fromkeys([*self._fields, *self._gone], "")
        for slug in one.segments:
            segment = self._segments.get(slug)
            if segment is not None and segment.group is not None and segment.group.field in self._fields:
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
