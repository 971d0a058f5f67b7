from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.values.money import divide, fixed, to_micros


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("84.70", 84_700_000), ("7", 7_000_000), ("", None), (None, None), ("-0.7", -700_000),
        (" 1 234,50 ", 1_234_500_000),
        ("1,234", None), ("1,23", 1_230_000), ("1,2345", 1_234_500), ("1,234.50", None), ("0.0000005", 1),
        ("-0.0000005", -1),
        ("0.00000049", 0), ("12.", 12_000_000), (".5", 500_000), (".", None), ("-", None), ("1e5", None),
        ("NaN", None), (5, 5_000_000),
        ("١٢", None), ("1_0", None), ("100.00000000", 100_000_000), ("0.9999995", 1_000_000),
        ("+3", 3_000_000), ("abc", None),
        ("1.5.", None), ("9" * 70, None), ("1.²", None), ("²", None), ("--1", None),
        ("0.99999950", 1_000_000),
    ],
)  # fmt: skip
def test_to_micros(text: str | int | None, want: int | None) -> None:
    assert to_micros(text) == want


@given(st.decimals(-(10**15), 10**15, places=8, allow_nan=False))
def test_against_decimal(number: Decimal) -> None:
    want = int((number * 10**6).to_integral_value(ROUND_HALF_UP))
    assert to_micros(f"{number:f}") == want


@given(st.text(max_size=20) | st.text("0123456789.,-+ e", max_size=12))
def test_hostile_text(text: str) -> None:
    to_micros(text)


@given(st.integers(-(10**20), 10**20), st.integers(0, 6))
def test_fixed_against_decimal(micros: int, decimals: int) -> None:
    number = (Decimal(micros) / 10**6).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert fixed(micros, decimals) == f"{number if number else abs(number):f}"


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**6))
def test_divide(micros: int, n: int) -> None:
    sign = -1 if micros < 0 else 1
    assert divide(micros, n) == sign * ((abs(micros) * 2 + n) // (2 * n))
    assert abs(divide(micros, n) * n - micros) * 2 <= n


def test_edges() -> None:
    assert fixed(5_000) == "0.01"
    assert fixed(-4_999) == "0.00"
    assert fixed(-5_000) == "-0.01"
    for call in (lambda: divide(1, 0), lambda: fixed(1, 7)):
        with pytest.raises(ValueError):
            call()
