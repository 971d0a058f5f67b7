"""PHP's serialize() format, read strictly and written exactly.

Source of the format: php-src ext/standard/var_unserializer.re and var.c; of `looks_serialized`: WordPress
wp-includes/functions.php, is_serialized(). Lengths in the format are bytes, so text is handled as UTF-8
with `surrogateescape`: bytes that are no UTF-8 survive a round trip.
"""

from __future__ import annotations

import re

from sidecar.values.characters import encode
from sidecar.values.php_types import (
    INT_MAX,
    INT_MIN,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_ELEMENTS,
    PhpEnum,
    PhpError,
    PhpObject,
    Value,
    array_key,
)
from sidecar.values.php_writer import dumps

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "PhpEnum",
    "PhpError",
    "PhpObject",
    "Value",
    "dumps",
    "loads",
    "looks_serialized",
    "maybe_unserialize",
]

_INT = re.compile(rb"i:([+-]?[0-9]{1,20});")
_BOOL = re.compile(rb"b:([01]);")
_FLOAT = re.compile(rb"d:([+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?|-?INF|NAN);")
_LENGTH = re.compile(rb'[sSE]:([0-9]{1,9}):"')
_ARRAY = re.compile(rb"a:([0-9]{1,9}):\{")
_CLASS = re.compile(rb'[OC]:([0-9]{1,5}):"')
_CLASS_NAME = re.compile(rb"[A-Za-z_\x80-\xff\\][A-Za-z0-9_\x80-\xff\\:@$./-]*\x00?[^\"]*")
_COUNT = re.compile(rb":([0-9]{1,9}):\{")
_REFERENCE = re.compile(rb"[rR]:([0-9]{1,9});")
_SHORTEST_ELEMENT = 6  # "i:0;N;"


class _Reader:
    """One pass over the bytes. `slots` are what `r:` and `R:` numbers mean: all values but `R:`."""

    __slots__ = ("count", "data", "pos", "slots")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0
        self.count = 0
        # (value, elements below it, height); None while the container is still open
        self.slots: list[tuple[Value, int, int] | None] = []

    def fail(self, message: str) -> PhpError:
        return PhpError(message, self.pos)

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        found = pattern.match(self.data, self.pos)
        if found is None:
            raise self.fail("malformed value")
        self.pos = found.end()
        return found

    def integer(self) -> int:
        number = int(self.match(_INT)[1])
        if not INT_MIN <= number <= INT_MAX:
            raise self.fail("integer out of 64 bits")
        return number

    def raw(self, length: int, closing: bytes) -> bytes:
        end = self.pos + length
        if self.data[end : end + len(closing)] != closing or end > len(self.data):
            raise self.fail("string length does not fit")
        found = self.data[self.pos : end]
        self.pos = end + len(closing)
        return found

    def string(self) -> str:
        return self.raw(int(self.match(_LENGTH)[1]), b'";').decode("utf-8", "surrogateescape")

    def escaped(self) -> str:
        """`S:`: like `s:`, but a byte may be written as a backslash and two hex digits."""
        length = int(self.match(_LENGTH)[1])
        if length > len(self.data) - self.pos:
            raise self.fail("string length does not fit")
        out = bytearray()
        for _ in range(length):
            byte = self.data[self.pos : self.pos + 1]
            self.pos += 1
            if byte == b"\\":
                code = self.data[self.pos : self.pos + 2]
                if re.fullmatch(rb"[0-9a-fA-F]{2}", code) is None:
                    raise self.fail("bad escape")
                byte = bytes([int(code, 16)])
                self.pos += 2
            out += byte
        self.raw(0, b'";')
        return out.decode("utf-8", "surrogateescape")

    def class_name(self) -> str:
        name = self.raw(int(self.match(_CLASS)[1]), b'"')
        if _CLASS_NAME.fullmatch(name) is None:
            raise self.fail("bad class name")
        return name.decode("utf-8", "surrogateescape")

    def key(self) -> int | str:
        kind = self.data[self.pos : self.pos + 1]
        if kind == b"i":
            return self.integer()
        if kind == b"s":
            return self.string()
        if kind == b"S":
            return self.escaped()
        raise self.fail("array key is neither integer nor string")

    def entries(self, size: int, depth: int, of_object: bool) -> tuple[dict[int | str, Value], int]:
        """`size` pairs and the closing brace; also the height of the tallest value."""
        if depth >= MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}")
        if size * _SHORTEST_ELEMENT > len(self.data) - self.pos:
            raise self.fail("fewer elements than announced")
        found: dict[int | str, Value] = {}
        height = 0
        for _ in range(size):
            key = self.key()
            if isinstance(key, str):
                if of_object:
                    if key.startswith("\0"):  # "\0*\0name" is protected, "\0Class\0name" is private
                        key = key.rpartition("\0")[2]
                else:
                    key = array_key(key)
            value, below = self.value(depth + 1)
            found[key] = value
            height = max(height, below)
        self.raw(0, b"}")
        return found, height + 1

    def value(self, depth: int) -> tuple[Value, int]:
        """The next value and its height (0 for anything that holds nothing)."""
        self.count += 1
        if self.count > MAX_ELEMENTS:
            raise self.fail(f"more than {MAX_ELEMENTS} elements")
        kind = self.data[self.pos : self.pos + 1]
        if kind in b"rR" and kind:
            return self.reference(depth, counted=kind == b"r")
        slot = len(self.slots)
        self.slots.append(None)
        before = self.count
        value, height = self.plain(kind, depth)
        self.slots[slot] = (value, self.count - before, height)
        return value, height

    def plain(self, kind: bytes, depth: int) -> tuple[Value, int]:
        if kind == b"s":
            return self.string(), 0
        if kind == b"i":
            return self.integer(), 0
        if kind == b"a":
            found, height = self.entries(int(self.match(_ARRAY)[1]), depth, of_object=False)
            return _as_list(found), height
        if kind == b"b":
            return self.match(_BOOL)[1] == b"1", 0
        if kind == b"N":
            self.raw(0, b"N;")
            return None, 0
        if kind == b"d":
            return float(self.match(_FLOAT)[1]), 0
        if kind == b"O":
            name = self.class_name()
            found, height = self.entries(int(self.match(_COUNT)[1]), depth, of_object=True)
            return PhpObject(name, found), height
        if kind == b"E":
            text = self.string()
            name, colon, case = text.rpartition(":")
            if not (name and colon and case):
                raise self.fail("bad enum")
            return PhpEnum(name, case), 0
        if kind == b"C":
            name = self.class_name()
            payload = self.raw(int(self.match(_COUNT)[1]), b"}")
            return PhpObject(name, {}, payload.decode("utf-8", "surrogateescape")), 1
        if kind == b"S":
            return self.escaped(), 0
        raise self.fail("unknown type" if kind else "unexpected end")

    def reference(self, depth: int, counted: bool) -> tuple[Value, int]:
        index = int(self.match(_REFERENCE)[1]) - 1
        if not 0 <= index < len(self.slots):
            raise self.fail("reference to nothing")
        target = self.slots[index]
        if target is None:
            # A structure inside itself has no finite value, and whoever walks it would never end.
            raise self.fail("recursive reference")
        value, below, height = target
        # References to references double at every step: count what a walk over the result will meet.
        self.count += below
        if self.count > MAX_ELEMENTS:
            raise self.fail(f"more than {MAX_ELEMENTS} elements")
        if depth + height > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}")
        if counted:
            self.slots.append(target)
        return value, height


