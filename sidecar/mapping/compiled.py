"""Rules as functions: what `compile.py` makes and `apply.py` runs."""

from __future__ import annotations

import msgspec

from sidecar.mapping import sources, transforms
from sidecar.mapping.rules import MULTI, Conflict, FieldRule, FieldType, Options, TagRule
from sidecar.values import php


class CompiledField(msgspec.Struct, frozen=True):
    """A field rule ready to run. `column` or `slug` is set, the other is ''; `place`: it takes parts of an address."""

    rule: FieldRule
    column: str
    slug: str
    getters: tuple[sources.Getter, ...]
    chain: tuple[transforms.Transform, ...]
    join: str
    limit: int
    multi: bool
    place: bool
    read: sources.Getter

    @property
    def target(self) -> str:
        return self.column or self.slug


class CompiledTag(msgspec.Struct, frozen=True):
    """A tag or list rule ready to run. `when` is lower case; empty means any value."""

    rule: TagRule
    getters: tuple[sources.Getter, ...]
    chain: tuple[transforms.Transform, ...]
    when: frozenset[str]


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file, compiled. `digest` changes when any rule does; `*_meta` are the keys that rules read.

    `fields` are all field rules; `plain` and `careful` part them: custom fields that take one text as it is, and
    the rest."""

    options: Options
    fields: tuple[CompiledField, ...]
    plain: tuple[tuple[str, sources.Getter], ...]
    careful: tuple[CompiledField, ...]
    tags: tuple[CompiledTag, ...]
    lists: tuple[CompiledTag, ...]
    user_meta: frozenset[str]
    order_meta: frozenset[str]
    item_meta: frozenset[str]
    product_meta: frozenset[str]
    digest: str
    file: str

    @property
    def policies(self) -> dict[str, tuple[Conflict, bool]]:
        """{target: (conflict policy, whether a missing source empties it)}."""
        return {field.target: (field.rule.conflict, field.rule.blank) for field in self.fields}

    @property
    def custom(self) -> dict[str, FieldRule]:
        """{slug: rule} of the custom fields."""
        return {field.slug: field.rule for field in self.fields if field.slug}


def is_plain(field: CompiledField) -> bool:
    """One source that gives one text and cannot fail, no transform, no limit."""
    source = field.rule.from_ if isinstance(field.rule.from_, str) else "".join(field.rule.from_[:2])
    group, _, name = source.partition(".")
    return (
        bool(field.slug)
        and not field.multi
        and not field.place
        and not field.chain
        and len(field.getters) == 1
        and group not in sources.KEYED
        and name not in sources.LISTS
    )


def reader(getters: tuple[sources.Getter, ...], chain: tuple[transforms.Transform, ...]) -> sources.Getter:
    """One function for a rule: the first source that gives something, transformed. A bad value does not hide a
    good one in a later source; when none is good, the first fault is raised."""
    if len(getters) == 1:
        get = getters[0]
        if not chain:
            return get
        return lambda person: transforms.run(get(person), chain, person)
    one = chain[0] if len(chain) == 1 else None

    def read(person: sources.Person) -> sources.Value:
        fault: Exception | None = None
        for get in getters:
            try:
                value = get(person)
                if not value:
                    continue
                if one is not None and type(value) is str:
                    value = one(value, person)
                else:
                    value = transforms.run(value, chain, person)
            except (transforms.Unfit, php.PhpError) as error:
                fault = fault or error
                continue
            if value:
                return value
        if fault is not None:
            raise fault
        return None

    return read


def field_key(type_: FieldType) -> str:
    """FluentCRM's UI key of a field type (source: CustomContactField.php:94-140)."""
    return {"select-one": "single-select", "select-multi": "multi-select"}.get(type_, type_)


def is_multi(type_: FieldType) -> bool:
    """Whether the field holds several values, PHP-serialized."""
    return type_ in MULTI
