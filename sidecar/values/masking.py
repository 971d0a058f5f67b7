"""Texts shown as examples without showing what they say."""

from __future__ import annotations

MAX_LENGTH = 40


class _Shape(dict[int, str]):
    """For `str.translate`: letters (and marks) → x, numbers → 9, the rest unchanged."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isnumeric():
            shape = "9"
        elif character.isascii():
            shape = "x" if character.isalpha() else character
        else:  # letters, but also marks, emoji and symbols: only ASCII punctuation is surely innocent
            shape = " " if character.isspace() else "x"
        if code < 0x3000:
            self[code] = shape
        return shape


_shape = _Shape()


def mask_text(text: str) -> str:
    """The shape of `text`: 'Anna Nowak, 12b' → 'xxxx xxxxx, 99x'; at most 40 characters long."""
    if len(text) > MAX_LENGTH:
        return text[: MAX_LENGTH - 1].translate(_shape) + "…"
    return text.translate(_shape)


def mask_email(address: str) -> str:
    """An address of which one recognises whose it is only when one knows: anna@shop.example → a•••@s•••.example. The first
    letters and the top-level domain are all that is left."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain:
        return "•••"
    name, dot, top = domain.rpartition(".")
    return f"{local[0]}•••@{domain[0]}•••{dot if name else ''}{top if name else ''}"
