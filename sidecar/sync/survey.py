"""The explorer's survey, kept for pages: reading every meta key of a big shop takes longer than a page may.

What is kept is what the explorer shows: keys and figures, and samples that are masked already.
"""

from __future__ import annotations

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.mapping.compiled import Mapping
from sidecar.mapping.explore import Around, Key, explore
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store import meta, schema


class Explored(msgspec.Struct, kw_only=True):
    """A survey of one kind of owner. `at` is Unix seconds UTC, None when there is none yet. `wanted`: one is on its way."""

    kind: meta.Kind
    at: int | None = None
    wanted: bool = False
    storage: str = ""
    owners: int = 0
    rows: int = 0
    left_out: int = 0
    keys: list[Key] = []


def take(config: Config, state: State, mapping: Mapping | None, kind: meta.Kind) -> Explored:
    """Read the shop's keys now, and keep what was found."""
    people = config.people
    facts = dict.fromkeys(people.b2b_meta, "facts.customer_type")
    facts |= dict.fromkeys(people.birthday_meta, "facts.birthday") | dict.fromkeys(people.optin_meta, "facts.optin")
    try:
        with Reader(config) as reader:
            info = schema.probe(reader, people.paid_statuses)
            survey = meta.survey(reader, kind, info.storage)
        around = Around(prefix=config.shop.table_prefix or "wp_", active=info.plugins, facts=facts)
        found = Explored(
            kind=kind, at=int(clock.now().timestamp()), storage=info.storage, owners=survey.owners, rows=survey.rows,
            left_out=survey.left_out, keys=explore(survey, mapping, around),
        )  # fmt: skip
        state.set(_key(kind), msgspec.json.encode(found).decode())
        return found
    finally:
        state.set(_wish(kind), "")


def kept(state: State, kind: meta.Kind) -> Explored:
    """The last survey; an empty one when there is none."""
    text = state.get(_key(kind))
    try:
        found = msgspec.json.decode(text, type=Explored) if text else Explored(kind=kind)
    except msgspec.MsgspecError:  # kept by an earlier version
        found = Explored(kind=kind)
    found.wanted = bool(state.get(_wish(kind)))
    return found


def want(state: State, kind: meta.Kind) -> bool:
    """Ask for a new one. False when it was asked for already."""
    if state.get(_wish(kind)):
        return False
    state.set(_wish(kind), "1")
    return True


def wanted(state: State) -> list[meta.Kind]:
    """What was asked for and is not there yet."""
    return [kind for kind in meta.KINDS if state.get(_wish(kind))]


def _key(kind: meta.Kind) -> str:
    return f"explore.{kind}"


def _wish(kind: meta.Kind) -> str:
    return f"explore.{kind}.wanted"
