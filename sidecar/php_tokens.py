"""The tokens of a PHP file, as far as a file of settings needs them: comments and HTML are gone.

The source is handled as Latin-1, one character a byte, because PHP's strings are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Token(NamedTuple):
    """`kind` is string, number, name, variable, computed or punctuation."""

    kind: str
    value: str | int | float


_OPEN = re.compile(r"<\?(?:php(?=\s|$)|=)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_\x80-\xff\\][A-Za-z0-9_\x80-\xff\\]*")
_VARIABLE = re.compile(r"\$[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*")
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|(?:[0-9][0-9_]*)?\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?"
    r"|[0-9][0-9_]*(?:\.(?![.])|[eE][+-]?[0-9]+)?"
)
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_LINE_COMMENT = re.compile(r"[^\r\n]*?(?=\r|\n|\?>|\Z)")
_HEREDOC = re.compile(r"<<<[ \t]*([\"']?)([A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)\1\r?\n")
_INTERPOLATED = re.compile(r"(?<!\\)(?:\\\\)*(?:\$[A-Za-z_\x80-\xff{]|\{\$)")
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]+)\}|([nrtvef\\$\"]))")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "e": "\x1b", "f": "\f"}


def tokens(source: bytes) -> Iterator[Token]:
    """The tokens between `<?php` and `?>`. A string that holds variables, and a heredoc, is `computed`."""
    text = source.decode("latin-1")
    at = 0
    while found := _OPEN.search(text, at):
        at = found.end()
        while at < len(text) and not text.startswith("?>", at):
            token, at = _next(text, at)
            if token is not None:
                yield token
        yield Token("punctuation", ";")
        at += 2


def _next(text: str, at: int) -> tuple[Token | None, int]:
    """The token at a position (None for blanks and comments), and where it ends."""
    char = text[at]
    if char.isspace():
        return None, at + 1
    if text.startswith("//", at) or (char == "#" and not text.startswith("#[", at)):
        comment = _LINE_COMMENT.match(text, at)
        return None, comment.end() if comment else len(text)
    if text.startswith("/*", at):
        end = text.find("*/", at + 2)
        return None, len(text) if end < 0 else end + 2
    if found := _SINGLE.match(text, at):
        return Token("string", re.sub(r"\\(['\\])", r"\1", found[1])), found.end()
    if found := _DOUBLE.match(text, at):
        if _INTERPOLATED.search(found[1]):
            return Token("computed", ""), found.end()
        return Token("string", _ESCAPE.sub(_unescape, found[1])), found.end()
    if found := _HEREDOC.match(text, at):
        closing = re.compile(rf"^[ \t]*{re.escape(found[2])}(?![A-Za-z0-9_\x80-\xff])", re.MULTILINE)
        end_of = closing.search(text, found.end())
        return Token("computed", ""), end_of.end() if end_of else len(text)
    if found := _VARIABLE.match(text, at):
        return Token("variable", found.group()), found.end()
    if found := _NAME.match(text, at):
        return Token("name", found.group().rpartition("\\")[2]), found.end()
    if found := _NUMBER.match(text, at):
        return Token("number", _number(found.group().replace("_", ""))), found.end()
    two = text[at : at + 2]
    width = 2 if two in ("::", "->", "=>", "==", "!=", "??", "?:", "||", "&&", ".=") else 1
    return Token("punctuation", text[at : at + width]), at + width


def _number(text: str) -> int | float:
    lower = text.lower()
    if lower.startswith(("0x", "0b")):
        return int(lower, 0)
    if "." in lower or "e" in lower:
        return float(lower)
    return int(lower, 8) if re.fullmatch(r"0[0-7]+", lower) else int(lower)


def _unescape(found: re.Match[str]) -> str:
    octal, hexadecimal, point, simple = found.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    if point:
        number = int(point, 16)
        if number > 0x10FFFF:
            return found.group()
        return chr(number).encode("utf-8", "surrogatepass").decode("latin-1")
    return _SIMPLE.get(simple, simple)
