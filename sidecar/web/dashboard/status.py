"""The status page: connection, pace, people, dead letters."""

from __future__ import annotations

from flask import Response, request

from sidecar.state import jobs
from sidecar.web.context import runtime, tasks
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error
from sidecar.web.figures import standing

LETTERS = 25


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page; with an error of a form above it."""
    shop = runtime()
    after = common.after() if request.method == "GET" else 0
    letters = shop.letters_page(after, LETTERS)
    return render.fragment(
        "status.html", status=code, view="status", notice=common.notice(), error=error, found=standing(shop),
        job=jobs.open_(shop.state), letters=letters, after=letters[-1].id if len(letters) == LETTERS else 0,
    )  # fmt: skip


def confirm() -> Response:
    """The clone guard's question: yes, this is the real shop."""
    runtime().confirm_site()
    return render.redirect("status", notice="confirmed")


def retry() -> Response:
    """Look at one dead letter again, or at all."""
    letters = [common.field("letter")] if request.form.get("letter") else []
    tasks().start("retry", {"letters": letters})
    return render.redirect("status", notice="retry")


def pause() -> Response:
    """Write nothing for an hour; events are kept."""
    runtime().pause()
    return render.redirect("status", notice="halted")


def resume() -> Response:
    """End the pause."""
    runtime().resume()
    return render.redirect("status", notice="follows")
