"""Numbering plans: which digits are a valid number where, from phonenumbers' metadata without its parser.

`phonenumbers.parse` + `is_valid_number` cost about 80 µs, most of it looking for a number in free text. For
text that is only digits already, the same verdict takes a few regular expressions of the region's metadata.
Where a plan has rules beyond that (carrier codes, rewritten numbers) the answer is None: ask the parser.
Source of the rules: phonenumbers/phonenumberutil.py (`parse`, `is_valid_number`, `_number_type_helper`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

# ISO-2 codes in common use that are none, → what the metadata calls the region.
_ALIASES = {"UK": "GB", "EL": "GR"}

_SPECIAL = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


class Reading(NamedTuple):
    """A valid number as E.164 text; True for mobile, False for others, None where the plan cannot tell."""

    e164: str
    mobile: bool | None


class _Kind:
    """One pattern of a region with the lengths it may have (empty: any)."""

    __slots__ = ("fits", "lengths", "pattern")

    def __init__(self, desc: Any) -> None:
        self.pattern: str = desc.national_number_pattern
        self.fits = re.compile(self.pattern).fullmatch
        self.lengths = frozenset(desc.possible_length)

    def matches(self, nsn: str) -> bool:
        return (not self.lengths or len(nsn) in self.lengths) and self.fits(nsn) is not None


class _AnyKind:
    """Several patterns as one: by the length of a number, those that such a number may have."""

    __slots__ = ("any", "by_length")

    def __init__(self, kinds: list[_Kind]) -> None:
        self.any = _fits([k for k in kinds if not k.lengths])
        lengths = {length for k in kinds for length in k.lengths}
        self.by_length = {
            length: _fits([k for k in kinds if not k.lengths or length in k.lengths]) for length in lengths
        }

    def matches(self, nsn: str) -> bool:
        fits = self.by_length.get(len(nsn), self.any)
        return fits is not None and fits(nsn) is not None


def _fits(kinds: list[_Kind]) -> Callable[[str], re.Match[str] | None] | None:
    return re.compile("|".join(f"(?:{kind.pattern})" for kind in kinds)).fullmatch if kinds else None


class Region:
    """A region's metadata, compiled."""

    __slots__ = (
        "code",
        "fixed",
        "general",
        "idd",
        "leading",
        "longest",
        "mobile",
        "prefix",
        "rewrites",
        "same",
        "special",
    )

    def __init__(self, metadata: Any) -> None:
        def kind(name: str) -> _Kind | None:
            desc = getattr(metadata, name)
            return _Kind(desc) if desc is not None and desc.national_number_pattern else None

        general = kind("general_desc")
        assert general is not None
        self.general = general
        self.longest = max(general.lengths, default=17)
        self.code = str(metadata.country_code)
        self.special = _AnyKind([k for k in map(kind, _SPECIAL) if k is not None])
        self.fixed = kind("fixed_line")
        self.mobile = kind("mobile")
        self.same = bool(metadata.same_mobile_and_fixed_line_pattern)
        self.leading = re.compile(metadata.leading_digits).match if metadata.leading_digits else None
        prefix = metadata.national_prefix_for_parsing
        self.prefix = re.compile(prefix).match if prefix else None
        self.rewrites = bool(metadata.national_prefix_transform_rule)
        self.idd = re.compile(metadata.international_prefix).match if metadata.international_prefix else None

    def kind(self, nsn: str) -> tuple[bool, bool | None]:
        """(valid here, mobile) for a national significant number."""
        if not self.general.matches(nsn):
            return False, None
        if self.special.matches(nsn):
            return True, False
        mobile = self.mobile is not None and self.mobile.matches(nsn)
        if self.fixed is not None and self.fixed.matches(nsn):
            return True, None if self.same or mobile else False
        return (True, True) if mobile and not self.same else (False, None)

    def bare(self, nsn: str) -> str | None:
        """`nsn` without the trunk prefix; None when the plan's rules are not that simple."""
        found = self.prefix(nsn) if self.prefix is not None else None
        if found is None:
            return nsn
        if self.rewrites and found.re.groups:
            return None
        rest = nsn[found.end() :]
        if self.general.fits(nsn) and not self.general.fits(rest):
            return nsn
        return rest if len(rest) in self.general.lengths else None


@cache  # bounded: one entry a region, at most 245, and only those a shop's customers live in
def region(country: str) -> Region | None:
    """The compiled plan of an ISO-2 region (upper case), or None where there is no such region."""
    import phonenumbers

    if country not in phonenumbers.SUPPORTED_REGIONS:
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    return None if metadata is None else Region(metadata)


@cache  # bounded: one entry a calling code
def _regions(code: str) -> tuple[Region, ...]:
    """The regions that share a calling code, the main one first; empty for codes of no country (+800)."""
    import phonenumbers

    names = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    return tuple(found for found in map(region, names) if found is not None)


def split_code(digits: str) -> tuple[str, str]:
    """'48600700800' → ('48', '600700800'); ('', digits) when no calling code fits. Codes are prefix-free."""
    for size in (1, 2, 3):
        code = digits[:size]
        if code in _codes():
            return code, digits[size:]
    return "", digits


@cache
def _codes() -> frozenset[str]:
    import phonenumbers

    return frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def region_name(country: str | None) -> str | None:
    """The region a person's country means for dialling, or None when it means none. Never raises."""
    if not country:
        return None
    name = country.strip().upper() if len(country) < 8 else ""
    name = _ALIASES.get(name, name)
    return name if len(name) == 2 and name.isascii() and name.isalpha() and region(name) is not None else None


def read_international(digits: str) -> Reading | None:
    """A valid number from calling code + national number, or None: invalid, or for the parser to decide."""
    code, nsn = split_code(digits)
    regions = _regions(code) if code else ()
    if not regions:
        return None
    main = regions[0]
    bare = main.bare(nsn)
    if bare is None:
        return None
    return _valid(code, bare, regions, written=nsn)


def read_national(digits: str, home: Region) -> Reading | None:
    """A valid number as people in `home` write it, or None: invalid, or for the parser to decide."""
    abroad = home.idd(digits) if home.idd is not None else None
    if abroad is not None:
        # 00 is certain; other prefixes (011, 810, carrier codes) are the parser's.
        certain = abroad[0] == "00" and digits[2:3] != "0"
        return read_international(digits[2:]) if certain else None
    code = home.code
    nsn = digits
    if digits.startswith(code) and not (home.general.fits(digits) and len(digits) <= home.longest):
        rest = digits[len(code) :]
        if home.prefix is not None and home.prefix(rest):
            return None
        if home.general.fits(rest) or len(digits) > home.longest:
            nsn = rest
    bare = home.bare(nsn)
    return None if bare is None else _valid(code, bare, _regions(code), written="")


def _valid(code: str, nsn: str, regions: tuple[Region, ...], written: str) -> Reading | None:
    """The reading when a region of `code` knows `nsn` and its E.164 form reads as itself, else None."""
    main = regions[0] if regions else None
    if main is None or (nsn != written and main.prefix is not None and main.prefix(nsn)):
        return None
    for candidate in regions:
        if candidate.leading is not None:
            if candidate.leading(nsn):
                valid, mobile = candidate.kind(nsn)
                return Reading(f"+{code}{nsn}", mobile) if valid else None
            continue
        valid, mobile = candidate.kind(nsn)
        if valid:
            return Reading(f"+{code}{nsn}", mobile)
    return None
