"""`segments.toml`: what can be written, and that every mistake is told at once, where it stands."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support import ROOT

from sidecar.errors import SegmentError
from sidecar.segments import file, model, traits, words
from sidecar.segments.catalogue import COUNTED, FIELDS, OPERATORS
from sidecar.state.database import State


def _rule(text: str) -> model.Condition:
    return file.rule(text, ZoneInfo("Europe/Sofia"), file.load(None, UTC))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{ field = "ltv", at_least = 500 }', model.Number("ltv", 500_000_000, None)),
        # 8.2 * 1e6 is 8199999.999999999 to a computer.
        ('{ field = "ltv", is = 8.2 }', model.Number("ltv", 8_200_000, 8_200_000)),
        ('{ field = "ltv", more_than = 2.5, less_than = 99.99 }', model.Number("ltv", 2_500_000, 99_990_000, True, True)),
        ('{ field = "ltv", is = 19.99 }', model.Number("ltv", 19_990_000, 19_990_000)),
        ('{ field = "orders_count", between = [2, 4] }', model.Number("orders_count", 2, 4)),
        ('{ field = "orders_count", at_least = 2, at_most = 4 }', model.Number("orders_count", 2, 4)),
        ('{ field = "aov", top_percent = 10 }', model.Top("aov", 10)),
        ('{ field = "last_order", older_than = "30d" }', model.Age("last_order", True, model.Period(days=30))),
        ('{ field = "last_order", within = "2w" }', model.Age("last_order", False, model.Period(days=14))),
        ('{ field = "registered", within = "45m" }', model.Age("registered", False, model.Period(seconds=2700))),
        (
            '{ field = "last_order", older_than_intervals = 1.5, otherwise = "60d" }',
            model.Age("last_order", True, model.Period(days=60), 1.5),
        ),
        # A day in Sofia begins at 22:00 UTC of the day before in winter.
        ('{ field = "first_order", after = "2026-01-01" }', model.Since("first_order", 1767218400, None)),
        ('{ field = "first_order", after = 2026-01-01, before = 2026-01-01T12:00:00 }', model.Since("first_order", 1767218400, 1767261600)),
        ('{ field = "country", in = ["PL", "BG"] }', model.Text("country", ("PL", "BG"))),
        ('{ field = "device", is_not = "Mobile" }', model.Text("device", ("Mobile",), True)),
        ('{ field = "products", has = 17 }', model.Has("products", ("17",))),
        ('{ field = "categories", has_all = ["Tea", "Gifts"] }', model.Has("categories", ("Tea", "Gifts"), "all")),
        ('{ field = "optin", is = false }', model.Flag("optin", False)),
        ('{ field = "birthday", known = false }', model.Known("birthday", False)),
        ('{ field = "birthday", in_next = "1w" }', model.Coming("birthday", 7)),
        ('{ segment = "vip" }', model.Member("vip")),
        ('{ count = "orders", category = "Tea", within = "90d", at_least = 2 }', model.Count("orders", 2, None, model.Period(days=90), category="Tea")),
        ('{ count = "views", same_product = true, within = "7d", consecutive_days = 3 }', model.Count("views", 3, None, model.Period(days=7), same_product=True, in_a_row=True)),
        ('{ field = "tags", has_none = ["VIP", "x\' OR 1=1"] }', model.Has("tags", ("VIP", "x' OR 1=1"), "none")),
        ('{ field = "lists", has = "news" }', model.Has("lists", ("news",))),
        ('{ field = "consent", is = true }', model.Flag("consent", True)),
        ('{ field = "engagement", at_most = 10 }', model.Number("engagement", None, 10)),
        # Of a custom field what is asked says how it is read.
        ('{ field = "contact.points", is = 100 }', model.Number("contact.points", 100, 100)),
        ('{ field = "contact.points", is = "100" }', model.Text("contact.points", ("100",))),
        ('{ field = "contact.points", at_least = 1, less_than = 2.5 }', model.Number("contact.points", 1, 2.5, False, True)),
        ('{ field = "contact.points", top_percent = 5 }', model.Top("contact.points", 5)),
        ('{ field = "contact.service", within = "30d" }', model.Age("contact.service", False, model.Period(days=30))),
        ('{ field = "contact.service", after = "2026-01-01" }', model.Since("contact.service", 1767218400, None)),
        ('{ field = "contact.likes", has_all = ["a", 2] }', model.Has("contact.likes", ("a", "2"), "all")),
        ('{ field = "contact.city", known = true }', model.Known("contact.city", True)),
        ('{ reorder = "product" }', model.Reorder("product", 1.0, 2.0)),
        ('{ reorder = "product", due = 0.9, overdue = 3, product = 42 }', model.Reorder("product", 0.9, 3.0, 42)),
        ('{ reorder = "category", category = "Coffee", overdue = 1.5 }', model.Reorder("category", 1.0, 1.5, category="Coffee")),
        ('{ count = "views", at_most = 0 }', model.Count("views", 0, 0)),
        ('{ count = "views", same_product = true, at_least = 3, days = true }', model.Count("views", 3, days=True, same_product=True)),
        (
            '{ all = [{ segment = "b2b" }, { any = [{ segment = "vip" }] }, { none = [{ segment = "vip" }] }] }',
            model.All((model.Member("b2b"), model.Any((model.Member("vip"),)), model.Nothing((model.Member("vip"),)))),
        ),
    ],
)  # fmt: skip
def test_what_a_rule_says(text: str, wanted: model.Condition) -> None:
    assert _rule(text) == wanted


TEN_MISTAKES = """
[[segment]]
slug = "Not A Slug"
name = "One"
rule = { field = "orders_cuont", at_least = 2 }

