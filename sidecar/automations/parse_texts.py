"""The texts of a step: every language with what its channels need, and Jinja2 that can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sidecar.automations import model
from sidecar.automations.parse_base import Reader
from sidecar.automations.parse_trigger import about_order
from sidecar.toml_lines import Path as Place

PARTS = ("subject", "preheader", "body", "short")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_MOST = {"subject": 400, "preheader": 600, "body": 50_000, "short": 1_500}
# What is asked or printed, without the words of texts in it; and the names there that do not mean something everywhere.
_ASKED = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_WORDS = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAMES = re.compile(r"(?<![.\w])(cart|order|reorder|coupon)\b")
_NAME = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*")
_TAG = re.compile(r"<\s*/?\s*[A-Za-z][^>]*>")
# A message's page is made by the layout; these would end it, or hide what stands below (the way to unsubscribe).
_PAGE = re.compile(r"<\s*/?\s*(html|head|body|style|script|title|textarea|xmp|plaintext|noembed|noscript|template|iframe|form|object|svg|math)\b", re.IGNORECASE)  # fmt: skip


class Texts:
    """Reads them. `text` is the whole file: a fault in a long text gets the line there."""

    def __init__(
        self, reader: Reader, trigger: model.Trigger, text: str, values: Mapping[Place, tuple[int, int]]
    ) -> None:
        self._read = reader
        self._without = _without(trigger)
        self._text = text
        self._values = values
        self.uses: dict[int, dict[Place, set[str]]] = {}
        """By a step's number: the names that each of its texts uses."""

    def read(
        self, data: dict[str, Any], place: Place, *, email: bool, short: bool, purpose: str
    ) -> dict[str, model.Text]:
        """`[step.text.LANGUAGE]`."""
        at: Place = (*place, "text")
        tables = self._read.table(data.get("text", {}), at)
        if "en" not in tables:
            self._read.say(at, "there is no English text", "[step.text.en]: who has another language that is not there gets it")  # fmt: skip
        wanted = (("subject", "body") if email else ()) + (("short",) if short else ())
        found = {}
        for language, value in tables.items():
            here: Place = (*at, language)
            if not _LANGUAGE.fullmatch(language):
                self._read.say(here, f"{language!r} is no language", "as en, fa, pl or bg")
            table = self._read.table(value, here)
            self._read.only(table, here, PARTS)
            found[language] = model.Text(
                **{part: self._part(table, part, here, part in wanted, purpose) for part in PARTS}
            )
        return found

    def _part(self, table: dict[str, Any], part: str, place: Place, wanted: bool, purpose: str) -> str:
        if part not in table and wanted:
            why = "SMS, Telegram and push say it" if part == "short" else "e-mails need it"
            self._read.say((*place, part), "is missing", why)
            return ""
        text = self._read.text(table, part, place, None if wanted else "")
        at: Place = (*place, part)
        if len(text) > _MOST[part]:
            self._read.say(at, f"{len(text)} characters; at most {_MOST[part]}")
        if part == "subject" and "\n" in text.strip():
            self._read.say(at, "a subject is one line")
        if part == "short" and _TAG.search(text):
            self._read.say(at, "no HTML here", "these are plain texts")
        elif part == "body":
            self._keeps_the_page(text, at, purpose)
        self.template(text, at)
        return text

    def _keeps_the_page(self, text: str, place: Place, purpose: str) -> None:
        hides = " and could hide the way to unsubscribe" if purpose == "marketing" else ""
        for found in _PAGE.finditer(text):
            self._fault(place, text, _line(text, found.start()), f"<{found[1].lower()}> is the layout's{hides}", "paragraphs, lists, links and images go here")  # fmt: skip
        opened = text.rfind("<!--")
        if opened > text.rfind("-->"):
            self._fault(place, text, _line(text, opened), f"a comment <!-- that has no end{hides}", "-->")

    def name(self, dotted: str, place: Place) -> None:
        """A name as `order.number`, outside of a text."""
        from sidecar.automations.messages import names

        self.template(f"{{{{ {dotted} }}}}" if _NAME.fullmatch(dotted) else "{{", place)
        if not names.printable(dotted):
            self._read.say(place, f"{dotted!r} is no single text or number", "name a part of it")

    def template(self, text: str, place: Place) -> None:
        """Tells of faults of a Jinja2 text, and remembers what it uses."""
        from sidecar.automations.messages import sandbox

        faults = sandbox.faults(text, "html" if "text" in place and place[-1] == "body" else "text")
        for fault in faults:
            self._fault(place, text, fault.line, fault.message, fault.hint)
        used = _names(text)
        for name in self._without & used.keys():
            self._fault(place, text, used[name], f"the trigger has nothing to do with {name!r}")
        if len(place) > 1 and isinstance(place[1], int):
            self.uses.setdefault(place[1], {})[place] = set(used)

    def _fault(self, place: Place, text: str, line: int, message: str, hint: str = "") -> None:
        """A fault in line `line` of a text (from 1)."""
        start, end = self._values.get(place, (0, 0))
        raw = self._text[start:end].replace("\r\n", "\n")
        below = 0
        if raw.startswith(('"""', "'''")):
            # The first line end right behind the quotes is not part of the text.
            below = min(line - 1 + raw.startswith("\n", 3), raw.count("\n"))
        self._read.say(place, message, hint, below)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _without(trigger: model.Trigger) -> frozenset[str]:
    """The names that mean nothing with this trigger."""
    if isinstance(trigger, model.ByHand):
        return frozenset()
    there = {"cart": isinstance(trigger, model.OnCart), "order": about_order(trigger), "reorder": isinstance(trigger, model.OnReorder)}  # fmt: skip
    return frozenset(name for name, said in there.items() if not said)


def _names(text: str) -> dict[str, int]:
    """Which of the names that must fit the trigger or the steps before are used, with their lines."""
    found: dict[str, int] = {}
    for asked in _ASKED.finditer(text):
        for name in _NAMES.findall(_WORDS.sub("", asked[0])):
            found.setdefault(name, _line(text, asked.start()))
    return found
