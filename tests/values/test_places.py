from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.values import places
from sidecar.values.country_names import NAMES


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("PL", "PL"), ("pl", "PL"), (" Poland ", "PL"), ("POLSKA", "PL"), ("لهستان", "PL"),
        ("Полша", "PL"), ("Pologne", "PL"),
        ("Iran", "IR"), ("ایران", "IR"), ("ايران", "IR"), ("България", "BG"), ("Bulgaria", "BG"),
        ("Niemcy", "DE"), ("UK", "GB"),
        ("united states", "US"), ("USA", "US"), ("U.S.A.", "US"), ("Wielka Brytania", "GB"),
        ("turkey", "TR"), ("Türkiye", "TR"),
        ("Österreich", "AT"), ("osterreich", "AT"), ("The Netherlands", "NL"), ("Czech Republic", "CZ"),
        ("EL", "GR"), ("XK", "XK"),
        ("ZZ", None), ("", None), (None, None), ("Narnia", None), ("x" * 500, None), ("P\u200bL", None),
        ("of", None),
    ],
)  # fmt: skip
def test_country(raw: str | None, want: str | None) -> None:
    assert places.country(raw) == want


def test_every_name_finds_its_country() -> None:
    for line in NAMES.strip().split("\n"):
        code, *names = line.split("|")
        for name in names:
            assert places.country(name) == code, name


@pytest.mark.parametrize(
    ("raw", "country", "want"),
    [
        ("50123", "PL", "50-123"), ("50 123", "PL", "50-123"), ("PL-50-123", "PL", "50-123"),
        ("sw1a1aa", "GB", "SW1A 1AA"),
        ("۱۲۳۴۵۶۷۸۹۰", "IR", "1234567890"), ("12345-67890", "IR", "1234567890"), ("1000", "BG", "1000"),
        ("BG-1000", "BG", "1000"),
        ("1234ab", "NL", "1234 AB"), ("k1a0b1", "CA", "K1A 0B1"), ("11000", "CZ", "110 00"),
        ("4 digits", "BG", "4 digits"),
        ("  x  y ", None, "x y"), ("", "PL", ""), (None, "PL", ""), ("D-10115", "DE", "D-10115"),
        ("902101234", "US", "90210-1234"),
    ],
)  # fmt: skip
def test_postcode(raw: str | None, country: str | None, want: str) -> None:
    assert places.postcode(raw, country) == want


@given(st.text(max_size=20), st.sampled_from(["PL", "GB", "IR", "CZ", "US", None, "??"]))
def test_hostile_text(raw: str, country: str | None) -> None:
    once = places.postcode(raw, country)
    assert places.postcode(once, country) == once
    assert len(places.digits(raw)) == len(raw)
    places.country(raw)
    assert places.calling_region(raw) == places.country(raw)


def test_digits() -> None:
    assert places.digits("۱۲۳ ٤٥٦ ７８９ 𝟘") == "123 456 789 0"
