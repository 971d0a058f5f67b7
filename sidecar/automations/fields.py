"""What of an automation's file can be edited value by value: which values there are, as people type them, and back into the file.

Pure. Whether what comes out is a good automation says `file.parse`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from sidecar import toml_text
from sidecar.automations import document
from sidecar.errors import AutomationError, Problem
from sidecar.toml_lines import Path as Place

# period: "30m", "6h", "3d". line and long are texts; list: texts with commas between; rule: TOML as it stands in the file;
# number; choice: one of `choices`, '' for what goes without saying; flag: true or false, '' the same.
Kind = Literal["period", "line", "long", "list", "rule", "number", "choice", "flag"]
PARTS = ("subject", "preheader", "body", "short")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?")
_FLAG = ("true", "false")
_GOODS = ("shipped", "downloadable")
_PURPOSES = ("marketing", "service")
_DAY_FIELDS = ("birthday", "membership_day", "first_order_day")

# {do: {key: (kind, choices)}} of steps; a key with a dot stands in a table.
_Keys = Mapping[str, tuple[Kind, tuple[str, ...]]]
_STEPS: dict[str, _Keys] = {
    "wait": {"period": ("period", ()), "at": ("line", ()), "days": ("list", ()), "zone": ("choice", ("shop", "person"))},
    "wait_until_moment": {"order_meta": ("line", ()), "before": ("period", ()), "after": ("period", ())},
    "wait_for": {"topic": ("line", ()), "to": ("list", ()), "at_most": ("period", ())},
    "branch": {"rule": ("rule", ())},
    "split": {"ways": ("rule", ())},
    "send": {
        "title": ("line", ()), "channels": ("list", ()), "purpose": ("choice", _PURPOSES), "offer": ("line", ()),
        "still": ("list", ()),
    },
    "tag": {"add": ("list", ()), "remove": ("list", ())},
    "set_field": {"field": ("line", ()), "value": ("line", ())},
    "coupon": {
        "kind": ("choice", ("percent", "fixed_cart")), "amount": ("number", ()), "expires": ("period", ()),
        "minimum": ("number", ()), "free_shipping": ("flag", _FLAG), "only_products": ("flag", _FLAG),
        "bound": ("flag", _FLAG), "offer": ("line", ()), "prefix": ("line", ()),
    },
    "webhook": {"url": ("line", ()), "fields": ("list", ())},
    "ticket": {"subject": ("line", ()), "body": ("long", ()), "priority": ("choice", ("normal", "medium", "critical"))},
    "note": {"title": ("line", ()), "body": ("long", ())},
    "start": {"automation": ("line", ())},
    "stop": {},
}  # fmt: skip
_TRIGGERS: dict[str, _Keys] = {
    "order.placed": {"goods": ("choice", _GOODS)},
    "order.paid": {"first": ("flag", _FLAG), "every": ("number", ()), "goods": ("choice", _GOODS)},
    "order.status": {"to": ("list", ()), "goods": ("choice", _GOODS)},
    "contact.status": {"to": ("list", ())},
    "segment.entered": {"segment": ("line", ())},
    "segment.left": {"segment": ("line", ())},
    "cart.abandoned": {"idle": ("period", ())},
    "product.viewed": {"times": ("number", ()), "within": ("period", ()), "days": ("flag", _FLAG)},
    "day": {"field": ("choice", _DAY_FIELDS), "at": ("line", ()), "before": ("number", ()), "late": ("period", ())},
    "schedule": {"every": ("choice", ("day", "week", "month")), "day": ("line", ()), "at": ("line", ())},
    "reorder": {"due": ("number", ()), "overdue": ("number", ())},
}
_HEAD: _Keys = {
    "title": ("line", ()), "about": ("line", ()), "again": ("line", ()), "filter": ("rule", ()),
    "goal.topics": ("list", ()), "goal.same_order": ("flag", _FLAG), "goal.same_product": ("flag", _FLAG),
}  # fmt: skip


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A value that can be edited. `key` names it in forms (`period`, `trigger.idle`, `text.fa.subject`), `value` as people type it, ''
    when it is not in the file."""

    key: str
    kind: Kind
    value: str
    choices: tuple[str, ...] = ()


