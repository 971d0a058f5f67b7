"""One person through all rules. Pure: a Person in, a Wanted out; a rule that fails is a note, never an error."""

from __future__ import annotations

import msgspec

from sidecar.crm.model import Wanted
from sidecar.mapping import transforms
from sidecar.mapping.compile import CompiledField, CompiledTag, Mapping, is_multi
from sidecar.mapping.sources import Person, Value
from sidecar.values import php, text

_SLUGS: dict[str, str] = {}
_PACKED: dict[tuple[str, ...], str] = {}
_CACHE = 5000


class Step(msgspec.Struct, frozen=True):
    """What `explain` shows of one rule for one person: each source's value, the result, and what was wrong."""

    target: str
    sources: tuple[tuple[str, Value], ...]
    value: str | None
    problem: str


def wanted(person: Person, mapping: Mapping) -> Wanted:
    """What FluentCRM should have of this person. A target whose sources are all empty has the value None."""
    columns: dict[str, str | None] = {}
    fields: dict[str, str | None] = {}
    problems: list[tuple[str, str]] = []
    for field in mapping.fields:
        try:
            value = _encode(field, _value(field, person))
        except (transforms.Unfit, php.PhpError) as error:
            problems.append((field.target, _reason(error)))
            continue
        if field.column:
            if value is not None and len(value) > field.limit:
                problems.append((field.column, f"too_long ({len(value)} > {field.limit})"))
                continue
            columns[field.column] = value
        else:
            fields[field.slug] = value
    return Wanted(
        columns=columns,
        fields=fields,
        tags=_tags(mapping.tags, person, problems),
        lists=_tags(mapping.lists, person, problems),
        problems=problems,
    )


def explain(person: Person, mapping: Mapping) -> list[Step]:
    """The same, told rule by rule."""
    steps = []
    for field in mapping.fields:
        names = (field.rule.from_,) if isinstance(field.rule.from_, str) else field.rule.from_
        seen: list[tuple[str, Value]] = []
        value, problem = None, ""
        try:
            for name, getter in zip(names, field.getters, strict=True):
                seen.append((name, getter(person)))
            value = _encode(field, _value(field, person))
            if value is not None and field.limit and len(value) > field.limit:
                problem, value = f"too_long ({len(value)} > {field.limit})", None
        except (transforms.Unfit, php.PhpError) as error:
            problem = _reason(error)
        steps.append(Step(field.target, tuple(seen), value, problem))
    return steps


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, transforms.Unfit) else "unparsable_meta"


def _value(field: CompiledField, person: Person) -> Value:
    """The first source that gives something. A bad value does not hide a good one in a later source."""
    fault: Exception | None = None
    for getter in field.getters:
        try:
            value = getter(person)
            if value is not None and field.chain:
                value = transforms.run(value, field.chain, person)
        except (transforms.Unfit, php.PhpError) as error:
            fault = fault or error
            continue
        if value:
            return value
    if fault is not None:
        raise fault
    return None


def _encode(field: CompiledField, value: Value) -> str | None:
    """As FluentCRM stores it: text, or a PHP-serialized list of strings for fields with several values."""
    if value is None:
        return None
    if field.slug and is_multi(field.rule.type):
        items = tuple(value) if isinstance(value, list) else (value,)
        packed = _PACKED.get(items)
        if packed is None:
            if len(_PACKED) >= _CACHE:
                _PACKED.clear()
            packed = _PACKED[items] = php.dumps(list(items))
        return packed
    if isinstance(value, list):
        return (field.join if field.join is not None else ", ").join(value)
    return value


def _tags(rules: tuple[CompiledTag, ...], person: Person, problems: list[tuple[str, str]]) -> dict[str, str]:
    """{slug: title} of what the person should carry."""
    found: dict[str, str] = {}
    for rule in rules:
        for getter in rule.getters:
            try:
                value = transforms.run(getter(person), rule.chain, person)
            except (transforms.Unfit, php.PhpError) as error:
                problems.append((rule.rule.slug, _reason(error)))
                continue
            if not value:
                continue
            for item in value if isinstance(value, list) else (value,):
                if rule.when and item.strip().lower() not in rule.when:
                    continue
                slug = rule.rule.slug.replace("{value}", _slug(item))
                found[slug] = rule.rule.title.replace("{value}", item)
            break
    return found


def _slug(value: str) -> str:
    slug = _SLUGS.get(value)
    if slug is None:
        if len(_SLUGS) >= _CACHE:
            _SLUGS.clear()
        slug = _SLUGS[value] = text.slugify(value)
    return slug
