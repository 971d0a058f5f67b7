"""The record of consent: what people said, by channel. Append only; this is its one writer and its one reader.

A word is an explicit act (a ticked box, an unsubscribe link, an answer to a double opt-in) or a proof that the owner vouches
for. The last one by its own time counts, in whatever order words arrive. No address, name or IP: people are ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from sidecar.state.database import State

Said = Literal["given", "withdrawn"]
EMAIL = "email"
CHANNELS = (EMAIL, "sms", "phone", "messaging", "push")
_encode = msgspec.json.encode


class Word(msgspec.Struct, kw_only=True, frozen=True):
    """What somebody said of one channel. `at` is Unix seconds UTC, when it was said. `source`: checkout, block-checkout,
    register, preferences, one-click, push, fluentcrm, double-opt-in, or the meta key of a proof. `evidence` is what it stands on
    (`row:12` of the plugin's table, `order:55`, `contact:7:status:time`), without names."""

    state: Said
    at: int
    source: str
    wording: str = ""
    evidence: str = ""


class Act(msgspec.Struct, kw_only=True, frozen=True):
    """A word to record. `waits`: the plugin is still to be told whose it is."""

    person_id: int
    channel: str
    word: Word
    waits: bool = False


def record(state: State, acts: Iterable[Act]) -> int:
    """Add words to the record; the same evidence of the same source counts once. Returns how many were new."""
    new = 0
    with state.transaction() as sql:
        for act in acts:
            word = act.word
            new += sql.execute(
                "INSERT INTO consent (person_id, channel, state, source, wording, at, evidence, waits)"
                " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ?7 = '' OR NOT EXISTS (SELECT 1 FROM consent"
                " WHERE person_id = ?1 AND channel = ?2 AND source = ?4 AND evidence = ?7)",
                (
                    act.person_id, act.channel, word.state, word.source, word.wording, word.at, word.evidence, act.waits
                ),
            ).rowcount  # fmt: skip
    return new


def history(state: State, person_id: int) -> list[tuple[str, Word]]:
    """(channel, word) of everything that a person said, the newest first."""
    rows = state.rows(
        "SELECT channel, state, at, source, wording, evidence FROM consent WHERE person_id = ? ORDER BY at DESC, id DESC",
        (person_id,),
    )
    return [(row[0], _word(*row[1:])) for row in rows]


def latest(state: State, person_ids: Collection[int]) -> dict[int, dict[str, Word]]:
    """{person: {channel: their last word}}; who said nothing is missing."""
    found: dict[int, dict[str, Word]] = {}
    rows = state.rows(
        "SELECT person_id, channel, state, at, source, wording, evidence FROM consent"
        " WHERE person_id IN (SELECT value FROM json_each(?)) ORDER BY at, id",
        (_encode(list(person_ids)).decode(),),
    )
    for person_id, channel, *word in rows:
        found.setdefault(person_id, {})[channel] = _word(*word)
    return found


def said_of_email(state: State, person_ids: str) -> list[tuple[int, str]]:
    """(person, state) of each word on e-mail, the last one last; `person_ids` is a JSON list. For pages of people."""
    return state.rows(
        "SELECT person_id, state FROM consent"
        " WHERE channel = 'email' AND person_id IN (SELECT value FROM json_each(?)) ORDER BY at, id",
        (person_ids,),
    )


def waiting(state: State, limit: int) -> list[tuple[int, int, int, bool]]:
    """(id, row of the plugin, contact, whether it is the last word on its channel) of words of people with a contact that
    the plugin is to be told of, the oldest first."""
    return [
        (id_, int(row), contact, bool(last))
        for id_, row, contact, last in state.rows(
            "SELECT c.id, SUBSTR(c.evidence, 5), p.contact_id, NOT EXISTS (SELECT 1 FROM consent later WHERE"
            " later.person_id = c.person_id AND later.channel = c.channel AND (later.at, later.id) > (c.at, c.id))"
            " FROM consent c JOIN person p ON p.id = c.person_id"
            " WHERE c.waits = 1 AND p.contact_id IS NOT NULL ORDER BY c.id LIMIT ?",
            (limit,),
        )
    ]


def plugin_rows(state: State, person_ids: Collection[int]) -> list[int]:
    """The numbers of the plugin's rows that words of these people stand on."""
    return [
        int(row[0])
        for row in state.rows(
            "SELECT DISTINCT SUBSTR(evidence, 5) FROM consent WHERE evidence LIKE 'row:%'"
            " AND person_id IN (SELECT value FROM json_each(?))",
            (_encode(list(person_ids)).decode(),),
        )
    ]


def told(state: State, ids: Iterable[int]) -> None:
    """The plugin knows of these words."""
    with state.transaction() as sql:
        sql.executemany("UPDATE consent SET waits = 0 WHERE id = ?", [(id_,) for id_ in ids])


def _word(state: Said, at: int, source: str, wording: str, evidence: str) -> Word:
    return Word(state=state, at=at, source=source, wording=wording, evidence=evidence)
