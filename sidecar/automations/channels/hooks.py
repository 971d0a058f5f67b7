"""Outgoing webhooks: the way to n8n, Zapier, Make. A POST of JSON with

    X-FCSC-Delivery: the same for whatever is tried again of one webhook
    X-FCSC-Timestamp: Unix seconds
    X-FCSC-Signature: sha256=HEX of HMAC-SHA256(secret, timestamp + "." + body)

Redirects are not followed. They go to the internet and to this machine; to other private addresses only if the owner says so.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

import msgspec

from sidecar import clock, http_client
from sidecar.automations.channels.gate import Gate
from sidecar.automations.effects import HookWish, Outcome
from sidecar.config_channels import Webhook
from sidecar.http_client import Failed

_TIMEOUT = 15.0
_MOST_BYTES = 1 << 20
# Not now: too early, too many, or a server of its own that is restarting.
_AGAIN = frozenset({408, 423, 425, 429})


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What stands in X-FCSC-Signature."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


class Hooks:
    """Sends them. A server that fails is left alone for a while, longer each time (table `provider`, hook:HOST)."""

    def __init__(self, config: Webhook, gate: Gate) -> None:
        self._config = config
        self._gate = gate

    def send(self, wish: HookWish) -> Outcome:
        """One webhook. Never raises."""
        key = wish.key
        if not self._config.secret:
            return Outcome(key=key, state="refused", reason="[channels.webhook] has no secret to sign with")
        try:
            body, place = msgspec.json.encode(wish.data), f"hook:{urlsplit(wish.url).hostname or ''}"[:100]
        except (TypeError, ValueError, RecursionError):
            return Outcome(key=key, state="refused", reason="it cannot be written as JSON, or there is no such address")
        if len(body) > _MOST_BYTES:
            return Outcome(key=key, state="refused", reason="it is longer than a megabyte")
        if not self._gate.take(place, 1, 0.0).count:
            return Outcome(key=key, state="again", reason="the server is left alone after trouble")
        stamp = str(int(clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json", "User-Agent": "FluentCRM-Sidecar", "X-FCSC-Delivery": key,
            "X-FCSC-Timestamp": stamp, "X-FCSC-Signature": signature(self._config.secret, stamp, body),
        }  # fmt: skip
        reach: http_client.Reach = "any" if self._config.private else "own"
        try:
            answer = http_client.ask("POST", wish.url, body, headers, timeout=_TIMEOUT, reach=reach)
        except Failed as error:
            if isinstance(error.__cause__, http_client.Private):
                return Outcome(
                    key=key, state="refused", reason="a private address, and [channels.webhook] private is false"
                )
            self._gate.failed(place)
            return Outcome(key=key, state="again", reason=f"no answer ({error.kind})")
        if answer.status in _AGAIN or answer.status >= 500:
            self._gate.failed(place, answer.retry_after)
            return Outcome(key=key, state="again", reason=f"the server says {answer.status}")
        self._gate.worked(place)
        if 200 <= answer.status < 300:
            return Outcome(key=key, state="done")
        why = "answers with a redirect" if answer.status < 400 else "refuses it"
        return Outcome(key=key, state="refused", reason=f"the server {why} ({answer.status})")
