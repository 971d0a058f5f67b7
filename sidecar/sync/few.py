"""Step 5 for a few people: the same facts, rules, difference and writing as `people.py`, without its threads.

For one order those would cost more than the work itself. Each person's outcome is handed back, so that the event
monitor can say what became of a hint.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import msgspec
from pymysql.connections import Connection

from sidecar.crm.batch import Batch, Outcome
from sidecar.crm.fields import Fields
from sidecar.crm.terms import Terms
from sidecar.sync.definitions import definitions, intents
from sidecar.sync.loading import Row, load
from sidecar.sync.look import Look, Looker
from sidecar.sync.memory import memos, remember
from sidecar.sync.selection import Selection
from sidecar.sync.session import Session

_PAGE = 150
# Through PHP, which on a slow host writes a few contacts a second: a page must be done before the call's time is over.
LIVE_PAGE = 50
_ROUNDS = 3


class Writes(Protocol):
    """What both writers can do."""

    def write(self, batch: Batch) -> list[Outcome]:
        """Write a batch; one outcome for each of its people."""


class What(msgspec.Struct, frozen=True):
    """What became of a person: changed, nothing, left (and why), failed (and why), or raced: look again later."""

    outcome: str
    reason: str = ""


class Few:
    """Looks at people and writes what differs. `connection` is for tags and fields that a rule needs made."""

    def __init__(self, session: Session, vip_from: int | None, connection: Connection[Any]) -> None:
        self._session = session
        wall, run = session.wall(), session.run.id
        self._terms = [Terms(session.reader, connection, kind, run, wall) for kind in ("tag", "list")]
        self._fields = Fields(session.reader, connection, run, wall)
        self._definitions = definitions(session)
        self._looker = Looker(session, vip_from, *self._terms)
        self._looker.intents = intents(session)
        self._selection = Selection(session)

    def run(self, ids: Collection[int], writer: Writes, size: int = _PAGE) -> dict[int, What]:
        """{person: what became of them}, by pages of `size`; people whom the state does not know are missing. Raises
        what `writer` does."""
        found: dict[int, What] = {}
        ordered = sorted(ids)
        for start in range(0, len(ordered), size):
            left: Sequence[int] = ordered[start : start + size]
            for attempt in range(_ROUNDS):
                self._looker.again = attempt > 0
                found |= self._page(left, writer)
                left = [id_ for id_ in left if id_ in found and found[id_].outcome == "raced"]
                if not left:
                    break
        counts = self._session.counts
        counts.fields_made += self._fields.made
        counts.tags_made += sum(terms.made for terms in self._terms)
        self._fields.made = 0
        for terms in self._terms:
            terms.made = 0
        return found

    def _page(self, ids: Sequence[int], writer: Writes) -> dict[int, What]:
        session = self._session
        rows = self._selection.of(ids)
        if not rows:
            return {}
        page = load(session, session.reader, rows, crm_empty=False)
        batch = Batch()
        looks = [self._looker.look(person, page, batch) for person in page.people]
        making = [(new.person,) for new in batch.new]
        with session.state.transaction() as sql:
            sql.executemany("INSERT OR IGNORE INTO live_intent VALUES (?)", making)
        if len(batch):
            self._fields.ensure(self._definitions)
            self._fields.offer(self._looker.offered)
        outcomes = {outcome.person: outcome for outcome in writer.write(batch)} if len(batch) else {}
        touched = {new.person for new in batch.new} | {change.person for change in batch.changes}
        touched |= {person for person, _ in batch.erase}
        crcs = [(crc, id_) for id_, crc in page.crcs.items()]
        remember(session, memos(looks, outcomes, final=False), crcs)
        self._made(rows, outcomes)
        return {look.person: _what(look, outcomes.get(look.person), look.person in touched) for look in looks}

    def _made(self, rows: Sequence[Row], outcomes: dict[int, Outcome]) -> None:
        """What was meant to be made is known now, or was refused."""
        settled = [(row.id,) for row in rows if row.id not in outcomes or outcomes[row.id].state != "raced"]
        with self._session.state.transaction() as sql:
            sql.executemany("DELETE FROM live_intent WHERE person_id = ?", settled)


def _what(look: Look, outcome: Outcome | None, touched: bool) -> What:
    if outcome is not None and outcome.state == "raced":
        return What("raced", "the contact changes under us")
    if look.verdict == "failed":
        return What("failed", look.reason)
    if touched:
        return What("changed", look.reason)
    if look.verdict == "left":
        return What("left", look.reason)
    return What("nothing", look.reason)
