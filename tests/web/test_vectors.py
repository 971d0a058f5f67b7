"""The vectors that PHP has to meet as well, and the edges of signing.py."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from sidecar import signing
from sidecar.values import email

VECTORS = ROOT / "tests" / "vectors"
SECRET = "".join(f"{n:02x}" for n in range(32))
NONCE = "0" * 32


def load(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path(VECTORS / name).read_text("utf-8"))
    return found


REQUESTS = [case for case in load("signatures.json") if not case.get("response")]
RESPONSES = [case for case in load("signatures.json") if case.get("response")]


def mac(secret: str, message: str) -> str:
    """HMAC by the book: the vectors must not be right only by the code that wrote them."""
    return hmac.new(bytes.fromhex(secret), message.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: f"{case['method']} {case['target']}")
def test_requests(case: dict[str, Any]) -> None:
    body = case["body"].encode()
    parts = (case["method"], case["target"], case["timestamp"], case["nonce"], case["actor"], body)
    lines = ["FCSC1", *parts[:5], hashlib.sha256(body).hexdigest()]
    assert "\n".join(lines) == case["canonical"]
    assert signing.canonical(*parts).decode() == case["canonical"]
    assert mac(case["secret"], case["canonical"]) == case["signature"]
    assert signing.verify(case["secret"], case["signature"], *parts)
    signing.actor(case["actor"])


@pytest.mark.parametrize("case", RESPONSES, ids=lambda case: str(case["status"]))
def test_responses(case: dict[str, Any]) -> None:
    body = case["body"].encode()
    message = f"FCSC1R\n{case['status']}\n{case['nonce']}\n{hashlib.sha256(body).hexdigest()}"
    assert mac(case["secret"], message) == case["signature"]
    assert signing.verify_response(case["secret"], case["signature"], case["status"], case["nonce"], body)


def test_the_vectors_cover_what_goes_wrong_between_languages() -> None:
    assert any(not case["body"].isascii() for case in REQUESTS) and any(
        not case["body"].isascii() for case in RESPONSES
    )
    assert any("?" in case["target"] and "%" in case["target"] for case in REQUESTS)
    assert any(case["actor"].endswith(";rtl") for case in REQUESTS)
    assert len({case["secret"] for case in REQUESTS}) == 2


@pytest.mark.parametrize("case", load("suppression.json"), ids=lambda case: case["raw"])
def test_suppression_hashes(case: dict[str, str]) -> None:
    assert email.identity(case["raw"]) == case["identity"]
    assert mac(case["key"], case["identity"]) == case["hash"]
    assert signing.suppression_hash(case["key"], case["identity"]) == case["hash"]


@pytest.mark.parametrize("case", [case for case in load("links.json") if case["read"]], ids=lambda case: case["token"])
def test_links(case: dict[str, Any]) -> None:
    said, _, seal = case["token"].rpartition(".")
    kind, id_, expires, extra = said.split(".")
    raw = bytes.fromhex(mac(case["key"], f"fcsc-link\n{said}"))
    assert base64.urlsafe_b64encode(raw).decode()[:22] == seal
    assert case["read"] == {"kind": kind, "id": int(id_), "extra": extra, "expired": int(expires) < 1793534400}


_ORIGINAL = ("POST", "/ui/sync", "1793534400", NONCE, "1;support;en_US;ltr", b"a=1")


@pytest.mark.parametrize("at", range(6))
def test_any_changed_part_changes_the_signature(at: int) -> None:
    signature = signing.sign(SECRET, *_ORIGINAL)
    changed = list(_ORIGINAL)
    part = changed[at]
    changed[at] = part + b"x" if isinstance(part, bytes) else part + "x"
    assert signing.verify(SECRET, signature, *_ORIGINAL)
    assert not signing.verify(SECRET, signature, *changed)  # type: ignore[arg-type]
    assert not signing.verify("ff" * 32, signature, *_ORIGINAL)


@pytest.mark.parametrize("signature", ["", "0" * 64, "é", "\udce9", "0" * 10_000])
def test_a_signature_may_be_any_text(signature: str) -> None:
    assert not signing.verify(SECRET, signature, *_ORIGINAL)


def test_an_answer_is_bound_to_its_request() -> None:
    signature = signing.sign_response(SECRET, 200, NONCE, b"{}")
    assert signing.verify_response(SECRET, signature, 200, NONCE, b"{}")
    assert not signing.verify_response(SECRET, signature, 200, "1" * 32, b"{}")
    assert not signing.verify_response(SECRET, signature, 500, NONCE, b"{}")
    assert not signing.verify_response(SECRET, signature, 200, NONCE, b"{ }")


@pytest.mark.parametrize(
    "text",
    ["", "--", "0;support;en_US;ltr", "-1;support;en_US;ltr", "1;owner;en_US;ltr", "1;support;;ltr", "1;support;en_US;up",
     "1;support;en_US;ltr\n", "1;support;en_US;ltr;x", "1;support;<b>;ltr", "١;support;en_US;ltr", "1;support;../../etc;ltr"],
)  # fmt: skip
def test_what_is_no_actor(text: str) -> None:
    with pytest.raises(ValueError, match="not an actor"):
        signing.actor(text)
    assert not signing.well_formed("a" * 16, "1793534400", NONCE, text)


@given(st.integers(1, 2**63 - 1), st.sampled_from(signing.ROLES), st.sampled_from(["en_US", "fa_IR", "ckb"]))
def test_actors_survive_the_trip(user_id: int, role: signing.Role, locale: str) -> None:
    one = signing.Actor(user_id, role, locale, "rtl")
    assert signing.actor(str(one)) == one


@pytest.mark.parametrize(
    "timestamp", ["", "0", "-1", "1e9", "1793534400.0", " 1793534400", "١٧٩٣", "9" * 13, "1793534400\n"]
)
def test_what_is_no_timestamp(timestamp: str) -> None:
    assert not signing.well_formed("a" * 16, timestamp, NONCE, "-")


def test_five_minutes_either_way() -> None:
    now = 1793534400
    assert signing.fresh(str(now - 300), now) and signing.fresh(str(now + 300), now)
    assert not signing.fresh(str(now - 301), now) and not signing.fresh(str(now + 301), now)


def test_headers_verify() -> None:
    found = signing.headers("a" * 16, SECRET, "GET", "/ui/status", b"", now=1793534400.9)
    assert found["X-FCSC-Timestamp"] == "1793534400" and found["X-FCSC-Actor"] == "-"
    assert signing.well_formed(found["X-FCSC-Key"], found["X-FCSC-Timestamp"], found["X-FCSC-Nonce"], "-")
    parts = ("GET", "/ui/status", found["X-FCSC-Timestamp"], found["X-FCSC-Nonce"], "-", b"")
    assert signing.verify(SECRET, found["X-FCSC-Signature"], *parts)
    assert signing.headers("a" * 16, SECRET, "GET", "/", b"", now=1)["X-FCSC-Nonce"] != found["X-FCSC-Nonce"]


def test_a_pairing_code_holds_what_the_plugin_needs() -> None:
    key_id, secret = signing.new_key()
    code = signing.pairing_code(key_id, secret, "unix:/run/fluentcrm-sidecar/sidecar.sock")
    assert code.startswith("fcsc1.") and "=" not in code
    assert signing.read_pairing_code(f" {code}\n") == (key_id, secret, "unix:/run/fluentcrm-sidecar/sidecar.sock")


@given(st.text(max_size=60))
def test_anything_else_is_no_pairing_code(text: str) -> None:
    for code in (text, f"fcsc1.{text}"):
        with pytest.raises(ValueError, match="not a pairing code"):
            signing.read_pairing_code(code)
