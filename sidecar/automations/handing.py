"""Handing messages over, each at most once: the writer of `message` up to there (what is reported later is `channels`').

A row is made before the message is put into words (links in it name the row), in the state `again`: known not to have been taken.
(With a `reason` it was offered before.) It becomes `handing`, and that is committed, before it is handed over. Whoever finds it `handing` after that asks the channel what
became of it; when nobody can tell it is `unsure`, and never sent again.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from sidecar.automations.channels.model import NOBODY, NOBODY_DAYS, Handed
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.model import ChannelName, Send
from sidecar.state.database import State

# States in which a message counts for the cap: it went, or it may have.
COUNTED = "state NOT IN ('failed', 'again')"
_OF = {"queued": "queued", "sent": "sent", "refused": "failed", "again": "again", "unsure": "unsure"}
_COLUMNS = "id, key, enrolment_id, step, state, reason, channel, provider, decided"


class Message(msgspec.Struct, frozen=True):
    """A row of `message`, as far as handing over needs it. `decided`: when it was last handed over (Unix ms)."""

    id: int
    key: str
    enrolment_id: int
    step: str
    state: str
    reason: str = ""
    channel: str = ""
    provider: str = ""
    decided: int = 0


def of(state: State, claimed: Sequence[Enrolment]) -> dict[int, Message]:
    """{enrolment: the message of the step that it is at}."""
    steps = {one.id: one.step for one in claimed}
    return {
        message.enrolment_id: message
        for message in _read(state, "enrolment_id IN (SELECT value FROM json_each(?))", steps)
        if message.step == steps[message.enrolment_id]
    }


def begin(
    sql: sqlite3.Connection, one: Enrolment, send: Send, channel: ChannelName, provider: str, now_ms: int, cut_off: bool
) -> Message | None:
    """The row of a message that is to be sent, made when there is none. None when it is not to be handed over: somebody else
    has (`cut_off`: it was being handed over before, and doing so again is harmless). Call it in the transaction in which the
    enrolment was found to be ours."""
    sql.execute(
        "INSERT INTO message (key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose,"
        " language, state, decided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 'again', ?) ON CONFLICT DO NOTHING",
        (
            secrets.token_urlsafe(16), one.id, one.automation_id, one.version_id, send.id, one.person_id, channel,
            provider, send.purpose, now_ms,
        ),
    )  # fmt: skip
    row = sql.execute(
        f"SELECT {_COLUMNS} FROM message WHERE enrolment_id = ? AND step = ?", (one.id, send.id)
    ).fetchone()
    message = _message(row)
    return message if message.state == ("handing" if cut_off else "again") else None


def hand(sql: sqlite3.Connection, message: Message, channel: str, provider: str, language: str, now_ms: int) -> bool:
    """From now on it may have gone out. False when somebody else was faster."""
    return bool(
        sql.execute(
            "UPDATE message SET state = 'handing', reason = '', channel = ?, provider = ?, language = ?, decided = ?"
            " WHERE id = ? AND state = ?",
            (channel, provider, language, now_ms, message.id, message.state),
        ).rowcount
    )


def sent(sql: sqlite3.Connection, person_id: int, channel: str, since_ms: int, but: int) -> list[int]:
    """When (Unix ms) marketing went to somebody by a channel since then, as it is now, without the message `but`."""
    rows = sql.execute(
        "SELECT decided FROM message WHERE person_id = ? AND channel = ? AND decided > ? AND purpose = 'marketing'"
        f" AND {COUNTED} AND id <> ? ORDER BY decided",
        (person_id, channel, since_ms, but),
    )
    return [row[0] for row in rows]


def nobody(state: State, people: Collection[int], now: int) -> set[int]:
    """Those of these people to whose address a mail server has lately said that it is nobody's. `now`: Unix seconds."""
    rows = state.rows(
        "SELECT DISTINCT person_id FROM message WHERE person_id IN (SELECT value FROM json_each(?)) AND channel = 'email'"
        " AND decided > ? AND state = 'failed' AND reason = ?",
        (msgspec.json.encode(sorted(people)).decode(), (now - NOBODY_DAYS * 86_400) * 1000, NOBODY),
    )
    return {row[0] for row in rows}


def handed(sql: sqlite3.Connection, outcomes: Iterable[Handed], now_ms: int) -> None:
    """What became of messages. It is the truth whoever has the enrolment by now."""
    sql.executemany(
        "UPDATE message SET state = ?1, reason = ?2, ref = ?3, handed = ?4, sent = CASE ?1 WHEN 'sent' THEN ?5 ELSE sent END"
        " WHERE key = ?6 AND (state = 'handing' OR (state = 'unsure' AND ?1 <> 'again'))",
        [
            (
                _OF[one.state], one.reason[:200] or ("again" if one.state == "again" else ""), one.ref[:190], None if one.state == "again" else now_ms,
                now_ms // 1000, one.key,
            )
            for one in outcomes
        ],
    )  # fmt: skip


def give_up(sql: sqlite3.Connection, message: Message, reason: str, maybe: bool) -> None:
    """A message that nobody took does not go out: it failed for that reason, or ('') there is none. `maybe`: it may have gone, and
    nobody can tell."""
    if maybe or message.state == "handing":
        sql.execute(
            "UPDATE message SET state = 'unsure', reason = ? WHERE id = ? AND state IN ('again', 'handing')",
            (reason[:200] or "cut_off", message.id),
        )
    elif reason:
        sql.execute(
            "UPDATE message SET state = 'failed', reason = ? WHERE id = ? AND state = 'again'",
            (reason[:200], message.id),
        )
    else:
        sql.execute("DELETE FROM message WHERE id = ? AND state = 'again'", (message.id,))


def left(state: State, before_ms: int) -> list[Message]:
    """Messages that were being handed over before that moment, of enrolments that have ended."""
    rows = state.rows(
        "SELECT m.id, m.key, m.enrolment_id, m.step, m.state, m.reason, m.channel, m.provider, m.decided FROM message m"
        " WHERE m.state = 'handing' AND m.decided < ? AND NOT EXISTS"
        " (SELECT 1 FROM enrolment e WHERE e.id = m.enrolment_id AND e.state = 'waiting') LIMIT 500",
        (before_ms,),
    )
    return [_message(row) for row in rows]


def _read(state: State, where: str, ids: Iterable[int]) -> list[Message]:
    rows = state.rows(f"SELECT {_COLUMNS} FROM message WHERE {where}", (msgspec.json.encode(list(ids)).decode(),))
    return [_message(row) for row in rows]


def _message(row: tuple[Any, ...]) -> Message:
    return Message(*row)
