"""Step 5: people. Facts, rules, difference, write: the same for the first import and for one changed person."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from sidecar.crm.batch import Batch, Outcome
from sidecar.crm.fields import Fields
from sidecar.crm.terms import DryTerms, Terms
from sidecar.crm.writer_sql import Writer
from sidecar.sync.definitions import definitions, intents
from sidecar.sync.loading import Page, load
from sidecar.sync.look import Difference, Look, Looker
from sidecar.sync.memory import remember
from sidecar.sync.pages import ahead
from sidecar.sync.selection import Selection
from sidecar.sync.session import Session


class PeopleStep:
    """All people that need a look, page by page: a thread reads ahead, this one thinks, writers write behind."""

    def __init__(self, session: Session, vip_from: int | None) -> None:
        self._session = session
        self._dry = session.choices.dry_run
        self._selection = Selection(session)
        self._crm_empty = not session.reader.value("contacts_any")
        self._definitions = definitions(session)
        self._writers: list[Writer] = []
        self._fields: Fields | None = None
        self._terms: list[Terms] = []
        if self._dry:
            dry = [DryTerms(session.reader, kind) for kind in ("tag", "list")]
            self._looker = Looker(session, vip_from, *dry)
            return
        self._writers = [self._writer() for _ in range(session.config.sync.writers + 1)]
        connection, wall, run = self._writers[0].connection, session.wall(), session.run.id
        self._terms = [Terms(session.reader, connection, kind, run, wall) for kind in ("tag", "list")]
        self._fields = Fields(session.reader, connection, run, wall)
        self._looker = Looker(session, vip_from, *self._terms)
        self._looker.orphans = self._orphans()
        self._looker.intents = intents(session)

    @property
    def differences(self) -> list[Difference]:
        """What a dry run found."""
        return self._looker.differences

    def _orphans(self) -> frozenset[int]:
        """Contacts that runs made which did not end well: some of them the state may not know as ours."""
        runs = self._session.state.rows("SELECT id FROM run WHERE state IN ('interrupted', 'failed') AND kind = 'sync'")
        ids = [row[0] for row in runs]
        return frozenset(row[0] for row in self._session.reader.page("undo_created", runs=ids)) if ids else frozenset()

    def _writer(self) -> Writer:
        session = self._session
        return Writer(
            session.config.shop.database,
            session.reader.tables.prefix,
            session.run.id,
            session.wall(),
            pivot_unique=session.info.pivot_unique,
        )

    def run(self) -> None:
        """All of them; those whose write met another's are looked at again, three times at most."""
        try:
            for attempt in range(1 if self._dry else 3):
                if not self._round(final=attempt == 2):
                    break
                self._crm_empty, self._looker.again = False, True
        finally:
            for writer in self._writers:
                writer.close()
            counts = self._session.counts
            counts.fields_made += self._fields.made if self._fields else 0
            counts.tags_made += sum(terms.made for terms in self._terms)

    def _round(self, *, final: bool) -> int:
        """One pass. Returns how many people must be looked at once more."""
        session = self._session
        raced = seen = 0
        total = self._selection.total()
        free = deque(self._writers[1:])
        waiting: deque[tuple[Writer, list[Look], Future[list[Outcome]]]] = deque()
        pages = ahead(
            session.reader,
            self._selection.rows(),
            lambda reader, rows: load(session, reader, rows, crm_empty=self._crm_empty),
            threads=1,
            depth=2,
        )

        def settle() -> int:
            writer, looks, future = waiting.popleft()
            outcomes = {outcome.person: outcome for outcome in future.result()}
            free.append(writer)
            return remember(session, looks, outcomes, final=final)

        with ThreadPoolExecutor(max(1, len(free)), thread_name_prefix="writer") as pool:
            for rows, page in pages:
                looks, batch = self._page(page)
                seen += len(rows)
                if not self._dry:
                    if not free:
                        raced += settle()
                    writer = free.popleft()
                    waiting.append((writer, looks, pool.submit(writer.write, batch)))
                session.progress("people", seen, total)
            while waiting:
                raced += settle()
        return raced

    def _page(self, page: Page) -> tuple[list[Look], Batch]:
        batch = Batch()
        looks = [self._looker.look(person, page, batch) for person in page.people]
        if not self._dry:
            with self._session.state.transaction() as sql:
                crcs = [(crc, id_) for id_, crc in page.crcs.items()]
                sql.executemany("UPDATE account SET crc = ? WHERE user_id = ?", crcs)
            if self._fields is not None and len(batch):
                self._fields.ensure(self._definitions)
                self._fields.offer(self._looker.offered)
        return looks, batch
