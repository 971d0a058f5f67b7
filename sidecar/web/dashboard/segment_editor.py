"""The editor of one segment, or of the whole file: TOML that is tried while it is typed, and saved by a button only."""

from __future__ import annotations

from flask import Response, request

from sidecar.edited_file import RulesText
from sidecar.errors import SegmentError
from sidecar.segments import rules
from sidecar.segments.catalogue import COUNTED, FIELDS, OPERATORS
from sidecar.web.api.segment_rules import Tried, attempt
from sidecar.web.context import runtime
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error

ADD = "+"
NEW = """[[segment]]
slug = "my-segment"
name = "My segment"
about = ""
rule = { all = [
  { field = "orders_count", at_least = 2 },
  { field = "last_order", older_than = "60d" },
] }
"""


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page. After a form that went wrong it keeps what was typed. Raises NotFound."""
    slug = _slug()
    now = runtime().segments.text()
    if request.method == "POST" and "text" in request.form:
        # What was edited is still the file of then: saved over somebody else's edit it would be refused again.
        return _page(slug, _text(), request.form.get("base", "")[:64], now, error=error, code=code)
    try:
        text = _written(slug, now)
    except SegmentError as broken:
        # It cannot be taken out alone: the whole file can be mended.
        told = Error(code=broken.code, message=broken.message, hint=broken.hint)
        return _page(rules.ALL, now.text, now.digest, now, error=error or told, code=code)
    return _page(slug, text, now.digest, now, error=error, code=code)


def preview() -> Response:
    """Whom it would find, or what is wrong with it: either is an answer (200), also while somebody is still typing."""
    return _page(_slug(), _text(), _base(), runtime().segments.text(), tried=attempt(_slug(), _text()))


def save() -> Response:
    """Put it in force."""
    try:
        slug = runtime().segments.save(_slug(), _text(), _base())
    except SegmentError as error:
        tried = Tried(ok=False, problems=error.shown(rules.NAME))
        return _page(_slug(), _text(), _base(), runtime().segments.text(), tried=tried, saving=True, code=422)
    return render.redirect("segments", segment="" if slug == rules.ALL else slug, notice="segment_saved")


def remove() -> Response:
    """Take a segment out of the file: the first time it is asked whether that is meant."""
    slug = _slug()
    if request.form.get("sure") != "1":
        return render.redirect("segments", edit=slug, remove="1")
    try:
        runtime().segments.remove(slug, _base())
    except SegmentError as error:
        now = runtime().segments.text()
        tried = Tried(ok=False, problems=error.shown(rules.NAME))
        return _page(slug, _written(slug, now), now.digest, now, tried=tried, saving=True, code=422)
    return render.redirect("segments", notice="segment_removed")


def _slug() -> str:
    """Which segment; '' for a new one, which is + in the URL: no slug has one."""
    return request.args.get("edit", "")[:60].replace(ADD, "")


def _text() -> str:
    # Browsers send \r\n; rules are kept as the file has its lines.
    return request.form.get("text", "").replace("\r\n", "\n")


def _base() -> str:
    return request.form.get("base", "")[:64]


def _written(slug: str, now: RulesText) -> str:
    """The text to begin with: a segment as it stands in the file, an example for a new one, or the whole file."""
    if slug == rules.ALL:
        return now.text
    return rules.block(now.text, slug) if slug else NEW


def _page(
    slug: str,
    text: str,
    base: str,
    now: RulesText,
    *,
    tried: Tried | None = None,
    saving: bool = False,
    error: Error | None = None,
    code: int = 200,
) -> Response:
    where = slug or ADD
    ask = slug not in ("", rules.ALL) and request.args.get("remove") == "1"
    return render.fragment(
        "segment_edit.html", status=code, view="segments", notice=common.notice(), error=error, slug=slug, where=where, text=text,
        base=base, file=now.file, whole=slug == rules.ALL, tried=tried, saving=saving, ask=ask and request.method == "GET",
        fields=list(FIELDS.values()), operators=OPERATORS, counted=COUNTED,
    )  # fmt: skip
