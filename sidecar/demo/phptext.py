"""PHP's serialize(), as far as the demo's rows need it. The sidecar's own reader is `sidecar.values`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]


def dump(value: Value) -> str:
    """The serialized text. Lists get the keys 0, 1, 2…; lengths count bytes, as PHP's do."""
    if value is None:
        return "N;"
    if isinstance(value, bool):
        return f"b:{int(value)};"
    if isinstance(value, int):
        return f"i:{value};"
    if isinstance(value, float):
        return f"d:{value!r};"
    if isinstance(value, str):
        return f's:{len(value.encode())}:"{value}";'
    items: list[tuple[str | int, Value]] = list(value.items() if isinstance(value, Mapping) else enumerate(value))
    inside = "".join(dump(key) + dump(item) for key, item in items)
    return f"a:{len(items)}:{{{inside}}}"
