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
    "view": {"status": _("Status"), "events": _("Events"), "sync": _("Sync"), "segments": _("Segments"), "automations": _("Automations"), "mapping": _("Mapping")},
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
    "job": {"sync": _("Sync"), "undo": _("Undo"), "retry": _("Retry"), "segments": _("Segments"), "backtest": _("Backtest")},
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
        "switched_on": _("It is on. What happens from now on starts it."), "shared": _("The shares are changed."),
        "switched_off": _("It is off. Nobody enters, and who is in it stands still."),
        "automation_saved": _("Saved. Who is under way finishes the text with which they started."),
        "automation_reset": _("The ready-made one is in force again. Your file is kept as a backup."),
        "automation_copied": _("Made, and off. Give it your words, then switch it on."),
        "automation_removed": _("The automation is removed. Its file is kept as a backup."),
        "testing": _("It is being tried on the shop's own history."),
        "provider_on": _("The provider is switched on again."),
    },
    "channel": {
        "email": _("E-mail"), "sms": _("SMS"), "telegram": "Telegram", "whatsapp": "WhatsApp", "push": _("Push"),
    },
    "weekday": {
        "mon": _("Monday"), "tue": _("Tuesday"), "wed": _("Wednesday"), "thu": _("Thursday"), "fri": _("Friday"),
        "sat": _("Saturday"), "sun": _("Sunday"),
    },
    "do": {
        "trigger": _("Trigger"), "wait": _("Wait"), "wait_moment": _("Wait"), "wait_event": _("Wait"), "branch": _("Branch"),
        "split": _("Split"), "send": _("Message"), "tag": _("Tags"), "set_field": _("Field"), "coupon": _("Coupon"),
        "webhook": _("Webhook"), "ticket": _("Ticket"), "note": _("Note"), "start": _("Another automation"), "stop": _("End"),
        "end": _("End"), "goal": _("Goal"), "exit": _("Ends early"),
    },
    "inside": {
        "waiting": _("under way"), "goal": _("reached the goal"), "exit": _("ended early"), "done": _("went all the way"),
        "failed": _("failed"), "": _("All"),
    },
    "taken": {"done": _("done"), "skipped": _("left out"), "failed": _("failed")},
    "message": {
        "handing": _("being handed over"), "queued": _("handed over"), "sent": _("sent"), "delivered": _("delivered"),
        "failed": _("failed"), "bounced": _("came back"), "unsure": _("nobody can tell whether it went"),
        "refused": _("refused"), "again": _("not taken for now"),
    },
    "group": {
        "start": _("Welcome"), "carts": _("Carts and payment"), "browsing": _("Looking around"),
        "after-purchase": _("After a purchase"), "service": _("Service"), "occasions": _("Occasions"),
        "win-back": _("Winning back"), "vip": _("Best customers"), "": _("Others"),
    },
    "part": {
        "title": _("Title"), "about": _("What it is for"), "again": _("Enters again after"), "filter": _("Who may enter"),
        "goal.topics": _("Goal"), "goal.same_order": _("Goal: only with the same order"),
        "goal.same_product": _("Goal: only with the same product"), "trigger.first": _("Only the first order"),
        "trigger.every": _("Each so-and-so-manyth order"), "trigger.to": _("Statuses"), "trigger.goods": _("What must be in the order"), "trigger.segment": _("Segment"),
        "trigger.idle": _("Left for"), "trigger.times": _("How often"), "trigger.within": _("Within"),
        "trigger.days": _("On days in a row"), "trigger.field": _("Day"), "trigger.at": _("At (time of day)"),
        "trigger.before": _("Days before"), "trigger.late": _("At most so late"),
        "trigger.day": _("Day"), "trigger.due": _("Due after (own intervals)"), "trigger.overdue": _("Until (own intervals)"),
        "period": _("How long"), "at": _("At (time of day)"), "days": _("On these days"), "zone": _("Whose time"),
        "order_meta": _("Meta key of the order"), "before": _("So long before"), "after": _("So long after"),
        "topic": _("What to wait for"), "to": _("Statuses"), "at_most": _("At most"), "rule": _("Rule"),
        "ways": _("Ways and their weights"), "channels": _("Channels, the best first"), "purpose": _("Purpose"),
        "offer": _("Kind of offer in it"), "still": _("Only if still so"), "late": _("Left out when later than"),
        "add": _("Tags to give"), "remove": _("Tags to take"), "field": _("Field"), "value": _("Value"),
        "kind": _("Kind"), "amount": _("Amount"), "expires": _("Good for"), "minimum": _("Smallest order"),
        "free_shipping": _("Free shipping"), "only_products": _("Only for these products"),
        "bound": _("Only for their address"), "prefix": _("Code begins with"), "url": _("Address"), "fields": _("Fields"),
        "subject": _("Subject"), "preheader": _("Preheader"), "body": _("Text"), "short": _("Short text (SMS, Telegram, push)"),
        "priority": _("Priority"), "automation": _("Automation"),
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
