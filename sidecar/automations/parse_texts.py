"""The texts of a step: every language with what its channels need, and Jinja2 that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sidecar.automations import model
from sidecar.automations.parse_base import Reader
from sidecar.automations.parse_trigger import about_order
from sidecar.toml_file import did_you_mean
from sidecar.toml_lines import Path as Place

if TYPE_CHECKING:
    from jinja2 import nodes

# The names that every text may use, and the filters besides Jinja2's own (docs/automations.md, "Messages").
NAMES = frozenset({
    "person", "shop", "language", "cart", "order", "products", "cross_sells", "reorder", "coupon", "preferences_link",
    "unsubscribe_link", "survey_link", "button", "product_grid", "cart_table", "coupon_box",
})  # fmt: skip
FILTERS = frozenset({"money", "date"})
PARTS = ("subject", "preheader", "body", "short")
MACROS = frozenset({"button", "product_grid", "cart_table", "coupon_box"})
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_MOST = {"subject": 400, "preheader": 600, "body": 60_000, "short": 1_500}
_DEEPEST = 50
_TAG = re.compile(r"<\s*/?\s*[A-Za-z][^>]*>")
# A message's page is made by the layout; these would end it, or hide what stands below (the way to unsubscribe).
_PAGE = re.compile(r"<\s*/?\s*(html|head|body|style|script|title|textarea|xmp|plaintext|noembed|noscript|template|iframe|form|object|svg|math)\b", re.IGNORECASE)  # fmt: skip


class Texts:
    """Reads them. `text` is the whole file: a fault in a long text gets the line there."""

    def __init__(
        self, reader: Reader, trigger: model.Trigger, text: str, values: Mapping[Place, tuple[int, int]]
    ) -> None:
        from jinja2 import Environment

        self._read = reader
        self._names = sorted(NAMES - _without(trigger))
        self._text = text
        self._values = values
        self._jinja = Environment(autoescape=True)
        self._filters = [*self._jinja.filters, *FILTERS]
        self._jinja.filters.update(dict.fromkeys(FILTERS, str))
        self._tests = [*self._jinja.tests]
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
        self.template(f"{{{{ {dotted} }}}}" if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", dotted) else "{{", place)

    def template(self, text: str, place: Place) -> None:
        """Tells of faults of a Jinja2 text, and remembers what it uses."""
        from jinja2 import TemplateSyntaxError, meta, nodes

        try:
            tree = self._jinja.parse(text)
        except TemplateSyntaxError as error:
            self._fault(place, text, error.lineno, str(error.message or "this cannot be read"))
            return
        except (RecursionError, ValueError):
            # ValueError: a number of thousands of digits.
            self._read.say(place, "this is nested too deeply, or a number in it is too long")
            return
        if not _shallow(tree):
            self._read.say(place, "this is nested too deeply")
            return
        for alien in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport, nodes.Block)):
            self._fault(place, text, alien.lineno, "texts stand alone", "no extends, include, import or block")
        for name, line in _assigned(tree):
            if name in NAMES:
                self._fault(place, text, line, f"{name!r} has its meaning already", "choose another name")
        for call in tree.find_all((nodes.Filter, nodes.Test)):
            what, known = ("filter", self._filters) if isinstance(call, nodes.Filter) else ("test", self._tests)
            if call.name not in known:
                hint = did_you_mean(call.name, known)
                self._fault(place, text, call.lineno, f"there is no {what} {call.name!r}", hint)
                # Jinja2 would not look any further.
                quiet: Any = self._jinja.filters if what == "filter" else self._jinja.tests
                quiet[call.name] = str
        if place[-1] != "body" or "text" not in place:
            for macro in tree.find_all(nodes.Name):
                if macro.name in MACROS:
                    self._fault(place, text, macro.lineno, f"{macro.name} makes HTML", "it is for the body of an e-mail alone")  # fmt: skip
        used = meta.find_undeclared_variables(tree)
        for name in sorted(used - set(self._names) - {"range"}):
            line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
            self._fault(place, text, line, *self._unknown(name))
        if len(place) > 1 and isinstance(place[1], int):
            self.uses.setdefault(place[1], {})[place] = used

    def _unknown(self, name: str) -> tuple[str, str]:
        if name in NAMES:
            return f"the trigger has nothing to do with {name!r}", ""
        return f"there is nothing named {name!r}", did_you_mean(name, self._names) or ", ".join(self._names)

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


def _shallow(tree: nodes.Template) -> bool:
    """Whether what walks the tree level by level, in Python's own stack, comes to its end."""
    level: list[nodes.Node] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return True
    return False


def _assigned(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """The names that a text gives a meaning of its own, with their lines."""
    from jinja2 import nodes

    for node in tree.find_all(nodes.Name):
        if node.ctx != "load":
            yield node.name, node.lineno
    for macro in tree.find_all(nodes.Macro):
        yield macro.name, macro.lineno
