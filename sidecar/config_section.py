"""What every section of the configuration is made of."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Rate = Annotated[float, Meta(ge=0, le=1000)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]

HIDDEN = "(hidden)"
# Who knows the address of a webhook may write there.
_SECRET_WORDS = ("password", "secret", "token", "api_key", "webhook_url")
_IN_ADDRESS = re.compile(r"(?<=://)[^/?#\s]*(?=@)|(?<=\?).+")


def shown(key: str, value: object) -> object:
    """What may be shown of a key's value: nothing of a secret, and no name, password or query of an address."""
    if secret(key) and value:
        return HIDDEN
    return _IN_ADDRESS.sub(HIDDEN, value) if isinstance(value, str) and "://" in value else value


def secret(key: str) -> bool:
    """Whether a key holds a secret. The name of a file that holds one is no secret."""
    return any(word in key for word in _SECRET_WORDS) and not key.endswith("_file")


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A section of the file: unknown keys are refused, nothing changes after loading."""

    def __repr__(self) -> str:
        """Without secrets: it may come into a log or a trace."""
        pairs = [
            f"{name}={HIDDEN if value is HIDDEN else repr(value)}"
            for name in self.__struct_fields__
            for value in (shown(name, getattr(self, name)),)
        ]
        return f"{type(self).__name__}({', '.join(pairs)})"