[[segment]]
slug = "two"
name = ""
rule = { field = "ltv", older_than = "30d" }

[[segment]]
slug = "three"
name = "Three"
colour = "red"
rule = { all = [
    { field = "last_order", older_than = "30 days" },
    { field = "ltv", at_least = "many" },
    { segment = "fuor" },
    { count = "veiws", at_least = 3 },
] }

[[segment]]
slug = "four"
name = "Four"
rule = { none = [{ segment = "five" }] }

[[segment]]
slug = "five"
name = "Five"
rule = { segment = "four" }
"""


def test_ten_mistakes_are_ten_problems() -> None:
    with pytest.raises(SegmentError) as caught:
        file.parse(TEN_MISTAKES, "segments.toml", UTC)
    found = [(problem.line, problem.key, problem.message, problem.hint) for problem in caught.value.problems]
    assert len(found) == 10, found
    assert [line for line, *_ in found] == [3, 5, 9, 10, 15, 17, 18, 19, 20, 26]
    said = {key: (message, hint) for _, key, message, hint in found}
    assert "no field" in said["segment[1].rule.field"][0] and "orders_count" in said["segment[1].rule.field"][1]
    assert "'older_than'" in said["segment[2].rule.older_than"][0]
    assert said["segment[3].rule.all[1].older_than"][1].startswith("as")
    assert said["segment[3].rule.all[3].segment"][1] == "did you mean four?"
    assert said["segment[3].rule.all[4].count"][1] == "did you mean views?"
    assert "four → five → four" in said["segment[4].rule"][0]


@pytest.mark.parametrize(
    "text",
    [
        "17", '"vip"', "{}", "{ all = [] }", "{ all = 3 }", '{ field = "ltv" }', '{ field = "ltv", at_least = true }',
        '{ field = "ltv", at_least = nan }', '{ field = "ltv", between = [3] }', '{ field = "ltv", at_least = 3, more_than = 3 }', '{ field = "ltv", between = [4, 3] }',
        '{ field = "ltv", top_percent = 0 }', '{ field = "last_order", within = "0d" }',
        '{ field = "last_order", within = "9999999999d" }', '{ field = "last_order", within = "3d", older_than = "1d" }',
        '{ field = "last_order", older_than_intervals = 2 }', '{ field = "last_order", after = "2026-02-30" }',
        '{ field = "birthday", in_next = "12h" }', '{ field = "birthday", in_next = "400d" }',
        '{ field = "country", in = "PL" }', '{ field = "country", in = [] }', '{ field = "country", is = ["PL"] }',
        '{ field = "optin", is = "yes" }', '{ segment = 3 }', '{ segment = "vip", field = "ltv" }',
        '{ field = "tags", known = true }', '{ field = "tags", is = "vip" }', '{ field = "tags", has = " " }',
        '{ field = "contact.", is = "x" }', '{ field = "contact.a\\u0000b", is = "x" }', '{ field = "contact.email", is = "x" }',
        '{ field = "contact.points", is = true }', '{ field = "contact.points", at_least = "many" }',
        '{ field = "contact.points", is = "x", at_least = 3 }', '{ field = "contact.points", in_next = "3d" }', '{ field = "contact.points" }',
        '{ count = "views", consecutive_days = 1 }', '{ count = "views", consecutive_days = 3, at_least = 2 }',
        '{ count = "views", consecutive_days = "3" }',
        '{ count = "orders", at_least = -1 }', '{ count = "orders", at_least = 3, at_most = 2 }',
        '{ count = "orders", product = 1, category = "Tea" }', '{ count = "checkouts", product = 1 }',
        "{ reorder = 3 }", '{ reorder = ["product"] }', '{ reorder = "product", due = 0 }', '{ reorder = "product", due = "soon" }',
        '{ reorder = "product", due = 2 }', '{ reorder = "product", overdue = 101 }', '{ reorder = "product", product = "42" }',
        '{ reorder = "product", product = 0 }', '{ reorder = "product", category = "Tea" }', '{ reorder = "category", product = 1 }',
        '{ reorder = "category", category = " " }', '{ reorder = "category", category = 3 }', '{ reorder = "product", count = "orders" }',
        '{ count = ["orders"] }',
        '{ count = "views", same_product = true, at_most = 2 }', '{ count = "views", at_least = 1.5 }', "{",
        "{ none = " * 14 + '[{ segment = "vip" }]' + " }" * 14,
    ],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(SegmentError) as caught:
        _rule(text)
    assert caught.value.problems
    assert all(problem.message for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("contct.city", "did you mean contact.city?"),
        ("last_opn", "did you mean last_open?"),
        ("tag", "did you mean tags?"),
        ("contact.phone", "contact. and the slug of a custom field or one of prefix, first_name"),
    ],
)
def test_fields_that_there_are_not(name: str, hint: str) -> None:
    with pytest.raises(SegmentError) as caught:
        _rule(f'{{ field = "{name}", is = "x" }}')
    assert caught.value.problems[0].hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('{ reorder = "prodct" }', "rule.reorder", "did you mean product?"),
        ('{ reorder = "product", overdu = 3 }', "rule.overdu", "did you mean overdue?"),
        ('{ reorder = "product", category = "Tea" }', "rule.category", 'reorder = "category"'),
        ('{ reordr = "product" }', "rule", "did you mean reorder?"),
    ],
)
def test_what_was_probably_meant_by_a_reorder(text: str, key: str, hint: str) -> None:
    with pytest.raises(SegmentError) as caught:
        _rule(text)
    assert [(problem.key, problem.hint) for problem in caught.value.problems] == [(key, hint)]


def test_the_examples_can_be_uncommented() -> None:
    """As the file says: by the # in front of their lines."""
    text, said, examples = file.default_text().partition("\n#[[segment]]")
    segments = file.parse(text + re.sub(r"(?m)^#", "", said + examples), "segments.toml", UTC)
    assert len(segments) == len(file.load(None, UTC)) + 8


