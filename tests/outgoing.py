"""What tests of the channels share: a message, and texts that nobody should get through with."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sidecar.automations.channels import webpush
from sidecar.automations.channels.model import Outgoing

TEXTS = (
    "سلام سارا، سبد خریدتان هنوز اینجاست 🛒",
    "Zażółć gęślą jaźń\r\nBcc: victim@example.org",
    "Поръчката ви\nSubject: другo",
    "a.b\n.\r\n.c\r\n..d\n.",
    "<script>alert(1)</script> {{ 7*7 }} {to} {secret} %s %(x)s",
    "nul\x00, half \ud83d, lines\u2028and\u2029more\x85, \u202eright to left\u202c",
    "👩‍👩‍👧‍👦" * 40,
)


def message(number: int = 1, **changes: Any) -> Outgoing:
    """A message of a recovery; `number` makes its key."""
    usual: dict[str, Any] = {
        "key": f"key-{number:08d}", "channel": "email", "person_id": number, "contact_id": number, "to": "sara@example.org",
        "language": "en", "purpose": "marketing", "container": "cart-recovery/first", "title": "Cart recovery: first",
        "subject": "You left something", "html": "<p>Hello</p>", "text": "Hello", "unsubscribe": "https://shop.example/?fcsc=u.1.2.email.sig",
    }  # fmt: skip
    return Outgoing(**(usual | changes))


def authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself, and a server's context with it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, private)
    return cert, context


class Browser:
    """Reads messages as RFC 8291 says, written anew from the receiver's side."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = b"0123456789abcdef"

    def subscription(self, endpoint: str) -> str:
        keys = {"p256dh": webpush.encode(webpush.point(self.key)), "auth": webpush.encode(self.auth)}
        return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys})

    def read(self, body: bytes) -> bytes:
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(body) <= 4096
        assert len(sealed) <= size
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)

        def derive(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
            return HKDF(hashes.SHA256(), size, salt, info).derive(secret)

        seed = derive(
            self.key.exchange(ec.ECDH(), public), self.auth, b"WebPush: info\0" + webpush.point(self.key) + theirs, 32
        )
        plain = AESGCM(derive(seed, salt, b"Content-Encoding: aes128gcm\0", 16)).decrypt(
            derive(seed, salt, b"Content-Encoding: nonce\0", 12), sealed, None
        )
        return plain.rstrip(b"\0").removesuffix(b"\x02")
