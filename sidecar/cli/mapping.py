"""`sidecar mapping`: what the shop has, whether the rules are right, and what they make of one person."""

from __future__ import annotations

import fnmatch

import click
import msgspec

from sidecar.cli.context import Context, pass_run
from sidecar.config import Config
from sidecar.mapping import compile as rules
from sidecar.mapping import compiled
from sidecar.mapping.explore import Around, Key, explore
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store import meta, schema
from sidecar.sync.explain import Explanation
from sidecar.sync.explain import explain as explain_person

MOST = 40
WIDE = 46


@click.group()
def mapping() -> None:
    """Look into the shop's meta data; check the mapping rules; see what they make of one person."""


@mapping.command("explore")
@click.argument("kind", type=click.Choice(meta.KINDS), default="users")
@click.option("--key", "pattern", metavar="PATTERN", help="Only keys like this, such as '*birth*' or 'billing_*'.")
@click.option("--all", "everything", is_flag=True, help=f"All keys, not only the {MOST} most frequent ones.")
@pass_run
def explore_(run: Context, kind: meta.Kind, pattern: str | None, everything: bool) -> None:
    """List the meta keys of users, orders, items (order lines) or products.

    For each: rows, the share of owners that carry it, how filled it is, the kind of its values, masked samples, the
    plugin it likely comes from, and the source and transforms with which a rule would read it. Reads only.
    """
    config = run.config
    with Reader(config) as reader:
        info = schema.probe(reader, config.people.paid_statuses)
        with run.output.progress(None, "keys read") as bar:
            survey = meta.survey(reader, kind, info.storage, lambda upto, owners: bar.advance(owners - bar.done))
    keys = explore(survey, _rules(run), Around(prefix=reader.tables.prefix, active=info.plugins, facts=_facts(config)))
    chosen = [key for key in keys if pattern is None or fnmatch.fnmatchcase(key.key.lower(), pattern.lower())]
    shown = chosen if everything or pattern else chosen[:MOST]
    about = {"kind": kind, "storage": info.storage, "owners": survey.owners, "rows": survey.rows, "keys": shown}
    run.output.result({**about, "hidden": len(chosen) - len(shown), "left_out_rows": survey.left_out})
    run.output.table(
        (_row(key) for key in shown), ("key", "rows", "owners", "filled", "kind", "samples", "from", "use it as")
    )
    run.output.say()
    run.output.say(f"{survey.owners} {kind}, {survey.rows} meta rows, {len(keys)} keys.")
    if len(shown) < len(chosen):
        run.output.say(f"{len(chosen) - len(shown)} rarer keys are not shown: --all, or --key PATTERN.")
    if survey.left_out:
        run.output.warn(
            f"more than {meta.MOST_KEYS} different keys: {survey.left_out} rows of further ones are not listed"
        )
    if pattern and len(shown) == 1 and shown[0].rule:
        run.output.say("\nA rule that uses it:\n")
        run.output.say(shown[0].rule)


