"""The triggers by their structs, what they are asked, and what they answer."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import msgspec

from sidecar.automations import model
from sidecar.automations.enrolments import Entry
from sidecar.automations.versions import Row
from sidecar.config import Config
from sidecar.mysql.connection import Reader
from sidecar.segments.evaluate import Moment
from sidecar.state.database import State

# How far a source was read; JSON in `automation.cursors`. What keys mean is the trigger's own business.
Cursor = dict[str, int]


@dataclass(frozen=True, slots=True)
class Ask:
    """One running automation, and what to read by. `now` is Unix seconds UTC; `cursor` is empty when it was never read: then it
    begins with what is new from now on. `most`: how many may be answered at once."""

    config: Config
    state: State
    reader: Reader
    zone: tzinfo
    now: int
    at: Moment
    row: Row
    automation: model.Automation
    cursor: Cursor
    most: int = 500

    @property
    def since(self) -> int:
        """What happened before this moment (Unix seconds) never triggers it: it was switched on later, or it is too long ago."""
        return max(self.row.live_from, self.now - self.config.events.live_hours * 3600)


class Found(msgspec.Struct, kw_only=True):
    """Who may enter, and the cursor that is kept in the transaction in which they do. `more`: there is more to read now."""

    entries: list[Entry] = []
    cursor: Cursor
    more: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """`find` reads what is new; `newest` is the cursor of somebody who wants nothing of before. `every`: seconds between two
    looks; 0: whenever something happened (`told`: then, too)."""

    find: Callable[[Ask], Found]
    newest: Callable[[Ask], Cursor]
    every: int = 0
    told: bool = False


_MODULES = {
    model.OnEvent: "events", model.OnSegment: "segments", model.OnCart: "carts", model.OnViews: "views", model.OnDay: "days",
    model.OnSchedule: "schedules", model.OnStock: "stock", model.OnReorder: "reorder", model.ByHand: "hand",
}  # fmt: skip


def source(trigger: model.Trigger) -> Source:
    """What reads for a trigger. Modules are imported when they are first needed: most shops use few."""
    module: Any = importlib.import_module(f"sidecar.automations.triggers.{_MODULES[type(trigger)]}")
    found: Source = module.SOURCE
    return found
