"""The one error shape: `{"error": {"code", "message", "hint"}}`, whatever went wrong, and never a trace."""

from __future__ import annotations

import logging

import msgspec
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from sidecar import logs
from sidecar.errors import AutomationError, MappingError, SegmentError, SidecarError, UsageError
from sidecar.state.database import failure

log = logging.getLogger(__name__)

_WORDS = {
    400: ("bad_request", "the request cannot be understood"),
    401: ("unauthorized", "the request is not accepted"),
    403: ("forbidden", "your role may not do this"),
    404: ("not_found", "there is nothing here"),
    405: ("method_not_allowed", "this cannot be done here"),
    413: ("too_large", "the request is too large"),
    415: ("unsupported_media_type", "the request has the wrong content type"),
}


class Error(msgspec.Struct, kw_only=True, frozen=True):
    """What went wrong: `code` is stable, for programs; message and hint are for people."""

    code: str
    message: str
    hint: str = ""


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every answer that is no success."""

    error: Error


def body(error: Error) -> bytes:
    """The error shape."""
    return msgspec.json.encode(ErrorBody(error))


def response(status: int, error: Error) -> Response:
    """An error as JSON, or as a small page fragment for who asked for a page."""
    if request.path.startswith("/ui/") and g.get("actor") is not None:
        from sidecar.web.dashboard.render import error_page

        return error_page(status, error)
    return Response(body(error), status, content_type="application/json")


def plain(status: int, hint: str = "") -> Response:
    """The error of an HTTP status in the usual words."""
    code, message = _WORDS.get(status, ("error", "it did not work"))
    return response(status, Error(code=code, message=message, hint=hint))


def handle(error: Exception) -> Response:
    """Any exception as an answer. The text of an unforeseen one stays out of it: it may hold a customer's data."""
    if isinstance(error, HTTPException):
        return plain(error.code or 500)
    if isinstance(error, SidecarError):
        return response(status_of(error), Error(code=error.code, message=logs.redact(error.message), hint=error.hint))
    failed = failure(error)
    if failed is not None:
        log.error("request failed: %s", failed.message, extra={"route": str(request.url_rule or "")})
        return response(500, Error(code=failed.code, message=failed.message, hint=failed.hint))
    log.exception("request failed", extra={"route": str(request.url_rule or "")})
    return response(500, Error(code="unexpected", message="this is a fault of the sidecar", hint="its log says more"))


def status_of(error: SidecarError) -> int:
    """The status of one of our errors: rules that the user sent are the request's fault, not the server's."""
    if isinstance(error, MappingError | SegmentError | AutomationError):
        return 422
    if isinstance(error, UsageError):
        return 400
    return error.http_status
