"""PHP's serialize(), byte for byte. Source: php-src ext/standard/var.c and main/snprintf.c (floats)."""

from __future__ import annotations

from math import isinf, isnan

from sidecar.values.characters import encode
from sidecar.values.php_types import INT_MAX, INT_MIN, MAX_DEPTH, PhpError, array_key


def dumps(value: object) -> str:
    """serialize() of None, bool, int, float, str, list, tuple and dict (int and str keys).

    Floats are written as PHP does with serialize_precision=-1, the default. Raises PhpError for any other
    type, integers past 64 bits, and more than MAX_DEPTH levels.
    """
    out: list[str] = []
    _write(value, out, 0)
    return "".join(out)


def _write(value: object, out: list[str], depth: int) -> None:
    if isinstance(value, str):
        size = len(value) if value.isascii() else len(encode(value))
        out.append(f's:{size}:"{value}";')
    elif value is None:
        out.append("N;")
    elif isinstance(value, bool):
        out.append("b:1;" if value else "b:0;")
    elif isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise PhpError("integer out of 64 bits")
        out.append(f"i:{int(value)};")
    elif isinstance(value, float):
        out.append(f"d:{_float(value)};")
    elif isinstance(value, (list, tuple, dict)):
        if depth >= MAX_DEPTH:
            raise PhpError(f"nested deeper than {MAX_DEPTH}")
        pairs = {}
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if not isinstance(key, (int, str)) or isinstance(key, bool):
                raise PhpError(f"array key of type {type(key).__name__}")
            pairs[array_key(key) if isinstance(key, str) else key] = item
        out.append(f"a:{len(pairs)}:{{")
        for key, item in pairs.items():
            _write(key, out, depth)
            _write(item, out, depth + 1)
        out.append("}")
    else:
        raise PhpError(f"no PHP form for {type(value).__name__}")


def _float(number: float) -> str:
    """The shortest digits that read back the same, laid out as PHP's smart_str_append_double() does."""
    if isnan(number):
        return "NAN"
    if isinf(number):
        return "INF" if number > 0 else "-INF"
    sign = "-" if repr(number).startswith("-") else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return sign + "0"
    # `point`: where the decimal point stands, counted from the first significant digit
    leading = len(fraction) - len(fraction.lstrip("0")) if whole == "0" else 0
    point = (-leading if whole == "0" else len(whole)) + int(exponent or 0)
    digits = digits.rstrip("0")
    if point < -3 or point > 17:
        return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1:+d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:]}"
