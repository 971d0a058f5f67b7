"""What is written: each policy's table, and a patch that leaves nothing to do."""

from __future__ import annotations

import copy
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.crm.diff import Terms, diff, should_write, written_after
from sidecar.crm.model import Contact, FieldValue, Patch, Wanted
from sidecar.crm.written import Written, digest
from sidecar.crm.written import name as key

Policy = Literal["shop", "crm", "fill_empty", "newest"]
POLICIES: tuple[Policy, ...] = ("shop", "crm", "fill_empty", "newest")
A, B, C = digest("a"), digest("b"), digest("c")
# current, wanted, written, newer → per policy: shop, crm, fill_empty, newest
TABLE = [
    ("", "b", None, False, (1, 1, 1, 1)),  # empty, never written
    ("", "b", A, False, (1, 0, 1, 0)),  # a person cleared what we wrote
    ("", "b", A, True, (1, 0, 1, 1)),  # the shop changed after the clearing
    ("", "b", B, False, (1, 0, 1, 0)),
    ("a", "b", A, False, (1, 1, 0, 1)),  # still ours: followed
    ("a", "b", None, False, (1, 0, 0, 0)),  # somebody else's
    ("a", "b", None, True, (1, 0, 0, 1)),
    ("a", "b", C, False, (1, 0, 0, 0)),  # edited since
    ("a", "b", C, True, (1, 0, 0, 1)),
    ("b", "b", None, True, (0, 0, 0, 0)),
    ("b", "b", A, True, (0, 0, 0, 0)),
]


@pytest.mark.parametrize(("current", "wanted", "written", "newer", "answers"), TABLE)
def test_the_table_of_policies(
    current: str, wanted: str, written: int | None, newer: bool, answers: tuple[int, ...]
) -> None:
    given_ = tuple(int(should_write(current, wanted, written, policy, False, newer)) for policy in POLICIES)
    assert given_ == answers


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("current", "written", "blank", "expected"), [
    ("a", A, False, dict.fromkeys(POLICIES, False)),
    ("a", A, True, dict.fromkeys(POLICIES, True)),
    ("a", C, True, {"shop": True}),
    ("a", None, True, {"shop": True}),
    ("", A, True, {}),
    ("", None, True, {}),
])  # fmt: skip
def test_a_missing_source(
    policy: Policy, current: str, written: int | None, blank: bool, expected: dict[str, bool]
) -> None:
    assert should_write(current, None, written, policy, blank, True) is expected.get(policy, False)


texts = st.text(max_size=6)
names = st.sampled_from(["first_name", "city", "phone", "source"])
slugs = st.sampled_from(["woo_ltv", "woo_aov", "note"])
ids = st.sets(st.integers(1, 8), max_size=5)
stamps = st.sampled_from(["", "2026-01-01 00:00:00", "2026-06-01 00:00:00", "2026-11-01 00:00:00"])


@st.composite
def cases(
    draw: st.DrawFn, policy: Policy | None = None
) -> tuple[Contact, Wanted, Written, dict[str, tuple[Policy, bool]], Terms, Terms, str]:
    fields = draw(st.dictionaries(slugs, st.builds(FieldValue, st.integers(1, 99), texts.filter(bool), stamps)))
    contact = Contact(
        id=1, email="a@example.org", user_id=0, status="subscribed", updated=draw(stamps),
        columns=draw(st.dictionaries(names, texts)), fields=fields, tags=draw(ids), lists=draw(ids),
    )  # fmt: skip
    value = st.one_of(st.none(), texts.filter(bool))
    wanted = Wanted(columns=draw(st.dictionaries(names, value)), fields=draw(st.dictionaries(slugs, value)))
    own = st.sampled_from([policy]) if policy else st.sampled_from(POLICIES)
    policies = {target: (draw(own), draw(st.booleans())) for target in (*wanted.columns, *wanted.fields)}
    crcs = st.one_of(texts.map(digest), st.sampled_from([digest(row.value) for row in fields.values()] or [0]))
    written = Written(
        c=draw(st.dictionaries(names.map(key), crcs)),
        f=draw(st.dictionaries(slugs.map(key), crcs)),
        t=sorted(draw(ids)),
        l=sorted(draw(ids)),
    )
    return contact, wanted, written, policies, Terms(draw(ids), draw(ids)), Terms(draw(ids), draw(ids)), draw(stamps)


