"""The shape of `mapping.toml`: one struct a kind of rule. What the words mean is checked in `compile.py`."""

from __future__ import annotations

from typing import Literal

import msgspec

Conflict = Literal["shop", "crm", "fill_empty", "newest"]
Pick = Literal["first", "last", "any", "all"]
FieldType = Literal[
    "text", "textarea", "number", "select-one", "select-multi", "radio", "checkbox", "date", "date_time"
]
MULTI = frozenset({"select-multi", "checkbox"})
CHOICE = frozenset({"select-one", "select-multi", "radio", "checkbox"})


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A transform with arguments: `{ map = {…}, default = "…" }`, `{ template = "…" }`, `{ limit = 50 }`, `{ join = ", " }`."""

    map: dict[str, str] | None = None
    default: str | None = None
    template: str | None = None
    limit: int | None = None
    join: str | None = None


class FieldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[field]]`: where a value goes, where it comes from, what is done to it, who wins."""

    to: str
    from_: str | tuple[str, ...] = msgspec.field(name="from")
    pick: Pick = "last"
    transform: tuple[str | Step, ...] = ()
    conflict: Conflict = "shop"
    blank: bool = False
    label: str = ""
    type: FieldType = "text"
    options: tuple[str, ...] = ()
    group: str = ""


class TagRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[tag]]` or `[[list]]`: a slug and title in which `{value}` may stand, and for which values it is given."""

    slug: str
    title: str
    from_: str | tuple[str, ...] = msgspec.field(name="from")
    pick: Pick = "last"
    transform: tuple[str | Step, ...] = ()
    when: tuple[str, ...] = ()


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[options]`: the country to assume for a person who has none ('' = the shop's), and whether 03/04 is 3 April."""

    country: str = ""
    day_first: bool = True


class MappingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    options: Options = Options()
    field: tuple[FieldRule, ...] = ()
    tag: tuple[TagRule, ...] = ()
    list: tuple[TagRule, ...] = ()
