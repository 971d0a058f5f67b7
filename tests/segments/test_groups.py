"""Segments that exclude one another: whoever fits several is in the one that stands first, by every path."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from crowd import DAY, NOWS, RULES, ZONES, Made, buyer, fill, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.errors import SegmentError
from sidecar.segments import evaluate, file, membership, model, words
from sidecar.segments.model import Earlier, Grouping, Member, Nothing, Number, Segment, apart
from sidecar.state.database import State

GROUP = '[[group]]\nslug = "g"\nname = "G"\nfield = "the_g"\nfield_label = "The G"\n'
ONE = '[[segment]]\nslug = "{}"\nname = "{}"\ngroup = "g"\nrule = {}\n'
FIRST = ONE.format("first", "First", '{ field = "orders_count", at_least = 3 }')
SECOND = ONE.format("second", "Second", '{ field = "orders_count", at_least = 1 }')


def test_how_a_group_is_written() -> None:
    first, second = file.parse(GROUP + FIRST + SECOND, "s.toml", UTC)
    assert first.group == second.group == Grouping(slug="g", name="G", field="the_g", field_label="The G")
    assert first.rule == first.own == Number("orders_count", 3, None)
    assert second.own == Number("orders_count", 1, None)
    assert second.rule == model.All((second.own, Earlier(("first",))))
    assert words.condition(Earlier(("first", "x")), UTC).startswith("and in none of first, x")


MISTAKES = """
[[group]]
slug = "journey"
name = "J"
field = "email"
colour = "red"

[[group]]
slug = "No Slug"
name = "N"

[[group]]
slug = "journey"
name = "Again"

[[group]]
slug = "empty"

[[group]]
slug = "rfm"
name = "R"
field = "same_field"

[[group]]
slug = "more"
name = "M"
field = "same_field"

[[segment]]
slug = "one"
name = "One"
group = "jorney"
rule = { field = "orders_count", is = 1 }

[[segment]]
slug = "two"
name = "Two"
group = "rfm"
rule = { segment = "three" }

[[segment]]
slug = "three"
name = "Two"
group = "rfm"
rule = { field = "orders_count", is = 1 }

[[segment]]
slug = "four"
name = "Four"
group = 4
rule = { field = "orders_count", is = 1 }

[[segment]]
slug = "five"
name = "Five"
group = "journey"
rule = { count = "views", after = "last_ordre + 12h" }

[[segment]]
slug = "six"
name = "Six"
group = "rfm"
rule = { count = "views", after = "last_order + a day" }

[[segment]]
slug = "eight"
name = "Eight"
group = "No Slug"
rule = { field = "orders_count", is = 1 }

