"""One person through all rules. Pure: a Person in, a Wanted out; a rule that fails is a note, never an error."""

from __future__ import annotations

import zlib
from itertools import chain

import msgspec

from sidecar.crm.model import Wanted
from sidecar.mapping import transforms
from sidecar.mapping.compiled import CompiledTag, Mapping
from sidecar.mapping.sources import Person, Value
from sidecar.values import php, text

_SLUGS: dict[str, str] = {}
_PARTS: dict[str, str] = {}
_INDEXES: list[str] = []
_CACHE = 5000
# FluentCRM's columns for slugs of tags and lists; and more than the slug of any title has.
_LONGEST, _WHOLE = 192, 4000


class Step(msgspec.Struct, frozen=True):
    """What `explain` shows of one rule for one person: each source's value, the result, and what was wrong."""

    target: str
    sources: tuple[tuple[str, Value], ...]
    value: str | None
    problem: str


def wanted(person: Person, mapping: Mapping) -> Wanted:
    """What FluentCRM should have of this person. A target whose sources are all empty has the value None."""
    # Most rules take one text as it is: they need no care, and there are 50,000 people.
    fields: dict[str, str | None] = {slug: read(person) or None for slug, read in mapping.plain}  # type: ignore[misc]
    columns: dict[str, str | None] = {}
    problems: list[tuple[str, str]] = []
    choices: dict[str, tuple[str, ...]] = {}
    for field in mapping.careful:
        try:
            value = field.read(person)
        except (transforms.Unfit, php.PhpError) as error:
            problems.append((field.target, _reason(error)))
            continue
        if not value:
            if field.place and not person.placed():
                continue
            text_ = None
        elif field.multi:
            items = (value,) if isinstance(value, str) else tuple(value)
            choices[field.slug] = items
            text_ = pack(items)
        else:
            text_ = value if isinstance(value, str) else field.join.join(value)
        if field.column:
            if text_ is not None and len(text_) > field.limit:
                problems.append((field.column, f"too_long ({len(text_)} > {field.limit})"))
                continue
            columns[field.column] = text_
        else:
            fields[field.slug] = text_
    return Wanted(
        columns=columns,
        fields=fields,
        tags=_tags(mapping.tags, person, problems),
        lists=_tags(mapping.lists, person, problems) if mapping.lists else {},
        problems=problems,
        choices=choices,
    )


def pack(items: tuple[str, ...]) -> str:
    """Several values as FluentCRM stores them: a PHP-serialized list of strings, as `php.dumps` makes it.

    Titles and categories come again and again, so each is serialized once.
    """
    try:
        parts = list(map(_PARTS.__getitem__, items))
    except KeyError:
        if len(_PARTS) >= _CACHE:
            _PARTS.clear()
        _PARTS.update((item, php.dumps(item)) for item in items)
        parts = [_PARTS[item] for item in items]
    count = len(parts)
    while count > len(_INDEXES):
        _INDEXES.append(f"i:{len(_INDEXES)};")
    return f"a:{count}:{{{''.join(chain.from_iterable(zip(_INDEXES, parts, strict=False)))}}}"


def items_of(packed: str) -> tuple[str, ...]:
    """The values of a text that `pack` made; () when it is something else."""
    try:
        value = php.loads(packed)
    except php.PhpError:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def explain(person: Person, mapping: Mapping) -> list[Step]:
    """The same, told rule by rule."""
    steps = []
    for field in mapping.fields:
        names = (field.rule.from_,) if isinstance(field.rule.from_, str) else field.rule.from_
        seen: list[tuple[str, Value]] = []
        value, problem = None, ""
        for name, getter in zip(names, field.getters, strict=True):
            try:
                seen.append((name, getter(person) or None))
            except php.PhpError:
                seen.append((name, None))
        try:
            found = field.read(person)
            if found:
                value = (
                    pack((found,) if isinstance(found, str) else tuple(found))
                    if field.multi
                    else found
                    if isinstance(found, str)
                    else field.join.join(found)
                )
            if value is not None and field.limit and len(value) > field.limit:
                problem, value = f"too_long ({len(value)} > {field.limit})", None
        except (transforms.Unfit, php.PhpError) as error:
            problem = _reason(error)
        steps.append(Step(field.target, tuple(seen), value, problem))
    return steps


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, transforms.Unfit) else "unparsable_meta"


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
                slug = _fitted(rule.rule.slug.replace("{value}", _slug(item)))
                found[slug] = rule.rule.title.replace("{value}", item)
            break
    return found


def _slug(value: str) -> str:
    slug = _SLUGS.get(value)
    if slug is None:
        if len(_SLUGS) >= _CACHE:
            _SLUGS.clear()
        slug = _SLUGS[value] = text.slugify(value, _WHOLE)
    return slug


def _fitted(slug: str) -> str:
    """A slug that the column takes whole, so that the next run finds it. Titles in other scripts are six characters a letter:
    what is cut gets a digest, or two products that begin alike would share a tag."""
    if len(slug) <= _LONGEST:
        return slug
    return f"{text.cut(slug, _LONGEST - 9)}-{zlib.crc32(slug.encode()):08x}"
