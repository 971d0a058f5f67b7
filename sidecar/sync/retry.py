"""Another look at the rows behind dead letters; the next changes run then takes them as it takes any change."""

from __future__ import annotations

import msgspec

from sidecar.errors import NotFound
from sidecar.state import runs
from sidecar.state.database import State


class Marked(msgspec.Struct, kw_only=True):
    """How many orders will be read again and how many people looked at again."""

    orders: int
    people: int


def mark(state: State, letters: tuple[int, ...] = ()) -> Marked:
    """Mark what these letters (all, when none is named) are about. Raises NotFound for a number that is no letter's,
    Conflict while a run is at work."""
    rows = state.rows("SELECT id, kind, ref FROM dead_letter")
    missing = set(letters) - {row[0] for row in rows}
    if missing:
        raise NotFound(f"there is no dead letter {min(missing)}", hint="`sidecar sync letters` lists them")
    orders: list[int] = []
    users: list[int] = []
    buyers: list[int] = []
    contacts: list[int] = []
    events: list[int] = []
    for id_, kind, ref in rows:
        if letters and id_ not in letters:
            continue
        what, _, number = ref.partition(":")
        if kind == "event":
            # Handed over to the run of changes: what is wrong then is another letter.
            events.append(id_)
        if not number.isdigit():
            continue
        if what == "user":
            users.append(int(number))
        elif what == "contact":
            contacts.append(int(number))
        elif what == "order":
            (orders if kind in ("order", "event") else buyers).append(int(number))
    with runs.lock(state), state.transaction() as sql:
        # A digest that no row has: the sweep of the next run loads the order again.
        read = sql.execute(
            "UPDATE shop_order SET crc = -1 WHERE id IN (SELECT value FROM json_each(?))", (_json(orders),)
        ).rowcount
        looked = sql.execute(
            "UPDATE person SET dirty = 1 WHERE id IN"
            " (SELECT person_id FROM account WHERE user_id IN (SELECT value FROM json_each(?1))"
            " UNION SELECT person_id FROM shop_order WHERE id IN (SELECT value FROM json_each(?2)))"
            " OR contact_id IN (SELECT value FROM json_each(?3))",
            (_json(users), _json(buyers), _json(contacts)),
        ).rowcount
        sql.execute("DELETE FROM dead_letter WHERE id IN (SELECT value FROM json_each(?))", (_json(events),))
    return Marked(orders=read, people=looked)


def _json(values: list[int]) -> str:
    return msgspec.json.encode(values).decode()
