"""How the bridge and the sidecar prove to each other who is speaking: HMAC-SHA256, the same in PHP (docs/adr/0012).

Pure: bytes and text in, text out. A secret is 32 bytes, written as 64 hex digits wherever it is kept. Times are Unix
seconds UTC. `tests/vectors/signatures.json` holds what both languages must compute.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args
from urllib.parse import quote

KEY_HEADER: Final = "X-FCSC-Key"
TIMESTAMP_HEADER: Final = "X-FCSC-Timestamp"
NONCE_HEADER: Final = "X-FCSC-Nonce"
ACTOR_HEADER: Final = "X-FCSC-Actor"
SIGNATURE_HEADER: Final = "X-FCSC-Signature"

MAX_SKEW: Final = 300
"""Seconds that the two clocks may differ."""
NONCE_SECONDS: Final = 600
"""How long a nonce is remembered: longer than a request stays valid on both sides of now."""
MAX_BODY: Final = 1 << 20
"""Bytes of a body; more is refused with 413."""
BRIDGE_NAMESPACE: Final = "/fluentcrm-sidecar/v1"

MACHINE: Final = "-"
"""The actor of a call that no user made."""
Role = Literal["administrator", "shop_manager", "crm_manager", "support"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Direction = Literal["ltr", "rtl"]

_KEY_ID = re.compile(r"[0-9a-z]{16}")
_SECRET = re.compile(r"[0-9a-f]{64}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}")
_ACTOR = re.compile(rf"([1-9][0-9]{{0,18}});({'|'.join(ROLES)});([A-Za-z]{{2,3}}[A-Za-z0-9_@-]{{0,17}});(ltr|rtl)")
# The plugin asks nobody else than this machine.
_ENDPOINT = re.compile(r"unix:/[^\x00-\x20\"']{1,180}|http://(?:127\.0\.0\.1|localhost|\[::1\]):[0-9]{1,5}")
_CODE_PREFIX: Final = "fcsc1."


@dataclass(frozen=True, slots=True)
class Actor:
    """The WordPress user behind a request, as the bridge vouches for them. `locale` is WordPress' (`fa_IR`)."""

    user_id: int
    role: Role
    locale: str
    direction: Direction

    def __str__(self) -> str:
        return f"{self.user_id};{self.role};{self.locale};{self.direction}"


def actor(text: str) -> Actor | None:
    """`12;shop_manager;fa_IR;rtl` → Actor; None for the machine (`-`). Raises ValueError for anything else."""
    if text == MACHINE:
        return None
    found = _ACTOR.fullmatch(text)
    if found is None:
        raise ValueError("not an actor")
    id_, role, locale, direction = found.groups()
    return Actor(int(id_), role, locale, direction)  # type: ignore[arg-type]  # the pattern allows nothing else


def canonical(method: str, target: str, timestamp: str, nonce: str, who: str, body: bytes) -> bytes:
    """What is signed of a request. `target` is path and query exactly as sent; `who` the text of the actor."""
    parts = ("FCSC1", method, target, timestamp, nonce, who, hashlib.sha256(body).hexdigest())
    return "\n".join(parts).encode("utf-8", "surrogateescape")


def sign(secret: str, method: str, target: str, timestamp: str, nonce: str, who: str, body: bytes) -> str:
    """The signature of a request, in hex."""
    return _mac(secret, canonical(method, target, timestamp, nonce, who, body))


def verify(
    secret: str, signature: str, method: str, target: str, timestamp: str, nonce: str, who: str, body: bytes
) -> bool:
    """Whether the signature is right. Says nothing about the time or the nonce: see `well_formed` and `fresh`."""
    return _same(sign(secret, method, target, timestamp, nonce, who, body), signature)


def response_canonical(status: int, nonce: str, body: bytes) -> bytes:
    """What is signed of an answer; `nonce` is the request's, so that no old answer can be served again."""
    return f"FCSC1R\n{status}\n{nonce}\n{hashlib.sha256(body).hexdigest()}".encode()


