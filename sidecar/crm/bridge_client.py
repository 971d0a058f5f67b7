"""Calls to the plugin in WordPress: signed, and believed only when the answer is signed as well.

The REST route is asked through `index.php?rest_route=`, which works with plain permalinks, in a sub-folder and where
a cache or a redirect minds `/wp-json/`. By http.client: `requests` would keep five more MiB in a process that mostly idles.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import SSLCertVerificationError
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from sidecar import signing
from sidecar.errors import BridgeRefused, BridgeUnreachable
from sidecar.state.pairing import Pairing

MOST_ITEMS = 200
# A little below signing.MAX_BODY.
MOST_BYTES = 900_000
_MOST_ANSWER = 8 << 20
Answer = TypeVar("Answer")


class OutboxStanding(msgspec.Struct, kw_only=True, frozen=True):
    """The plugin's own word on its queue. `oldest_ms` is Unix milliseconds, 0 when it is empty."""

    rows: int = 0
    oldest_ms: int = 0


class BridgeStatus(msgspec.Struct, kw_only=True):
    """What the plugin says of the site. A newer plugin may say more."""

    plugin: str
    site_url: str = ""
    home_url: str = ""
    wordpress: str = ""
    woocommerce: str = ""
    fluentcrm: str = ""
    php: str = ""
    storage: str = ""
    sync_on: bool = False
    timezone: str = ""
    locale: str = ""
    paid_statuses: list[str] = []
    order_statuses: dict[str, str] = {}
    outbox: OutboxStanding = OutboxStanding()
    user: str = ""
    now: int = 0


class ContactOutcome(msgspec.Struct, kw_only=True):
    """What the plugin made of one contact: done, raced (it has changed since it was read) or refused and why."""

    person: int
    state: str
    contact_id: int = 0
    reason: str = ""


class MessageOutcome(msgspec.Struct, kw_only=True, frozen=True, rename={"email_id": "id"}):
    """What the plugin made of one e-mail: queued, known (it was queued before, as `email_id`: the row of FluentCRM's queue),
    refused and why, or again: not now, and nothing is left behind. `reason` holds no address."""

    key: str
    state: str
    email_id: int = 0
    reason: str = ""


class MadeOutcome(msgspec.Struct, kw_only=True, frozen=True):
    """What became of a coupon, a note or a change of a contact: done, known (done before), refused and why, or again. `code` is
    a coupon's."""

    key: str
    state: str
    id: int = 0
    code: str = ""
    reason: str = ""


class _Outcomes(msgspec.Struct):
    outcomes: list[ContactOutcome]


class ConsentOutcome(msgspec.Struct, kw_only=True):
    """What the plugin made of one of its rows of consent: raised (the contact's status), kept, or refused and why."""

    id: int
    state: str
    status: str = ""
    reason: str = ""


class _Consents(msgspec.Struct):
    outcomes: list[ConsentOutcome]


class _Messages(msgspec.Struct):
    outcomes: list[MessageOutcome]


class _Made(msgspec.Struct):
    outcomes: list[MadeOutcome]


class ServerFailed(BridgeUnreachable):
    """WordPress answered with an error of its own (500): perhaps one item did it, perhaps the whole site is down."""


