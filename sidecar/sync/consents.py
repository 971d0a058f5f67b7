"""The plugin's record of consent (`{prefix}fcsc_consents`) into ours, and back to the plugin whose rows they are.

A hint only says that there is a row: the row is read. Rows that no hint told of are found by the number of the last one, with
a margin, as numbers become visible out of order. The plugin itself moves a contact's status up, by its own row as the proof.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import pymysql

from sidecar.crm import suppression
from sidecar.crm.bridge_client import Bridge
from sidecar.people import consents
from sidecar.people.consents import Act, Word
from sidecar.sync.session import Session

log = logging.getLogger(__name__)

_SEEN = "consents.seen"
_MARGIN = 200
_PAGE = 1000
# The plugin may write an e-mail for each, within one call.
_TOLD_AT_ONCE = 20
_LATER = frozenset({"fluentcrm_missing", "out_of_time"})
_encode = msgspec.json.encode


class _Row(msgspec.Struct, array_like=True):
    """A row of the plugin. `at` is Unix seconds UTC."""

    id: int
    contact_id: int
    user_id: int
    order_id: int
    at: int
    channel: str
    state: str
    source: str
    wording: str


def take(session: Session, ids: Collection[int]) -> dict[int, int]:
    """Record these rows. Returns {row: person}; a row that is gone, or of nobody whom the state knows, is missing."""
    return _record(session, _read(session, "consents_rows", ids=sorted(ids))) if ids else {}


def find(session: Session) -> int:
    """Record rows that no hint told of. Returns how many rows were looked at."""
    state = session.state
    looked = 0
    after = max(0, int(state.get(_SEEN) or 0) - _MARGIN)
    while True:
        rows = _read(session, "consents_after", after=after, limit=_PAGE)
        if not rows:
            return looked
        _record(session, rows)
        looked += len(rows)
        after = max(row.id for row in rows)
        if after > int(state.get(_SEEN) or 0):
            state.set(_SEEN, str(after))
        if len(rows) < _PAGE:
            return looked


def tell(session: Session, bridge: Bridge) -> int:
    """Tell the plugin whose some of its rows are. Of a ticked box that is still the last word it makes marketing by e-mail
    allowed. Returns how many it was told. Raises BridgeUnreachable or BridgeRefused: then they wait on."""
    waiting = consents.waiting(session.state, _TOLD_AT_ONCE)
    if not waiting:
        return 0
    answers = bridge.consents([{"id": row, "contact_id": contact, "raise": last} for _, row, contact, last in waiting])
    known = {one.id: one for one in answers}
    done = []
    for id_, row, _, _ in waiting:
        answer = known.get(row)
        if answer is None or answer.reason in _LATER:
            continue
        if answer.state == "refused":
            log.warning("the plugin refuses a word of consent", extra={"row": row, "why": answer.reason})
        done.append(id_)
    consents.told(session.state, done)
    return len(done)


def _read(session: Session, name: str, **params: Any) -> list[_Row]:
    try:
        rows = session.reader.page(name, **params)
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in suppression.ABSENT:
            return []  # without the plugin, or with an old one
        raise
    return [msgspec.convert(row, _Row) for row in rows]


def _record(session: Session, rows: Sequence[_Row]) -> dict[int, int]:
    people = _people(session, rows)
    acts = [
        Act(
            person_id=people[row.id], channel=row.channel, waits=not row.contact_id,
            word=Word(state=row.state, at=row.at, source=row.source, wording=row.wording, evidence=f"row:{row.id}"),  # type: ignore[arg-type]
        )
        for row in rows
        if row.id in people and row.channel in consents.CHANNELS and row.state in ("given", "withdrawn")
    ]  # fmt: skip
    consents.record(session.state, acts)
    return people


def _people(session: Session, rows: Sequence[_Row]) -> dict[int, int]:
    """{row: person}: of the order, else of the contact, else of the account."""

    def known(sql: str, ids: set[int]) -> dict[int, int]:
        return dict(session.state.rows(sql, (_encode(sorted(ids)).decode(),))) if ids else {}

    orders = known(
        "SELECT id, person_id FROM shop_order WHERE person_id IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        {row.order_id for row in rows} - {0},
    )
    contacts = known(
        "SELECT contact_id, id FROM person WHERE contact_id IN (SELECT value FROM json_each(?))",
        {row.contact_id for row in rows} - {0},
    )
    users = known(
        "SELECT user_id, person_id FROM account"
        " WHERE person_id IS NOT NULL AND user_id IN (SELECT value FROM json_each(?))",
        {row.user_id for row in rows} - {0},
    )
    found = {row.id: orders.get(row.order_id) or contacts.get(row.contact_id) or users.get(row.user_id) for row in rows}
    return {id_: person for id_, person in found.items() if person is not None}
