"""`sidecar tick`: one bounded pass, for hosts where no service may run."""

from __future__ import annotations

import click

from sidecar import runtime
from sidecar.cli.context import Context, pass_run

_WHY = {
    "busy": "Another pass or run is at work.",
    "paused": "Paused (`sidecar sync resume` ends it): nothing was written.",
    "held": "On hold: this is not the site that the sidecar knows (`sidecar site show`).",
    "waiting": "Nothing to do yet: there was no first `sidecar sync`, or WordPress does not answer for a moment.",
}


@click.command()
@click.option(
    "--seconds", default=50.0, show_default=True, type=click.FloatRange(1, 3600), help="Take no new work after so long."
)
@click.option("--poll", is_flag=True, help="Ask the shop for changes now, though it is not due.")
@click.option("--reconcile", is_flag=True, help="Compare the whole shop now, though it is not due.")
@pass_run
def tick(run: Context, seconds: float, poll: bool, reconcile: bool) -> None:
    """Do what is due: the plugin's events, a poll of the shop, a reconciliation. Then end.

    \b
    For cron, every minute; two at once are no harm, one of them ends at once:
      * * * * *  sidecar --config FILE tick --quiet
    """
    with runtime.build(run.config) as shop:
        found = shop.pass_(seconds, poll=poll, reconcile=reconcile)
        shop.work_waiting()
    run.output.result({"pass": found})
    if found.state != "done":
        run.output.say(_WHY[found.state])
        return
    how = "live" if found.live else "quietly"
    run.output.say(
        f"{found.events} events, {found.polled} changes found by asking: {found.changed} contacts changed ({how}),"
        f" {found.nothing} nothing to do, {found.left} left out, {found.failed} failed, {found.later} later."
    )
    if found.reconciled:
        run.output.say("The whole shop was compared.")
    if found.rest:
        run.output.say(f"{found.rest} events are left for the next pass.")
