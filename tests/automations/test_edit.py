"""One value of an automation's file is edited: the rest stays byte for byte, and says what it said."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sidecar.automations import document
from sidecar.errors import AutomationError, NotFound
from sidecar.toml_lines import dotted

TEXT = '''# The head.
title = "One" # mine
again = "30d"

[trigger] # what starts it
on = "cart.abandoned"
idle = "30m"

# First a message.
[[step]]
id = "first"
do = "send"
channels = ["email"] # no SMS
late = "6h"
# English
[step.text.en]
subject = "Hello" # short
body = """
One.

Two.
"""
[step.text.fa]
subject = 'سلام'
body = "یک"

[[step]]
id = "kind"
do = "branch"
rule = { any = [
    { segment = "vip" }, # the best
    { field = "ltv", at_least = 5 },
] }
then = "end"

[goal]
topics = ["order.placed"]
# the end
'''
FIRST = document.step(TEXT, "first")


@pytest.mark.parametrize(
    ("place", "value", "old", "new"),
    [
        (("title",), "Two", 'title = "One" # mine', 'title = "Two" # mine'),
        (("trigger", "idle"), "1h", 'idle = "30m"', 'idle = "1h"'),
        ((*FIRST, "late"), "2d", 'late = "6h"', 'late = "2d"'),
        ((*FIRST, "channels"), ["sms", "email"], '["email"] # no', '["sms", "email"] # no'),
        ((*FIRST, "offer"), "discount", 'late = "6h"\n', 'late = "6h"\noffer = "discount"\n'),
        ((*FIRST, "text", "en", "body"), "Three.\n\nFour.", '"""\nOne.\n\nTwo.\n"""', '"""\nThree.\n\nFour."""'),
        ((*FIRST, "text", "fa", "subject"), "درود", "'سلام'", '"درود"'),
        ((*FIRST, "text", "fa", "short"), "x", 'body = "یک"\n', 'body = "یک"\nshort = "x"\n'),
        ((*FIRST, "text", "pl", "subject"), "Cześć", 'body = "یک"\n', 'body = "یک"\n\n[step.text.pl]\nsubject = "Cześć"\n'),
        (("filter",), {"segment": "vip"}, 'again = "30d"\n', 'again = "30d"\nfilter = { segment = "vip" }\n'),
        (("step", 1, "rule", "any", 0), {"segment": "b2b"}, '{ segment = "vip" }, #', '{ segment = "b2b" }, #'),
        (("step", 1, "rule", "any", 1, "less_than"), 9, "at_least = 5 }", "at_least = 5, less_than = 9 }"),
        (("goal", "same_product"), True, '["order.placed"]\n', '["order.placed"]\nsame_product = true\n'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_one_value_changes(place: Any, value: object, old: str, new: str, line_end: str) -> None:
    text, old, new = (part.replace("\n", line_end) for part in (TEXT, old, new))
    assert text.count(old) == 1
    changed = document.put(text, place, value)
    assert changed == text.replace(old, new)
    assert document.read(changed, place) == value


def test_a_rule_as_it_is_typed() -> None:
    place = ("step", 1, "rule")
    assert document.source(TEXT, place).startswith('{ any = [\n    { segment = "vip" }, # the best\n')
    changed = document.put_source(TEXT, place, '{ all = [\n    { segment = "vip" }, # only\n] }\n')
    assert 'rule = { all = [\n    { segment = "vip" }, # only\n] }\nthen = "end"' in changed
    for wrong in ("{ segment = ", '"x"\ny = 1', "1 2", ""):
        with pytest.raises(AutomationError) as caught:
            document.put_source(TEXT, place, wrong)
        assert caught.value.problems


def test_a_key_is_taken_out_with_its_line() -> None:
    assert document.cut(TEXT, (*FIRST, "late")) == TEXT.replace('late = "6h"\n', "")
    assert document.cut(TEXT, ("step", 1, "rule")) == TEXT[: TEXT.index("rule = ")] + TEXT[TEXT.index("then = ") :]
    for place in (("nothing",), ("step", 9, "id"), ("title", "x")):
        with pytest.raises(NotFound):
            document.cut(TEXT, place)
    for place in (("trigger",), ("step", 1, "rule", "any", 1, "at_least"), ("step", 1)):
        with pytest.raises(AutomationError):
            document.cut(TEXT, place)


def test_what_cannot_be_edited_alone() -> None:
    dotted_keys = 'title = "x"\nstep = [{ id = "a", do = "stop" }]\n'
    assert document.read(document.put(dotted_keys, ("step", 0, "late"), "1h"), ("step", 0, "late")) == "1h"
    for place in (("trigger", "on", "x"), ("step", 0, 1), ("step", "x")):
        with pytest.raises((AutomationError, NotFound)):
            document.put(TEXT, place, 1)
    with pytest.raises(NotFound):
        document.put(TEXT, ("step", 2, "late"), "1h")
    with pytest.raises(NotFound):
        document.step(TEXT, "nobody")
    with pytest.raises(AutomationError):
        document.put(TEXT, ("trigger",), "hand")
    with pytest.raises(AutomationError):
        document.put("title = ", ("title",), "x")


# --- any file, any value -------------------------------------------------------------------------------------

STRINGS = st.sampled_from(
    ["", '"""', "'''", 'a"', '""', "\\", "\\n", "# no", "]", "}", "[[step]]\nid = 'x'\n", "a\n\n", "\n\nb\\\nc", '\n"', "\x7f\n\x00", "é\n👋"]
) | st.text(st.characters(codec="utf-8"), max_size=12)  # fmt: skip
SIMPLE = st.booleans() | st.integers(-9, 10**6) | STRINGS
VALUES = SIMPLE | st.lists(SIMPLE, max_size=3) | st.dictionaries(STRINGS, SIMPLE, max_size=3)
WAYS: list[Any] = [
    (), ("trigger",), ("goal",), ("step", 0), ("step", 1), ("step", 0, "text", "en"), ("step", 0, "text", "fa"),
    ("step", 0, "text", "pl"), ("step", 1, "text", "bg"), ("step", 1, "rule"), ("step", 1, "rule", "any", 0), ("a b", "c"), ("step", 3),
]  # fmt: skip
NAMES = st.sampled_from(["title", "id", "late", "body", "short", "subject", "new", "topics", "any", "", "ü.x"])


