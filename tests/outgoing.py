"""What tests of the channels share: a message, and texts that nobody should get through with."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

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
