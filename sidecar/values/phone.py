"""Phone numbers as people type them → E.164, or the reason why not. Nothing is guessed without a country."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from sidecar.values import calling
from sidecar.values.calling import Reading
from sidecar.values.characters import INVISIBLE, digits

Problem = Literal["empty", "unparsable", "invalid", "ambiguous"]

MAX_LENGTH = 250  # phonenumbers' own limit for what it looks at
_ALONE = 7  # digits that a part of a field must have to count as a number of its own
_MAX_ATTEMPTS = 24  # readings tried for one field: bounds the time a hostile text can take


class Phone(NamedTuple):
    """`e164` ('+48600700800') or, when None, a `problem`; `raw` as given.

    `mobile`: True, False (fixed, toll free, premium…), None where the plan cannot tell (USA) or there is no
    number.

    Problems: "empty": nothing typed. "unparsable": no run of digits that could be a phone. "ambiguous": it
    could be one, but has no + and no known country to read it in. "invalid": no such number in the
    numbering plan.
    """

    e164: str | None
    raw: str
    problem: Problem | None
    mobile: bool | None


# For `str.translate`, after `digits`: invisible characters go, look-alikes become ASCII.
_LOOK: dict[int, str | None] = {ord(c): None for c in INVISIBLE + "\x00"}
_LOOK.update(
    {
        ord(c): ascii_
        for ascii_, group in {
            "+": "\uff0b\ufe62\u207a",
            "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u0640\u30fc\u00b7",
            " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
            ",": "\u060c\uff0c\u066c",
            ";": "\u061b\uff1b\u2028\u2029\x85",
            ".": "\u066b\uff0e\u06d4",
            "/": "\uff0f\u2044\u2215",
            "(": "\uff08",
            ")": "\uff09",
        }.items()
        for c in group
    }
)

_CLEAN = re.compile(r"[ \t\r\n]*\(?(\+|)([0-9 ().\-]{3,40})")
_DROP = dict.fromkeys(map(ord, " ().-/~"))
_EXTENSION = re.compile(
    r"[\s,;.(]*(?:(?<![^\W\d_])(?:ext(?:ension|n)?|wewn?|wewnętrzny|вътр?|вътрешен|доб|int(?:erno)?|nst|dw"
    r"|durchwahl|poste|anexo)(?![^\W\d_])"
    r"|(?<=\d)\s?x(?=\s?\d)|#|داخلی|داخلي|تحويلة)[\s.:]*[0-9]{1,7}(?![0-9])\)?",
    re.IGNORECASE,
)
_HARD_BREAK = re.compile(r"[;|\n\r\t]|(?<=[\s\d])(?:or|oder|und|lub|albo|или|ou|یا|و)(?=[\s\d+])", re.IGNORECASE)
_SOFT_BREAK = re.compile(r"/|\s-+\s|\s{2,}|-{2,}")
_RUN = re.compile(r"(?<![\w@])\+?\(?\+?[0-9][0-9 ().\-/~+]*[0-9](?![\w@])")
_TRAILING_PLUS = re.compile(r"([0-9][0-9 ().\-]*)\+\s*")


@lru_cache(maxsize=4096)
def normalize(raw: str, country: str | None) -> Phone:
    """`raw` read as in `country` (ISO-2; None or nonsense when unknown), as E.164. Never raises.

    Of several numbers in one field the first valid one counts; extensions are dropped. normalize(e164,
    anything).e164 == e164.
    """
    if len(raw) > MAX_LENGTH:
        return Phone(None, raw, "unparsable", None)
    text = raw if raw.isascii() else digits(raw).translate(_LOOK)
    clean = _CLEAN.fullmatch(text)
    if clean is not None:
        body = clean[2]
        if not body.isdigit():
            body = body.translate(_DROP)
        reading = _fast(body, clean[1] == "+", calling.region_name(country))
        if reading is not None:
            return Phone(reading.e164, raw, None, reading.mobile)
    return _thorough(raw, text, calling.region_name(country))


def _fast(body: str, plus: bool, home: str | None) -> Reading | None:
    """Digits in clean form → a valid number, or None when it is invalid or not so simple."""
    if plus:
        return calling.read_international(body)
    if home is None:
        return calling.read_international(body[2:]) if body[:2] == "00" and body[2:3] != "0" else None
    region = calling.region(home)
    return None if region is None else calling.read_national(body, region)


def _thorough(raw: str, text: str, home: str | None) -> Phone:
    """What is not a clean number at once: several numbers, extensions, stray zeros, words around."""
    if not any(c.isalnum() for c in text):
        return Phone(None, raw, "empty", None)
    text = _EXTENSION.sub(" ; ", text)
    plausible = False
    attempts = 0
    for candidate in _candidates(text):
        body = candidate.translate(_DROP).lstrip("+")
        if not 4 <= len(body) <= 24:
            continue
        plus = "+" in candidate[:3] or body.startswith("00")
        plausible = plausible or (len(body) <= 17 and (plus or len(body) >= 5))
        attempts += 1
        reading = _lenient(body.lstrip("0") if plus else body, plus, home)
        # No country has a code that begins with 0: +0888 123 456 is a home number with a stray plus.
        stray = body.startswith("0") or not candidate.startswith(("+", "(+"))
        if reading is None and plus and stray and home is not None:
            reading = _lenient(body, False, home)
        if reading is not None:
            return Phone(reading.e164, raw, None, reading.mobile)
        if attempts == _MAX_ATTEMPTS:
            break
    if not plausible:
        return Phone(None, raw, "unparsable", None)
    international = "+" in text or text.lstrip(" (").startswith("00")
    return Phone(None, raw, "invalid" if home or international else "ambiguous", None)


def _candidates(text: str) -> list[str]:
    """Stretches that may be one number, likeliest first: whole runs before their parts."""
    found: list[str] = []
    for chunk in _HARD_BREAK.split(text)[:6]:
        trailing = _TRAILING_PLUS.fullmatch(chunk.strip())  # typed right to left: 48600700800+
        runs = ["+" + trailing[1]] if trailing else []
        for run in _RUN.findall(chunk)[:4]:
            head, *more = re.split(r"(?<=[0-9) ])(?=\(?\+)", run)  # a plus begins another number
            runs += [head, *more[:3]]
        for run in runs:
            found.append(run)
            parts = _SOFT_BREAK.split(run)
            if len(parts) > 1:
                found += [part for part in parts[:4] if sum(map(str.isdigit, part)) >= _ALONE]
            # "0888 123 456 0899 123 456": the longest beginning that leaves enough for another number. Less
            # than
            # that would be a slip of the finger in one number, and cutting it off would make somebody else's.
            words = run.split()
            for size in range(min(len(words) - 1, 6), 0, -1):
                if sum(map(str.isdigit, "".join(words[size:]))) >= _ALONE:
                    found.append(" ".join(words[:size]))
        if "," in chunk:
            found += _RUN.findall(chunk.replace(",", ""))[:1]
    return found


def _lenient(body: str, plus: bool, home: str | None) -> Reading | None:
    """As phonenumbers reads it; else without zeros that do not belong there (+48 0 600…, 098912…)."""
    reading = _fast(body, plus, home) or _parse(body, plus, home)
    if reading is not None:
        return reading
    if plus:
        code, nsn = calling.split_code(body)
        bare = nsn.lstrip("0")
        return _parse(code + bare, True, None) if code and bare != nsn else None
    region = calling.region(home) if home else None
    if region is None or not body.startswith("0"):
        return None
    bare = body.lstrip("0")
    if bare.startswith(region.code):
        reading = _parse(bare, True, None)
    return reading or _parse(region.code + bare, True, None)


def _parse(body: str, plus: bool, home: str | None) -> Reading | None:
    """phonenumbers' own verdict, repeated until its E.164 form reads as itself."""
    if not plus and home is None:
        return None
    import phonenumbers

    text = "+" + body if plus else body
    reading: Reading | None = None
    for _ in range(4):
        try:
            number = phonenumbers.parse(text, home)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_valid_number(number):
            return None
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if reading is not None and reading.e164 == e164:
            return reading
        kind = phonenumbers.number_type(number)
        either = kind == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        reading = Reading(e164, None if either else kind == phonenumbers.PhoneNumberType.MOBILE)
        text, home = e164, None
    return None


# ITU-T E.164 assignments of one and two digits; all others have three.
_SHORT_CODE = re.compile(r"1|7|2[07]|3[0123469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")


def mask(e164: str | None) -> str:
    """'+48600700789' → '+48***789': for logs and screens. What is no E.164 number → '***'."""
    if not e164 or not e164.startswith("+") or not 7 <= len(e164) <= 20 or not e164[1:].isascii():
        return "***"
    body = e164[1:]
    if not body.isdigit():
        return "***"
    short = _SHORT_CODE.match(body)
    size = short.end() if short else 3
    # Short numbers show less: three of six digits would be half of it.
    shown = 3 if len(body) - size >= 7 else 1
    return f"+{body[:size]}***{body[-shown:]}"
