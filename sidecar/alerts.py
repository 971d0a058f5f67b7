"""Telling the owner of trouble by a way that does not lead through WordPress: a webhook, Telegram, or SMTP.

Each condition is told once when it begins and once when it is over. Nothing personal is ever in it.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException

import msgspec

from sidecar import clock, http_client, new_file
from sidecar.config import Alerts
from sidecar.state.database import State

log = logging.getLogger(__name__)

_TIMEOUT = 10
_JSON = {"Content-Type": "application/json"}
_TELEGRAM = "https://api.telegram.org"
Channel = Callable[[str, str, bool], None]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that may be wrong: a stable name, whether it is now, and a sentence without personal data."""

    name: str
    on: bool
    sentence: str


class Told(msgspec.Struct, kw_only=True, frozen=True):
    """One message. `over`: it is the end of the trouble. `failed`: channels that did not take it, with the reason."""

    name: str
    sentence: str
    over: bool
    failed: list[str] = []


class Open(msgspec.Struct, kw_only=True, frozen=True):
    """Trouble that is on now. `since` is Unix seconds UTC."""

    name: str
    since: int
    sentence: str


def check(state: State, config: Alerts, conditions: Sequence[Condition], site: str = "") -> list[Told]:
    """Tell what has begun and what is over since the last check. What no channel took is told again next time. `site`: its
    address, for who has several."""
    with _one_at_a_time(state):
        known = {row[0]: (row[1], row[2]) for row in state.rows("SELECT name, since, told FROM alert")}
        told = [_one(state, config, one, known.get(one.name), site) for one in conditions]
    return [one for one in told if one is not None]


@contextmanager
def _one_at_a_time(state: State) -> Iterator[None]:
    """Two lines of cron begin in the same second: what one is just telling, the other must not tell too."""
    handle = new_file.lock_file(state.directory / "alerts.lock")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _one(state: State, config: Alerts, one: Condition, known: tuple[int, int] | None, site: str) -> Told | None:
    now = int(clock.now().timestamp())
    since, was_told = known if known is not None else (now, 0)
    if one.on:
        # Back before anybody could be told that it was over: they know of it.
        if known is None or was_told < 0:
            _keep(state, one, since, abs(was_told))
        if was_told:
            return None
        begun = _tell(config, one, site, over=False)
        if _taken(config, begun):
            _keep(state, one, since, now)
        return begun
    if known is None:
        return None
    ended = _tell(config, one, site, over=True) if was_told else None
    if ended is not None and not _taken(config, ended):
        _keep(state, one, since, -abs(was_told))
    else:
        state.sql.execute("DELETE FROM alert WHERE name = ?", (one.name,))
    return ended


def _taken(config: Alerts, message: Told) -> bool:
    """Whether a channel took it, or there is none."""
    return len(message.failed) < max(1, len(channels(config)))


def open_(state: State) -> list[Open]:
    """What is wrong now, the oldest first."""
    # Below 0: it is over, and nobody could be told so far.
    rows = state.rows("SELECT name, since, sentence FROM alert WHERE told >= 0 ORDER BY since, name")
    return [Open(name=row[0], since=row[1], sentence=row[2]) for row in rows]


def test(config: Alerts, site: str = "") -> Told:
    """Send a message to every channel."""
    return _tell(config, Condition("test", True, "this is a test: alerts arrive here"), site, over=False)


def channels(config: Alerts) -> dict[str, Channel]:
    """The ways that are set up, by name."""
    found: dict[str, Channel] = {}
    if config.webhook_url:
        found["webhook"] = lambda name, text, over: _webhook(config, name, text, over)
    if config.telegram_token and config.telegram_chat:
        found["telegram"] = lambda name, text, over: _telegram(config, text)
    if config.smtp_host and config.smtp_to:
        found["smtp"] = lambda name, text, over: _smtp(config, text)
    return found


def _keep(state: State, one: Condition, since: int, told: int) -> None:
    state.sql.execute(
        "INSERT INTO alert VALUES (?, ?, ?, ?) ON CONFLICT(name) DO UPDATE SET told = excluded.told,"
        " sentence = excluded.sentence",
        (one.name, since, told, one.sentence[:500]),
    )


def _tell(config: Alerts, one: Condition, site: str, *, over: bool) -> Told:
    where = f" ({site})" if site else ""
    text = f"FluentCRM Sidecar{where}: {'over: ' if over else ''}{one.sentence}"
    failed = []
    ways = channels(config)
    for way, send in ways.items():
        try:
            send(one.name, text, over)
        except Exception as error:  # noqa: BLE001 - a channel that fails must not stop the others, nor the pass
            # The text of the error may hold the token or the password that is part of an address.
            failed.append(f"{way}: {type(error).__name__}")
            log.warning("an alert was not sent", extra={"channel": way, "error": type(error).__name__})
    if not ways:
        log.warning("trouble, and no channel to tell it by", extra={"alert": one.name, "over": over})
    return Told(name=one.name, sentence=one.sentence, over=over, failed=failed)


def _post(url: str, data: dict[str, str]) -> None:
    answer = http_client.ask("POST", url, msgspec.json.encode(data), _JSON, timeout=_TIMEOUT)
    if not 200 <= answer.status < 300:
        raise HTTPException(f"HTTP {answer.status}")


def _webhook(config: Alerts, name: str, text: str, over: bool) -> None:
    _post(config.webhook_url, {"alert": name, "state": "over" if over else "on", "text": text})


def _telegram(config: Alerts, text: str) -> None:
    _post(f"{_TELEGRAM}/bot{config.telegram_token}/sendMessage", {"chat_id": config.telegram_chat, "text": text})


def _smtp(config: Alerts, text: str) -> None:
    # Some megabytes that a service without SMTP need not carry.
    from email.message import EmailMessage

    from sidecar import mailing

    message = EmailMessage()
    message["Subject"] = text[:120]
    message["From"] = config.smtp_from or config.smtp_user
    message["To"] = ", ".join(config.smtp_to)
    message.set_content(text)
    where = (config.smtp_host, config.smtp_port, config.smtp_security, config.smtp_user, config.smtp_password)
    with mailing.connect(*where, timeout=_TIMEOUT) as server:
        server.send_message(message)
