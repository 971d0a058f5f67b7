"""An automation as a drawing: its steps below one another, and arrows, of which those that leave steps out run beside them.

Pure, in pixels of an SVG. Steps only lead forward in their list, so every arrow leads down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from sidecar.automations import model
from sidecar.automations.model import END, AnyStep, Automation

# Why an arrow is taken: a branch's two ways, an event that came or did not, chance (`weight`), or simply what follows.
Why = Literal["", "yes", "no", "came", "not_come", "chance"]
# No step can have these names.
START, GOAL, EXIT = "*trigger", "*goal", "*exit"
BOX, PAD, LINE, GAP, LANE, MARGIN = 300, 12, 18, 36, 22, 8
_MOST = 42  # letters of a line


class Arrow(msgspec.Struct, frozen=True, kw_only=True):
    """From a step (START: the trigger) to another (END: the end)."""

    start: str
    end: str
    why: Why = ""
    weight: int = 0


class Node(msgspec.Struct, kw_only=True):
    """A box. `kind` is the step's tag, or trigger, end, goal, exit; `lines` are what stands in it, the last one in small letters."""

    id: str
    kind: str
    lines: list[str]
    note: str = ""
    x: int = 0
    y: int = 0
    height: int = 0

    @property
    def middle(self) -> int:
        return self.x + BOX // 2

    @property
    def texts(self) -> list[tuple[int, str]]:
        """(y, line)."""
        return [(self.y + PAD + 13 + number * LINE, line) for number, line in enumerate(self.lines)]


class Path(msgspec.Struct, kw_only=True):
    """An arrow as drawn: the points of its line and of its head. What is said of it begins at x and y; `beside`: it runs beside the boxes,
    and what is said ends there."""

    points: str
    head: str
    why: Why
    weight: int
    x: int
    y: int
    beside: bool = False


class Drawing(msgspec.Struct, kw_only=True):
    """All of it. `width` and `height` in pixels."""

    width: int
    height: int
    nodes: list[Node]
    paths: list[Path]


def arrows(automation: Automation) -> list[Arrow]:
    """Where everything leads."""
    steps = automation.steps
    found = [Arrow(start=START, end=steps[0].id if steps else END)]
    for step in steps:
        found += _from(automation, step)
    return found


def _from(automation: Automation, step: AnyStep) -> list[Arrow]:
    below = automation.after(step)
    if isinstance(step, model.Stop):
        return [Arrow(start=step.id, end=END)]
    if isinstance(step, model.Split):
        return [Arrow(start=step.id, end=way, why="chance", weight=weight) for way, weight in step.ways.items()]
    if isinstance(step, model.Branch | model.WaitEvent):
        yes, no = step.then or below, step.otherwise or below
        words: tuple[Why, Why] = ("yes", "no") if isinstance(step, model.Branch) else ("came", "not_come")
        if yes == no:
            return [Arrow(start=step.id, end=yes)]
        return [Arrow(start=step.id, end=yes, why=words[0]), Arrow(start=step.id, end=no, why=words[1])]
    if isinstance(step, model.WaitMoment) and step.otherwise and step.otherwise != below:
        return [Arrow(start=step.id, end=below), Arrow(start=step.id, end=step.otherwise, why="no")]
    return [Arrow(start=step.id, end=below)]


