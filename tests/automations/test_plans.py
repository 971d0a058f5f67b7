"""What is asked of the state in each second of a pass goes by an index: with half a million messages a second has room for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from automating import NOW, TEXT, World

from sidecar.automations import endings, enrolments, handing, happenings, pruning
from sidecar.automations.channels import reports
from sidecar.automations.channels.model import Report
from sidecar.automations.model import Send, Wait
from sidecar.automations.triggers import carts, views
from sidecar.segments.model import Period

LARGE = ("enrolment", "step_done", "message", "event", "activity", "coupon", "credit", "membership_event")
SCANS = re.compile(rf"^SCAN (?:{'|'.join(LARGE)}|[a-z])$")


@contextmanager
def asked(world: World) -> Iterator[list[str]]:
    """The statements that the state is asked meanwhile."""
    found: list[str] = []
    world.state.sql.set_trace_callback(found.append)
    yield found
    world.state.sql.set_trace_callback(None)


def scanned(world: World, statements: list[str]) -> list[tuple[str, str]]:
    """Those that read one of the large tables from end to end."""
    bad = []
    for text in dict.fromkeys(statements):
        if not text.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            continue
        for row in world.state.sql.execute(f"EXPLAIN QUERY PLAN {text}"):
            if SCANS.match(row[3]):
                bad.append((row[3], text[:200]))
    return bad


def test_a_pass_reads_no_large_table_from_end_to_end(world: World) -> None:
    people = world.subscribed(3)
    spec = world.on(Send(id="m", channels=("email",), texts=TEXT), Wait(id="w", period=Period(days=1)), name="a")
    with asked(world) as statements:
        ids = [world.enter(spec, person, f"cart:{world.cart(person)}:{NOW}") for person in people]
        assert enrolments.due(world.state, world.now, [1])
        world.work()
        handing.left(world.state, world.now * 1000)
        reports.apply(world.state, "mail", [Report(ref="7", state=what, at=NOW) for what in reports._CHANGES])
        enrolments.end(world.state, ids[0], "exit", "told", NOW)
        endings.follow(world.state, happenings.last(world.state), NOW)
        pruning.prune(world.state, NOW, 1)
    assert len(statements) > 50
    assert scanned(world, statements) == []


def test_what_triggers_ask_about_one_person_or_cart(world: World) -> None:
    created: Any = happenings.Happened(
        id=1, at=1, topic="order.created", object_id=1, sub_id=0, detail="", person_id=1, outbox_id=5
    )
    with asked(world) as statements:
        endings._carts(world.state, created)
        world.state.rows(carts._ORDERED_HERE, ("x", 1))
        world.state.rows(views._VIEWS, (1, 1))
    assert scanned(world, statements) == []
    plans = [row[3] for text in statements for row in world.state.sql.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert not any("activity_at" in plan or "activity_kind" in plan for plan in plans), plans
