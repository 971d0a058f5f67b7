"""The event monitor: what happened, about what, when, and what became of it."""

from __future__ import annotations

from flask import Response, request

from sidecar.events.topics import FAMILIES
from sidecar.web.context import runtime
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error

ROWS = 50


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page, of one type or all, from the newest or from where the page before ended."""
    type_ = request.args.get("type", "")
    if type_ not in FAMILIES:
        type_ = ""
    after = common.after()
    found = runtime().events(type_, after, ROWS)
    return render.fragment(
        "events.html", status=code, view="events", notice=common.notice(), error=error, families=("", *FAMILIES),
        type=type_, after=after, rows=common.event_rows(found), next=found[-1].id if len(found) == ROWS else 0,
    )  # fmt: skip
