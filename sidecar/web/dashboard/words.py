"""Codes of the state in the language of who looks. English is the source; a test says which code has no word.

`_` marks a text for the catalogue here; it is translated when it is said.
"""

from __future__ import annotations

from typing import Any

from babel.numbers import format_decimal
from flask_babel import get_locale, gettext

from sidecar.events.topics import TOPICS


def _(text: str) -> str:
    return text


_WORDS: dict[str, dict[str, str]] = {
    "view": {"status": _("Status"), "events": _("Events"), "sync": _("Sync"), "segments": _("Segments"), "mapping": _("Mapping")},
    "family": {
        "": _("All"), "customer": _("Customers"), "product": _("Products"), "cart": _("Carts"), "order": _("Orders"),
        "contact": _("Contacts"), "email": _("E-mail"), "message": _("Messages"), "consent": _("Consent"),
    },
    "thing": {
        "customer": _("Customer"), "product": _("Product"), "cart": _("Cart"), "order": _("Order"),
        "contact": _("Contact"), "email": _("E-mail"), "message": _("Message"), "consent": _("Consent"),
    },
    "outcome": {
        "changed": _("contact changed"), "nothing": _("nothing to do"), "left": _("left out"), "failed": _("failed"),
    },
    "job": {"sync": _("Sync"), "undo": _("Undo"), "retry": _("Retry"), "segments": _("Segments")},
    "run": {"sync": _("sync"), "dry-run": _("trial"), "undo": _("undo"), "live": _("events"), "events": _("events")},
    "state": {
        "queued": _("waiting"), "running": _("running"), "paused": _("paused"), "done": _("done"), "failed": _("failed"),
        "cancelled": _("given up"), "interrupted": _("interrupted"),
    },
    "step": {
        "": _("starting"), "accounts": _("reading accounts"), "orders": _("reading orders"),
        "changes": _("reading changes"), "people": _("writing contacts"), "waiting": _("waiting for other work to end"),
    },
    "bridge": {
        "live": _("connected"), "waiting": _("WordPress does not answer for a moment"), "silent": _("WordPress is silent"),
        "unpaired": _("not paired"),
    },
    "storage": {"hpos": _("WooCommerce's order tables (HPOS)"), "posts": _("WordPress posts (legacy)"), "": _("not known yet")},
    "status": {
        "lead": _("Lead"), "new": _("New"), "returning": _("Returning"), "vip": _("VIP"), "": "—",
    },
    "contact": {
        "subscribed": _("Subscribed"), "pending": _("Pending"), "unsubscribed": _("Unsubscribed"),
        "transactional": _("Transactional"), "bounced": _("Bounced"), "complained": _("Complained"), "spammed": _("Spam"),
    },
    "pace": {
        "follows": _("following the shop"), "late": _("not following the shop"), "first": _("nothing was imported yet"),
    },
    "type": {"retail": _("Retail"), "b2b": _("Business"), "": "—"},
    "action": {
        "write": _("would be written"), "empty": _("would be emptied"), "nothing": _("stays"), "add": _("would be given"),
        "remove": _("would be taken away"),
    },
    "kind": {"users": _("Users"), "orders": _("Orders"), "items": _("Order lines"), "products": _("Products")},
    "verdict": {"in": _("in the CRM"), "left": _("left out"), "failed": _("failed")},
    "notice": {
        "started": _("The work has been started."), "paused": _("The work halts at the next page."),
        "resumed": _("The work goes on."), "cancelled": _("The work was given up. What it did stays."),
        "halted": _("Paused: nothing is written, events are kept."), "follows": _("The pause is over."),
        "undo": _("The run is being taken back."), "retry": _("The rows are being looked at again."),
        "confirmed": _("The site is confirmed. Changes go out again."), "saved": _("The rules are saved and in force."),
        "explore": _("The shop's keys are being read."), "checked": _("The rules are in order."),
        "refreshing": _("The segments are being refreshed."),
        "segment_saved": _("Saved. People come and go with the next refresh."),
        "segment_removed": _("The segment is removed. Its people leave it with the next refresh."),
    },
}  # fmt: skip


def say(kind: str, code: Any) -> str:
    """The word for a code; the code itself when there is none (a newer part may know more)."""
    word = TOPICS[code].words if kind == "topic" and code in TOPICS else _WORDS.get(kind, {}).get(str(code))
    return gettext(word) if word else str(code)


def known(kind: str) -> list[str]:
    """The codes that have a word."""
    return list(_WORDS[kind])


# Babel writes the separators of a numbering system, but not its digits: they follow these in Unicode.
_ZEROS = {"arabext": "۰", "arab": "٠", "beng": "০", "deva": "०", "mymr": "၀"}


def number(value: Any) -> str:
    """A number in the language of who looks: 1,234, or ۱٬۲۳۴."""
    return digits(format_decimal(value, locale=get_locale() or "en", numbering_system="default"))


def digits(text: str) -> str:
    """A sentence with its digits as the language has them. Not for ids, versions and code."""
    locale = get_locale()
    zero = _ZEROS.get(locale.default_numbering_system) if locale else None
    return text.translate({48 + digit: ord(zero) + digit for digit in range(10)}) if zero else text


def about_run(counts: dict[str, Any]) -> str:
    """What a run did, in one line."""
    parts = []
    for key, text in (
        ("people", _("%(number)s people")), ("created", _("%(number)s made")), ("updated", _("%(number)s changed")),
        ("restored", _("%(number)s restored")), ("removed", _("%(number)s removed")), ("came", _("%(number)s came")), ("went", _("%(number)s went")),
    ):  # fmt: skip
        value = counts.get(key)
        if isinstance(value, int) and value:
            parts.append(gettext(text, number=number(value)))
    return " · ".join(parts) or "—"