def sign_response(secret: str, status: int, nonce: str, body: bytes) -> str:
    """The signature of an answer, in hex."""
    return _mac(secret, response_canonical(status, nonce, body))


def verify_response(secret: str, signature: str, status: int, nonce: str, body: bytes) -> bool:
    """Whether an answer comes from who has the secret."""
    return _same(sign_response(secret, status, nonce, body), signature)


def well_formed(key_id: str, timestamp: str, nonce: str, who: str) -> bool:
    """Whether the headers have the only form that is accepted, before anything is computed or looked up."""
    return bool(
        _KEY_ID.fullmatch(key_id)
        and _TIMESTAMP.fullmatch(timestamp)
        and _NONCE.fullmatch(nonce)
        and (who == MACHINE or _ACTOR.fullmatch(who))
    )


def fresh(timestamp: str, now: float) -> bool:
    """Whether a well-formed timestamp is within MAX_SKEW of `now` (Unix seconds)."""
    return abs(int(timestamp) - now) <= MAX_SKEW


def is_endpoint(text: str) -> bool:
    """Whether this is where a sidecar may be: a Unix socket, or a port of this machine."""
    return _ENDPOINT.fullmatch(text) is not None


def headers(
    key_id: str, secret: str, method: str, target: str, body: bytes, *, now: float, who: str = MACHINE, nonce: str = ""
) -> dict[str, str]:
    """The five headers of a request that is sent at `now`. Without a nonce a new one is made."""
    nonce = nonce or new_nonce()
    timestamp = str(int(now))
    return {
        KEY_HEADER: key_id,
        TIMESTAMP_HEADER: timestamp,
        NONCE_HEADER: nonce,
        ACTOR_HEADER: who,
        SIGNATURE_HEADER: sign(secret, method, target, timestamp, nonce, who, body),
    }


def bridge_target(route: str, query: Mapping[str, str] | None = None) -> str:
    """The target of a call to the bridge: the REST route, not the URL, with its query sorted by name.

    Percent-encoding is RFC 3986's (`rawurlencode` in PHP). `route` is like `/status`.
    """
    pairs = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted((query or {}).items()))
    return f"{BRIDGE_NAMESPACE}{route}" + (f"?{pairs}" if pairs else "")


def new_nonce() -> str:
    """128 random bits in hex."""
    return secrets.token_hex(16)


def new_key() -> tuple[str, str]:
    """(key id, secret) of a new pairing: 16 and 64 hex digits."""
    return secrets.token_hex(8), secrets.token_hex(32)


def pairing_code(key_id: str, secret: str, endpoint: str) -> str:
    """What the owner pastes into the plugin's settings page. It holds the secret: shown once, never logged."""
    data = json.dumps({"k": key_id, "s": secret, "e": endpoint}, separators=(",", ":")).encode()
    return _CODE_PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def read_pairing_code(code: str) -> tuple[str, str, str]:
    """(key id, secret, endpoint) of a pairing code. Raises ValueError for anything else."""
    text = code.strip()
    if not text.startswith(_CODE_PREFIX):
        raise ValueError("not a pairing code")
    packed = text.removeprefix(_CODE_PREFIX)
    try:
        data = json.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True))
        key_id, secret, endpoint = str(data["k"]), str(data["s"]), str(data["e"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise ValueError("not a pairing code") from error
    if not (_KEY_ID.fullmatch(key_id) and _SECRET.fullmatch(secret) and is_endpoint(endpoint)):
        raise ValueError("not a pairing code")
    return key_id, secret, endpoint


def suppression_hash(key: str, identity: str) -> str:
    """What stays of an erased person: HMAC-SHA256 in hex of their identity (`values.email.identity`).

    `key` is the site's `fcsc_suppression_key`, 64 hex digits.
    """
    return _mac(key, identity.encode("utf-8", "surrogatepass"))


def _mac(secret: str, message: bytes) -> str:
    return hmac.digest(bytes.fromhex(secret), message, "sha256").hex()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
