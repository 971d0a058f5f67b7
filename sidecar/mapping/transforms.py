"""What may be done to a value on its way: each transform is one small function of (value, person)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from sidecar.mapping.rules import Step
from sidecar.mapping.sources import Person, Value
from sidecar.values import dates, email, names, phone, places, text

Transform = Callable[[str, Person], str | None]


class Unfit(ValueError):
    """The value cannot be brought into that form; the message is a short reason without the value."""


def _phone(value: str, person: Person) -> str | None:
    found = phone.normalize(value, person.country())
    if found.e164 is None:
        if found.problem == "empty":
            return None
        raise Unfit(f"bad_phone ({found.problem})")
    return found.e164


def _email(value: str, person: Person) -> str | None:
    found = email.identity(value)
    if found is None:
        return None
    if problem := email.problem(found):
        raise Unfit(f"bad_email ({problem})")
    return found


def _date(value: str, person: Person) -> str | None:
    return _moment(value, person)[:10]


def born(value: str, person: Person) -> str | None:
    """What the column of birthdays takes; anything else would make the database refuse the person."""
    found = dates.birthday(value, person.shop.day_first)
    if found is None:
        raise Unfit("bad_date")
    return found


def _date_time(value: str, person: Person) -> str | None:
    return _moment(value, person)


def _moment(value: str, person: Person) -> str:
    found = dates.typed_moment(value, person.shop.zone, person.shop.day_first)
    if found is None:
        raise Unfit("bad_date")
    return found


def _number(value: str, person: Person) -> str | None:
    ascii_ = places.digits(value).replace("\u066b", ".").replace(" ", "").replace("\u00a0", "")
    if "," in ascii_ and "." not in ascii_ and ascii_.count(",") == 1:
        ascii_ = ascii_.replace(",", ".")
    try:
        found = Decimal(ascii_)
    except InvalidOperation:
        raise Unfit("bad_number") from None
    if not found.is_finite() or abs(found) > Decimal(10**15):
        raise Unfit("bad_number")
    return f"{found.normalize():f}"


def _country(value: str, person: Person) -> str | None:
    found = places.country(value)
    if found is None:
        raise Unfit("bad_country")
    return found


NAMED: dict[str, tuple[Transform, str]] = {
    "trim": (lambda value, person: value.strip() or None, "without white space at the ends"),
    "name": (lambda value, person: names.clean(value) or None, "a person's name without control characters, HTML and smartcodes"),
    "proper": (lambda value, person: names.proper(names.clean(value)) or None, "JAN KOWALSKI → Jan Kowalski; other spelling stays"),
    "first_name": (lambda value, person: names.split(names.clean(value))[0] or None, "the first name of a full name"),
    "last_name": (lambda value, person: names.split(names.clean(value))[1] or None, "the last name of a full name"),
    "phone": (_phone, "E.164 by the person's country; an invalid number is left out and reported"),
    "email": (_email, "trimmed and lower case; an invalid address is left out and reported"),
    "date": (_date, "YYYY-MM-DD, from the usual spellings, Jalali and Unix time too; what is no day is left out and reported"),
    "date_time": (_date_time, "YYYY-MM-DD HH:MM:SS in the shop's time zone, from the same with a time (`Z`, `+03:30`) or without"),
    "number": (_number, "a plain decimal number"),
    "country": (_country, "ISO-2 from a code or a name"),
    "postcode": (lambda value, person: places.postcode(value, person.country()) or None, "tidied by country"),
    "digits": (lambda value, person: places.digits(value) or None, "digits of any script as 0-9"),
    "lower": (lambda value, person: value.lower(), "lower case"),
    "upper": (lambda value, person: value.upper(), "upper case"),
    "slug": (lambda value, person: text.slugify(value) or None, "as WordPress makes slugs"),
    "plain": (lambda value, person: names.clean(value) or None, "text without HTML and smartcodes"),
}  # fmt: skip

_HOLE = re.compile(r"\{([a-z_]+)\}")


def step(spec: Step) -> list[Transform]:
    """The functions of a transform with arguments."""
    found: list[Transform] = []
    if spec.map is not None:
        table = {key.strip().lower(): value for key, value in spec.map.items()}
        fallback = spec.default

        def mapped(value: str, person: Person) -> str | None:
            known = table.get(value.strip().lower())
            return known if known is not None else fallback if fallback is not None else value

        found.append(mapped)
    if spec.template is not None:
        template = spec.template

        def filled(value: str, person: Person) -> str | None:
            first, last = person.names()
            words = {
                "value": value,
                "first_name": first,
                "last_name": last,
                "email": person.email,
                "country": person.country(),
            }
            return _HOLE.sub(lambda hole: words.get(hole.group(1), hole.group(0)), template)

        found.append(filled)
    if spec.limit is not None:
        limit = spec.limit
        found.append(lambda value, person: value[:limit])
    return found


def template_holes(template: str) -> list[str]:
    """The names in braces of a template."""
    return _HOLE.findall(template)


HOLES = ("value", "first_name", "last_name", "email", "country")


def run(value: Value, chain: tuple[Transform, ...], person: Person) -> Value:
    """A value through its transforms; a list goes through item by item. Raises Unfit."""
    if not value:
        return None
    if isinstance(value, list):
        for transform in chain:
            items = [transform(item, person) for item in value]
            value = [item for item in items if item]
        return value or None
    for transform in chain:
        out = transform(value, person)
        if not out:
            return None
        value = out
    return value
