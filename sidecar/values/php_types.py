"""What PHP's serialize() can say, as Python values, for php.py and php_writer.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

MAX_DEPTH = 64
MAX_BYTES = 8 * 1024 * 1024
MAX_ELEMENTS = 250_000

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class PhpError(ValueError):
    """Not what serialize() writes, or more of it than is healthy. `position` is a byte offset."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(f"{message} at byte {position}")
        self.position = position


@dataclass(frozen=True, slots=True)
class PhpEnum:
    """A case of a PHP enum, which has no other content."""

    class_name: str
    case: str


@dataclass(frozen=True, slots=True)
class PhpObject:
    """An object: its class is never loaded, its properties lost their visibility.

    `payload` is set for classes with a serializer of their own (`C:`), whose format only they know.
    """

    class_name: str
    properties: dict[int | str, Value] = field(default_factory=dict)
    payload: str | None = None


Value: TypeAlias = "bool | int | float | str | list[Value] | dict[int | str, Value] | PhpObject | PhpEnum | None"

_NUMERIC_KEY = re.compile(r"(?:0|-?[1-9][0-9]{0,18})")


def array_key(key: str) -> int | str:
    """PHP arrays know no key "5", only 5."""
    if _NUMERIC_KEY.fullmatch(key) is None:
        return key
    number = int(key)
    return number if INT_MIN <= number <= INT_MAX else key
