"""Telegram: the Bot API's sendMessage. A contact's chat id stands in a custom field, put there by whatever greets people who
start the bot: a bot may not write first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from sidecar import http_client
from sidecar.automations.channels.model import Handed, Outgoing, Report, each
from sidecar.automations.channels.texts import cut, whole
from sidecar.automations.model import ChannelName
from sidecar.config_channels import Telegram as Config
from sidecar.http_client import Failed

_TIMEOUT = 15.0
_LONGEST = 4096
_CHAT = re.compile(r"-?[0-9]{1,20}")


class Telegram:
    """One bot."""

    name = "telegram"
    channel: ChannelName = "telegram"
    knows_keys = False
    most = 30
    tells = 0

    def __init__(self, config: Config) -> None:
        self._url = f"{config.api.rstrip('/')}/bot{config.token}/sendMessage"

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Hand over one after another."""
        return each(batch, self._one)

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """Telegram tells nothing later."""
        return []

    def _one(self, message: Outgoing) -> Handed:
        key, text = message.key, cut(whole(message.text).strip(), _LONGEST)
        if not _CHAT.fullmatch(message.to):
            return Handed(key=key, state="refused", reason="that is no chat id")
        if not text:
            return Handed(key=key, state="refused", reason="there is no text for Telegram")
        # No parse_mode: what is in a text stays text.
        body = msgspec.json.encode({"chat_id": int(message.to), "text": text})
        try:
            answer = http_client.ask("POST", self._url, body, {"Content-Type": "application/json"}, timeout=_TIMEOUT)
        except Failed as error:
            return Handed(
                key=key, state="unsure" if error.sent else "again", reason=f"no answer ({error.kind})", down=True
            )
        data = answer.json()
        found: dict[str, Any] = data if isinstance(data, dict) else {}
        if answer.status == 200 and found.get("ok") is True:
            result = found.get("result")
            return Handed(
                key=key, state="sent", ref=str(result.get("message_id", "")) if isinstance(result, dict) else ""
            )
        return _no(key, answer.status, found)


def _no(key: str, status: int, found: dict[str, Any]) -> Handed:
    """What a refusal means: https://core.telegram.org/bots/api#making-requests."""
    if status == 429:
        given = found.get("parameters")
        wait = given.get("retry_after", 0) if isinstance(given, dict) else 0
        wait = float(wait) if isinstance(wait, int | float) and 0 <= wait <= 86_400 else 0.0
        return Handed(key=key, state="again", reason="Telegram says too many (429)", down=True, wait=wait)
    if status in (401, 404):  # 404: a token that is none
        return Handed(key=key, state="again", reason=f"Telegram does not know the token ({status})", fatal=True)
    if status == 403:
        return Handed(key=key, state="refused", reason="the person has blocked the bot, or never started it", gone=True)
    if 400 <= status < 500:
        gone = "chat not found" in str(found.get("description", "")).lower()
        return Handed(key=key, state="refused", reason=f"Telegram refuses it ({status})", gone=gone)
    return Handed(key=key, state="unsure", reason=f"Telegram failed ({status})", down=True)
