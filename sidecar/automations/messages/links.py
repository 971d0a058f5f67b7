"""The links in a message: signed tokens that the plugin verifies (`src/Links.php`), with nothing personal in them.

`{home}/?fcsc=KIND.ID.EXPIRES.EXTRA.SIG`. Kinds: c a cart (ID: row of fcsc_carts), p the preference page and u the one-click
unsubscribe (ID: contact), g a way to a product (ID, 0 the shop's start) that says by which message. The same vectors run in PHP.
"""

from __future__ import annotations

import base64
import hmac
import re
from hashlib import sha256
from typing import Literal

import msgspec

from sidecar.mysql.connection import Reader

Kind = Literal["c", "p", "u", "g"]
OPTION = "fcsc_link_key"
DAYS = 60
_DAY = 86_400
_FORM = re.compile(
    r"([cgpu])\.(0|[1-9][0-9]{0,18})\.([1-9][0-9]{0,11})\.([a-z0-9~-]{0,120})\.([A-Za-z0-9_-]{22})", re.ASCII
)
_KEY = re.compile(r"[0-9a-f]{64}")
_EXTRA = re.compile(r"[a-z0-9~-]{0,120}")
_CODE = re.compile(r"[a-z0-9-]{1,60}")
_MOST_ID = 2**63 - 1


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says. `expires`: Unix seconds UTC."""

    kind: Kind
    id: int
    expires: int
    extra: str = ""


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """The links of one message, '' where there is none. `key` '' (no plugin): none are signed, and products are linked to
    directly. `message`: the row of the message. `whole`: everything goes through the plugin (a mail that FluentCRM does not
    send, so that nobody else counts clicks). `consent`: what a short text lets people stop (sms, messaging, push)."""

    home: str = ""
    key: str = ""
    now: int = 0
    message: int = 0
    contact: int = 0
    cart: int = 0
    code: str = ""
    survey: str = ""
    whole: bool = False
    consent: str = "sms"

    def go(self, product: int, url: str) -> str:
        """To a product (0: the shop's start), with the message's name on it; `url` where that cannot be signed."""
        return (self._url("g", product, f"m{self.message}") if self.message else "") or url

    @property
    def cart_link(self) -> str:
        """Brings the cart back."""
        if not self.cart:
            return ""
        code = self.code.lower()
        known = f"~{code}" if _CODE.fullmatch(code) else ""
        return self._url("c", self.cart, f"m{self.message}{known}" if self.message else "")

    @property
    def preferences(self) -> str:
        """The page on which people choose what they get."""
        return self._url("p", self.contact, "") if self.contact else ""

    def unsubscribe(self, channel: str = "email") -> str:
        """Asks once, then it is done. As List-Unsubscribe it is RFC 8058's one click."""
        return self._url("u", self.contact, channel) if self.contact else ""

    def _url(self, kind: Kind, id_: int, extra: str) -> str:
        if not self.key:
            return ""
        token = mint(self.key, Link(kind=kind, id=id_, expires=self.now + DAYS * _DAY, extra=extra))
        return f"{self.home.rstrip('/')}/?fcsc={token}"


def mint(key: str, link: Link) -> str:
    """The token of a link. Raises ValueError for what no token may say."""
    if not _KEY.fullmatch(key):
        raise ValueError("the key of links is 64 hex digits")
    if not (0 <= link.id <= _MOST_ID and 0 < link.expires < 10**12 and _EXTRA.fullmatch(link.extra)):
        raise ValueError("a link says a number, a moment and a few small letters")
    said = f"{link.kind}.{link.id}.{link.expires}.{link.extra}"
    return f"{said}.{_sign(key, said)}"


def verify(key: str, token: str, now: int) -> Link | None:
    """What a token says; None when it is not ours or its time is over (`now` in Unix seconds)."""
    found = _FORM.fullmatch(token)
    if found is None or not _KEY.fullmatch(key):
        return None
    said = token[: -len(found[5]) - 1]
    if not hmac.compare_digest(_sign(key, said), found[5]) or int(found[3]) < now or int(found[2]) > _MOST_ID:
        return None
    return Link(kind=found[1], id=int(found[2]), expires=int(found[3]), extra=found[4])  # type: ignore[arg-type]


def key_of(reader: Reader) -> str:
    """The shop's key, which the plugin made; '' without the plugin."""
    rows = reader.rows("schema_options", names=[OPTION])
    key = str(rows[0][1] or "") if rows else ""
    return key if _KEY.fullmatch(key) else ""


def _sign(key: str, said: str) -> str:
    digest = hmac.digest(bytes.fromhex(key), b"fcsc-link\n" + said.encode(), sha256)
    return base64.urlsafe_b64encode(digest).decode()[:22]
