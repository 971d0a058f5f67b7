"""The application: `create_app(runtime)`. Every request goes through the same doors, in this order: form of the path,
signature (`auth`), role (`roles`), then the view; every answer gets the security headers and a signature."""

from __future__ import annotations

import logging
import re
import time

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from sidecar import memory, signing
from sidecar.runtime import Runtime
from sidecar.tasks import Tasks
from sidecar.web import errors, roles
from sidecar.web.api import NOUNS
from sidecar.web.auth import Gate, target
from sidecar.web.dashboard import pages
from sidecar.web.metrics import Metrics

log = logging.getLogger(__name__)

_PATH = re.compile(r"/[A-Za-z0-9._~/-]*")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create_app(runtime: Runtime, tasks: Tasks | None = None) -> Flask:
    """The WSGI application of one shop. Without `tasks` work that a page starts waits for `sidecar tick` or `serve`."""
    app = Flask("sidecar.web", static_folder=None, template_folder="dashboard/templates", root_path=_here())
    app.config.update(MAX_CONTENT_LENGTH=signing.MAX_BODY, MAX_FORM_MEMORY_SIZE=signing.MAX_BODY, MAX_FORM_PARTS=200)
    # One URL for one thing: nothing is redirected, merged or guessed.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.extensions["fcsc"] = (runtime, tasks or Tasks(runtime))
    gate, metrics = Gate(runtime), Metrics(runtime)
    # Opened here, by one thread, before requests ask for them from several.
    runtime.prepare()
    _doors(app, gate)
    _ways_out(app, gate, metrics)
    app.add_url_rule("/healthz", view_func=healthz, methods=["GET"], provide_automatic_options=False)
    app.add_url_rule(
        "/metrics", endpoint="metrics", view_func=metrics.view, methods=["GET"], provide_automatic_options=False
    )
    for noun in NOUNS:
        app.register_blueprint(noun)
    pages.register(app)
    return app


def healthz() -> Response:
    """Whether the process answers, and nothing else: anybody may ask."""
    return Response(b'{"ok":true}', content_type="application/json")


def _here() -> str:
    from pathlib import Path

    return str(Path(__file__).parent)


def _doors(app: Flask, gate: Gate) -> None:
    @app.before_request
    def enter() -> Response | None:
        g.started = time.perf_counter()
        refused = gate.admit(request)
        if refused:
            return errors.plain(refused)
        if g.key is None:
            return None  # /healthz or /metrics, which were let in without a signature
        if request.method not in ("GET", "POST"):
            return errors.plain(405)
        path = target(request).partition("?")[0]
        # One way to write a path: nothing encoded, doubled, or with dots, so that no check sees another path than the view.
        if path != request.path or _PATH.fullmatch(path) is None or "//" in path or "/." in path:
            return errors.plain(404)
        if request.path.startswith("/ui/") and g.actor is None:
            # Pages are for people: a form that no user stands behind is refused.
            return errors.plain(403)
        if request.routing_exception is not None:
            return errors.handle(request.routing_exception)
        view = app.view_functions[request.endpoint or ""]
        # A view that names no permission is a fault of ours, and closed.
        permission = getattr(view, "fcsc_permission", None)
        if permission is None or not roles.may(g.actor, permission):
            return errors.plain(403)
        return None


def _ways_out(app: Flask, gate: Gate, metrics: Metrics) -> None:
    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        return errors.handle(error)

    @app.errorhandler(HTTPException)
    def http_failed(error: HTTPException) -> Response:
        return errors.handle(error)

    @app.after_request
    def leave(response: Response) -> Response:
        response.headers.update(_HEADERS)
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        # The rule, not the path, and no query: a log line names nobody.
        rule = str(request.url_rule or "none")
        log.info(
            "request",
            extra={
                "method": request.method, "route": rule, "status": response.status_code,
                "ms": round(seconds * 1000, 1), "user": g.actor.user_id if g.get("actor") else 0,
            },
        )  # fmt: skip
        metrics.seen(rule, request.method, response.status_code, seconds)
        return gate.sign(response)

    @app.teardown_request
    def closed(_: BaseException | None) -> None:
        # This thread's connection to the state: threads share none, and an idle one keeps no memory.
        runtime, _tasks = app.extensions["fcsc"]
        runtime.state.close()
        memory.used.set()