def _row(key: Key) -> tuple[object, ...]:
    name = f"{key.key} ({key.keys} keys)" if key.keys > 1 else key.key
    use = f"used: {', '.join(key.used)}" if key.used else key.better or key.source
    if not key.used and not key.better and key.transform:
        use += f" → {' '.join(key.transform)} ({key.type})"
    plugin = key.plugin + (" (not active)" if key.active is False else "")
    return (
        name,
        key.rows,
        _percent(key.share),
        _percent(key.filled),
        key.kind,
        _cut(" · ".join(key.samples)),
        plugin,
        use,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.01 or not share else "< 1 %"


def _cut(text: str) -> str:
    return text if len(text) <= WIDE else text[: WIDE - 1] + "…"


def _facts(config: Config) -> dict[str, str]:
    """Keys that facts read: {key: the source that gives it, tidied}."""
    people = config.people
    found = dict.fromkeys(people.b2b_meta, "facts.customer_type")
    found |= dict.fromkeys(people.birthday_meta, "facts.birthday")
    return found | dict.fromkeys(people.optin_meta, "facts.optin")


def _rules(run: Context) -> compiled.Mapping:
    return rules.load(run.config.mapping.file or None)


@mapping.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@pass_run
def check(run: Context, file: str | None) -> None:
    """Say everything that is wrong with the rules, with lines; exit 3 when something is.

    Without FILE the rules in force are checked. No database is needed.
    """
    found = rules.load(file) if file else _rules(run)
    numbers = {"fields": len(found.fields), "tags": len(found.tags), "lists": len(found.lists)}
    custom = len(found.custom)
    run.output.result({"file": found.file, "digest": found.digest, "custom_fields": custom, **numbers})
    run.output.say(
        f"{found.file} is in order: {numbers['fields']} field rules ({custom} custom fields),"
        f" {numbers['tags']} tag rules, {numbers['lists']} list rules."
    )


@mapping.command()
@pass_run
def example(run: Context) -> None:
    """Print the built-in rules, commented: copy them beside sidecar.toml as mapping.toml."""
    text = rules.default_text()
    run.output.result({"toml": text})
    run.output.raw(text.rstrip())


@mapping.command()
@click.argument("email")
@click.option("--all", "everything", is_flag=True, help="Show targets too that are empty on both sides.")
@pass_run
def explain(run: Context, email: str, everything: bool) -> None:
    """Show for one person every target: where the value comes from, what FluentCRM has, and what a sync would do.

    Nothing is written. The person's data is shown in the clear on this terminal and goes to no log.
    """
    with State(run.config.state.dir) as state:
        found = explain_person(run.config, state, _rules(run), email)
    run.output.result(msgspec.to_builtins(found))
    _person(run, found)
    _orders(run, found)
    _targets(run, found, everything)
    _terms(run, found)
    for note in found.notes:
        run.output.warn(note)


def _person(run: Context, found: Explanation) -> None:
    facts = found.facts
    who = f"account {', '.join(map(str, found.user_ids))}" if found.user_ids else "guest"
    if found.aliases:
        who += f", {found.aliases} earlier address{'es' if found.aliases > 1 else ''}"
    contact = f"contact {found.contact_id} ({found.contact_status})" if found.contact_id else "no contact"
    words = {"create": "make a contact", "update": "update the contact", "unchanged": "change nothing"}
    money = f"LTV {facts.ltv} {facts.currency} ({facts.gross} - {facts.refunded} refunded), AOV {facts.aov}"
    rows = [
        ("person", f"{found.email} · {who} · {'known to the sidecar' if found.known else 'never synced'}"),
        ("FluentCRM", contact),
        ("facts", f"{facts.orders_count} orders, {money}, {facts.customer_status}, {facts.customer_type}"),
        ("a sync would", f"{words.get(found.decision, 'leave the person out')}: {found.why}"),
    ]
    run.output.table(rows)


def _orders(run: Context, found: Explanation) -> None:
    if not found.orders:
        return
    run.output.raw("")
    rows = [
        (
            one.id,
            one.created,
            one.status,
            one.total,
            one.refunded,
            "counts" if one.counts else f"does not count: {one.why}",
        )
        for one in found.orders
    ]
    run.output.table(rows, ("order", "created", "status", "total", "refunded", "verdict"))


def _targets(run: Context, found: Explanation, everything: bool) -> None:
    run.output.raw("")
    for one in found.targets:
        if not everything and not (one.shop or one.crm or one.problem or any(value for _, value in one.sources)):
            continue
        mark = {"write": "→", "empty": "×"}.get(one.action, "=")
        run.output.raw(click.style(f"{mark} {one.target}", bold=one.action != "nothing"))
        does = {"write": "write it", "empty": "empty it"}.get(one.action, "leave it")
        chain = f"  |  {' → '.join(one.transforms)}" if one.transforms else ""
        run.output.table(
            [
                *((f"    {name}", value or "(empty)") for name, value in one.sources),
                ("    shop says", (one.shop or "(nothing)") + chain),
                ("    FluentCRM has", f"{one.crm or '(nothing)'}  |  {one.last}"),
                ("    sync would", f"{does}: {one.why} [{one.policy}]"),
            ]
        )


def _terms(run: Context, found: Explanation) -> None:
    for kind, terms in (("tag", found.tags), ("list", found.lists)):
        if terms:
            run.output.raw("")
            run.output.table(
                ((one.slug, one.title, one.action, one.why) for one in terms), (kind, "title", "sync would", "why")
            )
