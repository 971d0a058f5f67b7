"""Write the vectors that Python and PHP must agree on: `python tests/vectors/generate.py`.

The files are kept: `tests/web/test_vectors.py` computes every line of them anew, without this program.
"""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path

from sidecar import signing
from sidecar.values import email

HERE = Path(__file__).parent
LINK_EXPIRES = 1793620800
# kind, id, expires, extra
LINKS = [
    ("c", 17, LINK_EXPIRES, "m12"),
    ("c", 17, LINK_EXPIRES, "m12~back-7k2m9"),
    ("c", 9223372036854775807, LINK_EXPIRES, ""),
    ("p", 7, LINK_EXPIRES, ""),
    ("u", 7, LINK_EXPIRES, "email"),
    ("g", 0, LINK_EXPIRES, "m1"),
    ("g", 40, 1793534399, "m9"),
]
SECRET = "".join(f"{n:02x}" for n in range(32))
OTHER = "f0" * 32
NONCE = "0123456789abcdef0123456789abcdef"
AT = "1793534400"

REQUESTS = [
    ("GET", "/fluentcrm-sidecar/v1/status", "-", "", SECRET),
    ("GET", "/fluentcrm-sidecar/v1/status", "-", "", OTHER),
    ("GET", signing.bridge_target("/products", {"ids": "1,2", "after": "a b"}), "-", "", SECRET),
    ("GET", signing.bridge_target("/products", {"q": "قهوه & чай", "a": "~-_.!*'()"}), "-", "", SECRET),
    ("POST", "/fluentcrm-sidecar/v1/contacts", "-", '{"items":[]}', SECRET),
    ("POST", "/fluentcrm-sidecar/v1/contacts", "-", '{"items":[{"columns":{"first_name":"Zoë علی Żółć 🙂"}}]}', SECRET),
    ("GET", "/ui/status", "1;administrator;en_US;ltr", "", SECRET),
    ("GET", "/ui/events?type=order&after=17", "12;shop_manager;fa_IR;rtl", "", SECRET),
    ("GET", "/ui/events?type=&x=%C3%A9&y=a+b&y=c", "12;crm_manager;de_DE_formal;ltr", "", SECRET),
    ("POST", "/ui/sync", "7;support;sr_RS@latin;ltr", "action=start&months=3&note=%D8%A8", SECRET),
    ("POST", "/api/v1/mapping", "9223372036854775807;crm_manager;ckb;rtl", "line one\nline two\r\n\tend\u0000", SECRET),
]
RESPONSES = [
    (200, "", SECRET),
    (200, '{"data":{"connected":true},"next":null}', SECRET),
    (200, "<p>Zoë علی &lt;b&gt; 🙂</p>\n", OTHER),
    (303, "", SECRET),
    (401, '{"error":{"code":"unauthorized","message":"not accepted","hint":""}}', SECRET),
]
ADDRESSES = [
    "anna@example.com",
    "  Anna@Example.COM\t",
    "JOSÉ@Example.com",
    "ИВАН@пример.бг",
    "Žižková+News@example.cz",
    "علی@example.ir",
]


def signatures() -> list[dict[str, object]]:
    """Requests first, then answers."""
    found: list[dict[str, object]] = []
    for method, target, who, body, secret in REQUESTS:
        parts = (method, target, AT, NONCE, who, body.encode())
        found.append(
            {
                "method": method, "target": target, "timestamp": AT, "nonce": NONCE, "actor": who, "body": body,
                "secret": secret, "canonical": signing.canonical(*parts).decode(),
                "signature": signing.sign(secret, *parts),
            }
        )  # fmt: skip
    for status, body, secret in RESPONSES:
        signature = signing.sign_response(secret, status, NONCE, body.encode())
        found.append(
            {"response": True, "status": status, "nonce": NONCE, "body": body, "secret": secret, "signature": signature}
        )
    return found


def suppression() -> list[dict[str, str]]:
    """Addresses as typed, their identity, and the hash that an erased person leaves."""
    found = []
    for raw in ADDRESSES:
        identity = email.identity(raw)
        assert identity is not None
        found.append(
            {"key": SECRET, "raw": raw, "identity": identity, "hash": signing.suppression_hash(SECRET, identity)}
        )
    return found


def links() -> list[dict[str, object]]:
    """Links in messages, as of AT: good ones (the last has expired), and what is none."""
    found: list[dict[str, object]] = []
    for kind, id_, expires, extra in LINKS:
        said = f"{kind}.{id_}.{expires}.{extra}"
        good = {"kind": kind, "id": id_, "extra": extra, "expired": expires < int(AT)}
        found.append({"key": SECRET, "token": f"{said}.{_sealed(SECRET, said)}", "read": good})
    said = f"c.17.{LINK_EXPIRES}.m12"
    seal = _sealed(SECRET, said)
    wrong = [
        "", seal, f"{said}.", f"{said}.{seal}\n", f"{said}.{seal}=", f"{said}.{seal[:-1]}", f"{said}.{_sealed(OTHER, said)}",
        f"c.18.{LINK_EXPIRES}.m12.{seal}", f"c.17.{LINK_EXPIRES + 1}.m12.{seal}", f"c.17.{LINK_EXPIRES}.m13.{seal}",
    ]  # fmt: skip
    # Signed with the right key, and yet not of the only form.
    for odd in (f"x.17.{LINK_EXPIRES}.m12", f"c.017.{LINK_EXPIRES}.m12", "c.17.0.m12", f"c.17.{LINK_EXPIRES}.M12",
                f"c.-1.{LINK_EXPIRES}.m12", f"c.17.{LINK_EXPIRES}.m12.x", f"c.17.{LINK_EXPIRES}.m ق", f"c.17.{LINK_EXPIRES}.{'m' * 121}"):  # fmt: skip
        wrong.append(f"{odd}.{_sealed(SECRET, odd)}")
    found += [{"key": SECRET, "token": token, "read": None} for token in wrong]
    return found


def _sealed(key: str, said: str) -> str:
    mac = hmac.new(bytes.fromhex(key), f"fcsc-link\n{said}".encode(), "sha256").digest()
    return base64.urlsafe_b64encode(mac).decode()[:22]


def main() -> None:
    made = {"signatures.json": signatures(), "suppression.json": suppression(), "links.json": links()}
    for name, content in made.items():
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (HERE / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
