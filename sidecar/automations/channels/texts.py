"""Texts as other systems take them. Pure."""

from __future__ import annotations

import re

# Besides tabs and line breaks.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")


def whole(text: str) -> str:
    """Without control characters (but tabs and line breaks) and without halves of characters, which no encoding has."""
    return _INVISIBLE.sub("", text.replace("\r\n", "\n")).encode("utf-8", "replace").decode("utf-8")


def line(text: str, most: int = 300) -> str:
    """One line without control characters: nothing in it can become a header of its own."""
    return cut(" ".join(whole(_CONTROL.sub(" ", text)).split()), most)


def cut(text: str, most: int) -> str:
    """At most so many UTF-16 units, as phones count; what is cut off leaves an ellipsis."""
    if len(text.encode("utf-16-le")) // 2 <= most:
        return text
    return text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
