"""Logging to standard error, as text or JSON lines, without personal data.

A module logs with `logging.getLogger(__name__)`; numbers and names go into `extra`, never into an f-string.
`bind(run=..., person=...)` marks every line of a piece of work.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

_bound: ContextVar[dict[str, str] | None] = ContextVar("sidecar_log_context", default=None)
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_EMAIL = re.compile(r"[^\s@<>\"'(),;:=\[\]]+@[^\s@<>\"'(),;:=\[\]]+", re.UNICODE)
# Dates and times are matched first, so that they are kept.
_DIGITS = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?)"
    r"|(?<!\w)(?P<phone>(?:\+|00)?\(?\d(?:[ ().-]{0,2}\d){7,18})(?!\w)"
)
_EXACT_DIGITS = 9  # a plain number of fewer digits is an id or a count


def redact(text: str) -> str:
    """The text without e-mail addresses and without what looks like a phone number."""
    return _DIGITS.sub(_without_phone, _EMAIL.sub("<email>", text))


def _without_phone(found: re.Match[str]) -> str:
    phone = found["phone"]
    if phone is None:
        return found.group()
    international = phone.startswith(("+", "00"))
    digits = sum(char.isdigit() for char in phone)
    return "<digits>" if international or digits >= _EXACT_DIGITS else phone


@contextmanager
def bind(**context: str | int | None) -> Iterator[None]:
    """Add names (run, person, …) to every line that is logged inside. `person` is a key, never an address."""
    merged = dict(_bound.get() or {}) | {key: str(value) for key, value in context.items() if value is not None}
    token = _bound.set(merged)
    try:
        yield
    finally:
        _bound.reset(token)


class Redactor(logging.Filter):
    """Takes personal data out of a record: message, arguments, extra texts and the text of an exception."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; every record passes."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        record.msg, record.args = redact(text), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        for key, value in vars(record).items():
            if key not in _OWN and not isinstance(value, int | float | bool | None):
                setattr(record, key, redact(str(value)))
        return True


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    extra = {key: value for key, value in vars(record).items() if key not in _OWN}
    return (_bound.get() or {}) | extra


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    """`2026-11-01T12:00:00.000Z warning sidecar.store page was short rows=20 run=7`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the trace below it when there is one."""
        pairs = "".join(f" {key}={_quoted(value)}" for key, value in _fields(record).items())
        message = record.getMessage().replace("\n", "\\n")
        line = f"{_time(record)} {record.levelname.lower()} {record.name} {message}{pairs}"
        return f"{line}\n{record.exc_text}" if record.exc_text else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its context and extra fields."""
        data = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        data |= {"message": record.getMessage()} | _fields(record)
        if record.exc_text:
            data["trace"] = record.exc_text
        return json.dumps(data, ensure_ascii=False, default=str)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or re.search(r'[\s="]', text) else text


def setup(level: str = "warning", format_: Literal["text", "json"] = "text") -> None:
    """Send the log to standard error. May be called again: the last call counts."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Redactor())
    handler.setFormatter(JsonFormatter() if format_ == "json" else TextFormatter())
    root = logging.getLogger()
    for old in [old for old in root.handlers if any(isinstance(one, Redactor) for one in old.filters)]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.getLogger("sidecar").setLevel(level.upper())
    root.setLevel(max(logging.getLevelNamesMapping()[level.upper()], logging.WARNING))
