"""Who is who: e-mail identities and accounts → person ids. Keyed by HMAC, so the state never holds an address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from sidecar import clock
from sidecar.state.database import State

_json = msgspec.json.encode


def _list(values: Iterable[int]) -> str:
    return _json(list(values)).decode()


class Registry:
    """People by identity. All methods take whole pages: SQLite is asked once a page, not once a person."""

    def __init__(self, state: State, erased: Callable[[str], bool] | None = None) -> None:
        """`erased` tells of an identity whether the plugin knows it as erased on request."""
        self._state = state
        self._erased = erased

    def keys(self, identities: Iterable[str]) -> dict[str, bytes]:
        """The keys of identities."""
        key = self._state.key
        return {identity: key(identity) for identity in identities}

    def find(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Known people by key; an alias (an account's earlier address) leads to its person."""
        found: dict[bytes, int] = {}
        for start in range(0, len(keys), 900):
            part = keys[start : start + 900]
            marks = ",".join("?" * len(part))
            # An account's own address comes before an alias of the same spelling.
            found.update(self._state.rows(f"SELECT key, person_id FROM alias WHERE key IN ({marks})", part))
            found.update(self._state.rows(f"SELECT key, id FROM person WHERE key IN ({marks})", part))
        return found

    def people(self, identities: Sequence[str]) -> dict[str, int]:
        """Person ids of identities; people who are new are made, in the order given. Suppressed ones are missing."""
        return self.of_keys(self.keys(dict.fromkeys(identities)))

    def of_keys(self, keys: dict[str, bytes]) -> dict[str, int]:
        """The same for {identity: key}."""
        known = self.find(list(keys.values()))
        unknown = [(identity, key) for identity, key in keys.items() if key not in known]
        fresh = [key for _, key in self._not_erased(unknown)]
        if fresh:
            gone = self.suppressed(fresh)
            fresh = [key for key in fresh if key not in gone]
            known.update(self._made(fresh))
        return {identity: known[key] for identity, key in keys.items() if key in known}

    def _made(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """New people, numbered as SQLite would. The transaction that this is in holds the right to write."""
        first = self._state.rows("SELECT COALESCE(MAX(id), 0) + 1 FROM person")[0][0]
        made = dict(zip(keys, range(first, first + len(keys)), strict=True))
        self._state.sql.executemany("INSERT INTO person (key, id) VALUES (?, ?)", made.items())
        return made

    def _not_erased(self, unknown: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Those whom the plugin does not know as erased; the others are kept as suppressed here too."""
        if self._erased is None or not unknown:
            return unknown
        gone = {key for identity, key in unknown if self._erased(identity)}
        if gone:
            now = int(clock.now().timestamp())
            self._state.sql.executemany("INSERT OR IGNORE INTO suppressed VALUES (?, ?)", [(key, now) for key in gone])
        return [one for one in unknown if one[1] not in gone]

    def suppressed(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those whose erasure was asked for: no import brings them back."""
        found: set[bytes] = set()
        for start in range(0, len(keys), 900):
            part = keys[start : start + 900]
            rows = self._state.rows(f"SELECT key FROM suppressed WHERE key IN ({','.join('?' * len(part))})", part)
            found.update(row[0] for row in rows)
        return found

    def of_accounts(self, user_ids: Iterable[int]) -> dict[int, int | None]:
        """{user id: person id} of accounts that exist; None where the account has no usable address."""
        rows = self._state.rows(
            "SELECT user_id, person_id FROM account WHERE user_id IN (SELECT value FROM json_each(?))",
            (_list(user_ids),),
        )
        return dict(rows)

    def touch(self, person_ids: Iterable[int]) -> None:
        """They need another look."""
        self._state.sql.execute(
            "UPDATE person SET dirty = 1 WHERE id IN (SELECT value FROM json_each(?)) AND dirty = 0",
            (_list(person_ids),),
        )
