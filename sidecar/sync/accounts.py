"""Step 1: accounts. Who exists, under which address; new, changed and deleted ones are found by digests."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.store.customers import Customers
from sidecar.store.orders import BUCKET
from sidecar.sync.session import Session
from sidecar.sync.sums import differing
from sidecar.values import email

_PAGE = 5000


def walk(session: Session) -> set[int]:
    """Every account. Returns user ids whose orders must be looked at again (new, moved or deleted accounts)."""
    again: set[int] = set()
    total = session.customers.last_id()
    after = 0
    while page := session.customers.page(after, _PAGE):
        upto = page[-1][0]
        with session.state.transaction():
            again |= _register(session, page)
            again |= _deleted(session, after + 1, upto, {row[0] for row in page})
        after = upto
        session.progress("accounts", after, total)
    with session.state.transaction():
        again |= _deleted(session, after + 1, 2**62, set())
    return again


def changed(session: Session) -> set[int]:
    """Accounts that changed since they were loaded, by comparing digests of ranges. Returns as `walk`."""
    last = max(session.customers.last_id(), _highest(session))
    stale = differing(session.reader, session.state, ("account", "user_id"), (1, last), session.user_keys, Customers)
    again: set[int] = set()
    for low in stale:
        rows = session.customers.page(low * BUCKET - 1, BUCKET)
        page = [row for row in rows if row[0] < (low + 1) * BUCKET]
        loaded = session.customers.load([row[0] for row in page], session.user_keys)
        known = dict(session.state.rows("SELECT user_id, crc FROM account WHERE user_id BETWEEN ? AND ?", _bounds(low)))
        moved = [row for row in page if row[0] in loaded and known.get(row[0], -1) != loaded[row[0]].crc]
        with session.state.transaction():
            again |= _register(session, moved)
            people = session.registry.of_accounts(row[0] for row in moved)
            session.registry.touch(person for person in people.values() if person)
            again |= _deleted(session, *_bounds(low), {row[0] for row in page})
            session.state.sql.executemany(
                "UPDATE account SET crc = ? WHERE user_id = ?",
                [(account.crc, id_) for id_, account in loaded.items()],
            )
    return again


def some(session: Session, user_ids: Sequence[int]) -> set[int]:
    """These accounts, whether they changed or not; those that are gone are forgotten. Returns as `walk`."""
    loaded = session.customers.load(sorted(user_ids), session.user_keys)
    with session.state.transaction() as sql:
        again = _register(session, [(id_, account.email) for id_, account in sorted(loaded.items())])
        for id_ in sorted(set(user_ids) - loaded.keys()):
            again |= _deleted(session, id_, id_, set())
        sql.executemany(
            "UPDATE account SET crc = ? WHERE user_id = ?", [(account.crc, id_) for id_, account in loaded.items()]
        )
    return again


def _bounds(bucket: int) -> tuple[int, int]:
    return bucket * BUCKET, (bucket + 1) * BUCKET - 1


def _highest(session: Session) -> int:
    return int(session.state.rows("SELECT COALESCE(MAX(user_id), 0) FROM account")[0][0])


def _register(session: Session, page: Sequence[tuple[int, str]]) -> set[int]:
    """Bring accounts into the state: new ones, and moves to another address."""
    identities = {}
    for user_id, raw in page:
        found = email.identity(raw)
        if found is not None and email.problem(found) is None:
            identities[user_id] = found
    sql = session.state.sql
    before = session.registry.of_accounts(row[0] for row in page)
    again: set[int] = set()
    keys = session.registry.keys(dict.fromkeys(identities.values()))
    for user_id, identity in identities.items():
        person = before.get(user_id)
        if person is not None:
            _move(session, user_id, person, keys[identity], again)
    people = session.registry.of_keys(keys)
    fresh: list[tuple[int, int | None]] = []
    mended: list[tuple[int, int | None]] = []
    for user_id, _raw in page:
        person = people.get(identities.get(user_id, ""))
        if user_id not in before:
            again.add(user_id)
            fresh.append((user_id, person))
        elif before[user_id] is None and person is not None:
            again.add(user_id)
            mended.append((user_id, person))
            sql.execute("UPDATE account SET person_id = ? WHERE user_id = ?", (person, user_id))
        elif before[user_id] is not None and user_id not in identities:
            # Its address is none any more: as if the account were gone, its orders go by their own addresses.
            again.add(user_id)
            sql.execute("UPDATE account SET person_id = NULL WHERE user_id = ?", (user_id,))
            _without(session, before[user_id], user_id)
    sql.executemany("INSERT INTO account (user_id, person_id) VALUES (?, ?)", fresh)
    # Two accounts may share an address (WordPress' table does not forbid it): the first stands for the person.
    sql.executemany(
        "UPDATE person SET user_id = ?1, dirty = 1 WHERE id = ?2 AND (user_id IS NULL OR user_id > ?1)",
        [(user_id, person) for user_id, person in (*fresh, *mended) if person is not None],
    )
    return again


def _move(session: Session, user_id: int, person: int, key: bytes, again: set[int]) -> None:
    """An account that changed its address: the person moves with it, the old address stays an alias."""
    sql = session.state.sql
    old = sql.execute("SELECT key, user_id FROM person WHERE id = ?", (person,)).fetchone()
    if old is None or old[0] == key:
        return
    taken = sql.execute("SELECT id FROM person WHERE key = ?", (key,)).fetchone()
    if taken is None and old[1] == user_id:
        sql.execute("DELETE FROM alias WHERE key = ?", (key,))
        sql.execute(
            "INSERT INTO alias VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET person_id = excluded.person_id",
            (old[0], person),
        )
        sql.execute("UPDATE person SET key = ?, dirty = 1 WHERE id = ?", (key, person))
        return
    # Somebody is there already (a guest of that address): the account's orders go over to them.
    target = taken[0] if taken else session.state.sql.execute("INSERT INTO person (key) VALUES (?)", (key,)).lastrowid
    sql.execute("UPDATE account SET person_id = ? WHERE user_id = ?", (target, user_id))
    sql.execute(
        "UPDATE shop_order SET person_id = ? WHERE person_id = ? AND customer_id = ?",
        (target, person, user_id),
    )
    sql.execute("UPDATE person SET dirty = 1, user_id = ? WHERE id = ?", (user_id, target))
    sql.execute("UPDATE person SET dirty = 1, user_id = NULL WHERE id = ? AND user_id = ?", (person, user_id))
    again.add(user_id)


def _deleted(session: Session, low: int, high: int, have: set[int]) -> set[int]:
    """Forget accounts of a range of ids that are gone."""
    rows = session.state.rows("SELECT user_id FROM account WHERE user_id BETWEEN ? AND ?", (low, high))
    gone = {row[0] for row in rows} - have
    if not gone:
        return gone
    people = session.registry.of_accounts(gone)
    sql = session.state.sql
    sql.executemany("DELETE FROM account WHERE user_id = ?", [(user_id,) for user_id in gone])
    for user_id, person in people.items():
        if person is not None:
            _without(session, person, user_id)
    return gone


def _without(session: Session, person: int | None, user_id: int) -> None:
    """An account that is no longer this person's: another of theirs stands for them, or none."""
    sql = session.state.sql
    other = sql.execute("SELECT MIN(user_id) FROM account WHERE person_id = ?", (person,)).fetchone()[0]
    sql.execute("UPDATE person SET user_id = ?, dirty = 1 WHERE id = ? AND user_id = ?", (other, person, user_id))