def draw(
    automation: Automation,
    say: Callable[[str], str],
    note: Callable[[str], str] = lambda _: "",
    *,
    rtl: bool = False,
) -> Drawing:
    """`say` and `note` give what stands in a box by its id (START, END, GOAL, EXIT, or a step's). From right to left the lanes are on the
    left."""
    ids = [START, *(step.id for step in automation.steps), END]
    kinds = {START: "trigger", END: END} | {step.id: str(step.__struct_config__.tag) for step in automation.steps}
    nodes, top = [], MARGIN
    for id_ in ids:
        nodes.append(_node(id_, kinds[id_], say(id_), note(id_), top))
        top += nodes[-1].height + GAP
    # These are reached from everywhere: no arrow leads there.
    for id_, there in ((GOAL, bool(automation.goal.topics)), (EXIT, bool(automation.exits))):
        if there:
            nodes.append(_node(id_, id_[1:], say(id_), note(id_), top - GAP // 2))
            top += nodes[-1].height + GAP // 2
    rows = {id_: row for row, id_ in enumerate(ids)}
    made = arrows(automation)
    lanes = _lanes([(rows[one.start], rows[one.end]) for one in made])
    width = MARGIN * 2 + BOX + LANE * (max((lane for lane in lanes if lane), default=0) + (1 if any(lanes) else 0))
    left = width - MARGIN - BOX if rtl else MARGIN
    for node in nodes:
        node.x = left
    paths: list[Path] = []
    said: dict[str, int] = {}
    for one, lane in zip(made, lanes, strict=True):
        before = said.get(one.start, 0)
        paths.append(_path(nodes[rows[one.start]], nodes[rows[one.end]], one, lane, before, rtl))
        said[one.start] = before + bool(lane)
    return Drawing(width=width, height=top - GAP + MARGIN + (GAP // 2 if len(nodes) > len(ids) else 0), nodes=nodes, paths=paths)  # fmt: skip


def _node(id_: str, kind: str, said: str, note: str, top: int) -> Node:
    lines = wrapped(said)
    height = PAD * 2 + LINE * (len(lines) + bool(note)) - 2
    return Node(id=id_, kind=kind, lines=lines, note=note, y=top, height=height)


def wrapped(text: str, most: int = _MOST, lines: int = 2) -> list[str]:
    """A text in at most so many lines, cut between words."""
    found = [""]
    for word in text.split():
        joined = f"{found[-1]} {word}".strip()
        if len(joined) <= most or not found[-1]:
            found[-1] = joined
        else:
            found.append(word)
    found = [line if len(line) <= most else f"{line[: most - 1]}…" for line in found]
    if len(found) > lines:
        found = [*found[: lines - 1], f"{found[lines - 1][: most - 1]}…"]
    return found


def _lanes(spans: Sequence[tuple[int, int]]) -> list[int]:
    """0 for an arrow to the next box, else the lane beside the boxes: the nearest that no other one is in at that height, nor ends in where
    this one begins."""
    lanes = [0] * len(spans)
    taken: list[tuple[int, int, int]] = []
    order = sorted(range(len(spans)), key=lambda number: (spans[number][1] - spans[number][0], number))
    for number in order:
        start, end = spans[number]
        if end - start <= 1:
            continue
        lane = 1
        while any(lane == other and start <= last and first <= end for other, first, last in taken):
            lane += 1
        lanes[number] = lane
        taken.append((lane, start, end))
    return lanes


def _path(start: Node, end: Node, arrow: Arrow, lane: int, before: int, rtl: bool) -> Path:
    """`before`: how many others leave the same box beside it."""
    way = -1 if rtl else 1
    under = start.y + start.height
    if not lane:
        x = start.middle
        return Path(
            points=f"{x},{under} {x},{end.y - 6}", head=f"{x - 5},{end.y - 8} {x + 5},{end.y - 8} {x},{end.y}",
            why=arrow.why, weight=arrow.weight, x=x + way * 8, y=under + GAP // 2 + 2,
        )  # fmt: skip
    side = start.x if rtl else start.x + BOX
    # Arrows of the same box do not lie upon one another.
    out, into = start.y + start.height // 2 + min(before, 2) * 8, end.y + end.height // 2 - min(before, 1) * 8
    away = side + way * LANE * lane
    return Path(
        points=f"{side},{out} {away},{out} {away},{into} {side + way * 6},{into}",
        head=f"{side + way * 8},{into - 5} {side + way * 8},{into + 5} {side},{into}",
        why=arrow.why, weight=arrow.weight, x=side - way * 4, y=under + 14 + min(before, 1) * 14, beside=True,
    )  # fmt: skip
