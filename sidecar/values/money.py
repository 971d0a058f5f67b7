"""Money as whole micros: 1 is 0.000001 of the currency, so that sums are exact and WooCommerce's six decimals
fit.
"""

from __future__ import annotations

import re

MICROS = 1_000_000
_PLAIN = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]*)?|[+-]?\.[0-9]+")
_SPACES = str.maketrans("", "", " \t\r\n\u00a0\u2009\u202f")
_COMMA = re.compile(r"[+-]?[0-9]{1,30},(?:[0-9]{1,2}|[0-9]{4,12})")
_MAX_LENGTH = 64


def to_micros(text: str | int | None) -> int | None:
    """'84.70' → 84_700_000; an int is an amount of the currency, not micros. None for '' and junk.

    MySQL decimals and WooCommerce meta text, which have a dot. Spaces inside are dropped and one comma
    counts as the decimal comma where it can be nothing else; '1,234' might be thousands → None. Decimals
    past the sixth round half away from zero. Exponents, NaN and texts past 64 characters → None.
    """
    if text is None:
        return None
    if isinstance(text, int):
        return text * MICROS
    whole, dot, fraction = text.partition(".")
    # isdecimal is also true for other scripts' digits, so isascii; the sum is of two plain ints: no float
    # anywhere
    if whole.isdecimal() and text.isascii() and len(text) < 40:
        if not dot:
            return int(whole) * 1_000_000
        if fraction.isdecimal():
            if len(fraction) == 2:
                return int(whole + fraction) * 10_000
            if fraction[6:7] < "5":
                return int(whole + (fraction + "000000")[:6])
            return int(whole + fraction[:6]) + 1
    return _slow(text)


def _slow(text: str) -> int | None:
    if len(text) > _MAX_LENGTH:
        return None
    text = text.translate(_SPACES)
    if _PLAIN.fullmatch(text) is None:
        if _COMMA.fullmatch(text) is None:
            return None
        text = text.replace(",", ".")
    negative = text[0] == "-"
    whole, _, fraction = text.lstrip("+-").partition(".")
    micros = int((whole or "0") + (fraction + "000000")[:6])
    if fraction[6:7] >= "5":
        micros += 1
    return -micros if negative else micros


def fixed(micros: int, decimals: int = 2) -> str:
    """Micros as text with `decimals` (0 to 6) digits after the dot, halves away from zero; never '-0.00'.

    Raises ValueError for other `decimals`.
    """
    if decimals == 2 and micros >= 0:
        whole, cents = divmod((micros + 5_000) // 10_000, 100)
        return f"{whole}.{cents:02d}"
    if not 0 <= decimals <= 6:
        raise ValueError("decimals must be 0 to 6")
    unit = 10 ** (6 - decimals)
    units = (abs(micros) + unit // 2) // unit
    sign = "-" if micros < 0 and units else ""
    if not decimals:
        return f"{sign}{units}"
    whole, fraction = divmod(units, 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}d}"


def divide(micros: int, n: int) -> int:
    """micros / n, halves away from zero (as `fixed`). `n` above 0, else ValueError."""
    if n <= 0:
        raise ValueError("n must be above 0")
    quotient = (2 * abs(micros) + n) // (2 * n)
    return -quotient if micros < 0 else quotient
