"""`sidecar events`: the event monitor on the command line."""

from __future__ import annotations

import click

from sidecar import clock, runtime
from sidecar.cli.context import Context, pass_run
from sidecar.errors import UsageError
from sidecar.events import topics
from sidecar.events.monitor import Event


@click.command()
@click.option("--type", "type_", default="", metavar="TYPE", help="order, customer, product, cart, contact, email, consent, or a topic.")  # fmt: skip
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--after", default=0, type=click.IntRange(min=0), help="Go on after this id (older ones).")
@pass_run
def events(run: Context, type_: str, limit: int, after: int) -> None:
    """What happened in the shop and in FluentCRM, the newest first, and what became of it."""
    if type_ and not topics.names_of(type_):
        raise UsageError(f"there is no type {type_}", hint=f"types are {', '.join(topics.FAMILIES)}")
    with runtime.build(run.config) as shop:
        found = shop.events(type_, after, limit)
    run.output.result({"events": found, "next": found[-1].id if len(found) == limit else None})
    if not found:
        run.output.say("No events.")
        return
    now = int(clock.now().timestamp() * 1000)
    run.output.table(
        [(one.id, ago(now - one.at), one.words, _what(one), one.detail, _became(one)) for one in found],
        ["id", "when", "what", "of", "detail", "became"],
    )


def _what(event: Event) -> str:
    kind = "account" if event.family == "customer" else event.family
    return event.label or (f"{kind} {event.object_id}" if event.object_id else "")


def _became(event: Event) -> str:
    words = f"{event.outcome_words}: {event.reason}" if event.reason else event.outcome_words
    return f"{words} (live)" if event.live and event.outcome == "changed" else words


def ago(ms: int) -> str:
    """`3 min ago`."""
    seconds = max(0, ms // 1000)
    for size, word in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word} ago"
    return f"{seconds} s ago"
