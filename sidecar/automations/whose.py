"""Whose a cart or a sign-up is: the account's, else of whom the typed address is, else of whom the browser is known to be.

Nobody is made known by typing an address. Who said no to reminders, under any of these addresses, is nobody's to remind.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sidecar.events import refusals
from sidecar.people.identity import Registry
from sidecar.state.database import State
from sidecar.values import email as emails

_encode = msgspec.json.encode


class Sign(msgspec.Struct, frozen=True):
    """What is known of somebody: an account or 0, an address or '', a browser or ''."""

    user_id: int
    email: str = ""
    visitor: str = ""


def people(state: State, signs: Sequence[Sign]) -> list[int | None]:
    """The person of each, None where nobody is known."""
    return [person for person, _ in _found(state, signs)]


def remindable(state: State, signs: Sequence[Sign]) -> list[int | None]:
    """The same without those who said no to being reminded of carts."""
    found = _found(state, signs)
    own = dict(
        state.rows(
            "SELECT id, key FROM person WHERE id IN (SELECT value FROM json_each(?))",
            (_encode(sorted({person for person, _ in found if person is not None})).decode(),),
        )
    )
    keys = [{key for key in (typed, own.get(person or 0)) if key} for person, typed in found]
    refused = refusals.since(state, {key for some in keys for key in some})
    return [None if some & refused.keys() else person for (person, _), some in zip(found, keys, strict=True)]


def _found(state: State, signs: Sequence[Sign]) -> list[tuple[int | None, bytes | None]]:
    """(person, key of the typed address)."""
    registry = Registry(state)
    accounts = registry.of_accounts({sign.user_id for sign in signs if sign.user_id})
    typed = [state.key(identity) if (identity := emails.identity(sign.email)) else None for sign in signs]
    known = registry.find(list({key for key in typed if key}))
    visitors = dict(
        state.rows(
            "SELECT visitor, person_id FROM visitor WHERE visitor IN (SELECT value FROM json_each(?))",
            (_encode(sorted({sign.visitor for sign in signs if sign.visitor})).decode(),),
        )
    )
    return [
        (accounts.get(sign.user_id) or known.get(key or b"") or visitors.get(sign.visitor), key)
        for sign, key in zip(signs, typed, strict=True)
    ]
