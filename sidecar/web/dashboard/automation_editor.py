"""The editor of an automation: its head, one step, or the whole file; tried while it is typed, saved by a button only."""

from __future__ import annotations

from typing import Any

import msgspec
from babel import Locale, UnknownLocaleError
from flask import Response, request

from sidecar.automations import fields
from sidecar.automations.messages.model import Rendered
from sidecar.automations.model import LANGUAGES, Send
from sidecar.edited_file import RulesText
from sidecar.errors import AutomationError, Problem, SidecarError
from sidecar.web.context import desk
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error

HEAD, WHOLE = "+", "*"
RTL = ("fa", "ar", "he")


class Tried(msgspec.Struct, kw_only=True):
    """What came of an edit: every problem, or that it is in order, with the message when it is one. `refused`: why a preview with
    somebody's data could not be made."""

    problems: list[Problem] = []
    message: Rendered | None = None
    parts: int = 0
    refused: str = ""


def name() -> str:
    """Which automation, '' none."""
    return request.args.get("automation", "")[:60]


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page. After a form that went wrong it keeps what was typed. Raises NotFound."""
    now = desk().library.text(name())
    if request.method == "POST" and request.form.get("action") in ("save", "preview"):
        return _page(now, _typed(), request.form.get("base", "")[:64], error=error, code=code)
    return _page(now, {}, now.digest, error=error, code=code)


def preview() -> Response:
    """What the edit would be: a message as somebody would get it, or what is wrong. Either is an answer (200)."""
    now = desk().library.text(name())
    return _page(now, _typed(), _base(), tried=_attempt(now))


def save() -> Response:
    """Put it in force."""
    at, now = desk(), desk().library.text(name())
    try:
        at.library.save(name(), _draft(now), _base())
    except AutomationError as error:
        return _page(now, _typed(), _base(), tried=Tried(problems=error.shown()), saving=True, code=422)
    edit = _edit() if _edit() not in (HEAD, WHOLE) else ""
    return render.redirect("automations", automation=name(), edit=edit, written=_language() if edit else "", notice="automation_saved")  # fmt: skip


def reset() -> Response:
    """Back to the ready-made one: the first time it is asked whether that is meant."""
    if request.form.get("sure") != "1":
        return render.redirect("automations", automation=name(), edit=HEAD, reset="1")
    desk().reset(name())
    return render.redirect("automations", automation=name(), notice="automation_reset")


def copy() -> Response:
    """Make a new one that begins as another; its editor is what comes next."""
    form = request.form
    made = form.get("name", "")[:61].strip()
    desk().copy(form.get("source", "")[:60], made, form.get("title", "")[:200].strip())
    return render.redirect("automations", automation=made, edit=HEAD, notice="automation_copied")


def remove() -> Response:
    """Take one of the owner's away: the first time it is asked whether that is meant."""
    if request.form.get("sure") != "1":
        return render.redirect("automations", automation=name(), edit=HEAD, remove="1")
    desk().remove(name())
    return render.redirect("automations", notice="automation_removed")


# --- what was typed ------------------------------------------------------------------------------------------


def _edit() -> str:
    """What of it: a step's name, HEAD or WHOLE. A plus in a URL may come as a blank."""
    return request.args.get("edit", "")[:60].strip() or HEAD


def _step() -> str:
    return "" if _edit() in (HEAD, WHOLE) else _edit()


def _language() -> str:
    # Not "lang": translation plugins take that for theirs.
    return (request.form.get("written") or request.args.get("written", ""))[:6]


def _base() -> str:
    return request.form.get("base", "")[:64]


def _typed() -> dict[str, str]:
    """{key: what was typed}; of the whole file `text`."""
    if _edit() == WHOLE:
        return {"text": request.form.get("text", "").replace("\r\n", "\n")}
    return {key.removeprefix("f."): value for key, value in request.form.items() if key.startswith("f.")}


def _draft(now: RulesText) -> str:
    typed = _typed()
    return typed["text"] if _edit() == WHOLE else fields.put(now.text, _step(), typed, _language())


def _attempt(now: RulesText) -> Tried:
    try:
        automation = desk().library.check(name(), _draft(now))
    except AutomationError as error:
        return Tried(problems=error.shown())
    step = automation.step(_step())
    if not isinstance(step, Send):
        return Tried()
    contact = common.number(request.form.get("contact", "")) if render.may("contact") else None
    language = _language() if _language() in step.texts else "en"
    try:
        message = desk().preview(automation, step.id, language, contact or None)
    except SidecarError as error:
        return Tried(refused=error.message)
    from sidecar.automations.messages import short

    return Tried(message=message, parts=short.size(message.short).parts if message.short else 0)


# --- the page ------------------------------------------------------------------------------------------------


def _page(
    now: RulesText,
    typed: dict[str, str],
    base: str,
    *,
    tried: Tried | None = None,
    saving: bool = False,
    error: Error | None = None,
    code: int = 200,
) -> Response:
    edit, language = _edit(), _language()
    given: dict[str, Any] = {"rows": [], "languages": [], "language": "", "message": False}
    if edit != WHOLE:
        try:
            given |= _rows(now.text, typed, language)
        except AutomationError as broken:
            # It cannot be edited value by value: the whole file can be mended.
            error = error or Error(code=broken.code, message=broken.message, hint=broken.hint)
            edit = WHOLE
    from sidecar.automations.library import ready as ready_made

    ready = name() in ready_made()
    return render.fragment(
        "automation_edit.html", status=code, view="automations", notice=common.notice(), error=error, name=name(), edit=edit,
        whole=edit == WHOLE, head=edit == HEAD, text=typed.get("text", now.text), base=base, file=now.file, tried=tried,
        saving=saving, contact=request.form.get("contact", "")[:17], rtl=RTL,
        language_name=_language_name, ask=request.method == "GET" and request.args.get("reset") == "1" and bool(now.file), ready=ready,
        gone=request.method == "GET" and request.args.get("remove") == "1" and not ready, **given,
    )  # fmt: skip


def _language_name(code: str) -> str:
    """How a language calls itself."""
    try:
        return Locale.parse(code).get_display_name() or code
    except (UnknownLocaleError, ValueError):
        return code


def _rows(text: str, typed: dict[str, str], language: str) -> dict[str, Any]:
    step = _step()
    if not step:
        return {"rows": _retyped(fields.of_head(text), typed)}
    there = fields.languages(text, step)
    language = language if language in (*there, *LANGUAGES) else (there[0] if there else "")
    rows = fields.of_step(text, step, language)
    return {
        "rows": _retyped(rows, typed), "languages": list(dict.fromkeys([*there, *LANGUAGES])) if there else [],
        "there": there, "language": language if there else "", "message": bool(there),
    }  # fmt: skip


def _retyped(rows: list[fields.Field], typed: dict[str, str]) -> list[fields.Field]:
    return [msgspec.structs.replace(one, value=typed.get(one.key, one.value)) for one in rows]