def test_a_rule_may_not_nest_without_end() -> None:
    deep = '{ segment = "vip" }'
    for _ in range(14):
        deep = f"{{ all = [{deep}] }}"
    with pytest.raises(SegmentError, match="problem"):
        _rule(deep)


def test_no_toml_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(SegmentError) as caught:
        file.parse("[[segment]]\nslug = \n", "segments.toml", UTC)
    assert caught.value.problems[0].line == 2
    with pytest.raises(SegmentError, match="cannot be read"):
        file.load(tmp_path / "none.toml", UTC)
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    with pytest.raises(SegmentError, match="UTF-8"):
        file.load(tmp_path / "latin.toml", UTC)
    with pytest.raises(SegmentError, match="problem"):
        file.parse("segment = 3\nother = 1\n", "segments.toml", UTC)
    with pytest.raises(SegmentError, match="problem"):
        file.parse("# " + "x" * file.MAX_BYTES, "segments.toml", UTC)


def test_nesting_without_end_is_a_problem_not_a_crash() -> None:
    text = "rule = " + "[" * 100_000 + "]" * 100_000
    with pytest.raises(SegmentError) as caught:
        file.parse(text, "segments.toml", UTC)
    assert "nested too deeply" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{ field = "orders_count", more_than = 2 }', "orders_count more than 2"),
        ('{ field = "orders_count", less_than = 2 }', "orders_count less than 2"),
        ('{ field = "ltv", at_least = 0.01, less_than = 99.99 }', "ltv at least 0.01, less than 99.99"),
        ('{ field = "interval_days", more_than = 0.1 }', "interval_days more than 0.1"),
        ('{ field = "interval_days", is = 0.3 }', "interval_days is 0.3"),
        ('{ count = "views", not_bought = true, within = "12h" }', "views never bought within 12h: at least 1"),
        ('{ field = "first_order", after = "2026-01-01" }', "first_order from 2026-01-01 00:00:00"),
        ('{ field = "contact.points", at_least = 2.5 }', "contact.points at least 2.5"),
        ('{ field = "tags", has_all = ["a", "b"] }', "tags has all of a, b"),
        (
            '{ reorder = "product", product = 42 }',
            "product 42 due for reorder: 1 own intervals or more after its last order, less than 2",
        ),
        (
            '{ reorder = "category", due = 1.5 }',
            "a category due for reorder: 1.5 own intervals or more after its last order, less than 2",
        ),
        (
            '{ count = "views", same_product = true, within = "7d", consecutive_days = 3 }',
            "views of one product within 7d, on days in a row: at least 3",
        ),
    ],
)
def test_a_rule_in_words(text: str, said: str) -> None:
    assert words.condition(_rule(text), ZoneInfo("Europe/Sofia")) == said


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n"])
def test_a_file_without_a_segment_is_a_fault(text: str) -> None:
    """A full disk leaves such a file, and everybody would lose all tags. Who means it says so."""
    with pytest.raises(SegmentError) as caught:
        file.parse(text, "segments.toml", UTC)
    assert [problem.hint for problem in caught.value.problems] == ["write segment = [] if there shall be none"]
    assert file.parse("segment = []\n", "segments.toml", UTC) == []


