from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.values import email


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        (" Anna@Example.COM ", "anna@example.com"), ("\u200bA@b.c\u00a0", "a@b.c"), ("mailto:A@b.c", "a@b.c"),
        ("<a@b.c>", "a@b.c"), (" <mailto:a@b.c> ", "a@b.c"), ("JOSÉ@b.c", "josé@b.c"), ("", None),
        (None, None),
        (" \u200e ", None), ("<>", None), ("\ufeffa@b.c", "a@b.c"), ("a@b.c\x00", "a@b.c"),
    ],
)  # fmt: skip
def test_identity(raw: str | None, want: str | None) -> None:
    assert email.identity(raw) == want


@given(
    st.text(max_size=30) | st.lists(st.sampled_from(["mailto:", "<", ">", " ", "\u200b", "A", "@", "İ"])).map("".join)
)
def test_identity_is_idempotent(raw: str) -> None:
    once = email.identity(raw)
    assert email.identity(once) == once


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("anna@example.com", None), ("a@b.co", None), ("a.b+c_d-e@sub.example.co.uk", None),
        ("x@xn--d1acufc.xn--p1ai", None),
        ("o'neil!#$%&*/=?^`{|}~@example.com", None), ("plain", "no_at"), ("", "no_at"),
        ("@example.com", "bad_local"),
        ("a@", "bad_domain"), ("a@b", "bad_domain"), ("a@b..com", "bad_domain"), ("a@.b.com", "bad_domain"),
        ("a@b.com.", "bad_domain"), ("a@-b.com", "bad_domain"), ("a@b-.com", "bad_domain"),
        ("a@b_c.com", "bad_domain"),
        ("a@127.0.0.1", "bad_domain"), ("a@b.c", "bad_domain"), ("a b@example.com", "bad_local"),
        ("a@@b.com", "bad_local"),
        (".a@b.com", "bad_local"), ("a.@b.com", "bad_local"), ("a..b@b.com", "bad_local"),
        ("a" * 65 + "@b.com", "bad_local"),
        ("a" * 40 + "." + "b" * 40 + "@b.com", "bad_local"), ("a@" + "b" * 64 + ".com", "bad_domain"),
        ("a@" + ".".join(["b" * 60] * 3) + ".example", "too_long"), ("deleted@site.invalid", "site_invalid"),
        ("a@INVALID", "site_invalid"), ("a@foo.Invalid", "site_invalid"),
        ("josé@example.com", "not_wordpress"),
        ("a@bücher.de", "not_wordpress"), ("a@пример.рф", "not_wordpress"), ("a@\u200b.com", "bad_domain"),
        ("a@ex ample.com", "bad_domain"), ("a@b.com\n", "bad_domain"), ("a@\ud800.com", "bad_domain"),
    ],
)  # fmt: skip
def test_problem(address: str, want: str | None) -> None:
    assert email.problem(address) == want


@given(st.text(max_size=30) | st.tuples(st.text(max_size=12), st.text(max_size=12)).map("@".join))
def test_hostile_text(text: str) -> None:
    email.problem(text)
    email.identity(text)
    email.mask(text)
    assert email.fold(text) == email.fold(email.fold(text))
    email.anonymised(text)
    if "@" in text:
        key = email.spelling_key(text)
        assert email.spelling_key(key) == key or "@" not in key or "+" in key


def test_anonymised() -> None:
    assert email.anonymised("deleted@site.invalid")
    assert email.anonymised("x123@Site.Invalid")
    assert not email.anonymised("a@site.com")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("an.na+shop@gmail.com", "ANNA@googlemail.com"), ("a@gmial.com", "a@gmail.com"),
        ("a@gmail.con", "a@gmail.com"),
        ("a@hotnail.com", "a@hotmail.com"), ("a@yaho.com", "a@yahoo.com"), ("a+1@x.pl", "a+2@x.pl"),
        ("a@gmai.com", "a@gmail.com"),
    ],
)  # fmt: skip
def test_spellings_meet(one: str, other: str) -> None:
    assert email.spelling_key(one) == email.spelling_key(other)


def test_spellings_that_differ() -> None:
    assert email.spelling_key("a.b@x.pl") != email.spelling_key("ab@x.pl")
    assert email.spelling_key("+a@x.pl") != email.spelling_key("+b@x.pl")


def test_mask() -> None:
    assert email.mask("anna@example.com") == "a***@e***.com"
    assert email.mask("nobody") == email.mask(None) == email.mask("") == "***"


def test_fold() -> None:
    assert email.fold("José@Example.com  ") == email.fold("jose@example.COM")
    assert email.fold("ŁÓDŹ") == email.fold("lodz")
    assert email.fold("straße") == email.fold("STRASSE")
    assert email.fold("a@b.c") != email.fold("a@b.d")
    for group in (
        "DdÐðĐđḊ",
        "LlŁłĿŀḼ",
        "ͺΊΙῒι",
        "ГгҐґ",
        "1１۱",
        "ØøOo",
        "Ħh",
    ):  # as MariaDB's 520_ci has them
        assert len({email.fold(letter) for letter in group}) == 1, group
    assert email.fold("a\u200bb\x01") == email.fold("AB ")
