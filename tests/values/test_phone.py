"""Phones: what people type, and the fast path against phonenumbers itself."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.values import calling
from sidecar.values.phone import mask, normalize

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = sorted(phonenumbers.PhoneNumberType.values())
OURS = (
    "IR",
    "PL",
    "BG",
    "DE",
    "GB",
    "US",
    "FR",
    "IT",
    "RU",
    "KZ",
    "AR",
    "BR",
    "MX",
    "TR",
    "AE",
    "IN",
    "UA",
    "HU",
    "SM",
)


def oracle(text: str, country: str | None) -> tuple[str, bool | None] | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    kind = phonenumbers.number_type(number)
    either = kind == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164, None if either else kind == phonenumbers.PhoneNumberType.MOBILE


def examples() -> list[tuple[str, phonenumbers.PhoneNumber]]:
    found = []
    for region in REGIONS:
        for kind in KINDS:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                found.append((region, number))
    return found


EXAMPLES = examples()


def check(text: str, region: str | None) -> None:
    """The fast path may abstain; when it answers, phonenumbers says the same."""
    want = oracle(text, region)
    if text.startswith("+"):
        fast = calling.read_international(text[1:])
    else:
        home = calling.region(region) if region else None
        assert home is not None
        fast = calling.read_national(text, home)
    if fast is not None:
        assert (fast.e164, fast.mobile) == want, (text, region)
    if want is not None:
        phone = normalize(text, region)
        assert phone.e164 is not None
        assert normalize(phone.e164, None).e164 == phone.e164
        if fast is not None:
            assert (phone.e164, phone.mobile) == want


def test_every_example_number_in_every_clean_form() -> None:
    fast = 0
    for region, number in EXAMPLES:
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        bare = "".join(c for c in national if c.isdigit())
        check(e164, region)
        check(e164, None)
        for text in (
            bare,
            e164[1:],
            "00" + e164[1:],
            bare.lstrip("0"),
            phonenumbers.national_significant_number(number),
        ):
            if len(text) > 3:
                check(text, region)
        fast += calling.read_international(e164[1:]) is not None
        assert normalize(e164, None).e164 == e164
    assert fast > 0.95 * len(EXAMPLES)  # else it is not a fast path


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_perturbed_numbers_agree_with_phonenumbers(
    example: tuple[str, phonenumbers.PhoneNumber], data: st.DataObject
) -> None:
    region, number = example
    form = data.draw(st.sampled_from(["intl", "national", "bare", "cc"]))
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    digits = {
        "intl": e164[1:],
        "cc": e164[1:],
        "national": "".join(c for c in national if c.isdigit()),
        "bare": phonenumbers.national_significant_number(number),
    }[form]
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(digits)))
        change = data.draw(st.sampled_from(["set", "insert", "drop"]))
        digit = data.draw(st.sampled_from("0123456789"))
        digits = digits[:at] + ("" if change == "drop" else digit) + digits[at + (change != "insert") :]
    if len(digits) < 3:
        return
    other = data.draw(st.sampled_from([region, region, *OURS]))
    check("+" + digits if form == "intl" else digits, other)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(OURS), st.text("0123456789", min_size=4, max_size=14))
def test_random_digits_agree_with_phonenumbers(region: str, digits: str) -> None:
    check(digits, region)
    check("+" + digits, region)


IR, BG, PL = "+989123456789", "+359888123456", "+48600700800"


@pytest.mark.parametrize(
    ("raw", "country", "want"),
    [
        ("09123456789", "IR", IR), ("۰۹۱۲ ۳۴۵ ۶۷۸۹", "IR", IR), ("٠٩١٢٣٤٥٦٧٨٩", "IR", IR),
        ("９１２３４５６７８９", "IR", IR),
        ("+98 0912 345 6789", None, IR), ("+98۹۱۲۳۴۵۶۷۸۹", "xx", IR), ("00989123456789", "PL", IR),
        ("0098 912 345 6789", None, IR), ("989123456789", "IR", IR), ("098 912 345 6789", "IR", IR),
        ("9123456789", "ir", IR), ("989123456789+", "IR", IR), ("\u202b۰۹۱۲\u200c۳۴۵۶۷۸۹\u202c", "IR", IR),
        ("۰۹۱۲-۳۴۵-۶۷۸۹ داخلی ۳", "IR", IR), ("09123456789 - 09133456789", "IR", IR),
        ("۰۹۱۲۳۴۵۶۷۸۹، ۰۹۱۳۳۴۵۶۷۸۹", "IR", IR),
        ("09123456789 یا 09133456789", "IR", IR), ("0912۳۴۵6789", "IR", IR),
        ("\uff0b98 912 345 6789", None, IR),
        ("0888 123 456", "BG", BG), ("+359 (0) 888 123 456", "US", BG), ("+359/888/123456", None, BG),
        ("0888 123 456; 0899 123 456", "BG", BG), ("0888123456 0899123456", "BG", BG),
        ("0888123456/0899123456", "BG", BG),
        ("0888123456ext5", "BG", BG), ("0888123456 x5", "BG", BG), ("0888 123 456 вътр. 12", "BG", BG),
        ("тел. 0888 123 456", "BG", BG), ("tel:+359888123456", None, BG),
        ("Mob.0888 123 456 (wife)", "BG", BG),
        ("1; 0888 123 456", "BG", BG), ("0888\u00a0123\u00a0456", "BG", BG),
        ("+359888123456\n+359899123456", None, BG),
        ("48 600 700 800", "PL", PL), ("600-700-800", "PL", PL), ("600 700 800 wew. 12", "PL", PL),
        ("600.700.800", "PL", PL),
        ("\u200e+48\u00a0600\u00a0700\u00a0800\u200f", "", PL), ("+48 0 600 700 800", None, PL),
        ("0600700800", "PL", PL),
        ("(+48) 600 700 800", None, PL), ("600–700–800", "PL", PL), ("0048600700800", "US", PL),
        ("+48600700800", "zz", PL),
        ("07400 123456", "UK", "+447400123456"), ("011 48 600700800", "US", PL),
        ("+800 1234 5678", None, "+80012345678"),
        ("02 1234567", "IT", "+39021234567"),
    ],
)  # fmt: skip
def test_what_people_type(raw: str, country: str | None, want: str) -> None:
    phone = normalize(raw, country)
    assert (phone.e164, phone.problem, phone.raw) == (want, None, raw)


@pytest.mark.parametrize(
    ("raw", "country", "problem"),
    [
        ("", "IR", "empty"), (" -\u200f ", "IR", "empty"), ("n/a", "PL", "unparsable"),
        ("brak", None, "unparsable"),
        ("0912 345 6789", None, "ambiguous"), ("600700800", "??", "ambiguous"),
        ("48600700800", None, "ambiguous"),
        ("0000000000", "BG", "invalid"), ("+48 1", None, "unparsable"), ("+999123456789", "PL", "invalid"),
        ("600 700 80", "PL", "invalid"), ("600 700 8001", "PL", "invalid"),
        ("0888123456@abv.bg", "BG", "unparsable"),
        ("1" * 300, "PL", "unparsable"), ("+" * 200, None, "empty"), ("021 8877 6655 9", "IR", "invalid"),
    ],
)  # fmt: skip
def test_junk_keeps_raw_and_says_why(raw: str, country: str | None, problem: str) -> None:
    assert normalize(raw, country) == (None, raw, problem, None)


def test_mobile() -> None:
    assert normalize("09123456789", "IR").mobile is True
    assert normalize("02188776655", "IR").mobile is False
    assert normalize("+1 201 555 0123", None).mobile is None


PIECES = st.sampled_from(
    [
        "0888",
        "123456",
        "+",
        "+48",
        "00",
        "0",
        "۰۹۱۲",
        "٣٤٥",
        "600",
        " ",
        "-",
        "/",
        ";",
        ",",
        "ext 5",
        "x",
        "(",
        ")",
        "\u200f",
    ]
)


@settings(max_examples=600, deadline=None)
@given(
    st.text(max_size=40) | st.lists(PIECES, max_size=14).map("".join),
    st.sampled_from([None, "", "IR", "PL", "BG", "US", "RU", "AR", "BR", "zz", "ß", "\x00"]) | st.text(max_size=3),
    st.sampled_from([None, "IR", "PL", "US", "AR", "garbage"]),
)
def test_hostile_text_never_raises_and_e164_is_a_fixed_point(raw: str, country: str | None, other: str | None) -> None:
    phone = normalize(raw, country)
    assert phone.raw == raw
    assert (phone.e164 is None) is (phone.problem is not None)
    if phone.e164 is not None:
        again = normalize(phone.e164, other)
        assert (again.e164, again.mobile) == (phone.e164, phone.mobile)
        assert oracle(phone.e164, None) == (phone.e164, phone.mobile)


def test_mask() -> None:
    assert mask("+48600700789") == "+48***789"
    assert mask("+359888123456") == "+359***456"
    assert mask("+12015550123") == "+1***123"
    assert mask("0888123456") == mask(None) == mask("+") == mask("+48x00700789") == "***"
