from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.values.masking import mask_text
from sidecar.values.text import slugify


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Hello World!", "hello-world"), ("Łódź – Kraków", "lodz-krakow"),
        ("Zażółć gęślą jaźń", "zazolc-gesla-jazn"),
        ("VIP", "vip"), ("a/b.c_d", "a-b-c_d"), ("  --x--  ", "x"), ("Straße", "strase"),
        ("Æsop", "aesop"), ("50% off", "50-off"),
        ("100%25", "100%25"), ("<b>bold</b> text", "bold-text"), ("AT&amp;T", "att"), ("€ 5", "e-5"),
        ("£5", "5"), ("3×4", "3x4"),
        ("Я", "%d1%8f"), ("чай", "%d1%87%d0%b0%d0%b9"),
        ("چای سبز", "%da%86%d8%a7%db%8c-%d8%b3%d8%a8%d8%b2"), ("“quoted”", "quoted"),
        ("a\u00a0b", "a-b"), ("", ""), ("!!!", ""), ("it’s", "its"), ("Café", "cafe"),
        ("Cafe\u0301", "cafe"), ("Phạm", "pham"),
    ],
)  # fmt: skip
def test_slugify(text: str, want: str) -> None:
    assert slugify(text) == want


def test_slug_is_cut_between_characters() -> None:
    slug = slugify("я" * 100)
    assert slug == "%d1%8f" * 33
    assert len(slug) <= 200


@given(st.text(max_size=80))
def test_hostile_text(text: str) -> None:
    slug = slugify(text)
    assert re.fullmatch(r"(?:[a-z0-9_%-]*)", slug)
    assert len(slug) <= 200
    shape = mask_text(text)
    assert len(shape) == min(len(text), 40)


def test_mask_text() -> None:
    assert mask_text("Anna Nowak, 12b") == "xxxx xxxxx, 99x"
    assert mask_text("ŁÓDŹ ۱۲") == "xxxx 99"
    assert mask_text("x" * 100) == "x" * 39 + "…"
    assert mask_text("a:1:{i:0;}") == "x:9:{x:9;}"
