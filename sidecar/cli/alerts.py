"""`sidecar alerts`: trouble that is on now, and a test of the ways by which it is told."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from sidecar import alerts as channels
from sidecar import runtime
from sidecar.cli.context import Context, pass_run
from sidecar.sync import site as sites


@click.group(invoke_without_command=True)
@pass_run
@click.pass_context
def alerts(context: click.Context, run: Context) -> None:
    """What is wrong now; looked at anew, told where it has not been. Exit 1 while something is.

    \b
    The service and `sidecar tick` look once a minute. A line of its own in cron watches these two:
      */10 * * * *  sidecar --config FILE alerts --quiet
    """
    if context.invoked_subcommand is not None:
        return
    with runtime.build(run.config) as shop:
        told = shop.alerts(force=True)
        found = shop.troubles()
    run.output.result({"alerts": found, "told": told}, ok=not found)
    if not channels.channels(run.config.alerts):
        run.output.warn("[alerts] names no webhook, Telegram chat or SMTP server: nobody is told")
    if not found:
        run.output.say("Nothing is wrong.")
        return
    run.output.table(
        [(one.name, datetime.fromtimestamp(one.since, UTC).strftime("%Y-%m-%d %H:%M"), one.sentence) for one in found],
        ["alert", "since (UTC)", ""],
    )
    context.exit(1)


@alerts.command()
@pass_run
def test(run: Context) -> None:
    """Send a message by every way that is set up. Exit 1 when one fails, or there is none."""
    ways = channels.channels(run.config.alerts)
    with runtime.build(run.config) as shop:
        told = channels.test(run.config.alerts, sites.address(shop.state))
    run.output.result({"channels": sorted(ways), "failed": told.failed}, ok=bool(ways) and not told.failed)
    for line in told.failed:
        run.output.warn(line)
    run.output.say(f"Sent by {len(ways) - len(told.failed)} of {len(ways)} ways: {', '.join(sorted(ways)) or 'none'}.")
    if told.failed or not ways:
        click.get_current_context().exit(1)
