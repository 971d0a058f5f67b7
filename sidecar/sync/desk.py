"""Where people are looked at: pages in; what was written and what is to be remembered out. Touches no state.

A thread reads ahead from the shop, this one thinks, writer threads write behind. It runs in the process of the run, or
in a helper beside it (`helper.py`): what it needs of the state comes with the pages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import msgspec

from sidecar.crm.batch import Batch, Outcome
from sidecar.crm.fields import Fields
from sidecar.crm.terms import DryTerms, Terms
from sidecar.crm.writer_sql import Writer
from sidecar.sync.definitions import definitions
from sidecar.sync.loading import load
from sidecar.sync.look import Difference, Look, Looker
from sidecar.sync.memory import Memo, memos
from sidecar.sync.pages import ahead
from sidecar.sync.selection import Raw, rows
from sidecar.sync.session import Session

# (digest, user id) of accounts.
Crcs = list[tuple[int, int]]
# Pages that the reader is ahead.
DEPTH = 2


class Task(msgspec.Struct, frozen=True):
    """What the state says for all people: the LTV in micros from which one is a VIP (None: nobody is), runs that did
    not end well, some of whose contacts the state may not know as ours, and people whose contact a pass was about to
    make when it died."""

    vip_from: int | None
    broken_runs: tuple[int, ...] = ()
    intents: tuple[int, ...] = ()


class Result(msgspec.Struct, array_like=True):
    """What became of a page: how many people it had, what to remember, and (digest, user id) of their accounts."""

    people: int
    memos: list[Memo]
    crcs: Crcs


class Desk:
    """Looks at people for one run. Opens its write connections; close it."""

    def __init__(self, session: Session, task: Task) -> None:
        self._session = session
        self._dry = session.choices.dry_run
        self._crm_empty = not session.reader.value("contacts_any")
        self._definitions = definitions(session)
        self._writers: list[Writer] = []
        self._fields: Fields | None = None
        self._terms: list[Terms] = []
        if self._dry:
            dry = [DryTerms(session.reader, kind) for kind in ("tag", "list")]
            self._looker = Looker(session, task.vip_from, *dry)
            return
        self._writers = [self._writer() for _ in range(session.config.sync.writers + 1)]
        connection, wall, run = self._writers[0].connection, session.wall(), session.run.id
        self._terms = [Terms(session.reader, connection, kind, run, wall) for kind in ("tag", "list")]
        self._fields = Fields(session.reader, connection, run, wall)
        self._looker = Looker(session, task.vip_from, *self._terms)
        self._looker.intents = frozenset(task.intents)
        if task.broken_runs:
            orphans = session.reader.page("undo_created", runs=list(task.broken_runs))
            self._looker.orphans = frozenset(row[0] for row in orphans)

    def _writer(self) -> Writer:
        session = self._session
        return Writer(
            session.config.shop.database,
            session.reader.tables.prefix,
            session.run.id,
            session.wall(),
            pivot_unique=session.info.pivot_unique,
        )

    @property
    def differences(self) -> list[Difference]:
        """What a dry run found."""
        return self._looker.differences

    def close(self) -> None:
        """Close the write connections and count what was made for all."""
        for writer in self._writers:
            writer.close()
        counts = self._session.counts
        counts.fields_made += self._fields.made if self._fields else 0
        counts.tags_made += sum(terms.made for terms in self._terms)
        self._writers, self._terms, self._fields = [], [], None

    def work(self, pages: Iterable[Raw], *, again: bool, final: bool) -> Generator[Result, None, None]:
        """Look at pages and write. `again`: these people's write met another's before; `final`: there is no other
        time. Results come in the order of the pages, once the page is written."""
        self._looker.again = again
        crm_empty = self._crm_empty and not again
        free = deque(self._writers[1:])
        waiting: deque[tuple[Writer, list[Look], Crcs, Future[list[Outcome]]]] = deque()

        def settle() -> Result:
            writer, looks, crcs, future = waiting.popleft()
            outcomes = {outcome.person: outcome for outcome in future.result()}
            free.append(writer)
            return _result(looks, crcs, outcomes, final=final)

        loaded = ahead(
            self._session.reader,
            (rows(raw) for raw in pages),
            lambda reader, people: load(self._session, reader, people, crm_empty=crm_empty),
            threads=1,
            depth=DEPTH,
        )
        with closing(loaded), ThreadPoolExecutor(max(1, len(free)), thread_name_prefix="writer") as pool:
            for _, page in loaded:
                batch = Batch()
                looks = [self._looker.look(person, page, batch) for person in page.people]
                # A page waits for its write without what was read of it: that is most of the memory of a run.
                crcs = [(crc, id_) for id_, crc in page.crcs.items()]
                del page
                if self._dry:
                    yield _result(looks, crcs, {}, final=final)
                    continue
                self._prepare(batch)
                if not free:
                    yield settle()
                writer = free.popleft()
                waiting.append((writer, looks, crcs, pool.submit(writer.write, batch)))
            while waiting:
                yield settle()

    def _prepare(self, batch: Batch) -> None:
        """Custom fields and their choices must be there before the values are."""
        if self._fields is not None and len(batch):
            self._fields.ensure(self._definitions)
            self._fields.offer(self._looker.offered)


def _result(looks: Sequence[Look], crcs: Crcs, outcomes: dict[int, Outcome], *, final: bool) -> Result:
    return Result(len(looks), memos(looks, outcomes, final=final), crcs)
