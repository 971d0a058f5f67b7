"""`sidecar sync`: the main job, and what belongs to it: status, undo, verify, letters, retry."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec

from sidecar import memory, runtime
from sidecar.cli import sync_show
from sidecar.cli.context import Context, pass_run
from sidecar.cli.steps import Steps
from sidecar.config import Config
from sidecar.errors import UsageError
from sidecar.state import pause as pauses
from sidecar.sync.engine import only_of
from sidecar.sync.session import Choices

SINCE = {"1m": 1, "3m": 3, "6m": 6, "12m": 12, "all": 0}


@click.group(invoke_without_command=True)
@click.option(
    "--since",
    type=click.Choice(list(SINCE)),
    default=None,
    help="Leave out people who neither ordered nor registered in this time. Who is taken, is taken with their whole"
    " history. Contacts that are there already stay."
    " Kept for later runs; the first run's default is all.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="customers|guests|EMAIL",
    help="Write only people with an account, only people without one, or these addresses (repeatable).",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would change.")
@click.option("--show", is_flag=True, help="With --dry-run: addresses and personal values in the clear.")
@click.option(
    "--limit-rate", type=click.IntRange(min=0), metavar="ROWS", help="Read at most ROWS rows a second from the shop."
)
@click.option("--full", is_flag=True, help="Look at everybody again, also at what was undone.")
@pass_run
@click.pass_context
def sync(
    context: click.Context, run: Context, since: str | None, only: tuple[str, ...], dry_run: bool, show: bool,
    limit_rate: int | None, full: bool,
) -> None:  # fmt: skip
    """Bring the shop's customers into FluentCRM: contacts, custom fields, tags.

    \b
    The first run takes everybody; interrupted, the next one goes on where it was. Later runs take what
    changed. Only differences are written, quietly: no automation starts and nobody is mailed. New contacts
    are `transactional`, unless the configuration vouches for a proof of consent.

    \b
      sidecar sync --dry-run        what would it do?
      sidecar sync                  do it; again from cron, every few minutes
      sidecar sync verify           count everything again by another path
      sidecar sync undo RUN         take a run back
    """
    if context.invoked_subcommand is not None:
        if only or dry_run or full or show or limit_rate is not None or since is not None:
            raise UsageError(f"options of a run do not go with `sync {context.invoked_subcommand}`")
        return
    if show and not dry_run:
        raise UsageError("--show goes with --dry-run")
    choices = Choices(
        since_months=None if since is None else SINCE[since], only=only_of(only), dry_run=dry_run, full=full
    )
    memory.one_heap()
    with runtime.build(_limited(run.config, limit_rate)) as shop:
        with Steps(run.output) as steps:
            report = shop.sync(choices, steps)
        if dry_run:
            sync_show.dry_run(run.output, report, show=show)
        else:
            sync_show.report(run.output, report, shop.status(1))


def _limited(config: Config, rate: int | None) -> Config:
    if rate is None:
        return config
    return msgspec.structs.replace(config, sync=msgspec.structs.replace(config.sync, limit_rate=rate))


@sync.command()
@click.option("--runs", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many runs to list.")
@pass_run
def status(run: Context, runs: int) -> None:
    """Runs, lag, people and orders by verdict, dead letters. Asks the sidecar's own state only.

    Lag is the time since the last run that went through. Errors per 1,000 are people whom FluentCRM's tables
    refuse.
    """
    with runtime.build(run.config) as shop:
        sync_show.status(run.output, shop.status(runs))


@sync.command()
@click.argument("run_id", metavar="RUN", type=click.IntRange(min=1))
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_run
def undo(run: Context, run_id: int, yes: bool) -> None:
    """Take run RUN back: exactly what it changed and nobody has changed since.

    \b
    Contacts that it made go, unless somebody edited them (then only its fields and tags go, as far as they
    are untouched); fields, columns and tags get their old values. `sidecar sync status` lists runs. What was
    undone stays so in later runs, until `sidecar sync --full`. Undo newer runs first.
    """
    with runtime.build(run.config) as shop:
        found = shop.undoable(run_id)
        if found.later:
            run.output.warn(
                f"later runs stay and keep what they changed since: {', '.join(map(str, found.later))}; undo them first"
            )
        if not yes:
            if run.output.json:
                raise UsageError("with --json nothing is asked: give --yes to undo")
            click.confirm(f"Undo run {run_id} ({found.rows} things it made or replaced)?", abort=True)
        sync_show.undone(run.output, shop.undo(run_id))


@sync.command()
@click.option(
    "--most", default=50, show_default=True, type=click.IntRange(min=1), help="Differences to print (--json: all)."
)
@pass_run
def verify(run: Context, most: int) -> None:
    """Count the whole shop again by another path and compare it with FluentCRM, to the cent.

    \b
    Every order, refund, account and guest is accounted for: in the CRM, left out because …, failed
    because …; the sums must be what the database holds. Orders, LTV, AOV, first and last order and status of
    every person are compared with their contact. Exit 1 when anything differs. Nothing is written.
    """
    with runtime.build(run.config) as shop, Steps(run.output) as steps:
        verdict = shop.verify(steps)
    sync_show.verdict(run.output, verdict, most)
    if not verdict.ok:
        click.get_current_context().exit(1)


@sync.command()
@pass_run
def letters(run: Context) -> None:
    """Rows that could not be brought over, with the reason. They never stop the rest.

    A row is tried again when it changes in the shop; `sidecar sync retry` tries now.
    """
    with runtime.build(run.config) as shop:
        found = shop.letters()
    run.output.result({"letters": found})
    if not found:
        run.output.say("No dead letters.")
        return
    run.output.table(
        [
            (one.id, one.kind, one.ref, one.reason, one.detail, one.attempts, _day(one.first_at), _day(one.last_at))
            for one in found
        ],
        ["id", "kind", "row", "reason", "detail", "tries", "first (UTC)", "last (UTC)"],
    )
    run.output.say()
    run.output.say("`sidecar sync retry` looks at them again.")


@sync.command()
@click.argument("letter_ids", metavar="[ID]...", nargs=-1, type=click.IntRange(min=1))
@pass_run
def retry(run: Context, letter_ids: tuple[int, ...]) -> None:
    """Look again at the rows of all dead letters, or of these, in a normal run of changes."""
    with runtime.build(run.config) as shop:
        with Steps(run.output) as steps:
            marked, report = shop.retry(letter_ids, steps)
        run.output.say(f"Marked for another look: {marked.orders} orders, {marked.people} people.")
        run.output.result({"marked": marked})
        standing = shop.status(1)
        sync_show.report(run.output, report, standing)
        run.output.say(f"{standing.dead_letters} dead letters are left.")


@sync.command()
@click.option(
    "--minutes", default=pauses.DEFAULT_MINUTES, show_default=True, type=click.IntRange(1, pauses.MOST_MINUTES),
    help="The pause ends by itself after so long.",
)  # fmt: skip
@pass_run
def pause(run: Context, minutes: int) -> None:
    """Write nothing for a while: no pass, no reconciliation, no new run. Events are kept.

    A run that is at work now is not stopped. `sidecar sync resume` ends the pause before its time.
    """
    with runtime.build(run.config) as shop:
        found = shop.pause(minutes)
    run.output.result({"paused": found})
    run.output.say(f"Paused until {_day(found.until)} UTC.")


@sync.command()
@pass_run
def resume(run: Context) -> None:
    """End the pause."""
    with runtime.build(run.config) as shop:
        was = shop.resume()
    run.output.result({"was_paused": was})
    run.output.say("The pause is over." if was else "There was no pause.")


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
