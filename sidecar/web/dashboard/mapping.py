"""The mapping page: what the shop has, the rules, a trial on real people, saving."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Response, request

from sidecar.errors import MappingError, Problem, UsageError
from sidecar.mapping import file as rules_file
from sidecar.store import meta
from sidecar.sync.preview import MOST, Preview
from sidecar.web.context import runtime, tasks
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error

KEYS = 40


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page. After a form that went wrong it keeps what was typed."""
    typed = request.form if request.method == "POST" and "text" in request.form else None
    if typed is None:
        rules = runtime().rules.read()
        return _page(rules.text, rules.digest, error=error, code=code)
    return _page(typed.get("text", ""), typed.get("base", ""), error=error, code=code)


def check() -> Response:
    """Everything that is wrong with what was typed."""
    text = _text()
    problems = rules_file.check(text)
    return _page(text, _base(), problems=problems, code=422 if problems else 200, notice="" if problems else "checked")


def preview() -> Response:
    """What a sync with these rules would do with some people."""
    text = _text()
    show_values = request.form.get("show") == "1" and render.may("contact")
    try:
        people = runtime().preview(text, _contacts(), 5, show=show_values)
    except MappingError as error:
        return _page(text, _base(), problems=error.shown("mapping.toml"), code=422)
    return _page(text, _base(), people=people)


def save() -> Response:
    """Put the rules in force."""
    text = _text()
    try:
        runtime().rules.save(text, _base())
    except MappingError as error:
        return _page(text, _base(), problems=error.shown("mapping.toml"), code=422)
    return render.redirect("mapping", notice="saved", kind=_kind())


def explore() -> Response:
    """Read the shop's keys again, in the background."""
    kind = _kind(request.form.get("kind", ""))
    tasks().explore(kind)
    return render.redirect("mapping", kind=kind, notice="explore")


def _text() -> str:
    # Browsers send \r\n; rules are kept with \n.
    return request.form.get("text", "").replace("\r\n", "\n")


def _base() -> str:
    return request.form.get("base", "")[:64]


def _kind(text: str | None = None) -> meta.Kind:
    wanted = request.args.get("kind", "") if text is None else text
    return next((kind for kind in meta.KINDS if kind == wanted), "users")


def _contacts() -> Sequence[int]:
    words = re.split(r"[\s,]+", request.form.get("contacts", "").strip())
    found = [common.number(word) for word in words if word]
    if len(found) > MOST or None in found:
        raise UsageError(f"contacts are up to {MOST} numbers, with commas between them")
    return [id_ for id_ in found if id_]


def _page(
    text: str,
    base: str,
    *,
    error: Error | None = None,
    code: int = 200,
    problems: Sequence[Problem] = (),
    people: list[Preview] | None = None,
    notice: str | None = None,
) -> Response:
    kind = _kind()
    explored = runtime().explored(kind)
    keys = explored.keys if request.args.get("all") == "1" else explored.keys[:KEYS]
    given: dict[str, Any] = {
        "text": text, "base": base, "file": runtime().rules.file, "problems": problems, "preview": people,
        "contacts": request.form.get("contacts", "")[:200], "show": request.form.get("show") == "1", "kind": kind,
        "kinds": meta.KINDS, "explored": explored, "keys": keys, "more": len(explored.keys) - len(keys),
        "notice": common.notice() if notice is None else notice,
    }  # fmt: skip
    return render.fragment("mapping.html", status=code, view="mapping", error=error, **given)
