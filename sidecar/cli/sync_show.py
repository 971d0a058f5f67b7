"""What `sidecar sync` and `sidecar demo` print: tables for people, one object for programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click
import msgspec

from sidecar.cli.output import Output
from sidecar.people.ledger import REASONS
from sidecar.sync.engine import Report
from sidecar.sync.look import Difference
from sidecar.sync.session import Counts
from sidecar.sync.status import Status
from sidecar.sync.undo import Undone
from sidecar.sync.verify import Verdict
from sidecar.sync.verify_shop import Line
from sidecar.values import email as emails
from sidecar.values.masking import mask_text

MOST_PEOPLE = 25
WHY = REASONS | {
    "custom_status": "a status of the shop's own: name it in [people] status_map",
    "no_rate": "another currency, and no exchange rate",
    "no_email": "no e-mail address, so it belongs to nobody",
    "unpaid": "not in a paid status",
    "other_type": "no order: a subscription, or another plugin's type",
    "bad_email": "its e-mail address is not one",
    "staff": "staff who bought nothing",
    "no_role_here": "an account without a role on this site, who bought nothing",
    "excluded_role": "has a role of [people] exclude_roles",
    "inactive": "neither ordered nor registered in the time of --since",
    "gone": "no address leads to them any more",
    "erased": "erased in the shop, so the contact went",
    "suppressed": "left out because the person was erased on request",
    "deleted": "the contact was deleted in FluentCRM, and nothing has changed in the shop since",
    "undone": "taken back by `sidecar sync undo`; --full brings them again",
    "address_collides": "FluentCRM takes the address for another contact's (accents)",
    "no_contact": "should be a contact, but is none",
    "of_missing_order": "its order is not there any more",
}


def why(reason: str) -> str:
    """A reason in words."""
    if reason.startswith("buyer_"):
        return f"the buyer: {why(reason.removeprefix('buyer_'))}"
    if reason.startswith("of_") and reason not in WHY:
        return f"its order: {why(reason.removeprefix('of_'))}"
    return WHY.get(reason, reason)


def amount(value: Decimal | str) -> str:
    """1234567.891 → 1,234,567.89"""
    return f"{Decimal(value):,.2f}"


def rows_of(counts: Counts) -> list[tuple[str, object]]:
    """What a run did, as rows."""
    rows: list[tuple[str, object]] = [
        ("people looked at", counts.people),
        ("contacts made", counts.created),
        ("contacts changed", counts.updated),
        ("contacts as they should be", counts.unchanged),
        ("contacts moved to a new address", counts.moved),
        ("contacts erased", counts.erased),
        ("contact columns written", counts.columns),
        ("custom field values written", counts.fields),
        ("tags and lists given or taken", counts.tags + counts.lists),
        ("custom fields made", counts.fields_made),
        ("tags and lists made", counts.tags_made),
        ("order rows read", counts.orders_read),
    ]
    always = ("people", "contacts made", "custom field values", "tags and lists given")
    return [row for row in rows if row[1] or row[0].startswith(always)]


def report(output: Output, found: Report, standing: Status) -> None:
    """A run that wrote."""
    counts = found.counts
    speed = round(counts.orders_read / counts.seconds) if counts.seconds and counts.orders_read else 0
    output.result({
        "run": found.run.id, "mode": found.mode, "storage": found.storage, "currency": found.currency, "counts": counts,
        "orders_per_second": speed, "ltv_contacts": standing.ltv_contacts, "ltv_shop": standing.ltv_shop,
        "custom_statuses": standing.custom_statuses, "orders_without_rate": standing.no_rate,
        "dead_letters": standing.dead_letters,
    })  # fmt: skip
    rows = rows_of(counts)
    rows += [(f"people left out: {why(reason)}", count) for reason, count in sorted(counts.left_out.items())]
    rows += [(f"people failed: {why(reason)}", count) for reason, count in sorted(counts.failed.items())]
    rows.append(("seconds", counts.seconds))
    if speed:
        rows.append(("orders a second", speed))
    output.table([(name, f"{value:,}" if isinstance(value, int) else value) for name, value in rows])
    output.say()
    output.say(f"LTV of all contacts {amount(standing.ltv_contacts)} {found.currency}; of all the shop's counted orders"
               f" {amount(standing.ltv_shop)} {found.currency}.")  # fmt: skip
    _warnings(output, standing)
    kind = "everybody" if found.mode == "full" else "changes"
    output.say(f"Run {found.run.id} is done ({kind}, storage {found.storage}).")
    if counts.writes:
        output.say(f"`sidecar sync undo {found.run.id}` takes it back; `sidecar sync verify` checks it.")


def _warnings(output: Output, standing: Status) -> None:
    if standing.custom_statuses:
        named = ", ".join(f"{name} ({count})" for name, count in standing.custom_statuses.items())
        output.warn(f"orders in statuses that are none of WooCommerce's do not count: {named}."
                    " If they are paid for, name them in [people] status_map or paid_statuses")  # fmt: skip
    if standing.no_rate:
        output.warn(f"{standing.no_rate} paid orders are in another currency without an exchange rate and do not count:"
                    " see [people] currency_rates")  # fmt: skip
    if standing.dead_letters:
        output.warn(f"{standing.dead_letters} dead letters: `sidecar sync letters` lists them")


_FACTS = ("woo_", "tag", "list", "contact_type", "source")


def dry_run(output: Output, found: Report, *, show: bool) -> None:
    """What a run would change."""

    def told(target: str, value: str) -> str:
        if show or not value or target.startswith(_FACTS):
            return value
        return emails.mask(value) if target == "email" else mask_text(value)

    def who(one: Difference) -> str:
        return one.identity if show else emails.mask(one.identity)

    people = [
        {
            "contact": one.contact_id or None,
            "email": who(one),
            "changes": [
                {"target": target, "old": told(target, old), "new": told(target, new)}
                for target, old, new in one.changes
            ],
        }
        for one in found.differences
    ]
    output.result(
        {"mode": found.mode, "storage": found.storage, "counts": found.counts, "differences": people, "dry_run": True}
    )
    rows: list[tuple[object, ...]] = []
    for one in found.differences[:MOST_PEOPLE]:
        name = f"contact {one.contact_id}" if one.contact_id else "new contact"
        for number, (target, old, new) in enumerate(one.changes):
            rows.append(
                (
                    f"{name}  {who(one)}" if not number else "",
                    target,
                    _short(told(target, old)),
                    _short(told(target, new)),
                )
            )
    if rows:
        output.table(rows, ["who", "what", "now", "then"])
        output.say()
    if len(found.differences) > MOST_PEOPLE:
        output.say(f"… and {len(found.differences) - MOST_PEOPLE} more people (--json has them all).")
    output.say(
        f"A run would make {found.counts.created} contacts and change {found.counts.updated}. Nothing was written."
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def status(output: Output, found: Status) -> None:
    """How the main job stands."""
    output.result(msgspec.structs.asdict(found))
    lag = "no run has gone through yet" if found.lag_seconds is None else span(found.lag_seconds)
    output.table([
        ("a run is at work", "yes" if found.running else "no"),
        ("since the last good run", lag),
        ("first import", "done" if found.backfill_done else "not done: `sidecar sync` goes on where it was"),
        ("order storage", found.storage or "not known yet"),
        ("people waiting for the next run", str(found.people_waiting)),
        ("errors per 1,000 people", str(found.errors_per_1000)),
        ("dead letters", str(found.dead_letters)),
    ])  # fmt: skip
    for title, counts in (("people", found.people), ("orders", found.orders)):
        if counts:
            output.say()
            output.table([(name, count) for name, count in counts.items()], [title, "count"])
    if found.runs:
        output.say()
        output.table([
            (run.id, run.kind, run.state, _when(run.started), *_did(run.counts), run.error) for run in found.runs
        ], ["run", "kind", "state", "started (UTC)", "people", "made", "changed", "seconds", "error"])  # fmt: skip


def _did(counts: dict[str, Any]) -> Iterable[object]:
    return (
        counts.get("people", ""), counts.get("created", ""), counts.get("updated", counts.get("restored", "")),
        counts.get("seconds", ""),
    )  # fmt: skip


def undone(output: Output, found: Undone) -> None:
    """A run that was taken back."""
    output.result({"undone": found.of, **msgspec.structs.asdict(found), "run": found.run.id})
    rows = [
        ("contacts removed", found.removed), ("contacts restored", found.restored),
        ("contacts kept, since somebody changed them", found.kept),
        ("tags and lists removed", found.terms_removed), ("custom fields removed", found.fields_removed),
    ]  # fmt: skip
    output.table(rows)
    output.say()
    output.say(f"Run {found.of} is undone. It stays so until `sidecar sync --full`.")


def verdict(output: Output, found: Verdict, most: int) -> None:
    """A recount."""
    output.result(msgspec.structs.asdict(found), ok=found.ok)
    account(output, found.lines)
    output.say()
    output.table([
        (f"LTV of people in the CRM, by the shop's rows ({found.currency})", amount(found.ltv_people)),
        (f"LTV that their contacts say ({found.currency})", amount(found.ltv_crm)),
        ("people in the CRM", f"{found.people:,}"),
        ("contacts that are not the shop's", f"{found.other_contacts:,}"),
        ("contacts under another address than the shop's", f"{found.moved:,}"),
    ])  # fmt: skip
    output.say()
    for line in found.skipped:
        output.say(f"not compared: {line}")
    for line in found.orphan_refunds[:most]:
        output.say(f"left out: {line}: that order is not there")
    for line in found.faults + found.disagreements:
        output.raw(click.style(f"does not add up: {line}", fg="red"))
    if found.differences:
        shown = found.differences[:most]
        output.table(
            [(one.ref, one.email, one.field, one.expected, one.found) for one in shown],
            ["who", "e-mail", "field", "shop", "CRM"],
        )
        if found.differences_found > len(shown):
            output.say(f"… and {found.differences_found - len(shown)} more (--most, --json)")
    if found.ok:
        output.say(f"The shop and FluentCRM agree to the cent ({found.seconds} s).")
    else:
        total = found.differences_found + len(found.faults) + found.disagreements_found
        output.say(f"{total} differences. `sidecar sync --full` looks at everybody again.")


_PLACES = {"in": "in the CRM", "left": "left out", "failed": "failed"}


def account(output: Output, lines: list[Line]) -> None:
    """Every row of the shop and where it is."""
    output.table([
        (
            f"{line.kind}s" if line.kind != "other" else "other rows", _PLACES[line.place], line.rows,
            ", ".join(f"{amount(sum_)} {code}".strip() for code, sum_ in sorted(line.amounts.items(), key=_biggest)),
            why(line.reason) if line.reason else "",
        )
        for line in lines
    ], ["what", "where", "rows", "amounts as stored", "because"])  # fmt: skip


def _biggest(item: tuple[str, Decimal]) -> Decimal:
    return -abs(item[1])


def span(seconds: int) -> str:
    """3700 → 1 h 1 min"""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    return (
        f"{days} d {hours % 24} h"
        if days
        else f"{hours} h {minutes % 60} min"
        if hours
        else f"{minutes} min {seconds % 60} s"
    )


def _when(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
