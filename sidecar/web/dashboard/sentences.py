"""Sentences that lower layers say in English, in the language of who looks: explanations, verdicts, order statuses.

They stand here once more so that they come into the catalogue; a test says which are missing. A sentence that is not
here is said in English.
"""

from __future__ import annotations

from flask_babel import gettext


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
    # WooCommerce's order statuses
    _("pending"), _("processing"), _("on-hold"), _("completed"), _("cancelled"), _("refunded"), _("failed"),
)  # fmt: skip
_KNOWN = frozenset(SENTENCES)


def told(text: str) -> str:
    """The sentence in the language of who looks; itself when it is not known."""
    return gettext(text) if text in _KNOWN else text
