"""Erasing a person on request: contact, state, undo rows and carts; a hash stays, so that no import brings them back.

The shop's own orders and account are the shop's: WordPress' own tools erase those.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from sidecar import clock
from sidecar.automations import browsers
from sidecar.config import Config
from sidecar.crm import contacts, suppression
from sidecar.errors import BridgeRefused, BridgeUnreachable, UsageError
from sidecar.mapping.compiled import Mapping
from sidecar.people import consents
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.sync import crm_side, site
from sidecar.sync.few import Writes
from sidecar.sync.link import Link
from sidecar.sync.warm import Warm
from sidecar.values import email as emails

log = logging.getLogger(__name__)


class Erased(msgspec.Struct, kw_only=True, frozen=True):
    """What an erasure did. `contacts` were deleted in FluentCRM; `known` says whether the state knew the person;
    `in_plugin` whether the plugin keeps the hash too (else only the sidecar's own state does)."""

    contacts: int
    known: bool
    carts: int
    in_plugin: bool


class Suppressed(msgspec.Struct, kw_only=True, frozen=True):
    """One erased person. `mark` is the beginning of the hash, `where` plugin or state, `at` Unix seconds UTC."""

    mark: str
    where: str
    at: int


def erase(config: Config, state: State, mapping: Mapping, link: Link, address: str) -> Erased:
    """Erase the person of an address. Can be called again. Raises UsageError, Conflict while a run is at work."""
    identity = identity_of(address)
    with runs.lock(state, "erase"):
        warm = Warm(config, state, lambda: mapping)
        try:
            session = warm.session()
            quiet = warm.writer()
            key = state.key(identity)
            now = int(clock.now().timestamp())
            with state.transaction() as sql:
                sql.execute("INSERT OR IGNORE INTO suppressed VALUES (?, ?)", (key, now))
                # Somebody may have said no without ever having been a person; suppressed says more than no.
                sql.execute("DELETE FROM cart_refusal WHERE key = ?", (key,))
            prefix = session.reader.tables.prefix
            hash_ = session.suppression.hash(identity)
            in_plugin = suppression.add(warm.connection(), prefix, hash_)
            people = set(session.registry.find([key]).values())
            found = contacts.read(session.reader, [identity]).by_identity.get(identity)
            writer: Writes = quiet
            # On a copy of the shop the paired WordPress may be the real one: stay in this database then.
            if link.state().mode == "live" and not site.look(session.reader, state).held:
                from sidecar.crm.writer_bridge import BridgeWriter

                writer = BridgeWriter(link.bridge(session.info.home), warm.connection, prefix, session.run.id)
            ids = [found.id] if found else []
            words = consents.plugin_rows(state, people)
            pushed = browsers.numbers(session.reader, state, people)
            users = session.customers.ids_by_email(identity)
            try:
                gone = crm_side.wipe(session, people, ids, writer, quiet)
            except (BridgeUnreachable, BridgeRefused) as error:
                log.warning("erasing by SQL: the bridge does not answer", extra={"why": error.message})
                gone = crm_side.wipe(session, people, ids, quiet, quiet)
            carts = suppression.traces(warm.connection(), prefix, identity, ids, users, words, pushed)
            return Erased(contacts=gone, known=bool(people), carts=carts, in_plugin=in_plugin)
        finally:
            warm.drop()


def lift(config: Config, state: State, mapping: Mapping, address: str) -> bool:
    """Let a person in again: the next run takes them like anybody. Whether they were suppressed."""
    identity = identity_of(address)
    with runs.lock(state, "erase"):
        warm = Warm(config, state, lambda: mapping)
        try:
            session = warm.session()
            key = state.key(identity)
            was = bool(session.registry.suppressed([key])) or session.suppression.blocks(identity)
            suppression.lift(warm.connection(), session.reader.tables.prefix, session.suppression.hash(identity))
            with state.transaction() as sql:
                sql.execute("DELETE FROM suppressed WHERE key = ?", (key,))
                # Whose these were is not known any more: the next run reads them all again.
                sql.execute("UPDATE shop_order SET crc = -1 WHERE verdict = 'erased'")
                sql.execute("UPDATE account SET crc = -1 WHERE person_id IS NULL")
            return was
        finally:
            warm.drop()


def listed(config: Config, state: State, mapping: Mapping) -> list[Suppressed]:
    """Who is suppressed: hashes and dates, which is all that is kept."""
    warm = Warm(config, state, lambda: mapping)
    try:
        found = [
            Suppressed(mark=one.hash[:12], where="plugin", at=_unix(one.created))
            for one in suppression.entries(warm.session().reader)
        ]
    finally:
        warm.drop()
    rows = state.rows("SELECT key, at FROM suppressed ORDER BY at DESC LIMIT 10000")
    return found + [Suppressed(mark=row[0].hex()[:12], where="state", at=row[1]) for row in rows]


def identity_of(address: str) -> str:
    """The identity of an address. Raises UsageError."""
    identity = emails.identity(address)
    if identity is None or "@" not in identity:
        raise UsageError("that is no e-mail address", hint="such as `sidecar privacy erase anna@example.com`")
    return identity


def _unix(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
