"""The values in a rule as it is written in TOML: numbers, periods, days, texts. A fault is told, and something stands for the value."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Collection
from datetime import tzinfo
from typing import Any

from sidecar.segments import model
from sidecar.segments.traits import fold
from sidecar.toml_file import did_you_mean
from sidecar.toml_lines import Path as Place
from sidecar.values import dates

Say = Callable[..., None]
_PERIOD = re.compile(r"(\d{1,5})(m|h|d|w)")


class Values:
    """Reads them; faults are told to `say(place, message, hint)`. Days are days in `zone`."""

    def __init__(self, say: Say, zone: tzinfo) -> None:
        self._say = say
        self._zone = zone

    def _only(self, data: dict[str, Any], place: Place, known: Collection[str]) -> None:
        for key in data:
            if key not in known:
                self._say((*place, key), f"unknown key {key!r}", did_you_mean(key, list(known)))

    def _amount(self, value: Any, place: Place) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._say(place, f"a number is wanted, not {value!r}")
            return 0.0
        if abs(value) > 1e12:
            self._say(place, f"{value} is beyond all bounds")
            return 0.0
        return value

    def _period(self, text: Any, place: Place) -> model.Period:
        found = _PERIOD.fullmatch(text) if isinstance(text, str) else None
        if found is None or not 0 < int(found[1]) <= 36_500:
            self._say(place, f"{text!r} is no period", 'as "30d", "2w", "12h" or "45m" (minutes)')
            return model.Period(days=1)
        number = int(found[1])
        if found[2] in "dw":
            return model.Period(days=number * (7 if found[2] == "w" else 1))
        return model.Period(seconds=number * (3600 if found[2] == "h" else 60))

    def _date(self, data: dict[str, Any], key: str, place: Place) -> int | None:
        if key not in data:
            return None
        value = data[key]
        if isinstance(value, datetime.datetime):
            value = value.strftime("%Y-%m-%d %H:%M:%S") if value.tzinfo is None else None
        elif isinstance(value, datetime.date):
            value = value.isoformat()
        text = value if isinstance(value, str) else ""
        found = dates.from_local(text if len(text) > 10 else f"{text} 00:00:00", self._zone)
        if found is None:
            self._say((*place, key), f"{data[key]!r} is no day", 'as "2026-11-01", a day in the shop\'s time')
        return found

    def _values(self, value: Any, place: Place, *, many: bool | None) -> tuple[str, ...]:
        items = value if isinstance(value, list) and many is not False else [value]
        if many and not isinstance(value, list):
            self._say(place, "a list is wanted", f"[{value!r}]")
        if not items:
            self._say(place, "the list is empty")
        texts = []
        for item in items:
            if isinstance(item, bool) or not isinstance(item, str | int) or not fold(str(item)):
                self._say(place, f"a text is wanted, not {item!r}")
            else:
                texts.append(str(item))
        return tuple(texts)

    def _flag(self, value: Any, place: Place) -> bool:
        if not isinstance(value, bool):
            self._say(place, f"true or false is wanted, not {value!r}")
        return value is True

    def _whole(self, data: dict[str, Any], key: str, place: Place, default: int | None) -> int | None:
        if key not in data:
            return default
        value = data[key]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1 << 53:
            self._say((*place, key), f"a whole number is wanted, not {value!r}")
            return default
        return value
