"""The drawing of an automation, and its values as forms have them: pure parts of the pages."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.automations import fields, file, flow, library, model
from sidecar.automations.model import Automation
from sidecar.errors import AutomationError
from sidecar.segments import file as segments_file
from sidecar.segments.model import All

ZONE = ZoneInfo("Europe/Warsaw")


@pytest.fixture(scope="module")
def ready() -> dict[str, Automation]:
    segments = segments_file.load(None, ZONE)
    return {name: file.parse(library.ready_text(name), f"{name}.toml", ZONE, segments) for name in library.ready()}


def test_what_is_not_changed_stays_byte_for_byte(ready: dict[str, Automation]) -> None:
    """Whatever a browser does to line ends and blanks around values."""
    for name, spec in ready.items():
        text = library.ready_text(name)
        for given_ in (text, text.replace("\n", "\r\n")):
            head = {one.key: f" {one.value} " for one in fields.of_head(given_)}
            assert fields.put(given_, "", head) == given_, name
            for step in spec.steps:
                rows = fields.of_step(given_, step.id, "fa")
                typed = {one.key: one.value.replace("\n", "\r\n") for one in rows}
                assert fields.put(given_, step.id, typed, "fa") == given_, (name, step.id)


@pytest.mark.parametrize(
    ("step", "typed", "old", "new"),
    [
        ("until-8h", {"period": "6h"}, 'period = "450m"', 'period = "6h"'),
        ("gift", {"amount": "7.5"}, "amount = 5", "amount = 7.5"),
        ("gift", {"amount": "a lot"}, "amount = 5", 'amount = "a lot"'),
        ("hunters", {"rule": '{ segment = "vip" }'}, '{ segment = "coupon-hunters" }', '{ segment = "vip" }'),
        ("second", {"still": "cart_open"}, 'still = ["cart_open", "in_stock"]', 'still = ["cart_open"]'),
        ("second", {"late": ""}, 'late = "6h"\n', ""),
        ("", {"trigger.idle": "1h", "title": "Mine"}, 'title = "Cart recovery"', 'title = "Mine"'),
    ],
)
def test_a_value_is_put(step: str, typed: dict[str, str], old: str, new: str) -> None:
    text = library.ready_text("cart-recovery")
    place = text.index(f'id = "{step}"') if step else 0
    found = fields.put(text, step, typed)
    at = text.index(old, place)
    wanted = text[:at] + new + text[at + len(old) :]
    assert found == (wanted.replace('idle = "30m"', 'idle = "1h"') if "trigger.idle" in typed else wanted)


def test_a_text_in_another_language() -> None:
    text = library.ready_text("cart-recovery")
    found = fields.put(text, "first", {"text.de.subject": "Ihr Korb", "text.de.body": "Eins.\r\n\r\nZwei."}, "de")
    assert fields.languages(found, "first")[-1] == "de"
    said = {one.key: one.value for one in fields.of_step(found, "first", "de")}
    assert (said["text.de.subject"], said["text.de.body"]) == ("Ihr Korb", "Eins.\n\nZwei.")
    assert fields.of_step(text, "first", "../x") == fields.of_step(text, "first")


@given(rule=st.text(max_size=60))
def test_a_rule_is_one_value(rule: str) -> None:
    """Whatever is typed: it is a value there, is refused, or changes nothing; never another key."""
    text = 'title = "x"\n[[step]]\nid = "a"\ndo = "branch"\nrule = { all = [] }\nthen = "end"\n'
    try:
        found = fields.put(text, "a", {"rule": rule})
    except AutomationError:
        return
    assert found.startswith('title = "x"\n[[step]]\nid = "a"\ndo = "branch"\n') and found.endswith('then = "end"\n')


# --- the drawing ---------------------------------------------------------------------------------------------


def boxes_do_not_meet(made: flow.Drawing) -> None:
    for above, below in pairwise(sorted(made.nodes, key=lambda node: node.y)):
        assert above.y + above.height < below.y
    assert made.nodes[-1].y + made.nodes[-1].height <= made.height
    for path in made.paths:
        for point in (*path.points.split(), *path.head.split()):
            x, y = map(int, point.split(","))
            assert 0 <= x <= made.width and 0 <= y <= made.height, path


def test_every_ready_made_automation(ready: dict[str, Automation]) -> None:
    for spec in ready.values():
        for rtl in (False, True):
            made = flow.draw(spec, lambda id_: f"What {id_} does", lambda _: "12 here", rtl=rtl)
            boxes_do_not_meet(made)
            assert len(made.paths) == len(flow.arrows(spec))


@given(data=st.data())
def test_any_automation(data: st.DataObject) -> None:
    """Arrows lead down to what is there; those that leave boxes out do not run upon one another."""
    names = [f"s{number}" for number in range(data.draw(st.integers(1, 8)))]
    steps: list[model.AnyStep] = []
    for number, name in enumerate(names):
        to = st.sampled_from(["", *names[number + 1 :], model.END])
        steps.append(
            data.draw(
                st.one_of(
                    st.builds(model.Wait, id=st.just(name), next=to),
                    st.builds(model.Branch, id=st.just(name), rule=st.just(All(())), then=to, otherwise=to),
                    st.just(model.Stop(id=name)),
                    st.builds(model.Split, id=st.just(name), ways=st.dictionaries(to.filter(bool), st.integers(1, 9), min_size=1)),
                )
            )
        )  # fmt: skip
    spec = Automation(
        name="x", title="x", trigger=model.ByHand(), steps=tuple(steps), goal=model.Goal(topics=("order.placed",))
    )
    rows = {id_: row for row, id_ in enumerate([flow.START, *names, model.END])}
    arrows = flow.arrows(spec)
    assert all(rows[one.start] < rows[one.end] for one in arrows)
    made = flow.draw(spec, str, rtl=data.draw(st.booleans()))
    boxes_do_not_meet(made)
    beside = [
        (path.points.split()[1].split(",")[0], arrow)
        for path, arrow in zip(made.paths, arrows, strict=True)
        if path.beside
    ]
    for number, (lane, one) in enumerate(beside):
        for other_lane, other in beside[:number]:
            apart = rows[one.end] < rows[other.start] or rows[other.end] < rows[one.start]
            assert lane != other_lane or apart, (one, other)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two", ["one two"]),
        ("a" * 60, ["a" * 41 + "…"]),
        ("word " * 30, [("word " * 8).strip(), ("word " * 8).strip() + "…"]),
    ],
)
def test_texts_are_cut_between_words(text: str, lines: list[str]) -> None:
    assert flow.wrapped(text) == lines
