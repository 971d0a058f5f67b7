"""What happened on FluentCRM's side: contacts deleted, statuses lowered, people erased. Hints are checked against what
the database says now; a status is never touched, only remembered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
import pymysql

from sidecar.crm import contacts, suppression
from sidecar.crm.batch import Batch
from sidecar.crm.model import Contact
from sidecar.events.outbox import Hint
from sidecar.people import consents
from sidecar.people.consents import EMAIL, Act, Said, Word
from sidecar.store.orders import choose
from sidecar.sync import forget
from sidecar.sync.few import Writes
from sidecar.sync.session import Session
from sidecar.values import email as emails

_encode = msgspec.json.encode
LOWERED = frozenset({"unsubscribed", "bounced", "complained", "spammed"})
_SOURCE = "fluentcrm"


def look(session: Session, hints: Sequence[Hint]) -> dict[int, int]:
    """Contacts that were made, edited, deleted or moved in status. Returns {contact id: person id} of those who are
    somebody's but were not known to be."""
    ids = sorted({hint.object_id for hint in hints if hint.object_id})
    if not ids:
        return {}
    found = contacts.read(session.reader, (), ids).by_id
    _deleted(session, [id_ for id_ in ids if id_ not in found])
    moved: dict[int, int] = {}
    for hint in hints:
        if hint.topic in ("contact.status", "contact.unsubscribed") and hint.object_id in found:
            moved[hint.object_id] = max(moved.get(hint.object_id, 0), hint.created_ms // 1000)
    _consent(session, [(found[id_], at) for id_, at in sorted(moved.items())])
    return _owners(session, list(found.values()))


def _deleted(session: Session, ids: Sequence[int]) -> None:
    """Somebody deleted these contacts: their people stay out until something of theirs changes in the shop."""
    if not ids:
        return
    wanted = _encode(list(ids)).decode()
    with session.state.transaction() as sql:
        sql.execute(
            "UPDATE person_doc SET written = NULL WHERE person_id IN"
            " (SELECT id FROM person WHERE contact_id IN (SELECT value FROM json_each(?)))",
            (wanted,),
        )
        # Without a status nobody is looked at again because the line to VIP has moved (as after undo).
        sql.execute(
            "UPDATE person SET verdict = 'left', reason = 'deleted', contact_id = NULL, made = 0, dirty = 0, status = ''"
            " WHERE contact_id IN (SELECT value FROM json_each(?))",
            (wanted,),
        )


def _consent(session: Session, moved: Sequence[tuple[Contact, int]]) -> None:
    """What people said of e-mail in FluentCRM, and when (Unix seconds), goes into the record of consent. A status that says
    what the last word said already is no news: the plugin may have told of the act itself."""
    owners = {
        row[0]: row[1]
        for row in session.state.rows(
            "SELECT contact_id, id FROM person WHERE contact_id IN (SELECT value FROM json_each(?))",
            (_encode([contact.id for contact, _ in moved]).decode(),),
        )
    }
    last = consents.latest(session.state, owners.values())
    acts = []
    for contact, at in moved:
        person = owners.get(contact.id)
        if person is None or (contact.status not in LOWERED and contact.status != "subscribed"):
            continue
        said: Said = "withdrawn" if contact.status in LOWERED else "given"
        before = last.get(person, {}).get(EMAIL)
        if before.state == said if before else said == "given":
            continue
        word = Word(
            state=said,
            at=at,
            source=_SOURCE,
            wording=f"status {contact.status}",
            evidence=f"contact:{contact.id}:{contact.status}:{at}",
        )
        acts.append(Act(person_id=person, channel=EMAIL, word=word))
    consents.record(session.state, acts)


def _owners(session: Session, found: Sequence[Contact]) -> dict[int, int]:
    identities = {contact.id: emails.identity(contact.email) or "" for contact in found}
    keys = {id_: session.state.key(identity) for id_, identity in identities.items() if identity}
    people = session.registry.find(list(dict.fromkeys(keys.values())))
    return {id_: people[key] for id_, key in keys.items() if key in people}


def cart_keys(session: Session, hints: Sequence[Hint]) -> dict[int, bytes]:
    """{hint id: key} of the addresses that were typed at the checkouts of these carts."""
    ids = sorted({hint.object_id for hint in hints if hint.object_id})
    if not ids:
        return {}
    try:
        rows = session.reader.page("carts_emails", ids=ids)
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in suppression.ABSENT:
            return {}
        raise
    identities = {row[0]: emails.identity(row[1]) for row in rows}
    keys = {id_: session.state.key(identity) for id_, identity in identities.items() if identity}
    return {hint.id: key for hint in hints if (key := keys.get(hint.object_id)) is not None}


def cart_owners(session: Session, keys: Mapping[int, bytes]) -> dict[int, int]:
    """{hint id: person id} where the address is of somebody known. Nobody is made known by typing an address: that is
    no consent."""
    people = session.registry.find(list(dict.fromkeys(keys.values())))
    return {id_: people[key] for id_, key in keys.items() if key in people}


def erased(session: Session, hints: Sequence[Hint], quiet: Writes) -> int:
    """People whose erasure was asked for in WordPress: out with everything of them. Returns how many there were.

    The plugin has deleted the contact already. Whom the hint does not name by a contact or an account is sought among
    those who have neither; anybody else is found by the next look at them (`suppressed`).
    """
    people: set[int] = set()
    gone: set[int] = set()
    for hint in hints:
        # A hint only: it counts when the plugin's list has the hash (it may have been lifted again).
        if hint.detail not in session.suppression.hashes:
            continue
        if hint.object_id:
            gone.add(hint.object_id)
            people.update(_ids(session, "SELECT id FROM person WHERE contact_id = ?", hint.object_id))
        if hint.user_id:
            people.update(
                _ids(
                    session,
                    "SELECT person_id FROM account WHERE user_id = ? AND person_id IS NOT NULL",
                    hint.user_id,
                )
            )
        if not hint.user_id:
            people.update(_guests(session, hint.detail))
    if people or gone:
        wipe(session, people, gone, quiet, quiet)
    return len(people)


def wipe(session: Session, people: Collection[int], contact_ids: Collection[int], writer: Writes, quiet: Writes) -> int:
    """Contacts, undo rows and all rows of the state of these people. Returns how many contacts were still there.

    Contacts go by `writer`; what is left of those that were gone already by `quiet`.
    """
    ids = set(contact_ids)
    ids.update(
        row[0]
        for row in session.state.rows(
            "SELECT contact_id FROM person WHERE contact_id IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
            (_encode(sorted(people)).decode(),),
        )
    )
    there = [row[0] for row in session.reader.page("contacts_there", ids=sorted(ids))] if ids else []
    for id_ in sorted(ids):
        (writer if id_ in there else quiet).write(Batch(erase=[(id_, id_)]))
    keys = [
        row[0]
        for row in session.state.rows(
            "SELECT key FROM person WHERE id IN (SELECT value FROM json_each(?1))"
            " UNION SELECT key FROM alias WHERE person_id IN (SELECT value FROM json_each(?1))",
            (_encode(sorted(people)).decode(),),
        )
    ]
    forget.suppress(session.state, keys, session.now)
    forget.people(session.state, people)
    return len(there)


def _ids(session: Session, sql: str, id_: int) -> list[int]:
    return [row[0] for row in session.state.rows(sql, (id_,))]


def _guests(session: Session, hash_: str) -> list[int]:
    """People without contact and account whose newest order is under an address with this hash."""
    rows = session.state.rows(
        "SELECT p.id, MAX(o.id) FROM person p JOIN shop_order o ON o.person_id = p.id"
        " WHERE p.contact_id IS NULL AND p.user_id IS NULL GROUP BY p.id"
    )
    found = []
    orders = choose(session.reader, session.info.storage)
    for start in range(0, len(rows), 2000):
        part = {row[1]: row[0] for row in rows[start : start + 2000]}
        for order, raw in orders.emails(sorted(part)).items():
            identity = emails.identity(raw)
            if identity and session.suppression.hash(identity) == hash_:
                found.append(part[order])
    return found
