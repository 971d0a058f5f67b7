"""Data as templates see it: amounts and days written in the message's language, and values that are missing.

A template reaches nothing but what is made here: `Shown` for structs, texts, numbers, and tuples of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

import msgspec
from jinja2 import Undefined, UndefinedError

from sidecar.automations.messages import formats
from sidecar.automations.messages.model import Moment, Money, Percent


class Look(msgspec.Struct, frozen=True):
    """How one message shows things."""

    language: str
    zone: tzinfo = UTC


class Missing(Undefined):
    """A known name without a value: false, empty, replaced by `default` – and a fault where it would be printed."""

    __slots__ = ()

    def __init__(self, name: str = "", *_: Any, **__: Any) -> None:
        super().__init__(name=name)

    @property
    def named(self) -> str:
        return self._undefined_name or ""

    def _fail(self) -> str:
        raise UndefinedError(
            f'{self.named} has no value for this person: write {{{{ {self.named}|default("…") }}}} or {{% if {self.named} %}}'
        )

    def __str__(self) -> str:
        return self._fail()

    def __html__(self) -> str:
        return self._fail()


class Amount(str):
    """An amount as text that the `money` filter can write anew."""

    __slots__ = ("of",)
    of: Money


class Day(str):
    """A day as text that the `date` filter can write anew."""

    __slots__ = ("of",)
    of: Moment


class Shown:
    """A struct (or a mapping) whose fields are looked up when they are asked for."""

    __slots__ = ("_data", "_look", "_path")

    def __init__(self, data: Any, look: Look, path: str) -> None:
        self._data = data
        self._look = look
        self._path = path

    def field(self, name: str, said: str = "") -> Any:
        """The field as a template sees it; `said`: what a problem calls it."""
        path = f"{self._path}.{said or name}"
        if isinstance(self._data, Mapping):
            value = self._data.get(name)
        else:
            value = getattr(self._data, name) if name in self._data.__struct_fields__ else None
        return show(value, self._look, path)

    def __str__(self) -> str:
        raise UndefinedError(f"{self._path} is more than one thing: name a part of it, as {{{{ {self._path}.name }}}}")

    __html__ = __str__


def show(value: Any, look: Look, path: str) -> Any:
    """A value of a context for templates."""
    if value is None or value == "":
        return Missing(path)
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Money):
        amount = Amount(formats.money(value, look.language))
        amount.of = value
        return amount
    if isinstance(value, Moment):
        day = Day(formats.day(value, look.language, look.zone))
        day.of = value
        return day or Missing(path)
    if isinstance(value, Percent):
        return formats.percent(value, look.language) or Missing(path)
    if isinstance(value, tuple):
        return tuple(show(one, look, path) for one in value)
    return Shown(value, look, path)