[[segment]]
slug = "seven"
name = "Seven"
group = "more"
rule = { field = "orders_count", is = 1 }
"""


def test_every_mistake_is_told_where_it_is() -> None:
    with pytest.raises(SegmentError) as caught:
        file.parse(MISTAKES, "segments.toml", UTC)
    found = [(problem.line, problem.key, problem.message, problem.hint) for problem in caught.value.problems]
    said = {key: (line, message, hint) for line, key, message, hint in found}
    assert said["group[1].field"][:2] == (5, "'email' cannot be the slug of a custom field")
    assert said["group[1].colour"][0] == 6
    assert said["group[2].slug"][:2] == (9, "'No Slug' is no slug")
    assert said["group[3].slug"][:2] == (13, "'journey' is there already")
    assert said["group[4]"][:2] == (16, "no segment is in the group empty")
    assert said["group[4].name"][1] == "name is missing"
    assert said["group[6].field"][:2] == (27, "another group fills 'same_field' already")
    assert said["segment[1].group"] == (32, "there is no group 'jorney'", "did you mean journey?")
    # Who is first cannot depend on who comes behind.
    assert "two → three → two" in said["segment[2].rule"][1] and "those before it" in said["segment[2].rule"][2]
    assert said["segment[3].name"][1] == "another segment of rfm is called 'Two'"
    assert said["segment[4].group"][1] == "a text is wanted for group"
    assert said["segment[5].rule.after"][1:] == ("there is no moment 'last_ordre'", "did you mean last_order?")
    assert "is no period" in said["segment[6].rule.after"][1]
    assert len(found) == 13, found


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_the_first_that_fits_by_every_path(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One SQL over everybody, person by person, each segment's whole rule, and the explanation."""
    now, zone = data.draw(st.sampled_from(NOWS)), data.draw(st.sampled_from(ZONES))
    everybody: list[Made] = data.draw(st.lists(people(now), min_size=1, max_size=8))
    drawn = data.draw(st.lists(RULES, min_size=2, max_size=6))
    # Everybody fits the last one, and who is in none of the group before is asked from outside.
    rules = [*drawn, model.All(())]
    group = Grouping(slug="g", name="G")
    slugs = [f"s{number}" for number in range(len(rules))]
    segments = [Segment(slug="other", name="O", rule=Number("orders_count", 1, None))]
    segments += [
        Segment(slug=slug, name=slug, rule=apart(rule, tuple(slugs[:number])), group=group)
        for number, (slug, rule) in enumerate(zip(slugs, rules, strict=True))
    ]
    segments.append(Segment(slug="later", name="L", rule=Nothing((Member("s0"), Member("s1")))))
    with State(tmp_path_factory.mktemp("state")) as state:
        subjects = fill(state, everybody, zone)
        membership.refresh(state, segments, now, zone)
        at = membership.moment(state, segments, now, zone)
        first = {
            id_: next(slug for slug, rule in zip(slugs, rules, strict=True) if evaluate.explain(rule, person, at).holds)
            for id_, person in subjects.items()
        }
        rows = state.rows("SELECT person_id, segment FROM membership WHERE segment LIKE 's%'")
        assert sorted(rows) == sorted(first.items())
        later = {row[0] for row in state.rows("SELECT person_id FROM membership WHERE segment = 'later'")}
        assert later == {id_ for id_, slug in first.items() if slug not in ("s0", "s1")}
        for segment in segments[1:-1]:
            mine = {id_ for id_, slug in first.items() if slug == segment.slug}
            assert set(membership.matching(state, segment.rule, at)) == mine
            assert {id_ for id_, one in subjects.items() if evaluate.member(segment.rule, one, at)} == mine
            assert {id_ for id_, one in subjects.items() if evaluate.explain(segment.rule, one, at).holds} == mine
        for id_, person in subjects.items():
            assert evaluate.segments(person, at) & set(slugs) == {first[id_]}


def test_another_order_is_another_rule(tmp_path: Path) -> None:
    """The rules are the same, only the order of the file is not: everybody is looked at again."""
    zone, now = ZoneInfo("Europe/Sofia"), NOWS[3]
    regular = buyer(now - DAY, now - 2 * DAY, now - 3 * DAY)
    with State(tmp_path) as state:
        fill(state, [regular, buyer(now)], zone)
        for text, wanted in (
            (GROUP + FIRST + SECOND, [("first", 1), ("second", 2)]),
            (GROUP + SECOND + FIRST, [("second", 1), ("second", 2)]),
        ):
            membership.tick(state, file.parse(text, "s.toml", zone), now, zone)
            assert state.rows("SELECT segment, person_id FROM membership ORDER BY 2") == wanted


def test_why_not_names_the_one_that_stands_before(tmp_path: Path) -> None:
    zone, now = UTC, NOWS[3]
    regular = buyer(now - DAY, now - 2 * DAY, now - 3 * DAY)
    segments = file.parse(GROUP + FIRST + SECOND, "s.toml", zone)
    with State(tmp_path) as state:
        (person,) = fill(state, [regular], zone).values()
        at = membership.moment(state, segments, now, zone)
        found = evaluate.explain(segments[1].rule, person, at)
        assert [(one.holds, one.value) for one in found.of] == [(True, 3), (False, "first")]
