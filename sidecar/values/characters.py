"""Characters that people cannot see or that look like others: digits of every script, spaces, direction
marks.
"""

from __future__ import annotations

import re
import unicodedata

# Zero-width and direction characters, soft hyphen, byte order mark, variation selectors' neighbours that
# copy-and-paste from chats and PDF files leaves in form fields. Source: Unicode 15, general category Cf.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f"
    "\u3164\ufeff\uffa0\ufff9\ufffa\ufffb"
)

# Direction controls only: a name may need the joiners (Persian writes ZWNJ inside words), never these.
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

_BLANK_EDGE = re.compile(f"^[\\s{INVISIBLE}\x00]+|[\\s{INVISIBLE}\x00]+$")
_KEEP = 1 << 16


class _Decimal(dict[int, int]):
    """For `str.translate`: code point of a decimal digit → of the ASCII digit; others unchanged."""

    def __missing__(self, code: int) -> int:
        value = unicodedata.decimal(chr(code), -1)
        answer = code if value < 0 else 48 + value
        if code < _KEEP:  # bounded: hostile text cannot make this grow past the basic plane
            self[code] = answer
        return answer


_decimal = _Decimal()


def digits(text: str) -> str:
    """`text` with the decimal digits of every script as 0-9; same length, all else untouched."""
    return text if text.isascii() else text.translate(_decimal)


def trim(text: str) -> str:
    """`text` without white space (Unicode's), NUL and invisible characters at both ends."""
    if text.isascii():
        return text.strip(" \t\r\n\x0b\x0c\x00\x1c\x1d\x1e\x1f")
    return _BLANK_EDGE.sub("", text)


def encode(text: str) -> bytes:
    """UTF-8 of any str; bytes that came in as surrogate escapes go out as they were. Never raises."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def unaccented(text: str) -> str:
    """`text` decomposed (NFKD) and without combining marks; case untouched."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
