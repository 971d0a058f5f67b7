from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.values import names

NASTY = st.lists(
    st.sampled_from(["{", "}", "{{", "}}", "#", "##", "<b>", "<", ">", "/", " ", "\u202e", "\x00", "a", "Ż"])
).map("".join)


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("  Anna   Maria ", "Anna Maria"), ("Anna\tNowak\n", "Anna Nowak"), (None, ""), ("", ""),
        ("<b>Anna</b>", "Anna"),
        ("{{contact.email}}", "contact.email"), ("##crm.x##", "crm.x"), ("{#{# x", "{#{# x"),
        ("{{{{a}}}}", "a"),
        ("Anna\u202egnp", "Annagnp"), ("می\u200cخواهم", "می\u200cخواهم"), ("I <3 U", "I <3 U"),
        ("a<img src=x onerror=y>b", "ab"),
        ("a\x00b", "ab"), ("a\u00a0b", "a b"), ("#1", "#1"), ("mcDonald", "mcDonald"),
        ("{<b>{x}<i>}", "x"), ("a\ud800b", "ab"),
    ],
)  # fmt: skip
def test_clean(raw: str | None, want: str) -> None:
    assert names.clean(raw) == want


@given(st.text(max_size=40) | NASTY, st.integers(-1, 20))
def test_hostile_text(raw: str, limit: int) -> None:
    once = names.clean(raw)
    assert names.clean(once) == once
    assert not any(bad in once for bad in ("{{", "}}", "##", "\u202e", "\n", "  "))
    assert len(names.safe_text(raw, limit)) <= max(limit, 0)
    assert names.proper(raw).casefold() == once.casefold() or not once.isascii()
    first, last = names.split(raw)
    assert (first + last).replace(" ", "") != "" or not once


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("ANNA NOWAK-KOWALSKA", "Anna Nowak-Kowalska"), ("o'neil", "O'Neil"), ("McDonald", "McDonald"),
        ("MCDONALD", "Mcdonald"),
        ("łukasz żółć", "Łukasz Żółć"), ("ИВАН ИВАНОВ", "Иван Иванов"), ("علی رضایی", "علی رضایی"),
        ("JP", "JP"),
        ("JAN VAN DER BERG", "Jan van der Berg"), ("anna maria", "Anna Maria"),
        ("Anna nowak", "Anna nowak"), ("J.P. MORGAN", "J.P. Morgan"),
    ],
)  # fmt: skip
def test_proper(raw: str, want: str) -> None:
    assert names.proper(raw) == want


@pytest.mark.parametrize(
    ("full", "want"),
    [
        ("Anna Nowak", ("Anna", "Nowak")), ("Anna Maria Nowak", ("Anna Maria", "Nowak")),
        ("Anna", ("Anna", "")), ("", ("", "")),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven")), ("Jan van der Berg", ("Jan", "van der Berg")),
        ("علی رضایی تهرانی", ("علی", "رضایی تهرانی")), ("Nowak, Anna", ("Anna", "Nowak")),
        ("Van Morrison", ("Van", "Morrison")),
        ("Иван Петров Иванов", ("Иван Петров", "Иванов")),
    ],
)  # fmt: skip
def test_split(full: str, want: tuple[str, str]) -> None:
    assert names.split(full) == want


def test_safe_text_cuts_between_characters() -> None:
    assert names.safe_text("abcdef", 3) == "abc"
    assert names.safe_text("ab👨\u200d👩\u200d👧", 4) == "ab"
    assert names.safe_text("ae\u0301", 2) == "a"