def applied(contact: Contact, patch: Patch) -> Contact:
    """The contact as the writer would leave it."""
    after = copy.deepcopy(contact)
    for name, (old, new) in patch.columns.items():
        assert after.columns.get(name, "") == old
        after.columns[name] = new
    for number, (slug, (row, new)) in enumerate(patch.fields.items()):
        assert row == contact.fields.get(slug)
        if new:
            after.fields[slug] = FieldValue(row.row_id if row else 1000 + number, new, "2026-11-01 13:00:00")
        else:
            after.fields.pop(slug, None)
    for has, add, remove in (
        (after.tags, patch.tags_add, patch.tags_remove),
        (after.lists, patch.lists_add, patch.lists_remove),
    ):
        assert not has & set(add) and set(remove) <= has, "attaches what is there or detaches what is not"
        has |= set(add)
        has -= set(remove)
    if patch:
        after.updated = "2026-11-01 13:00:00"
    return after


@settings(max_examples=150, deadline=None)
@given(cases())
def test_a_patch_leaves_nothing_to_do(
    case: tuple[Contact, Wanted, Written, dict[str, tuple[Policy, bool]], Terms, Terms, str],
) -> None:
    contact, wanted, written, policies, tags, lists, changed = case
    patch = diff(contact, wanted, written, policies, tags, lists, changed)
    after = applied(contact, patch)
    known = written_after(contact, patch, wanted, written, tags, lists)
    assert not diff(after, wanted, known, policies, tags, lists, changed)
    # And what is remembered does not change by remembering again: a second run writes nothing here either.
    assert written_after(after, None, wanted, known, tags, lists) == known


@settings(max_examples=100, deadline=None)
@given(cases("shop"))
def test_the_shops_word_counts(
    case: tuple[Contact, Wanted, Written, dict[str, tuple[Policy, bool]], Terms, Terms, str],
) -> None:
    contact, wanted, written, policies, tags, lists, changed = case
    after = applied(contact, diff(contact, wanted, written, policies, tags, lists, changed))
    for name, value in wanted.columns.items():
        if value is not None:
            assert after.columns[name] == value
        elif not policies[name][1]:
            assert after.columns.get(name, "") == contact.columns.get(name, "")
        else:
            assert not after.columns.get(name, "")
    for slug, value in wanted.fields.items():
        if value is not None:
            assert after.fields[slug].value == value
    untouched = contact.columns.keys() - wanted.columns.keys()
    assert {name: after.columns[name] for name in untouched} == {name: contact.columns[name] for name in untouched}
    assert {s: after.fields[s] for s in contact.fields.keys() - wanted.fields.keys()} == {
        s: contact.fields[s] for s in contact.fields.keys() - wanted.fields.keys()
    }


@settings(max_examples=100, deadline=None)
@given(cases())
def test_tags_that_people_gave_stay(
    case: tuple[Contact, Wanted, Written, dict[str, tuple[Policy, bool]], Terms, Terms, str],
) -> None:
    contact, wanted, written, policies, tags, lists, changed = case
    patch = diff(contact, wanted, written, policies, tags, lists, changed)
    assert set(patch.tags_remove) <= (set(tags.owned) | set(written.t)) - set(tags.wanted)
    assert set(patch.lists_remove) <= (set(lists.owned) | set(written.l)) - set(lists.wanted)
    assert set(patch.tags_add) == set(tags.wanted) - contact.tags


@settings(max_examples=100, deadline=None)
@given(cases("crm"), texts.filter(bool))
def test_what_a_person_edited_stays_for_ever(
    case: tuple[Contact, Wanted, Written, dict[str, tuple[Policy, bool]], Terms, Terms, str], edit: str
) -> None:
    """Policy crm: written, edited by a person, and the shop changes again and again."""
    contact, wanted, written, policies, tags, lists, changed = case
    for name in list(wanted.columns):
        contact.columns[name] = edit
        written.c[key(name)] = digest(edit + "before")
    for new in (edit + "x", edit + "y", edit + "before"):
        for name in wanted.columns:
            wanted.columns[name] = new
        patch = diff(contact, wanted, written, policies, tags, lists, changed)
        assert patch.columns == {}
        written = written_after(contact, patch, wanted, written, tags, lists)


@pytest.mark.parametrize("policy", ["crm", "newest"])
def test_a_value_set_back_to_what_the_shop_says_is_followed_again(policy: Policy) -> None:
    contact = Contact(id=1, email="a@b.example", user_id=0, status="", updated="", columns={"city": "Łódź"})
    wanted, nobody = Wanted(columns={"city": "Łódź"}, fields={}), Terms((), ())
    known = written_after(contact, None, wanted, Written(), nobody, nobody)
    wanted = Wanted(columns={"city": "Gdynia"}, fields={})
    assert diff(contact, wanted, known, {"city": (policy, False)}, nobody, nobody).columns == {
        "city": ("Łódź", "Gdynia")
    }
