"""The names that a template may use, with their types, made from the structs: what is checked is what is there."""

from __future__ import annotations

import types
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from sidecar.automations.messages.model import (
    Cart,
    Coupon,
    Moment,
    Money,
    Order,
    Percent,
    Person,
    Product,
    Reorder,
    Shop,
)

# Of this nothing is known before it runs.
ANY: Any = object()
_LEAVES = (Money, Moment, Percent)

NAMES: dict[str, Any] = {
    "person": Person,
    "shop": Shop,
    "order": Order,
    "cart": Cart,
    "coupon": Coupon,
    "reorder": Reorder,
    "products": tuple[Product, ...],
    "cross_sells": tuple[Product, ...],
    "language": str,
    "preferences_link": str,
    "unsubscribe_link": str,
    "survey_link": str,
}


def fields(of: Any) -> dict[str, Any] | None:
    """The fields of a type by name; none for texts and numbers' ({}: they have methods only) and None where all is possible."""
    of = _whole(of)
    if isinstance(of, type) and issubclass(of, msgspec.Struct) and of not in _LEAVES:
        return _hints(of)
    return None


def printable(dotted: str) -> bool:
    """Whether a name as `order.number` is one text or number; of what is not known before it runs, too."""
    of: Any = NAMES.get(dotted.partition(".")[0], ANY)
    for part in dotted.split(".")[1:]:
        known = fields(of)
        of = ANY if known is None else known.get(part, ANY)
    of = _whole(of)
    return of in (ANY, str, int, float, *_LEAVES)


def element(of: Any) -> Any:
    """What a list is made of."""
    of = _whole(of)
    return get_args(of)[0] if get_origin(of) is tuple else ANY


@cache
def _hints(of: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(of)
    return {name: hints[name] for name in of.__struct_fields__}


def _whole(of: Any) -> Any:
    """Order | None → Order."""
    if get_origin(of) in (Union, types.UnionType):
        parts = [part for part in get_args(of) if part is not type(None)]
        return parts[0] if len(parts) == 1 else ANY
    return of
