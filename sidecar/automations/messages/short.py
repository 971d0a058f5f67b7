"""How much an SMS is: which alphabet it needs, and so in how many parts it goes out (3GPP TS 23.038, 23.040)."""

from __future__ import annotations

from typing import Literal

import msgspec

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
# Blanks that language rules ask for and that would turn a whole SMS into the expensive alphabet.
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " "})


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """`units`: what is counted, septets or UTF-16 units. `parts`: SMS that are paid for."""

    alphabet: Literal["gsm7", "ucs2"]
    units: int
    parts: int


def size(text: str) -> Size:
    """The size of a text as SMS: 160 or 70 in one, 153 or 67 in each of several."""
    if all(character in _GSM or character in _EXTENSION for character in text):
        costs = [2 if character in _EXTENSION else 1 for character in text]
        return Size(alphabet="gsm7", units=sum(costs), parts=_parts(costs, 160, 153))
    costs = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Size(alphabet="ucs2", units=sum(costs), parts=_parts(costs, 70, 67))


def _parts(costs: list[int], one: int, each: int) -> int:
    """A character of two units is not cut in two."""
    if sum(costs) <= one:
        return 1 if costs else 0
    parts, used = 1, 0
    for cost in costs:
        if used + cost > each:
            parts, used = parts + 1, 0
        used += cost
    return parts


def tidy(text: str) -> str:
    """A short text as it goes out: plain blanks, no blank lines at its ends, at most one between."""
    lines = [" ".join(line.split(" ")).strip() for line in text.translate(_BLANKS).replace("\r\n", "\n").split("\n")]
    kept: list[str] = []
    for line in lines:
        line = " ".join(line.split())
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()