def of_head(text: str) -> list[Field]:
    """Of the automation as a whole: its trigger, who may enter, its goal. Raises AutomationError when the text is no TOML."""
    data = _data(text)
    trigger = data.get("trigger")
    on = trigger.get("on") if isinstance(trigger, dict) else None
    keys = {
        **_HEAD,
        **{f"trigger.{key}": kind for key, kind in (_TRIGGERS.get(on, {}) if isinstance(on, str) else {}).items()},
    }
    return [_field(text, data, (), key, *kind) for key, kind in keys.items()]


def of_step(text: str, step: str, language: str = "") -> list[Field]:
    """Of one step; of a message also its text in that language. Raises NotFound, AutomationError."""
    data, place = _data(text), document.step(text, step)
    do = data["step"][place[1]].get("do")
    keys: dict[str, tuple[Kind, tuple[str, ...]]] = dict(_STEPS.get(do, {})) if isinstance(do, str) else {}
    if do not in ("stop", "split", "branch"):
        keys["late"] = ("period", ())
    if do == "send" and _LANGUAGE.fullmatch(language):
        keys |= {f"text.{language}.{part}": ("long" if part in ("body", "short") else "line", ()) for part in PARTS}
    return [_field(text, data, place, key, *kind) for key, kind in keys.items()]


def languages(text: str, step: str) -> list[str]:
    """The languages in which a message is written, in the order of the file. Raises NotFound, AutomationError."""
    found = _at(_data(text), (*document.step(text, step), "text"))
    return [str(language) for language in found] if isinstance(found, dict) else []


def put(text: str, step: str, typed: Mapping[str, str], language: str = "") -> str:
    """The file with what was typed, by key; what is as it was stays byte for byte, what is emptied is taken out. `step` '': of the
    automation as a whole. Raises NotFound, AutomationError."""
    there = of_step(text, step, language) if step else of_head(text)
    for field in there:
        if field.key not in typed:
            continue
        # Browsers send \r\n.
        new = typed[field.key].replace("\r\n", "\n")
        if _same(field, new):
            continue
        place = _place(document.step(text, step) if step else (), field.key)
        text = _written(text, place, field, new)
    return text


def _written(text: str, place: Place, field: Field, new: str) -> str:
    if not new.strip():
        return _cut(text, place)
    if field.kind in ("rule", "flag"):
        return document.put_source(text, place, new)
    if field.kind == "number" and _NUMBER.fullmatch(new.strip()):
        return document.put_source(text, place, new.strip())
    if field.kind == "list":
        return document.put(text, place, _parts(new))
    return document.put(text, place, new if field.kind == "long" else new.strip())


def _cut(text: str, place: Place) -> str:
    try:
        return document.cut(text, place)
    except AutomationError:
        why = "it cannot be left empty here"
        raise AutomationError(f"{place[-1]}: {why}", [Problem("(file)", None, str(place[-1]), why, "edit the whole file")]) from None  # fmt: skip


def _field(text: str, data: dict[str, Any], above: Place, key: str, kind: Kind, choices: tuple[str, ...]) -> Field:
    place = _place(above, key)
    value = _at(data, place)
    if value is None:
        said = ""
    elif kind == "rule":
        try:
            said = document.source(text, place)
        except AutomationError:
            # It stands in a table of its own: shown in one line, written only where there is room for it.
            said = toml_text.value(value)
    elif kind == "list" and isinstance(value, list):
        said = ", ".join(str(one) for one in value)
    else:
        said = str(value).lower() if isinstance(value, bool) else str(value)
    return Field(key=key, kind=kind, value=said, choices=choices)


def _place(above: Place, key: str) -> Place:
    return (*above, *key.split("."))


def _at(data: Any, place: Place) -> Any:
    for part in place:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _same(field: Field, new: str) -> bool:
    """Whether nothing was changed, but for blanks around it."""
    if field.kind == "list":
        return _parts(new) == _parts(field.value)
    return new.strip() == field.value.replace("\r\n", "\n").strip()


def _parts(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _data(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise AutomationError("the file is not valid TOML", hint="edit the whole file instead") from error
