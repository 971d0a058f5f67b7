"""The owner's pause: nothing is written meanwhile, events are kept. It ends by itself, so that no crash and no
forgetting can leave it on."""

from __future__ import annotations

import msgspec

from sidecar import clock
from sidecar.state.database import State

_SINCE, _UNTIL = "pause.since", "pause.until"
DEFAULT_MINUTES = 60
MOST_MINUTES = 7 * 24 * 60


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Unix seconds UTC."""

    since: int
    until: int


def current(state: State) -> Pause | None:
    """The pause that is on now."""
    until = state.get(_UNTIL)
    if not until or int(until) <= clock.now().timestamp():
        return None
    return Pause(since=int(state.get(_SINCE) or 0), until=int(until))


def begin(state: State, minutes: int = DEFAULT_MINUTES) -> Pause:
    """Pause for so many minutes (at most a week), or change how long the present pause lasts."""
    now = int(clock.now().timestamp())
    before = current(state)
    pause = Pause(since=before.since if before else now, until=now + 60 * min(minutes, MOST_MINUTES))
    with state.transaction():
        state.set(_SINCE, str(pause.since))
        state.set(_UNTIL, str(pause.until))
    return pause


def end(state: State) -> bool:
    """Go on. Whether there was a pause."""
    was = current(state) is not None
    state.set(_UNTIL, "")
    return was
