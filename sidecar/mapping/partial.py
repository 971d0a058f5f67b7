"""What can still be checked of a mapping file with faults of form, so that every fault is told at once. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from sidecar import toml_file
from sidecar.mapping.rules import MappingFile

# Stand-ins for keys that must be there: right in themselves, so that they add no fault of their own.
_STAND_INS = {"from": "person.email", "slug": "woo-{value}", "title": "{value}"}


def usable(text: str) -> MappingFile | None:
    """The rules without the keys that are wrong in form; every rule keeps its number. None when there is no way."""
    data, _ = toml_file.parse(text, "")
    if data is None:
        return None
    for fault in toml_file.faults(data, MappingFile):
        _drop(data, fault.path)
    try:
        return msgspec.convert(data, MappingFile)
    except msgspec.ValidationError:
        return None


def _drop(data: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Take out the key of a rule in which the fault is; what must be there gets a stand-in."""
    head, *rest = path
    rules = data.get(str(head))
    if not rest or not isinstance(rules, list | dict) or (isinstance(rules, list) and len(rest) < 2):
        data.pop(str(head), None)
        return
    if isinstance(rules, dict):
        rules.pop(str(rest[0]), None)
        return
    number, key = int(rest[0]), str(rest[1])
    rule = rules[number] if number < len(rules) else None
    if not isinstance(rule, dict):
        data.pop(str(head), None)
        return
    rule.pop(key, None)
    if key == "to":
        rule["to"] = f"custom:rule_{number}"
    elif key in _STAND_INS and not (key in ("slug", "title") and head == "field"):
        rule[key] = _STAND_INS[key]