def _set(data: Any, place: Any, value: object) -> None:
    for part in place[:-1]:
        data = data.setdefault(part, {}) if isinstance(data, dict) else data[part]
    data[place[-1]] = value


@given(st.lists(st.tuples(st.sampled_from(WAYS), NAMES, VALUES), max_size=4), st.booleans())
def test_edits_say_what_they_shall_and_nothing_else(edits: list[tuple[Any, str, object]], windows: bool) -> None:
    text = TEXT.replace("\n", "\r\n") if windows else TEXT
    for way, name, value in edits:
        place = (*way, name)
        wanted = deepcopy(tomllib.loads(text))
        try:
            _set(wanted, place, value)
        except (IndexError, TypeError, AttributeError):
            with pytest.raises((NotFound, AutomationError)):
                document.put(text, place, value)
            continue
        try:
            changed = document.put(text, place, value)
        except AutomationError:
            # Only where the place is not one value: a table of its own, or below what is none.
            assume(False)
        assert tomllib.loads(changed) == wanted, dotted(place)
        for comment in ("# The head.", "# First a message.", "# English", "# the end"):
            assert comment in changed
        assert ("\r\n" in changed) == windows
        text = changed


@given(STRINGS)
def test_a_text_is_written_as_it_was(value: str) -> None:
    assert tomllib.loads(f"x = {document.written(value)}") == {"x": value}
