"""docs/automations.md, "Messages", names what is there: no more, no less."""

from __future__ import annotations

import re

import pytest
from messaging import LANGUAGES
from support import ROOT

from sidecar.automations.messages import check, filters, language, macros, model, sandbox
from sidecar.automations.messages.names import NAMES

TEXT = (ROOT / "docs" / "automations.md").read_text("utf-8").partition("\n## Messages\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[str]:
    """The first cells of the table below a heading."""
    part = re.split(r"\n#+ ", TEXT.partition(f"# {heading}\n")[2])[0]
    return [cell.partition("(")[0] for cell in re.findall(r"^\| `([^`|]+)` \|", part, re.MULTILINE)]


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Names", NAMES),
        ("Filters", filters.FILTERS),
        ("Macros", macros.MACROS),
        ("person", model.Person.__struct_fields__),
        ("shop", model.Shop.__struct_fields__),
        ("order", model.Order.__struct_fields__),
        ("cart", model.Cart.__struct_fields__),
        ("line", model.Line.__struct_fields__),
        ("product", model.Product.__struct_fields__),
        ("tracking", model.Tracking.__struct_fields__),
        ("coupon", model.Coupon.__struct_fields__),
        ("reorder", model.Reorder.__struct_fields__),
    ],
)
def test_a_table(heading: str, names: object) -> None:
    assert rows(heading) == list(names)  # type: ignore[call-overload]


def test_the_limits() -> None:
    for number in (sandbox.MOST_SOURCE, sandbox.MOST_OUTPUT):
        assert f"{number:,}" in TEXT
    for number in (check.MOST_SUBJECT, check.MOST_SHORT):
        assert f"{number} characters" in TEXT


def test_the_example_of_the_docs() -> None:
    example = TEXT.partition("```\n")[2].partition("```")[0]
    assert sandbox.faults(example, "html") == []


def test_we_have_the_same_words_in_each_language() -> None:
    assert set(language.WORDS) == set(LANGUAGES)
    places = {name: sorted(re.findall(r"\{(\w+)\}", text)) for name, text in language.WORDS["en"].items()}
    for words in language.WORDS.values():
        assert {name: sorted(re.findall(r"\{(\w+)\}", text)) for name, text in words.items()} == places
        assert all(words.values())
