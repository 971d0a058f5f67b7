"""How much each provider may get now: a token bucket, a pause after trouble, and the switch of one that is broken.

All of it stands in the table `provider`, so it holds over restarts and for several processes at once.
"""

from __future__ import annotations

import math

import msgspec

from sidecar import clock
from sidecar.errors import NotFound
from sidecar.state.database import State

# Pauses after failures in a row: 10 s, 20 s, … up to half an hour.
_FIRST, _LONGEST = 10.0, 1800.0
# How long messages for a provider that is switched off wait before they ask again.
OFF_SECONDS = 900.0
# A bucket holds what comes in so many seconds, so that a pass may hand over a handful at once.
_SECONDS = 2.0


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages may go now; the others wait so many seconds, and why."""

    count: int
    wait: float = 0.0
    reason: str = ""


class ProviderState(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider is. `disabled`: why it is switched off, '' it is not. `retry_at`: Unix seconds, 0 it is not paused."""

    name: str
    disabled: str = ""
    failures: int = 0
    retry_at: int = 0


class Gate:
    """The gate of all providers of one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def take(self, name: str, want: int, rate: float) -> Grant:
        """As many of `want` as may go now; `rate` is messages a second, 0 without a limit. A clock that was put back gives
        nothing away and blocks nobody."""
        now = clock.now().timestamp()
        most = max(1.0, rate * _SECONDS)
        with self._state.transaction() as sql:
            row = sql.execute("SELECT tokens, at, disabled, retry_at FROM provider WHERE name = ?", (name,)).fetchone()
            tokens, at, disabled, retry_at = row or (most, now, "", 0)
            if disabled:
                return Grant(count=0, wait=OFF_SECONDS, reason="the provider is switched off")
            if 0 < retry_at - now <= 2 * 86_400:
                return Grant(count=0, wait=retry_at - now, reason="the provider is paused after trouble")
            if rate <= 0:
                return Grant(count=want)
            tokens = min(most, tokens + max(0.0, now - at) * rate)
            count = min(want, int(tokens))
            tokens -= count
            sql.execute(
                "INSERT INTO provider (name, tokens, at) VALUES (?, ?, ?)"
                " ON CONFLICT(name) DO UPDATE SET tokens = excluded.tokens, at = excluded.at",
                (name, tokens, now),
            )
        return Grant(count=count, wait=max(0.0, (1.0 - tokens) / rate), reason="the provider's rate is used up")

    def failed(self, name: str, wait: float = 0.0) -> float:
        """It takes nothing: leave it alone for `wait` seconds, or for longer each time. How long it is."""
        now = clock.now().timestamp()
        with self._state.transaction() as sql:
            row = sql.execute("SELECT failures FROM provider WHERE name = ?", (name,)).fetchone()
            failures = (row[0] if row else 0) + 1
            pause = min(86_400.0, wait) or min(_LONGEST, _FIRST * 2.0 ** min(failures - 1, 20))
            sql.execute(
                "INSERT INTO provider (name, failures, retry_at) VALUES (?, ?, ?)"
                " ON CONFLICT(name) DO UPDATE SET failures = excluded.failures, retry_at = excluded.retry_at",
                (name, failures, math.ceil(now + pause)),
            )
        return pause

    def worked(self, name: str) -> None:
        """It has taken something."""
        self._state.sql.execute(
            "UPDATE provider SET failures = 0, retry_at = 0 WHERE name = ? AND (failures <> 0 OR retry_at <> 0)",
            (name,),
        )

    def disable(self, name: str, why: str) -> None:
        """Nothing more goes to it until the owner has mended it. The first reason stays."""
        self._state.sql.execute(
            "INSERT INTO provider (name, disabled) VALUES (?, ?)"
            " ON CONFLICT(name) DO UPDATE SET disabled = excluded.disabled WHERE provider.disabled = ''",
            (name, why[:200]),
        )

    def enable(self, name: str) -> bool:
        """Switch it on again. False when there is nothing known of that name."""
        found = self._state.sql.execute(
            "UPDATE provider SET disabled = '', failures = 0, retry_at = 0 WHERE name = ?", (name,)
        )
        return found.rowcount > 0


def switch_on(state: State, name: str) -> None:
    """Switch a provider on again. Raises NotFound."""
    if not Gate(state).enable(name):
        known = ", ".join(one.name for one in standing(state))
        raise NotFound(f"there is no provider {name!r}", hint=f"there are: {known}" if known else "none was ever used")


def standing(state: State) -> list[ProviderState]:
    """How each provider is that was ever used, by name."""
    rows = state.rows("SELECT name, disabled, failures, retry_at FROM provider ORDER BY name")
    return [ProviderState(name=row[0], disabled=row[1], failures=row[2], retry_at=row[3]) for row in rows]
