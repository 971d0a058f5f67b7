"""Addresses that do not fit together: country, state, postcode, city, script. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from sidecar.store.model import Address
from sidecar.values import calling, places
from sidecar.values.masking import mask_text

_POSTCODES = {
    "PL": re.compile(r"\d\d-\d{3}"),
    "GB": re.compile(r"(?:[A-Z]{1,2}\d[A-Z\d]?|GIR) \d[A-Z]{2}"),
    "BG": re.compile(r"\d{4}"),
    "IR": re.compile(r"\d{10}"),
    "US": re.compile(r"\d{5}(?:-\d{4})?"),
    "DE": re.compile(r"\d{5}"),
}
_SCRIPTS = (
    "LATIN",
    "CYRILLIC",
    "ARABIC",
    "GREEK",
    "HEBREW",
    "ARMENIAN",
    "GEORGIAN",
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
)
_DIGIT = re.compile(r"\d")
# "Praha 4", "1010 Wien", "Paris 12e": districts are digits that belong there; a whole house number does not.
_DISTRICT = re.compile(r"[^\d]+\s(?:\d{1,2})(?:e|er|ème)?\.?", re.IGNORECASE)


def odd(address: Address) -> Iterator[tuple[str, str]]:
    """(check, masked value) for everything that does not fit in one address."""
    place = address.address_1 or address.city or address.postcode or address.state
    if not place and not address.country:
        return
    country = places.country(address.country) if address.country else None
    if country is None:
        yield "country_unknown", mask_text(address.country) or "(empty)"
    if address.state.strip() and not address.country.strip():
        yield "state_without_country", mask_text(address.state)
    pattern = _POSTCODES.get(country or "")
    if pattern is not None and address.postcode.strip():
        tidy = places.postcode(address.postcode, country)
        if not pattern.fullmatch(tidy):
            yield "postcode", f"{mask_text(tidy)} {country}"
    city = address.city.strip()
    if city and (_has_digits(city) or _another_script(address)):
        yield "city", mask_text(city)


def _has_digits(city: str) -> bool:
    return _DIGIT.search(city) is not None and _DISTRICT.fullmatch(city) is None


def _another_script(address: Address) -> bool:
    """Whether the city is written in a script that neither the street nor the name uses."""
    city = script(address.city)
    rest = [
        found for found in (script(address.address_1), script(f"{address.first_name} {address.last_name}")) if found
    ]
    return bool(city and rest) and city not in rest


@lru_cache(maxsize=4096)
def script(text: str) -> str:
    """The script of most letters of a text, '' when it has none."""
    if text.isascii():
        return "LATIN" if any(map(str.isalpha, text)) else ""
    counts = Counter(found for found in map(_script_of, text) if found)
    return counts.most_common(1)[0][0] if counts else ""


def _script_of(character: str) -> str:
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "")
    return next((one for one in _SCRIPTS if name.startswith(one)), "")


def phone_fits(e164: str, country: str) -> bool:
    """Whether a phone number is of a country, as far as its calling code tells."""
    region = calling.region(country)
    return region is None or e164.startswith(f"+{region.code}")
