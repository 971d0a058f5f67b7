"""Web Push: the examples of the RFCs, a browser that reads what it is sent, and push services that say no."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from outgoing import TEXTS, Browser, message
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sidecar.automations.channels import push, webpush
from sidecar.automations.channels.push import Push
from sidecar.config_channels import Push as Config
from sidecar.errors import ConfigError
from sidecar.http_client import Reach

NOW = 1_793_534_400  # SIDECAR_NOW of the tests


def test_the_example_of_rfc_8291() -> None:
    """Section 5 and Appendix A."""
    key = ec.derive_private_key(
        int.from_bytes(webpush.decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    assert (
        webpush.encode(webpush.point(key))
        == "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
    )
    made = webpush.encrypted(
        b"When I grow up, I want to be a watermelon",
        webpush.decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        webpush.decode("BTBZMqHH6r4Tts7J_aSIgg"),
        key=key,
        salt=webpush.decode("DGv6ra1nlYgDCS1FRnbzlw"),
    )  # fmt: skip
    assert webpush.encode(made) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def _verify(token: str, public: bytes) -> dict[str, object]:
    head, claims, signature = token.split(".")
    raw = webpush.decode(signature)
    assert len(raw) == 64
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public).verify(
        der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
    )
    assert json.loads(webpush.decode(head)) == {"typ": "JWT", "alg": "ES256"}
    found = json.loads(webpush.decode(claims))
    assert isinstance(found, dict)
    return found


def test_the_example_of_rfc_8292_passes_the_check_that_ours_must_pass() -> None:
    """Section 2.4: so the check below is a check."""
    signature = bytes.fromhex(
        "8b70986fbb78c5fc420eaba9b4539ea42f4602efc72c690c94cb821922b6ae98"
        "947e72bda231700d76f526b12bb66cac6b33638ef5b62fd3a44921f3be80f5a0"
    )
    signed = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0"
    pem = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDUfHPKLVFQzVvnCPGyfucbECzPDa\n7rWbXriLcysAjEcXpgrmHhINiJz51G5T9EI8J8Dlqr2iNLCTljYSYKUE+w==\n-----END PUBLIC KEY-----\n"
    public = serialization.load_pem_public_key(pem)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    claims = _verify(f"{signed}.{webpush.encode(signature)}", point)
    assert claims == {"aud": "https://push.example.net", "exp": 1453523768, "sub": "mailto:push@example.com"}
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidSignature):
        _verify(f"{signed}.{webpush.encode(signature)}", webpush.point(key))
    made = webpush.authorization(
        key, "https://push.example.net:8443/p/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV?x=1", "mailto:a@b.example", NOW
    )
    scheme, _, rest = made.partition(" ")
    token, _, k = rest.removeprefix("t=").partition(", k=")
    assert (scheme, webpush.decode(k)) == ("vapid", webpush.point(key))
    assert _verify(token, webpush.point(key)) == {
        "aud": "https://push.example.net:8443",
        "exp": NOW + 43_200,
        "sub": "mailto:a@b.example",
    }


@given(st.binary(max_size=webpush.MOST_BYTES))
def test_a_browser_reads_whatever_is_sent(data: bytes) -> None:
    if data.endswith(b"\0"):
        data += b"."
    browser = Browser()
    sent = [webpush.encrypted(data[: webpush.MOST_BYTES], webpush.point(browser.key), browser.auth) for _ in range(2)]
    assert [browser.read(one) for one in sent] == [data[: webpush.MOST_BYTES]] * 2
    assert sent[0] != sent[1], "the same key or salt twice"


def provider(tmp_path: Path, reach: Reach = "any") -> Push:
    return Push(Config(contact="owner@example.com", ttl_hours=2), tmp_path, reach)


@pytest.mark.parametrize("text", [*TEXTS, "\U0001f600" * 5000, "\x01" * 5000, '"\\' * 3000, "\u0905" * 5000])
def test_a_push_service_takes_a_message(httpserver: HTTPServer, tmp_path: Path, text: str) -> None:
    browser, heard = Browser(), []

    def take(request: Request) -> Response:
        heard.append(request.get_data())
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert (request.headers["TTL"], request.headers["Urgency"]) == ("7200", "normal")
        assert len(request.headers["Topic"]) == 32
        token, _, k = request.headers["Authorization"].removeprefix("vapid t=").partition(", k=")
        assert k == push.public_key(tmp_path)
        assert _verify(token, webpush.decode(k))["sub"] == "mailto:owner@example.com"
        return Response(status=201)

    httpserver.expect_request("/push/1", method="POST").respond_with_handler(take)
    to = browser.subscription(httpserver.url_for("/push/1"))
    item = message(channel="push", to=to, subject=text, text=text or "…", link="https://shop.example/?fcsc=g.1.2.3.sig")
    found = provider(tmp_path).send([item])
    assert [one.state for one in found] == ["sent"]
    read = json.loads(browser.read(heard[0]))
    assert (read["url"], read["tag"]) == ("https://shop.example/?fcsc=g.1.2.3.sig", "key-00000001")
    assert "\n" not in read["title"]
    assert (
        read["body"][:20].strip()
        == text.replace("\x00", "")
        .replace("\x01", "")
        .replace("\ud83d", "?")
        .replace("\r\n", "\n")
        .strip()[:20]
        .strip()
    )


@pytest.mark.parametrize(
    ("status", "state", "gone", "wait"),
    [
        (410, "refused", True, 0), (404, "refused", True, 0), (400, "refused", False, 0), (401, "refused", False, 0),
        (403, "refused", False, 0), (413, "refused", False, 0), (429, "again", False, 9), (503, "again", False, 9),
        (500, "unsure", False, 0), (301, "refused", False, 0),
    ],
)  # fmt: skip
def test_a_push_service_says_no_for_one_subscription(
    httpserver: HTTPServer, tmp_path: Path, status: int, state: str, gone: bool, wait: float
) -> None:
    """The endpoint is a visitor's: no answer of it stops the messages to others."""
    headers = {"Retry-After": "9"} if wait else {"Location": httpserver.url_for("/ok")}
    httpserver.expect_request("/no").respond_with_data("", status=status, headers=headers)
    httpserver.expect_request("/ok").respond_with_data("", status=201)
    browser = Browser()
    batch = [
        message(n, channel="push", to=browser.subscription(httpserver.url_for(path)))
        for n, path in ((1, "/no"), (2, "/ok"))
    ]
    first, second = provider(tmp_path).send(batch)
    assert (first.state, first.gone, first.wait, first.fatal, first.down) == (state, gone, wait, False, False)
    assert second.state == "sent"