class Bridge:
    """The plugin of one site. `pairing` gives the keys as they are now, so that a rotation is followed."""

    def __init__(self, site_url: str, pairing: Callable[[], Pairing | None], timeout: float = 20.0) -> None:
        self._url = site_url.rstrip("/")
        self._pairing = pairing
        self._timeout = timeout

    @property
    def paired(self) -> bool:
        """Whether there is a key to sign with, and an address to ask."""
        return bool(self._url) and self._pairing() is not None

    def status(self) -> BridgeStatus:
        """What the plugin says of the site. Raises BridgeUnreachable or BridgeRefused."""
        return self._decoded(self._call("GET", "/status"), BridgeStatus)

    def contacts(self, items: Sequence[Mapping[str, Any]]) -> list[ContactOutcome]:
        """Write contacts by FluentCRM's own API, so that its hooks fire. At most MOST_ITEMS and MOST_BYTES at once.

        Raises BridgeUnreachable (then some may have been written: read again) or BridgeRefused.
        """
        return self._decoded(self._post("/contacts", items), _Outcomes).outcomes

    def messages(self, items: Sequence[Mapping[str, Any]]) -> list[MessageOutcome]:
        """Put e-mails into FluentCRM's queue: key, contact_id, container, title, subject, preheader, html and purpose (marketing
        or service) each. A key that was queued before is `known`. Limits and errors as contacts(): after BridgeUnreachable
        ask the same again, or sent()."""
        return self._decoded(self._post("/messages", items), _Messages).outcomes

    def sent(self, keys: Sequence[str]) -> list[MessageOutcome]:
        """Those of the keys that the plugin knows, whatever they were for. It forgets them after 30 days."""
        return self._decoded(self._post("/sent", keys), _Messages).outcomes

    def coupons(self, items: Sequence[Mapping[str, Any]]) -> list[MadeOutcome]:
        """Coupons with the fields of effects.CouponWish, by WooCommerce. A code that is taken comes back with more behind it."""
        return self._decoded(self._post("/coupons", items), _Made).outcomes

    def notes(self, items: Sequence[Mapping[str, Any]]) -> list[MadeOutcome]:
        """Notes on contacts, or tickets for the staff, with the fields of effects.NoteWish."""
        return self._decoded(self._post("/notes", items), _Made).outcomes

    def automation_contacts(self, items: Sequence[Mapping[str, Any]]) -> list[MadeOutcome]:
        """Tags by title, custom fields and columns of contacts, with the fields of effects.ContactWish."""
        return self._decoded(self._post("/automation-contacts", items), _Made).outcomes

    def _post(self, route: str, items: Sequence[Any]) -> bytes:
        return self._call("POST", route, msgspec.json.encode({"items": items}))

    def consents(self, items: Sequence[Mapping[str, Any]]) -> list[ConsentOutcome]:
        """Tell the plugin whose some rows of its record of consent are: {id, contact_id, raise}. At most MOST_ITEMS at once.

        Raises BridgeUnreachable or BridgeRefused.
        """
        return self._decoded(self._post("/consents", items), _Consents).outcomes

    def _decoded(self, data: bytes, type_: type[Answer]) -> Answer:
        try:
            return msgspec.json.decode(data, type=type_)
        except msgspec.MsgspecError as error:
            raise BridgeRefused(
                f"the plugin's answer is not what was asked for ({error})",
                hint="are the plugin and the sidecar of the same version?",
            ) from error

    def _call(self, method: str, route: str, body: bytes = b"", query: Mapping[str, str] | None = None) -> bytes:
        pairing = self._pairing()
        if pairing is None or not self._url:
            raise BridgeRefused("the sidecar is not paired with the plugin", hint="run `sidecar pair`")
        key = pairing.current
        nonce = signing.new_nonce()
        headers = signing.headers(
            key.key_id, key.secret, method, signing.bridge_target(route, query), body, now=time.time(), nonce=nonce
        )
        # Each call has a connection of its own: a kept one that PHP has closed would lose a POST.
        headers |= {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
        target = f"/index.php?rest_route={quote(signing.BRIDGE_NAMESPACE + route, safe='/')}"
        if query:
            target += "&" + urlencode(sorted(query.items()), quote_via=quote)
        try:
            status, signature, data = self._exchange(method, target, body, headers)
        except SSLCertVerificationError as error:
            raise BridgeUnreachable(
                f"the site's certificate is not trusted ({error.verify_message})",
                hint="does [bridge] site_url name the host that the certificate is for? A CA of your own: SSL_CERT_FILE",
            ) from error
        except (HTTPException, OSError, ValueError) as error:
            raise BridgeUnreachable(
                f"WordPress does not answer ({type(error).__name__})", hint="is [bridge] site_url right, and PHP up?"
            ) from error
        return self._checked(status, signature, nonce, key.secret, data)

    def _exchange(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """Status, signature and body. No proxy of the environment is used: the shop is on this host."""
        site = urlsplit(self._url)
        if site.scheme not in ("http", "https") or not site.hostname:
            raise ValueError("no address of a site")
        kind = HTTPSConnection if site.scheme == "https" else HTTPConnection
        with closing(kind(site.hostname, site.port, timeout=min(5.0, self._timeout))) as connection:
            connection.connect()
            connection.sock.settimeout(self._timeout)
            connection.request(method, site.path + target, body or None, dict(headers))
            with connection.getresponse() as answer:
                data = answer.read(_MOST_ANSWER + 1)
                if answer.length and len(data) <= _MOST_ANSWER:
                    raise HTTPException("the answer was cut off")
                return answer.status, answer.getheader(signing.SIGNATURE_HEADER, ""), data

    def _checked(self, status: int, signature: str, nonce: str, secret: str, data: bytes) -> bytes:
        """The body of a good answer."""
        if status == 401:
            raise BridgeRefused(
                "the plugin refuses our signature",
                hint="run `sidecar pair` again; are the clocks of PHP and of this host within five minutes?",
            )
        if status in (404, 502, 503, 504) or 300 <= status < 400:
            raise BridgeUnreachable(
                f"the plugin does not answer (HTTP {status})",
                hint="is the plugin active, and is [bridge] site_url the site's own address, without a redirect?",
            )
        if status >= 500:
            raise ServerFailed(f"WordPress failed (HTTP {status})", hint="see PHP's error log")
        if len(data) > _MOST_ANSWER or not signing.verify_response(secret, signature, status, nonce, data):
            raise BridgeRefused(
                f"an answer came that the plugin has not signed (HTTP {status})",
                hint="does something else answer at [bridge] site_url, or change what PHP answers?",
            )
        if status != 200:
            raise BridgeRefused(f"the plugin refuses the call (HTTP {status})", hint="see `sidecar doctor`")
        return data
