"""Sentences that lower layers say in English, in the language of who looks: explanations, verdicts, order statuses.

They stand here once more so that they come into the catalogue; a test says which are missing. A sentence that is not
here is said in English.
"""

from __future__ import annotations

import re
from functools import cache

from flask_babel import gettext

from sidecar.automations.reasons import REASONS


def _(text: str) -> str:
    return text


SENTENCES = (
    # sync/reasons.py: why a field has its value
    _("the contact will be made"), _("the shop has no value"), _("the shop has no value and FluentCRM neither"),
    _("the shop has no value any more and the rule says blank"), _("the shop has no value; what FluentCRM has stays"),
    _("the shop has no value; what FluentCRM has stays: it is not ours"), _("FluentCRM has it already"),
    _("it differs, and the shop's value wins"), _("the place is empty"),
    _("the place is filled, and the rule fills empty ones only"),
    _("somebody cleared it, but the shop's change is later"),
    _("somebody cleared it in FluentCRM, and the rule respects that"),
    _("the shop's value changed since the sidecar wrote it"), _("the shop's change is later than FluentCRM's"),
    _("somebody changed it in FluentCRM later than the shop"),
    _("somebody entered another value in FluentCRM, and the rule respects that"),
    _("never written by the sidecar"), _("as the sidecar wrote it"), _("changed by somebody since"),
    _("cleared by somebody since"), _("the contact has it"), _("a rule gives it"), _("a rule gives it; the tag will be made"),
    _("a rule gives it; the list will be made"), _("no rule gives it any more, and the sidecar gave it"),
    _("somebody else gave it: it stays"),
    # sync/explain.py: what a sync would do
    _("something differs, see below"), _("FluentCRM has everything as the rules want it"),
    # people/ledger.py: why an order does not count
    _("its status is not one of the paid ones"),
    _("its status is none that WooCommerce knows: name it in [people] status_map or paid_statuses"),
    _("it is in the trash"), _("it is a draft"), _("it is no order: a subscription or another plugin's type"),
    _("its personal data was erased"), _("the person asked to be erased"),
    _("it has no e-mail address, so it belongs to nobody"), _("its e-mail address is not one"),
    _("it is in another currency and has no exchange rate"), _("its total is no number"), _("its net is not above 0"), _("it has no creation date"),
    # automations/enter.py: why somebody does not enter
    _("they are not in the share of people that it is for"), _("its filter does not hold of them"),
    # automations/preflight.py: what to know before an automation goes on
    _("switch that off there, or leave this to it; if this one goes on anyway, people may get both"),
    _("look there for an automation or a campaign of the same kind"),
    _("switch that one off, or see to it that nobody can be in both; if this one goes on anyway, people may get both"),
    _("pause it in FluentCRM → Automations if it writes to them; if this one goes on anyway, people may get both"),
    _("see Before switching on in docs/automations.md"),
    _("the plugin is not active in WordPress, so no carts and views are seen"),
    _("install and activate it, and switch the capture on in its settings"),
    _("see [people] birthday_meta: where the shop keeps birthdays"),
    # automations/why.py: why somebody got a message, or not
    _("They got 1 message of it."), _("They were never in it: what starts it has not happened."), _("It is off."),
    _("They are a contact."), _("They are no contact."), _("They asked to be erased."),
    _("They have been in it, and nobody enters it twice."),
    _("They belong to those who are only watched (holdout): they get nothing."),
    _("What starts it has not happened to them."), _("still inside"), _("came to the end"),
    _("ended: what it is for has happened"), _("ended by an exit"), _("given up"), _("done"),
    _("They were in it too long ago: what they got then is forgotten."), _("too long ago: what came of it is forgotten"),
    # WooCommerce's order statuses
    _("pending"), _("processing"), _("on-hold"), _("completed"), _("cancelled"), _("refunded"), _("failed"),
)  # fmt: skip
# Those with something in them, which may be a sentence again. The longer ones first: others fit them, too.
HOLED = (
    # automations/preflight.py
    _("%(name)s, which is on, begins with the same and has the same messages"), _("%(name)s sends the same"), _("%(name)s is active and may send something alike"),
    _("FluentCRM's own automation “%(title)s” begins with the same"), _("of nobody the %(field)s is known"),
    _("overlaps names %(name)s, which is no sender that is known"),
    # automations/why.py
    _("They got %(count)s messages of it."), _("They were in it and got nothing: %(why)s"),
    _("They were never in it. %(why)s"), _("It is on since %(time)s; what was before starts nobody."),
    _("It is for %(share)s %% of people, and they are not among them."),
    _("It is for %(share)s %% of people, and they are among them."),
    _("The filter does not hold: %(why)s"), _("The filter holds: %(why)s"),
    _("They may enter anew %(period)s after the last time: from %(time)s."),
    _("What starts it happened last at %(time)s, before it was switched on."),
    _("What starts it happened last at %(time)s."), _("still inside; next at %(time)s: %(what)s"),
    _("still inside; next: %(what)s"), _("left out: %(why)s"), _("did not work: %(why)s"),
)  # fmt: skip
_KNOWN = frozenset(SENTENCES)
_HOLE = re.compile(r"%\((\w+)\)s")


def told(text: str) -> str:
    """The sentence in the language of who looks; itself when it is not known."""
    if text in _KNOWN or text in REASONS.values():
        return str(gettext(text))
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(text):
            return str(gettext(sentence, **{name: told(part) for name, part in found.groupdict().items()}))
    # A sentence with a detail behind it.
    head, bracket, detail = text.removesuffix(")").rpartition(" (")
    said = told(head) if bracket and text.endswith(")") else head
    return f"{said} ({told(detail)})" if said != head else text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    found = []
    for sentence in HOLED:
        parts = _HOLE.split(sentence)
        texts = [re.escape(part.replace("%%", "%")) for part in parts[::2]]
        holes = [f"(?P<{name}>.+)" for name in parts[1::2]]
        found.append(
            (re.compile("".join(a + b for a, b in zip(texts, [*holes, ""], strict=True)), re.DOTALL), sentence)
        )
    return found
