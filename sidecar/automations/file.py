"""An automation's TOML → what it is. Every fault of the file is found at once, with its line and what was probably meant.

The text of `NAME.toml` is the automation NAME. What each key means is in `model`, and in docs/automations.md, "The file".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import PurePath
from typing import Any

from sidecar import toml_file
from sidecar.automations import model, parse_flow, parse_trigger
from sidecar.automations.parse_base import Reader
from sidecar.automations.parse_steps import Steps
from sidecar.automations.parse_texts import Texts
from sidecar.errors import AutomationError, Problem
from sidecar.segments.model import Period, Segment
from sidecar.toml_lines import Path as Place
from sidecar.toml_lines import dotted, lines_of, nearest, values_of

MAX_BYTES = 262_144
MAX_STEPS = 100
_KEYS = ("title", "about", "group", "again", "filter", "overlaps", "expects", "trigger", "step", "goal", "exit")
_OVERLAP = re.compile(r"[a-z0-9._-]{1,60}")


def parse(text: str, file: str, zone: tzinfo, segments: Sequence[Segment]) -> model.Automation:
    """The automation that a text writes down; its name is `file`'s without `.toml`. Its rules may ask for these segments, days
    in them are days in `zone`, the shop's. Raises AutomationError with every problem."""
    name = PurePath(file).name.removesuffix(".toml")
    if not parse_trigger.name(name):
        hint = "small letters, digits and single hyphens, at most 60"
        raise _error(file, [Problem(file, None, "(file)", f"{name!r} is no name of an automation", hint)])
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _error(file, [Problem(file, None, "(file)", "there are halves of characters in it", "save it as UTF-8")])
    if len(text.encode()) > MAX_BYTES:
        raise _error(file, [Problem(file, None, "(file)", f"the file is longer than {MAX_BYTES // 1024} KiB")])
    text = text.replace("\r\n", "\n")
    data, syntax = toml_file.parse(text, file)
    if data is None:
        raise _error(file, syntax)
    reader = _File(text, file, zone, segments)
    found = reader.read(name, data)
    if reader.problems:
        raise _error(file, reader.problems)
    return found


def _error(file: str, problems: list[Problem]) -> AutomationError:
    problems = sorted(problems, key=lambda problem: problem.line or 0)
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return AutomationError(f"{file}: {count} in the automation", problems, hint="`sidecar automations check` shows them again")  # fmt: skip


class _File:
    def __init__(self, text: str, file: str, zone: tzinfo, segments: Sequence[Segment]) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._text = text
        self._lines = lines_of(text)
        self._reader = Reader(self._say, zone, [segment.slug for segment in segments])

    def _say(self, place: Place, message: str, hint: str = "", below: int = 0) -> None:
        """`below`: so many lines below the key."""
        line = nearest(self._lines, place)
        self.problems.append(Problem(self._file, line + below if line else None, dotted(place), message, hint))

    def read(self, name: str, data: dict[str, Any]) -> model.Automation:
        read = self._reader
        read.only(data, (), _KEYS)
        trigger = parse_trigger.read(read, data.get("trigger"))
        return model.Automation(
            name=name,
            title=read.text(data, "title", ()),
            about=read.text(data, "about", (), ""),
            group=read.text(data, "group", (), ""),
            trigger=trigger,
            filter=read.rule(data, "filter", ()),
            again=self._again(data),
            steps=self._steps(name, data, trigger),
            goal=parse_trigger.goal(read, data.get("goal"), trigger),
            exits=parse_trigger.exits(read, read.tables(data, "exit"), trigger),
            overlaps=self._overlaps(data),
            expects=read.text(data, "expects", (), ""),
        )

    def _again(self, data: dict[str, Any]) -> Period | None:
        said = data.get("again", "always")
        if said == "never":
            return None
        return Period() if said == "always" else self._reader.period(data, "again", ())

    def _overlaps(self, data: dict[str, Any]) -> tuple[str, ...]:
        found = self._reader.texts(data, "overlaps", ())
        for number, one in enumerate(found):
            if not _OVERLAP.fullmatch(one):
                self._say(("overlaps", number), f"{one!r} names no other sender")
        return found

    def _steps(self, name: str, data: dict[str, Any], trigger: model.Trigger) -> tuple[model.AnyStep, ...]:
        rows = self._reader.tables(data, "step")
        if not rows:
            self._say(("step",), "there is no step", "[[step]] with an id and do")
        if len(rows) > MAX_STEPS:
            self._say(("step", MAX_STEPS), f"more than {MAX_STEPS} steps", "start another automation instead")
            rows = rows[:MAX_STEPS]
        texts = Texts(self._reader, trigger, self._text, values_of(self._text))
        steps = Steps(self._reader, texts, name, trigger)
        found = [steps.step(row, ("step", number)) for number, row in enumerate(rows)]
        parse_flow.check(self._say, found)
        self._coupons_are_there(found, texts)
        return tuple(step for step in found if step is not None)

    def _coupons_are_there(self, steps: parse_flow.Numbered, texts: Texts) -> None:
        """Nobody can tell of a coupon that no step before has made."""
        for number, step in enumerate(steps):
            uses: list[Place] = [place for place, names in texts.uses.get(number, {}).items() if "coupon" in names]
            if isinstance(step, model.Send) and "coupon" in step.still:
                uses.append(("step", number, "still"))
            made = (steps[place] for place in parse_flow.before(steps, number)) if uses else ()
            if uses and not any(isinstance(other, model.Coupon) for other in made):
                for place in uses:
                    self._say(place, "there is a coupon in it, but no coupon step before it", 'do = "coupon"')
