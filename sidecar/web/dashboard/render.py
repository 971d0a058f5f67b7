"""Fragments: the language and direction of who looks, links as the plugin wants them, and what templates say things with.

Everything a template prints is escaped by Jinja; no view makes HTML of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel import Locale, UnknownLocaleError
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from flask import Flask, Response, g, render_template, request
from flask_babel import Babel, get_locale
from markupsafe import Markup

from sidecar import clock
from sidecar.web import roles
from sidecar.web.dashboard import words
from sidecar.web.dashboard.flow_words import of_file
from sidecar.web.dashboard.sentences import told
from sidecar.web.errors import Error

PAGE = "fluentcrm-sidecar"
TRANSLATIONS = Path(__file__).parent / "translations"
HTML = "text/html; charset=utf-8"
NONCE = Markup("<!--fcsc:nonce-->")


def install(app: Flask) -> None:
    """Give the application's templates their words and filters."""
    Babel(
        app, default_locale="en", locale_selector=locale, default_translation_directories=str(TRANSLATIONS),
        default_timezone="UTC",
    )  # fmt: skip
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {
        "ago": ago,
        "number": number,
        "money": money,
        "told": told,
        "span": span,
        "moment": moment,
        "iso": iso,
        "digits": words.digits,
    }
    app.jinja_env.globals |= {
        "link": link, "may": may, "of_file": of_file, "nonce_field": NONCE, "views": VIEWS, "say": words.say, "about_run": words.about_run,
    }  # fmt: skip


VIEWS: tuple[tuple[str, str, roles.Permission], ...] = (
    ("status", "Status", "see"),
    ("events", "Events", "see"),
    ("sync", "Sync", "see"),
    ("segments", "Segments", "see"),
    ("automations", "Automations", "see"),
    ("mapping", "Mapping", "mapping"),
)


def locale() -> str:
    """The language of who looks, as far as Babel knows it: `fa_IR` → `fa_IR`, `de_DE_formal` → `de_DE`, else English."""
    actor = g.get("actor")
    parts = (actor.locale if actor else "en").replace("-", "_").partition("@")[0].split("_")
    for length in (2, 1):
        try:
            return str(Locale.parse("_".join(parts[:length])))
        except (UnknownLocaleError, ValueError):
            continue
    return "en"


def may(permission: roles.Permission) -> bool:
    """Whether who looks may do that: what they may not is not offered."""
    return roles.may(g.get("actor"), permission)


def rtl() -> bool:
    """Whether who looks reads from right to left."""
    actor = g.get("actor")
    return bool(actor and actor.direction == "rtl")


def fragment(template: str, *, status: int = 200, **given: Any) -> Response:
    """A page. `lang` and `dir` are on its root, so that it reads right inside any admin screen.

    `?bare=1` leaves the heading and the tabs out: the place that shows it has its own.
    """
    actor = g.get("actor")
    html = render_template(
        template,
        direction=actor.direction if actor else "ltr",
        lang=str(get_locale() or "en").replace("_", "-"),
        bare=request.args.get("bare") == "1",
        **given,
    )
    return Response(html, status, content_type=HTML)


def error_page(status: int, error: Error) -> Response:
    """An error as a small page."""
    return fragment("error.html", status=status, view="", error=error)


def redirect(view: str, **query: Any) -> Response:
    """After a form: look at a page. The plugin sends the browser to its own URL of it."""
    pairs = urlencode({name: value for name, value in query.items() if value not in ("", None)})
    return Response(b"", 303, headers={"Location": f"/ui/{view}" + (f"?{pairs}" if pairs else "")}, content_type=HTML)


def link(view: str, **query: Any) -> str:
    """The address of a page of ours inside wp-admin, relative to any screen of it."""
    pairs = {"page": PAGE, "view": view} | {name: value for name, value in query.items() if value not in ("", None)}
    return f"?{urlencode(pairs)}"


# --- how things are said -------------------------------------------------------------------------------------


def _locale() -> Locale:
    return get_locale() or Locale("en")


def moment(seconds: float | None) -> str:
    """Unix seconds → `2026-11-01 12:00 UTC`."""
    return "" if not seconds else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(seconds: float | None) -> str:
    """Unix seconds as an attribute of <time>."""
    return "" if not seconds else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(seconds: float | None) -> Markup | str:
    """Unix seconds → `5 minutes ago`, with the exact time in a title."""
    if not seconds:
        return "—"
    gone = clock.now().timestamp() - seconds
    text = format_timedelta(
        timedelta(seconds=-gone if abs(gone) >= 1 else -1), add_direction=True, locale=_locale(), threshold=0.85
    )
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(seconds), moment(seconds), words.digits(text))


def span(seconds: float | None) -> str:
    """How long: `3 minutes`."""
    return (
        "—"
        if seconds is None
        else words.digits(format_timedelta(timedelta(seconds=max(0, seconds)), locale=_locale(), threshold=0.85))
    )


def number(value: Any) -> str:
    """1234567 → 1,234,567 as the language has it, in its digits."""
    return "—" if value is None else words.number(value)


def money(value: Any, currency: str = "") -> Markup | str:
    """An amount as text, always with two decimals, and the currency's code."""
    try:
        amount = words.digits(
            format_decimal(Decimal(str(value)), format="#,##0.00", locale=_locale(), numbering_system="default")
        )
    except (InvalidOperation, ValueError):
        return str(value)
    # Numbers run from left to right in every script: isolated, the sign and the code stay where they belong.
    return Markup("<bdi>{}</bdi>").format(f"{amount} {currency}".strip())
