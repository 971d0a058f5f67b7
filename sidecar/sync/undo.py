"""Taking a run back, in FluentCRM and in the state: what is undone stays undone until `sidecar sync --full`."""

from __future__ import annotations

import msgspec
import pymysql

from sidecar import clock
from sidecar.config import Config
from sidecar.crm import undo as crm_undo
from sidecar.crm.writer_sql import Writer
from sidecar.errors import NotFound, SidecarError
from sidecar.mysql.connection import Reader
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.state.runs import Run
from sidecar.store.schema import probe
from sidecar.values import dates

_PAGE = 5000


class Undoable(msgspec.Struct, kw_only=True):
    """A run that can be taken back: how many things it replaced, and runs after it that can be taken back too."""

    run_id: int
    rows: int
    later: list[int] = []


class Undone(msgspec.Struct, kw_only=True):
    """What an undo did. `run` is the undo's own run; `kept` are contacts that stay, since somebody changed them."""

    run: Run
    of: int
    removed: int
    restored: int
    kept: int
    terms_removed: int
    fields_removed: int
    people: int


def undoable(config: Config, run_id: int) -> Undoable:
    """What there is to undo of a run. Raises NotFound when there is nothing (any more)."""
    found = runs_there(config)
    if run_id not in found:
        raise NotFound(
            f"there is nothing to undo of run {run_id}",
            hint=f"runs that can be undone: {', '.join(map(str, sorted(found))) or 'none'} (kept for [sync] undo_days)",
        )
    return Undoable(run_id=run_id, rows=found[run_id], later=sorted(id_ for id_ in found if id_ > run_id))


def runs_there(config: Config) -> dict[int, int]:
    """{run: how many things it made or replaced} of the runs that can be taken back."""
    with Reader(config) as reader:
        try:
            return {int(row[0]): int(row[1]) for row in reader.rows("undo_runs")}
        except pymysql.err.ProgrammingError:
            return {}


def undo(config: Config, state: State, run_id: int) -> Undone:
    """Undo a run. Interrupted, it can be called again. Raises Conflict while a run is at work, NotFound."""
    with runs.lock(state):
        undoable(config, run_id)
        run = runs.start(state, "undo", {"of": run_id})
        try:
            done, people = _undo(config, state, run, run_id)
        except BaseException as error:
            how = "failed" if isinstance(error, Exception) else "interrupted"
            runs.finish(state, run, how, error.message if isinstance(error, SidecarError) else type(error).__name__)
            raise
        run.counts = {key: value for key, value in msgspec.to_builtins(done).items() if key != "contact_ids"}
        runs.finish(state, run, "done")
    return Undone(
        run=run, of=run_id, removed=done.removed, restored=done.restored, kept=done.kept,
        terms_removed=done.terms_removed, fields_removed=done.fields_removed, people=people,
    )  # fmt: skip


def _undo(config: Config, state: State, run: Run, run_id: int) -> tuple[crm_undo.Result, int]:
    with Reader(config) as reader:
        info = probe(reader, config.people.paid_statuses)
        wall = dates.local_text(int(clock.now().timestamp()), info.zone)
        writer = Writer(config.shop.database, reader.tables.prefix, run.id, wall, pivot_unique=info.pivot_unique)
        try:
            # First the state: should this end half-way, the next sync must not bring back what is gone already.
            people = _mark(reader, state, run_id)
            done = crm_undo.undo(reader, writer, run_id)
        finally:
            writer.close()
        _forget_gone(reader, state)
    return done, people


def _mark(reader: Reader, state: State, run_id: int) -> int:
    """People of the run's contacts: left out as undone, nothing remembered of what was written."""
    people = 0
    after = 0
    while page := sorted(reader.page("undo_contacts", run=run_id, after=after, limit=_PAGE)):
        after = page[-1][0]
        ids = msgspec.json.encode(sorted({row[1] for row in page})).decode()
        with state.transaction() as sql:
            sql.execute(
                "UPDATE person_doc SET written = NULL WHERE person_id IN"
                " (SELECT id FROM person WHERE contact_id IN (SELECT value FROM json_each(?)))",
                (ids,),
            )
            # Without a status nobody is looked at again because the line to VIP has moved.
            people += sql.execute(
                "UPDATE person SET verdict = 'left', reason = 'undone', dirty = 0, status = ''"
                " WHERE contact_id IN (SELECT value FROM json_each(?))",
                (ids,),
            ).rowcount
    return people


def _forget_gone(reader: Reader, state: State) -> None:
    """Contacts that are gone are nobody's any more."""
    after = 0
    while rows := state.rows(
        "SELECT id, contact_id FROM person WHERE reason = 'undone' AND contact_id IS NOT NULL AND id > ?"
        " ORDER BY id LIMIT ?",
        (after, _PAGE),
    ):
        after = rows[-1][0]
        there = {row[0] for row in reader.page("contacts_there", ids=[row[1] for row in rows])}
        with state.transaction() as sql:
            sql.executemany(
                "UPDATE person SET contact_id = NULL, made = 0 WHERE id = ?",
                [(row[0],) for row in rows if row[1] not in there],
            )
