"""Which page is where, who may see it, and which forms it has, with who may send them.

A form posts `action`; what it does stands in `ACTIONS`, with the permission that it needs. After it the browser is sent
to a page (303), or gets one at once when there is something to correct.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request

from sidecar.errors import SidecarError
from sidecar.web import errors, roles
from sidecar.web.dashboard import (
    automation_editor,
    automations,
    contact,
    events,
    mapping,
    render,
    segment_editor,
    segments,
    status,
    sync,
)
from sidecar.web.routes import CONTACT

Action = tuple[roles.Permission, Callable[[], Response]]

ACTIONS: dict[str, dict[str, Action]] = {
    "status": {"confirm": ("settings", status.confirm), "retry": ("sync", status.retry), "pause": ("sync", status.pause), "resume": ("sync", status.resume)},
    "events": {},
    "sync": {
        "start": ("sync", sync.start), "pause": ("sync", sync.pause), "resume": ("sync", sync.resume),
        "cancel": ("sync", sync.cancel), "undo": ("undo", sync.undo),
    },
    "segments": {
        "refresh": ("sync", segments.refresh), "preview": ("mapping", segment_editor.preview),
        "save": ("mapping", segment_editor.save), "remove": ("mapping", segment_editor.remove),
    },
    "automations": {
        "on": ("sync", automations.on), "off": ("sync", automations.off), "enable": ("sync", automations.enable), "why": ("contact", automations.why), "backtest": ("sync", automations.backtest), "test": ("settings", automations.test),
        "preview": ("mapping", automation_editor.preview), "save": ("mapping", automation_editor.save),
        "reset": ("mapping", automation_editor.reset), "copy": ("mapping", automation_editor.copy),
        "remove": ("mapping", automation_editor.remove),
    },
    "mapping": {
        "check": ("mapping", mapping.check), "preview": ("mapping", mapping.preview), "save": ("mapping", mapping.save),
        "explore": ("mapping", mapping.explore),
    },
}  # fmt: skip
_SHOW: dict[str, Callable[..., Response]] = {
    "status": status.show, "events": events.show, "sync": sync.show, "segments": segments.show,
    "automations": automations.show, "mapping": mapping.show,
}  # fmt: skip


def register(app: Flask) -> None:
    """Put the pages into an application."""
    render.install(app)
    for name, _title, permission in render.VIEWS:
        _add(app, f"/ui/{name}", f"ui_{name}", "GET", permission, _SHOW[name])
        if ACTIONS[name]:
            _add(app, f"/ui/{name}", f"ui_{name}_post", "POST", permission, _poster(name))
    _add(app, f"/ui/contact{CONTACT}", "ui_contact", "GET", "contact", contact.show)


def _add(app: Flask, rule: str, name: str, method: str, may: roles.Permission, view: Callable[..., Response]) -> None:
    def answer(**parts: Any) -> Response:
        return view(**parts)

    answer.fcsc_permission = may  # type: ignore[attr-defined]
    app.add_url_rule(rule, endpoint=name, view_func=answer, methods=[method], provide_automatic_options=False)


def _poster(name: str) -> Callable[[], Response]:
    def post() -> Response:
        if request.mimetype != "application/x-www-form-urlencoded":
            return errors.plain(415)
        permission, act = ACTIONS[name].get(request.form.get("action", ""), (None, None))
        if permission is None or act is None:
            return errors.plain(400)
        if not roles.may(g.actor, permission):
            return errors.plain(403)
        try:
            return act()
        except SidecarError as error:
            # The page as it is now, with what went wrong above it.
            told = errors.Error(code=error.code, message=error.message, hint=error.hint)
            return _SHOW[name](error=told, code=errors.status_of(error))

    return post
