"""Countries and postcodes as people type them → ISO 3166-1 alpha-2 codes and tidy text."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from sidecar.values.characters import digits as digits
from sidecar.values.characters import trim, unaccented

_MAX_LENGTH = 80
_NOT_LETTERS = re.compile(r"[\W_]+")
# "the" and "of" come and go in English names ("The Gambia", "Republic of Moldova").
_FILLER = re.compile(r"\b(?:the|of|and|und|et|i|и|و)\b")
# Arabic keyboards write these letters of Persian names with other code points.
_PERSIAN = str.maketrans(
    {"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "\u200c": None, "ـ": None}
)


def _key(text: str) -> str:
    """What a spelling is compared by: letters only, no case, no accents."""
    text = unaccented(text.translate(_PERSIAN)).casefold().replace("ł", "l").replace("ø", "o").replace("đ", "d")
    return _NOT_LETTERS.sub("", _FILLER.sub(" ", text))


@cache
def _codes() -> frozenset[str]:
    from sidecar.values.country_names import NAMES

    return frozenset(line[:2] for line in NAMES.split("\n") if line)


@cache
def _by_name() -> dict[str, str]:
    from sidecar.values.country_names import NAMES

    found: dict[str, str] = {}
    for line in NAMES.split("\n"):
        code, *names = line.split("|")
        for name in names:
            found.setdefault(_key(name), code)
    found.pop("", None)
    return found


@lru_cache(maxsize=1024)
def country(raw: str | None) -> str | None:
    """ISO-2 code from a code ("PL", "pl", "UK") or a name in English, Polish, Bulgarian, Persian, German,
    French or the country's own language, whatever the case and the accents. None when unknown. Never
    raises.
    """
    if not raw or len(raw) > _MAX_LENGTH:
        return None
    text = trim(raw)
    code = text.upper()
    if len(code) == 2 and code in _codes():
        return code
    if len(code) == 2 and code == "EL":  # the EU's own code for Greece
        return "GR"
    return _by_name().get(_key(text))


def calling_region(raw: str | None) -> str | None:
    """The region to read a phone number in, for a country given as code or name; None when unknown."""
    return country(raw)


_GB = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})")
_NL = re.compile(r"([0-9]{4})([A-Z]{2})")
_CA = re.compile(r"([A-Z][0-9][A-Z])([0-9][A-Z][0-9])")
_INNER = re.compile(r"\s+")
_MARKS = re.compile(r"[\s\-–—_.]+")


def postcode(raw: str | None, country: str | None) -> str:
    """`raw` as the country writes postcodes; what does not fit comes back trimmed, its digits in ASCII.

    PL "50123" → "50-123"; GB "sw1a1aa" → "SW1A 1AA"; NL "1234ab" → "1234 AB"; CA "k1a0b1" → "K1A 0B1"; CZ,
    SK, SE and GR "12345" → "123 45"; PT "1234567" → "1234-567"; BG, IR, DE… digits only, without a leading
    "BG-". `country` is ISO-2 in capitals, or anything else when unknown. Never raises.
    """
    if not raw:
        return ""
    text = _INNER.sub(" ", trim(digits(raw)))
    if country is None:
        return text
    bare = _MARKS.sub("", text).upper()
    if len(bare) > 20:
        return text
    if country in ("GB", "NL", "CA"):
        pattern = {"GB": _GB, "NL": _NL, "CA": _CA}[country]
        found = pattern.fullmatch(bare)
        return f"{found[1]} {found[2]}" if found else text.upper()
    if not (bare.isascii() and bare.isdigit()):
        bare = bare.removeprefix(country)  # "BG-1000"
        if not (bare.isascii() and bare.isdigit()):
            return text
    size = len(bare)
    if country == "PL" and size == 5:
        return f"{bare[:2]}-{bare[2:]}"
    if country in ("CZ", "SK", "SE", "GR") and size == 5:
        return f"{bare[:3]} {bare[3:]}"
    if country == "PT" and size == 7:
        return f"{bare[:4]}-{bare[4:]}"
    if country == "US" and size == 9:
        return f"{bare[:5]}-{bare[5:]}"
    if size == _DIGITS.get(country):
        return bare
    return text


# How many digits a postcode of digits only has. Source: UPU addressing systems.
_DIGITS = {
    **dict.fromkeys(("AT", "AU", "BE", "BG", "CH", "DK", "HU", "LU", "NO", "NZ", "SI"), 4),
    **dict.fromkeys(("DE", "EE", "ES", "FI", "FR", "HR", "IT", "LT", "RS", "TR", "UA", "US"), 5),
    **dict.fromkeys(("IN", "RO", "RU", "KZ"), 6),
    "IR": 10,
}
