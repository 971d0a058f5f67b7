"""Texts that could not be sent, by automation and step, until they can be: told to the owner as an alert. Nothing personal."""

from __future__ import annotations

import msgspec

from sidecar.state.database import State

_KEY = "automations.broken"
_MOST = 20


def open_(state: State) -> dict[str, str]:
    """{"automation/step": what is wrong}."""
    return msgspec.json.decode(state.get(_KEY, "{}"), type=dict[str, str])


def broken(state: State, where: str, problem: str) -> None:
    """A message of that step was refused before sending."""
    known = open_(state)
    if known.get(where) != problem and (where in known or len(known) < _MOST):
        state.set(_KEY, msgspec.json.encode(known | {where: problem[:200]}).decode())


def mended(state: State, where: str) -> None:
    """One of them could be put into words again."""
    known = open_(state)
    if known.pop(where, None) is not None:
        state.set(_KEY, msgspec.json.encode(known).decode())


def forget(state: State, automation: str) -> None:
    """What was wrong with its messages before: it begins anew."""
    known = open_(state)
    left = {where: why for where, why in known.items() if where.partition("/")[0] != automation}
    if left != known:
        state.set(_KEY, msgspec.json.encode(left).decode())
