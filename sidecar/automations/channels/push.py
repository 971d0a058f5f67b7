"""Web Push to browsers that have subscribed. `to` of a message is the subscription as the browser gives it, as JSON:
`{"endpoint": "https://…", "keys": {"p256dh": "…", "auth": "…"}}`. The endpoint comes from a visitor: only servers of the
internet are asked, and no answer of one can switch the channel off."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sidecar import clock, http_client, new_file
from sidecar.automations.channels.model import Handed, Outgoing, Report, each
from sidecar.automations.channels.texts import cut, line, whole
from sidecar.automations.model import ChannelName
from sidecar.config_channels import Push as Config
from sidecar.errors import ConfigError
from sidecar.http_client import Failed, Reach

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_TIMEOUT = 10.0
_TITLE, _TEXT = 200, 800


class Keys(msgspec.Struct, frozen=True):
    """base64url: the browser's public key, and a secret."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True):
    """One browser of a person."""

    endpoint: str
    keys: Keys


class Push:
    """Our side of Web Push. `reach` is for tests only: subscriptions of browsers lead to the internet."""

    name = "push"
    channel: ChannelName = "push"
    knows_keys = False
    most = 50
    tells = 0

    def __init__(self, config: Config, state_dir: str | Path, reach: Reach = "public") -> None:
        self._contact = config.contact if config.contact.startswith("https://") else f"mailto:{config.contact}"
        self._ttl = str(config.ttl_hours * 3600)
        self._state_dir = state_dir
        self._reach: Reach = reach

    @cached_property
    def _key(self) -> EllipticCurvePrivateKey:
        return own_key(self._state_dir)

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Hand over one after another."""
        try:
            self._key  # noqa: B018 - without it nothing can go, and nothing has gone
        except ConfigError:
            why = "vapid.pem in the state directory cannot be used"
            return [Handed(key=one.key, state="again", reason=why, fatal=True) for one in batch]
        return each(batch, self._one)

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """Push services tell nothing later."""
        return []

    def _one(self, message: Outgoing) -> Handed:
        from sidecar.automations.channels import webpush

        key = message.key
        try:
            to = msgspec.json.decode(message.to, type=Subscription)
            body = webpush.encrypted(_payload(message), webpush.decode(to.keys.p256dh), webpush.decode(to.keys.auth))
            who = webpush.authorization(self._key, to.endpoint, self._contact, int(clock.now().timestamp()))
        except ValueError:  # msgspec's errors are ValueErrors too
            return Handed(key=key, state="refused", reason="that is no subscription of a browser", gone=True)
        topic = base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())[:32].decode("ascii")
        headers = {
            "Authorization": who, "Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream",
            "TTL": self._ttl, "Urgency": "normal", "Topic": topic,
        }  # fmt: skip
        try:
            answer = http_client.ask("POST", to.endpoint, body, headers, timeout=_TIMEOUT, reach=self._reach)
        except Failed as error:
            return Handed(key=key, state="unsure" if error.sent else "again", reason=f"no answer ({error.kind})")
        if answer.status in (200, 201, 202, 204):
            return Handed(key=key, state="sent")
        if answer.status in (404, 410):
            return Handed(key=key, state="refused", reason="the browser has unsubscribed", gone=True)
        if answer.status in (429, 503):
            return Handed(
                key=key, state="again", reason=f"the push service says {answer.status}", wait=answer.retry_after
            )
        return Handed(
            key=key,
            state="refused" if answer.status < 500 else "unsure",
            reason=f"the push service says {answer.status}",
        )


def _payload(message: Outgoing) -> bytes:
    """What the service worker of the shop gets, cut to what a push service takes."""
    data = {
        "title": line(message.subject, _TITLE),
        "body": cut(whole(message.text).strip(), _TEXT),
        "url": message.link,
        "tag": message.key,
    }
    return msgspec.json.encode(data)


def own_key(state_dir: str | Path) -> EllipticCurvePrivateKey:
    """The key by which push services know this shop: `vapid.pem` (0600) in the state directory, made when it is first asked
    for. A new one makes all subscriptions worthless. Raises ConfigError for a damaged file."""
    from sidecar.automations.channels import webpush

    file = Path(state_dir) / "vapid.pem"
    if not file.exists():
        with suppress(FileExistsError):
            new_file.write_private(file, webpush.private_text(webpush.new_key()), given=True)
    try:
        return webpush.private_key(file.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{file} cannot be used: {type(error).__name__}",
            hint="restore it from the backup; without it all browsers must subscribe again",
        ) from error


def public_key(state_dir: str | Path) -> str:
    """What a page gives to the browser as `applicationServerKey` (base64url)."""
    from sidecar.automations.channels import webpush

    return webpush.encode(webpush.point(own_key(state_dir)))
