"""Signed links: what was minted is read, what was touched is not, and PHP's vectors hold."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging import KEY, LINKS, NOW
from support import ROOT

from sidecar.automations.messages import links
from sidecar.automations.messages.links import Link, mint, verify

OTHER = "f0" * 32
# Of tests/vectors/links.json, which PHP reads too.
VECTORS = [
    "c.17.1793620800.m12.XPehKlf3qiNk3FdgFL4i-c",
    "c.17.1793620800.m12~back-7k2m9.fPW7jSmazOLZ_8LseYdfK1",
    "c.9223372036854775807.1793620800..Bpw6LKri-fgucO2Ig3Spnl",
    "p.7.1793620800..om0ec6BIzTkcepsk5c9Y3j",
    "u.7.1793620800.email.2YiSZjBbXeoFYa5zDh9FV_",
    "g.0.1793620800.m1.2yHLCUiaLmA1pchxZaX6e8",
]
LINK = st.builds(
    Link, kind=st.sampled_from(["c", "g", "p", "u"]), id=st.integers(0, 2**63 - 1), expires=st.integers(NOW, 10**12 - 1),
    extra=st.from_regex(r"[a-z0-9~-]{0,120}", fullmatch=True),
)  # fmt: skip


@pytest.mark.parametrize("token", VECTORS)
def test_a_vector(token: str) -> None:
    found = verify(KEY, token, NOW)
    assert found is not None
    assert mint(KEY, found) == token


def test_the_vectors_of_the_plugin() -> None:
    path = ROOT / "tests" / "vectors" / "links.json"
    if not path.exists():
        pytest.skip("the plugin's vectors are not here yet")
    for line in json.loads(path.read_text("utf-8")):
        said = line["read"]
        wanted = None if said is None or said["expired"] else (said["kind"], said["id"], said["extra"])
        found = verify(line["key"], line["token"], NOW)
        assert (found and (found.kind, found.id, found.extra)) == wanted, line["token"]


@given(LINK)
def test_what_was_minted_is_read(link: Link) -> None:
    token = mint(KEY, link)
    assert verify(KEY, token, NOW) == link
    assert verify(KEY, token, link.expires) == link
    assert verify(KEY, token, link.expires + 1) is None
    assert verify(OTHER, token, NOW) is None
    assert verify("", token, NOW) is None


@given(LINK, st.data())
def test_what_was_touched_is_not(link: Link, data: st.DataObject) -> None:
    token = mint(KEY, link)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=0x250).filter(lambda one: one != token[place]))
    assert verify(KEY, token[:place] + letter + token[place + 1 :], NOW) is None
    assert verify(KEY, token + letter, NOW) is None
    assert verify(KEY, token[:place], NOW) is None


@given(st.text())
def test_junk_is_not_read(text: str) -> None:
    assert verify(KEY, text, NOW) is None


@pytest.mark.parametrize(
    ("key", "link"),
    [
        ("", Link(kind="c", id=1, expires=NOW)),
        ("zz" * 32, Link(kind="c", id=1, expires=NOW)),
        (KEY, Link(kind="c", id=-1, expires=NOW)),
        (KEY, Link(kind="c", id=2**63, expires=NOW)),
        (KEY, Link(kind="c", id=1, expires=0)),
        (KEY, Link(kind="c", id=1, expires=NOW, extra="A")),
        (KEY, Link(kind="c", id=1, expires=NOW, extra="a.b")),
        (KEY, Link(kind="c", id=1, expires=NOW, extra="anna@example.com")),
        (KEY, Link(kind="c", id=1, expires=NOW, extra="a" * 121)),
    ],
)
def test_what_no_token_may_say(key: str, link: Link) -> None:
    with pytest.raises(ValueError, match="link"):
        mint(key, link)


@pytest.mark.parametrize("code", ["BACK-7K2M9", "back 7", "код", "a" * 61, "a.b", ""])
def test_a_coupons_code_is_in_the_carts_link_when_it_can_be(code: str) -> None:
    url = msgspec.structs.replace(LINKS, cart=12, code=code).cart_link
    found = verify(KEY, url.partition("?fcsc=")[2], NOW)
    assert found is not None
    assert (found.kind, found.id) == ("c", 12)
    assert found.extra == ("m5~back-7k2m9" if code == "BACK-7K2M9" else "m5")
    assert found.expires == NOW + links.DAYS * 86_400


def test_the_links_of_a_message() -> None:
    assert LINKS.preferences.startswith("https://shop.example.com/?fcsc=p.3.")
    assert ".email." in LINKS.unsubscribe() and ".sms." in LINKS.unsubscribe("sms")
    assert LINKS.go(7, "https://x.example.com").startswith("https://shop.example.com/?fcsc=g.7.")
    nobody = links.Links(home="https://shop.example.com", key=KEY, now=NOW)
    assert nobody.preferences == nobody.unsubscribe() == nobody.cart_link == ""
    assert nobody.go(7, "https://x.example.com") == "https://x.example.com"
