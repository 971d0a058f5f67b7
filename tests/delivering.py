"""What tests of the channels share: a message, and texts that nobody should get through with."""

from __future__ import annotations

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
