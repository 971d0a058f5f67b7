"""WhatsApp: template messages by Meta's Cloud API. A business may write first only by a template that Meta has approved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sidecar import http_client
from sidecar.automations.channels.model import Handed, Outgoing, Report, each
from sidecar.automations.channels.texts import line
from sidecar.automations.model import ChannelName
from sidecar.config_channels import WhatsApp as Config
from sidecar.http_client import Failed

_TIMEOUT = 20.0
_LONGEST = 1024
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
# Nothing more gets through: token, permission, account locked or blocked, payment, the number is not registered.
_FATAL = frozenset({0, 3, 10, 33, 190, 368, 131005, 131031, 131037, 131042, 131045, 133010, *range(200, 300)})
# The number or the account may send nothing for the moment.
_DOWN = frozenset({4, 80007, 130429, 131048, 131057, 133004, 131016})
# For a while, and this person: 131056 is too much to one number, 131000 something went wrong.
_AGAIN = frozenset({1, 2, 131000, 131056})
# 131026: no WhatsApp there. 131050: they want no more marketing from this business.
_GONE = frozenset({131026, 131050})


class WhatsApp:
    """One phone number of a business. What became of messages Meta tells by webhooks to an open address only: no reports."""

    name = "whatsapp"
    channel: ChannelName = "whatsapp"
    knows_keys = False
    most = 30
    tells = 0

    def __init__(self, config: Config) -> None:
        self._url = f"{config.api.rstrip('/')}/{config.version}/{config.phone_number_id}/messages"
        self._headers = {"Authorization": f"Bearer {config.token}", "Content-Type": "application/json"}
        self._codes = config.language_codes

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Hand over one after another."""
        return each(batch, self._one)

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """None; see the class."""
        return []

    def _one(self, message: Outgoing) -> Handed:
        key = message.key
        # Meta refuses line breaks, tabs and long runs of spaces in a parameter, and an empty one.
        texts = [line(text, _LONGEST) for text in message.parameters]
        if not message.template:
            return Handed(key=key, state="refused", reason="there is no WhatsApp template for this language")
        if not all(texts):
            return Handed(key=key, state="refused", reason="a parameter of the template is empty")
        template: dict[str, Any] = {
            "name": message.template,
            "language": {"code": self._codes.get(message.language, message.language)},
        }
        if texts:
            template["components"] = [
                {"type": "body", "parameters": [{"type": "text", "text": text} for text in texts]}
            ]
        body = msgspec.json.encode(
            {
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": message.to.removeprefix("+"),
                "type": "template", "template": template, "biz_opaque_callback_data": key,
            }
        )  # fmt: skip
        try:
            answer = http_client.ask("POST", self._url, body, self._headers, timeout=_TIMEOUT)
        except Failed as error:
            return Handed(
                key=key, state="unsure" if error.sent else "again", reason=f"no answer ({error.kind})", down=True
            )
        data = answer.json()
        found: dict[str, Any] = data if isinstance(data, dict) else {}
        if answer.status == 200 and found.get("messages"):
            try:
                return Handed(key=key, state="sent", ref=str(found["messages"][0]["id"])[:200])
            except (LookupError, TypeError):
                return Handed(key=key, state="unsure", reason="the answer names no message")
        fault = found.get("error")
        code = fault.get("code") if isinstance(fault, dict) else None
        return _no(key, answer.status, code if isinstance(code, int) else None, answer.retry_after)


def _no(key: str, status: int, code: int | None, wait: float) -> Handed:
    why = f"WhatsApp says {code if code is not None else f'HTTP {status}'}"
    if code in _FATAL or (code is None and status == 401):
        return Handed(key=key, state="again", reason=why, fatal=True)
    if code in _DOWN or (code is None and status == 429):
        return Handed(key=key, state="again", reason=why, down=True, wait=wait)
    if code in _AGAIN:
        return Handed(key=key, state="again", reason=why)
    if code is not None or 300 <= status < 500:
        return Handed(key=key, state="refused", reason=why, gone=code in _GONE)
    return Handed(key=key, state="unsure", reason=why, down=True)
