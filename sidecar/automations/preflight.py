"""What to know before an automation is switched on: who else sends the same, and whether what starts it is there to be seen.

Where somebody else does the same, the default leaves it to them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec
import pymysql

from sidecar.automations import model, senders
from sidecar.automations.place import Place
from sidecar.automations.senders import Sender
from sidecar.crm.suppression import ABSENT
from sidecar.toml_file import did_you_mean

_PLUGIN = "fluentcrm-sidecar"
# FluentCRM's own triggers that begin with the same thing as ours (app/Services/Funnel, 3.1.10).
_FUNNELS: dict[str, tuple[str, ...]] = {
    "customer.created": ("user_register",),
    "order.placed": ("woocommerce_order_status_processing", "woocommerce_order_status_changed"),
    "order.created": ("woocommerce_order_status_processing", "woocommerce_order_status_changed"),
    "order.paid": ("woocommerce_order_status_processing", "woocommerce_order_status_completed"),
    "order.refunded": ("woocommerce_order_status_refunded",),
}
_CART_FUNNEL = "fc_ab_cart_simulation"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`overlap`: somebody else sends the same, so it is not switched on unless the owner insists; `note`: good to know."""

    id: str
    level: Literal["overlap", "note"]
    sentence: str
    hint: str


def preflight(place: Place, automation: model.Automation, running: Collection[model.Automation] = ()) -> list[Finding]:
    """What there is to say, the weightiest first. `running`: the other automations that are on."""
    found = [*_others(place, automation), *_funnels(place, automation), *_unseen(place, automation)]
    found += [_twin(other.name) for other in running if _alike(automation, other)]
    return sorted(found, key=lambda finding: (finding.level != "overlap", finding.id))


def _alike(one: model.Automation, other: model.Automation) -> bool:
    """Whether one is the other's copy, more or less: the same begins both, and most messages of the shorter one stand in both."""
    mine, theirs = ({step.id for step in each.steps if isinstance(step, model.Send)} for each in (one, other))
    return one.trigger == other.trigger and 2 * len(mine & theirs) > min(len(mine), len(theirs))


def _twin(name: str) -> Finding:
    return Finding(
        id=f"own.{name}", level="overlap", sentence=f"{name}, which is on, begins with the same and has the same messages",
        hint="switch that one off, or see to it that nobody can be in both; if this one goes on anyway, people may get both",
    )  # fmt: skip


def _others(place: Place, automation: model.Automation) -> list[Finding]:
    names = [*senders.OPTIONS, *senders.MAIL_OPTIONS]
    options: dict[str, str] = dict(place.reader.rows("schema_options", names=names))
    does = _does(automation)
    found = []
    there = [*senders.plugins(place.info.plugins), *senders.own(options), *senders.mails(options)]
    for sender in there:
        if sender.id in does or does & set(sender.does):
            found.append(
                Finding(
                    id=sender.id, level="overlap", sentence=f"{sender.name} sends the same",
                    hint="switch that off there, or leave this to it; if this one goes on anyway, people may get both",
                )
            )  # fmt: skip
        elif "anything" in sender.does:
            found.append(_maybe(sender))
    return found


def _does(automation: model.Automation) -> set[str]:
    """What it sends, and who else is known to send that: its own word, and what its trigger says."""
    does = set(automation.overlaps)
    if isinstance(automation.trigger, model.OnCart):
        does.add("cart")
    if isinstance(automation.trigger, model.OnStock):
        does.add("stock")
    return does


def _maybe(sender: Sender) -> Finding:
    return Finding(
        id=sender.id, level="note", sentence=f"{sender.name} is active and may send something alike",
        hint="look there for an automation or a campaign of the same kind",
    )  # fmt: skip


def _funnels(place: Place, automation: model.Automation) -> list[Finding]:
    trigger = automation.trigger
    try:
        running: Collection[list[str]] = place.reader.page("funnels_running")
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return []
        raise
    wanted: tuple[str, ...] = ()
    if isinstance(trigger, model.OnEvent):
        wanted = _FUNNELS.get(trigger.topic, ())
        if trigger.topic == "order.status":
            statuses = (status.removeprefix("wc-") for status in trigger.to)
            wanted = ("woocommerce_order_status_changed", *(f"woocommerce_order_status_{one}" for one in statuses))
    cart = isinstance(trigger, model.OnCart)
    return [
        Finding(
            id=f"fluentcrm-automation.{name}", level="overlap",
            sentence=f"FluentCRM's own automation “{title}” begins with the same",
            hint="pause it in FluentCRM → Automations if it writes to them; if this one goes on anyway, people may get both",
        )
        for name, title in running
        if name in wanted or (cart and name.startswith(_CART_FUNNEL))
    ]  # fmt: skip


def _unseen(place: Place, automation: model.Automation) -> list[Finding]:
    trigger = automation.trigger
    found = [
        Finding(
            id="overlaps.unknown", level="note", sentence=f"overlaps names {name}, which is no sender that is known",
            hint=did_you_mean(name, sorted(senders.IDS | senders.KINDS)) or "see Before switching on in docs/automations.md",
        )
        for name in automation.overlaps
        if name not in senders.IDS | senders.KINDS
    ]  # fmt: skip
    plugin = any(name.partition("/")[0] == _PLUGIN for name in place.info.plugins)
    if isinstance(trigger, model.OnCart | model.OnViews) and not plugin:
        found.append(
            Finding(
                id="source.plugin", level="note",
                sentence="the plugin is not active in WordPress, so no carts and views are seen",
                hint="install and activate it, and switch the capture on in its settings",
            )
        )  # fmt: skip
    if isinstance(trigger, model.OnDay) and not place.state.rows(
        f"SELECT 1 FROM trait WHERE {trigger.field} <> '' LIMIT 1"
    ):
        found.append(
            Finding(
                id="source.days", level="note", sentence=f"of nobody the {trigger.field.replace('_', ' ')} is known",
                hint="see [people] birthday_meta: where the shop keeps birthdays",
            )
        )  # fmt: skip
    return found
