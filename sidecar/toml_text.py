"""Plain data as TOML text: for `sidecar config show` and for the file that `sidecar init` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def dumps(data: Mapping[str, Any]) -> str:
    """Tables of plain values, lists and tables, as TOML. Lists of tables are written inline."""
    return "\n".join(_table(data, ())).strip() + "\n"


def value(item: object) -> str:
    """One value as TOML."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float):
        return str(item)
    if isinstance(item, Mapping):
        pairs = ", ".join(f"{_key(str(key))} = {value(one)}" for key, one in item.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(item, Sequence) and not isinstance(item, str):
        return f"[{', '.join(value(one) for one in item)}]"
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
    return json.dumps(str(item), ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(data: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: item for key, item in data.items() if not isinstance(item, Mapping)}
    lines = []
    if path and (plain or not data):
        lines = ["", f"[{'.'.join(_key(part) for part in path)}]"]
    lines += [f"{_key(key)} = {value(item)}" for key, item in plain.items()]
    for key, item in data.items():
        if isinstance(item, Mapping):
            lines += _table(item, (*path, key))
    return lines


def _key(text: str) -> str:
    return text if _BARE.match(text) else value(text)
