"""Nonces of requests that were accepted: each counts once, also for two processes at the same moment."""

from __future__ import annotations

import time

from sidecar.signing import NONCE_SECONDS
from sidecar.state.database import State

_PRUNE_EVERY = 64


def spend(state: State, nonce: str, now: float | None = None) -> bool:
    """Whether this nonce is new; from now on it is not. `now` is Unix seconds.

    The real time, not `clock.now()`: a fixed clock must not make old requests fresh for ever.
    """
    at = int(time.time() if now is None else now)
    new = state.sql.execute("INSERT OR IGNORE INTO nonce VALUES (?, ?)", (nonce, at)).rowcount == 1
    # A nonce is random: one in 64 is as good as every 64th, and needs no counter that processes share.
    if new and int(nonce[:8], 16) % _PRUNE_EVERY == 0:
        prune(state, at)
    return new


def prune(state: State, now: float) -> int:
    """Forget those whose request could not be fresh any more. Returns how many."""
    return int(state.sql.execute("DELETE FROM nonce WHERE at < ?", (int(now) - NONCE_SECONDS,)).rowcount)
