"""Reading one table of an automation's TOML: what every part of the file needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import tzinfo
from typing import Any

from sidecar.automations.known import STATUSES as STATUSES
from sidecar.events import topics
from sidecar.segments.model import Condition, Period
from sidecar.segments.parse import Parser
from sidecar.segments.parse_values import Say, Values
from sidecar.toml_file import did_you_mean
from sidecar.toml_lines import Path as Place

ORDER_PLACED = "order.placed"
# What steps, goals and exits can wait for: what the bridge tells of, and what the sidecar itself notices.
TOPICS = (*topics.TOPICS, *(one for one in (ORDER_PLACED, "message.clicked", "cart.restored", "consent.changed") if one not in topics.TOPICS))  # fmt: skip
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_NAME = 60
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_STATUS = re.compile(r"[a-z0-9_-]{1,40}")


class Reader(Values):
    """Reads values by key; faults are told to `say(place, message, hint)`, and something stands for the value."""

    def __init__(self, say: Say, zone: tzinfo, slugs: Collection[str]) -> None:
        super().__init__(say, zone)
        self.say = say
        self.slugs = list(slugs)
        self._parser = Parser(say, zone, self.slugs)

    def only(self, data: dict[str, Any], place: Place, known: Sequence[str]) -> None:
        """Tells of every other key."""
        for key in data:
            if key not in known:
                hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
                self.say((*place, key), f"unknown key {key!r}", hint)

    def table(self, value: Any, place: Place) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.say(place, "a table is wanted")
        return {}

    def tables(self, data: dict[str, Any], key: str) -> list[dict[str, Any]]:
        rows = data.get(key, [])
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        self.say((key,), f"this is written [[{key}]]")
        return []

    def text(self, data: dict[str, Any], key: str, place: Place, default: str | None = None) -> str:
        """A text; without a `default` it must be there and say something."""
        value = data.get(key, default)
        if isinstance(value, str) and (value.strip() or default is not None):
            return value
        if key not in data:
            self.say((*place, key), "is missing")
        else:
            self.say((*place, key), f"a text is wanted, not {value!r}")
        return ""

    def texts(self, data: dict[str, Any], key: str, place: Place) -> tuple[str, ...]:
        """A list of texts, () when it is not there."""
        value = data.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value):
            return tuple(value)
        self.say((*place, key), "a list of texts is wanted", 'as ["one", "two"]')
        return ()

    def choice(
        self, data: dict[str, Any], key: str, place: Place, known: Sequence[str], default: str | None = None
    ) -> str:
        """One of `known`."""
        value = self.text(data, key, place, default)
        if value and value not in known and value != default:
            hint = did_you_mean(value, known) or ", ".join(known)
            self.say((*place, key), f"{value!r} is not one of {', '.join(known)}" if len(known) < 12 else f"there is no {value!r}", hint)  # fmt: skip
        return value if value in known else default or known[0]

    def choices(self, data: dict[str, Any], key: str, place: Place, known: Sequence[str]) -> tuple[str, ...]:
        """Some of `known`, each once."""
        found: list[str] = []
        for number, value in enumerate(self.texts(data, key, place)):
            at: Place = (*place, key, number)
            if value not in known:
                self.say(at, f"there is no {value!r}", did_you_mean(value, known) or ", ".join(known[:12]))
            elif value in found:
                self.say(at, f"{value!r} is there twice")
            else:
                found.append(value)
        return tuple(found)

    def period(self, data: dict[str, Any], key: str, place: Place, default: Period | None = None) -> Period:
        """A period; without a `default` it must be there."""
        if key in data:
            return self._period(data[key], (*place, key))
        if default is None:
            self.say((*place, key), "is missing", 'a period as "30m", "6h", "3d" or "2w"')
        return default or Period()

    def clock(self, data: dict[str, Any], key: str, place: Place, default: str) -> str:
        """A time of day, "HH:MM"."""
        value = data.get(key, default)
        if value == default or (isinstance(value, str) and _CLOCK.fullmatch(value)):
            return str(value)
        self.say((*place, key), f"{value!r} is no time of day", 'as "09:30", in quotes')
        return default

    def flag(self, data: dict[str, Any], key: str, place: Place, default: bool) -> bool:
        return self._flag(data[key], (*place, key)) if key in data else default

    def whole(self, data: dict[str, Any], key: str, place: Place, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = data.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and (low <= value <= high or key not in data):
            return value
        self.say((*place, key), f"a whole number from {low} to {high} is wanted, not {value!r}")
        return default

    def number(self, data: dict[str, Any], key: str, place: Place, default: float) -> float:
        return float(self._amount(data[key], (*place, key))) if key in data else default

    def topics(self, data: dict[str, Any], place: Place) -> tuple[str, ...]:
        return self.choices(data, "topics", place, TOPICS)

    def to(self, data: dict[str, Any], place: Place) -> tuple[str, ...]:
        """Statuses of orders, as `completed`, or of contacts, as `subscribed`."""
        found = self.texts(data, "to", place)
        for number, status in enumerate(found):
            if status.startswith("wc-"):
                self.say((*place, "to", number), f"{status!r} is written without wc-", f'"{status[3:]}"')
            elif not _STATUS.fullmatch(status):
                self.say((*place, "to", number), f"{status!r} is no status", 'as "processing" or "completed"')
        return found

    def rule(self, data: dict[str, Any], key: str, place: Place) -> Condition | None:
        """A rule as in segments.toml; None when it is not there."""
        return self._parser.condition(data[key], (*place, key)) if key in data else None
