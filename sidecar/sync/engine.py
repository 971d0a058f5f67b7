"""One run, step by step: accounts, orders, products, standing, people. Interrupt it anywhere and run it again."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec

from sidecar import memory
from sidecar.config import Config
from sidecar.crm import tables
from sidecar.errors import SidecarError, UsageError
from sidecar.mapping.compiled import Mapping
from sidecar.mysql.connection import open_connection
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.state.runs import Run
from sidecar.store import schema
from sidecar.sync import accounts, catalogue, forget, orders, refund_rates, site, standing
from sidecar.sync import helper as helper_
from sidecar.sync.look import Difference
from sidecar.sync.people import PeopleStep
from sidecar.sync.session import SINCE, Choices, Counts, Progress, Session
from sidecar.values import email

_BACKFILLED = "backfill.done"
_RULES = "rules.digest"
_STORAGE = "storage"
# Moves when an update reads the shop's rows otherwise than before: what was kept of them is then made anew, once.
_READING = 2


class Report(msgspec.Struct, kw_only=True):
    """What a run answers. `mode` is full or changes; `differences` only of a dry run."""

    run: Run
    mode: str
    storage: str
    currency: str
    counts: Counts
    differences: list[Difference] = []


def sync(config: Config, state: State, mapping: Mapping, choices: Choices, progress: Progress | None = None) -> Report:
    """Do the main job. Raises Conflict while another run is at work; a run that fails leaves what it did, and the
    next one goes on from there."""
    with runs.lock(state), _quiet_collector():
        run = runs.start(state, "dry-run" if choices.dry_run else "sync", msgspec.to_builtins(choices))
        started = time.perf_counter()
        session = helper = None
        try:
            session = Session(config, state, mapping, choices, run, progress or _silent)
            if not choices.dry_run:
                site.guard(session.reader, state)
                own_tables(config)
            mode = _mode(session)
            if helper_.wanted(session, mode):
                # What is in memory now would be there twice: the helper keeps what this process changes later.
                state.shrink()
                memory.give_back()
                helper = helper_.Helper(session)
            step = _steps(session, mode, helper)
            if helper is not None:
                helper.close()
                helper = None
            _finished(session, mode)
        except BaseException as error:
            if helper is not None:
                helper.leave()
            if session is not None:
                run.counts = msgspec.to_builtins(session.counts)
                session.close()
            state_ = "failed" if isinstance(error, Exception) else "interrupted"
            runs.finish(state, run, state_, error.message if isinstance(error, SidecarError) else type(error).__name__)
            raise
        session.close()
        session.counts.seconds = round(time.perf_counter() - started, 3)
        run.counts = msgspec.to_builtins(session.counts)
        runs.finish(state, run, "done")
        return Report(
            run=run, mode=mode, storage=session.info.storage, currency=session.info.currency,
            counts=session.counts, differences=step.differences,
        )  # fmt: skip


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """No cycle collection during a run: it would walk through a page's half million rows again and again (a sixth
    of the time), and pages hold no cycles."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _silent(step: str, done: int, total: int) -> None:
    """No progress wanted."""


def own_tables(config: Config) -> None:
    """Make our tables where they are missing, and forget what is too old to be undone."""
    connection = open_connection(config.shop.database, write=True)
    try:
        prefix = config.shop.table_prefix or "wp_"
        tables.ensure(connection, prefix)
        tables.prune(connection, prefix, config.sync.undo_days)
    finally:
        connection.close()


def _mode(session: Session) -> str:
    """full: everybody from the beginning, or on from where an interrupted backfill stopped; else changes.

    A dry run answers the same and marks nothing.
    """
    state, dry = session.state, session.choices.dry_run
    rules = _rules_digest(session)
    # The owner switched the order storage: ids are the same, digests are not. Look at every row again.
    switched = state.get(_STORAGE) != session.info.storage
    everything = session.choices.full or switched or state.get(_RULES) != rules
    widened = state.get(SINCE) != str(session.since_months)
    if dry:
        session.everybody = everything or widened
        return "full" if everything or not state.get(_BACKFILLED) else "changes"
    with state.transaction() as sql:
        state.set(_STORAGE, session.info.storage)
        state.set(_RULES, rules)
        state.set(SINCE, str(session.since_months))
        if switched:
            state.set("orders.cursor", "")
        if everything:
            state.set(_BACKFILLED, "")
            state.set("orders.walk", "0")
            sql.execute("UPDATE person SET dirty = 1")
            # What the rules read may be other keys now: order documents are made anew.
            sql.execute("UPDATE shop_order SET crc = -1")
        elif widened:
            sql.execute("UPDATE person SET dirty = 1 WHERE reason = 'inactive'")
    return "changes" if state.get(_BACKFILLED) else "full"


def _rules_digest(session: Session) -> str:
    words = (
        _READING,
        session.mapping.digest,
        msgspec.to_builtins(session.rules, order="deterministic"),
        session.config.people,
        session.info.timezone,
        session.info.gmt_offset,
    )
    return _digest(msgspec.json.encode(words, order="deterministic"))


def _digest(data: bytes) -> str:
    """A short digest of a configuration."""
    return hashlib.sha256(data).hexdigest()[:16]


def _steps(session: Session, mode: str, helper: helper_.Helper | None) -> PeopleStep:
    if mode == "full":
        with closing(orders.Walk(session)) as walk:
            orders.of_accounts(session, accounts.walk(session))
            walk.run()
    else:
        orders.of_accounts(session, accounts.changed(session))
        orders.changed(session)
    refund_rates.settle(session)
    catalogue.changed(session)
    for address in session.choices.only:
        if "@" in address:
            session.registry.touch(session.registry.find([session.state.key(address)]).values())
    if mode == "changes" and not session.choices.dry_run:
        _retry(session)
    step = PeopleStep(session, standing.settle(session), helper)
    if helper is not None:
        # Now the helper's turn comes to need memory.
        memory.give_back()
    step.run()
    if not session.choices.dry_run:
        forget.suppressed(session)
    return step


def _retry(session: Session) -> None:
    """People that FluentCRM refused get another chance in every run: the obstacle may be gone."""
    session.state.sql.execute("UPDATE person SET dirty = 1 WHERE verdict = 'failed'")


def _finished(session: Session, mode: str) -> None:
    if session.choices.dry_run or session.choices.only:
        return
    if schema.storage(session.reader) != session.info.storage:
        # Switched while we ran: the next run starts over from the other storage.
        session.state.set(_STORAGE, "")
        return
    session.state.set(_BACKFILLED, "1")


def only_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """`--only` as given → customers, guests or identities. Raises UsageError for anything else."""
    if words in (("customers",), ("guests",)):
        return words
    found = []
    for word in words:
        identity = email.identity(word)
        if identity is None or "@" not in identity:
            raise UsageError(f"--only takes customers, guests or e-mail addresses, not {word!r}")
        found.append(identity)
    return tuple(found)