GROUP = '[[group]]\nslug = "worth"\nname = "Worth"\nfield = "worth"\n'
BIG = '[[segment]]\nslug = "big"\nname = "Big"\ngroup = "worth"\nrule = {big}\n'
OTHER = '[[segment]]\nslug = "other"\nname = "Other"\nrule = {other}\n'


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('{ none = [{ field = "tags", has = "segment-big" }] }', "the tag 'segment-big' follows from a segment: ask for that"),
        ('{ field = "tags", has_none = ["x", "Segment-Other"] }', "the tag 'Segment-Other' follows from a segment: ask for that"),
        ('{ field = "contact.worth", is = "Big" }', "contact.worth follows from segments"),
        ('{ field = "contact.worth", known = false }', "contact.worth follows from segments"),
    ],
)  # fmt: skip
def test_no_rule_asks_for_what_segments_make(rule: str, said: str) -> None:
    """Who is in such a segment would be tagged, therefore leave it, lose the tag, therefore enter it, for ever."""
    good = '{ field = "tags", has = "segmented" }'
    text = GROUP + BIG.replace("{big}", good) + OTHER
    assert len(file.parse(text.replace("{other}", '{ field = "contact.worthy", known = true }'), "x", UTC)) == 2
    for wrong in (
        text.replace("{other}", rule),
        GROUP + BIG.replace("{big}", rule) + OTHER.replace("{other}", good),
    ):
        with pytest.raises(SegmentError) as caught:
            file.parse(wrong, "segments.toml", UTC)
        assert [problem.message for problem in caught.value.problems] == [said]
        assert caught.value.problems[0].line is not None


def test_segments_stand_behind_those_they_ask_for() -> None:
    text = (
        '[[segment]]\nslug = "b"\nname = "B"\nrule = { segment = "a" }\n'
        '[[segment]]\nslug = "a"\nname = "A"\nrule = { field = "ltv", at_least = 1 }\nno_offers = ["discount"]\n'
    )
    found = file.parse(text, "segments.toml", UTC)
    assert [segment.slug for segment in found] == ["a", "b"]
    assert found[0].no_offers == ("discount",)
    with pytest.raises(SegmentError) as caught:
        file.parse(text.replace('slug = "b"', 'slug = "a"'), "segments.toml", UTC)
    assert "'a' is there already" in [problem.message for problem in caught.value.problems]


def test_the_table_has_every_field_and_the_file_explains_every_operator(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        columns = {row[1] for row in state.rows("PRAGMA table_info(trait)")}
        contact = {row[1] for row in state.rows("PRAGMA table_info(contact_trait)")}
    assert columns - {"person_id"} == set(traits.COLUMNS)
    of_contact = {field.column for field in FIELDS.values() if field.table == "contact_trait"}
    assert contact == {"person_id", "contact_id", "mails", *of_contact}
    text = file.default_text()
    for operator in sorted(set().union(*OPERATORS.values())):
        assert operator in text, operator


def test_the_documentation_has_every_field() -> None:
    text = (ROOT / "docs" / "segments.md").read_text("utf-8")
    told = re.findall(r"^\| `([a-z_]+)` \| ([a-z]+) \| (.+) \|$", text, re.M)
    assert told == [(field.name, field.kind, field.about) for field in FIELDS.values()]
    for what, by in COUNTED.items():
        assert f"`{what}` (by {', '.join(sorted(by))})" in text, what
