"""What every section of the configuration is made of."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Rate = Annotated[float, Meta(ge=0, le=1000)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]

_SECRET_WORDS = ("password", "secret", "token", "api_key")


def secret(key: str) -> bool:
    """Whether a key holds a secret. The name of a file that holds one is no secret."""
    return any(word in key for word in _SECRET_WORDS) and not key.endswith("_file")


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A section of the file: unknown keys are refused, nothing changes after loading."""

    def __repr__(self) -> str:
        """Without secrets: it may come into a log or a trace."""
        shown = [
            f"{name}={'(hidden)' if value and secret(name) else repr(value)}"
            for name in self.__struct_fields__
            for value in (getattr(self, name),)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"