@pytest.mark.parametrize(
    "to",
    [
        "", "{}", "null", '{"endpoint":"https://x","keys":{}}', '{"endpoint":"https://x","keys":{"p256dh":"AA","auth":"AA"}}',
        '{"endpoint":"https://x","keys":{"p256dh":"%s","auth":"MDEyMzQ1Njc4OWFiY2RlZg"}}' % ("A" * 87), "[" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_subscription(tmp_path: Path, to: str) -> None:
    found = provider(tmp_path).send([message(channel="push", to=to)])
    assert [(one.state, one.gone) for one in found] == [("refused", True)]


def test_a_visitor_cannot_make_us_ask_this_network(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/secret").respond_with_data("", status=201)
    browser, us = Browser(), provider(tmp_path, "public")
    for endpoint in (
        httpserver.url_for("/secret"),
        httpserver.url_for("/secret").replace("http:", "https:"),
        "https://127.0.0.1:1/x",
        "file:///etc/passwd",
    ):
        found = us.send([message(channel="push", to=browser.subscription(endpoint))])
        assert found[0].state != "sent"
    assert httpserver.log == []


def test_the_key_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    first = push.public_key(tmp_path)
    assert len(webpush.decode(first)) == 65
    assert push.public_key(tmp_path) == first
    file = tmp_path / "vapid.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("-----BEGIN PRIVATE KEY-----\nno\n")
    with pytest.raises(ConfigError, match=r"vapid\.pem cannot be used"):
        push.public_key(tmp_path)


def test_without_its_key_nothing_is_lost(tmp_path: Path) -> None:
    """Nothing has gone: the messages wait until the owner has mended it, and the owner is told."""
    (tmp_path / "vapid.pem").write_text("damaged", "ascii")
    found = Push(Config(contact="a@b.example"), tmp_path).send(
        [message(channel="push", to="{}"), message(channel="push", to="{}")]
    )
    assert [(one.state, one.fatal) for one in found] == [("again", True)] * 2
