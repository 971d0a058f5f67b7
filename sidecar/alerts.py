"""Telling the owner of trouble by a way that does not lead through WordPress: a webhook, Telegram, or SMTP.

Each condition is told once when it begins and once when it is over. Nothing personal is ever in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException

import msgspec

from sidecar import clock, http_client
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
    """Tell what has begun and what is over since the last check. What no channel took is told again next time."""
    now = int(clock.now().timestamp())
    known = {row[0]: (row[1], row[2]) for row in state.rows("SELECT name, since, told FROM alert")}
    told = []
    for one in conditions:
        since, was_told = known.get(one.name, (now, 0))
        if one.on:
            if one.name not in known:
                _keep(state, one, now, 0)
            if was_told:
                continue
            message = _tell(config, one, site, over=False)
            if len(message.failed) < max(1, len(channels(config))):
                _keep(state, one, since, now)
            told.append(message)
        elif one.name in known:
            if was_told:
                told.append(_tell(config, one, site, over=True))
            state.sql.execute("DELETE FROM alert WHERE name = ?", (one.name,))
    return told


def open_(state: State) -> list[Open]:
    """What is wrong now, the oldest first."""
    rows = state.rows("SELECT name, since, sentence FROM alert ORDER BY since, name")
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