def _as_list(found: dict[int | str, Value]) -> Value:
    if all(type(key) is int and key == i for i, key in enumerate(found)):
        return list(found.values())
    return found


def loads(data: str | bytes) -> Value:
    """What `data` holds. Arrays whose keys are 0..n-1 in order are lists (also the empty one), others dicts.

    Raises PhpError for anything unserialize() would not read to the last byte, for a structure that
    contains itself, and past MAX_DEPTH levels, MAX_BYTES bytes or MAX_ELEMENTS values.
    """
    raw = encode(data) if isinstance(data, str) else bytes(data)
    if len(raw) > MAX_BYTES:
        raise PhpError(f"longer than {MAX_BYTES} bytes", MAX_BYTES)
    reader = _Reader(raw)
    value, _ = reader.value(0)
    if reader.pos != len(raw):
        raise reader.fail("trailing bytes")
    return value


_WP_COUNTED = re.compile(r"[saOE]:[0-9]+:")
_WP_SCALAR = re.compile(r"[bid]:[0-9.E+-]+;\n?")
_PHP_TRIM = " \t\n\r\0\x0b"


def looks_serialized(text: str) -> bool:
    """WordPress' is_serialized($text, true): a look at both ends, not a promise that it parses."""
    text = text.strip(_PHP_TRIM)
    if text == "N;":
        return True
    if len(text) < 4 or text[1] != ":" or text[-1] not in ";}":
        return False
    kind = text[0]
    if kind in "saOE":
        return (kind != "s" or text[-2] == '"') and _WP_COUNTED.match(text) is not None
    return kind in "bid" and _WP_SCALAR.fullmatch(text) is not None


def maybe_unserialize(text: str) -> Value:
    """What a meta value means: like WordPress' maybe_unserialize(), and one double serialization undone.

    Text that is not serialized, or does not parse, comes back unchanged. Never raises.
    """
    if text[1:2] != ":" and text[:1] not in _PHP_TRIM and text[:2] != "N;":
        return text
    value: Value = text
    for _ in range(2):
        if not isinstance(value, str) or not looks_serialized(value):
            break
        try:
            value = loads(value.strip(_PHP_TRIM))
        except PhpError:
            break
    return value
