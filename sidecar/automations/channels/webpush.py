"""The cryptography of Web Push: encryption of a message for one browser (RFC 8291 over RFC 8188), and who is speaking (VAPID,
RFC 8292). Pure but for chance. Imported only where something is sent."""

from __future__ import annotations

import base64
import os
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

RECORD = 4096
# What one record holds at most, and every push service takes: header (86), delimiter and tag leave this.
MOST_BYTES = 3990
JWT_SECONDS = 12 * 3600


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of base64url, with or without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half of a key as 65 bytes."""
    form = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return key.public_key().public_bytes(*form)


def encrypted(
    data: bytes,
    browser: bytes,
    auth: bytes,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a push message. `browser` is the subscription's p256dh, `auth` its secret (16 bytes); `key` and `salt` are new
    each time, but for a test. Raises ValueError for a subscription that is none, and for too long data."""
    if len(auth) != 16 or len(data) > MOST_BYTES:
        raise ValueError("no secret of a subscription, or too much data")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser)
    key = key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    ours = point(key)
    seed = _derived(key.exchange(ec.ECDH(), theirs), auth, b"WebPush: info\x00" + browser + ours, 32)
    content = _derived(seed, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(seed, salt, b"Content-Encoding: nonce\x00", 12)
    header = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    # 0x02 ends the last record, and there is only one.
    return header + AESGCM(content).encrypt(nonce, data + b"\x02", None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, contact: str, now: int) -> str:
    """The header Authorization for one push service. `contact`: mailto:… or https://…; `now` is Unix seconds."""
    place = urlsplit(endpoint)
    claims = {"aud": f"{place.scheme}://{place.netloc}", "exp": now + JWT_SECONDS, "sub": contact}
    head = encode(msgspec.json.encode({"typ": "JWT", "alg": "ES256"}))
    signed = f"{head}.{encode(msgspec.json.encode(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode("ascii"), ec.ECDSA(hashes.SHA256())))
    signature = encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={encode(point(key))}"


def private_text(key: ec.EllipticCurvePrivateKey) -> str:
    """A private key as PEM."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode("ascii")


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The key of such a text. Raises ValueError."""
    found = serialization.load_pem_private_key(text.encode("ascii"), None)
    if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ValueError("no key on P-256")
    return found


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key for VAPID."""
    return ec.generate_private_key(ec.SECP256R1())
