"""The sync page: start, watch, pause, go on, take back."""

from __future__ import annotations

import msgspec
from flask import Response, request
from flask_babel import gettext as _

from sidecar.errors import NotFound, StoreUnavailable, UsageError
from sidecar.state import jobs
from sidecar.sync.undo import Undoable
from sidecar.web.api.sync import Start, options
from sidecar.web.context import runtime, tasks
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error

RUNS = 15


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page. `?undo=RUN` asks whether that run is to be taken back."""
    shop = runtime()
    try:
        undo = shop.undo_runs()
        asked = _asked()
    except StoreUnavailable as away:
        undo, asked, error = {}, None, error or Error(code=away.code, message=away.message, hint=away.hint)
    except NotFound as gone:
        undo, asked, error = (
            shop.undo_runs(),
            None,
            error or Error(code=gone.code, message=gone.message, hint=gone.hint),
        )
    return render.fragment(
        "sync.html", status=code, view="sync", notice=common.notice(), error=error, job=jobs.latest(shop.state),
        runs=shop.runs(RUNS), undo=undo, asked=asked,
        periods=(
            ("", _("the time chosen last")), ("1", _("the last month")), ("3", _("the last 3 months")),
            ("6", _("the last 6 months")), ("12", _("the last 12 months")), ("0", _("all time")),
        ),
    )  # fmt: skip


def _asked() -> Undoable | None:
    run = common.number(request.args.get("undo", "")) if request.method == "GET" else None
    return runtime().undoable(run) if run else None


def start() -> Response:
    """Start the main job."""
    months = request.form.get("months", "")
    try:
        wanted = msgspec.convert(
            {
                "months": int(months) if months.isascii() and months.isdigit() else None,
                "what": request.form.get("what", "all"),
                "full": request.form.get("full") == "1",
            },
            Start,
        )
    except msgspec.ValidationError as error:
        raise UsageError("the period or the people are none of those offered") from error
    tasks().start("sync", options(wanted))
    return render.redirect("sync", notice="started")


def pause() -> Response:
    """Let the work halt at the next page."""
    jobs.pause(runtime().state)
    return render.redirect("sync", notice="paused")


def resume() -> Response:
    """Let it go on."""
    tasks().resume()
    return render.redirect("sync", notice="resumed")


def cancel() -> Response:
    """Give up paused work."""
    jobs.cancel(runtime().state)
    return render.redirect("sync", notice="cancelled")


def undo() -> Response:
    """Take a run back: the first time it is asked whether that is meant."""
    run = common.field("run")
    if request.form.get("sure") != "1":
        return render.redirect("sync", undo=run)
    runtime().undoable(run)
    tasks().start("undo", {"run": run})
    return render.redirect("sync", notice="undo")
