"""`sidecar site`: the clone guard."""

from __future__ import annotations

import click

from sidecar import runtime
from sidecar.cli.context import Context, pass_run
from sidecar.errors import UsageError


@click.group()
def site() -> None:
    """A copy of a shop (staging) writes to nobody before the owner confirms that it is theirs."""


@site.command()
@pass_run
def show(run: Context) -> None:
    """Which site this is, which one is known, and what differs. Exit 1 while things are on hold."""
    with runtime.build(run.config) as shop:
        found = shop.site()
    run.output.result(
        {"now": found.now, "known": found.known, "changed": found.changed, "since": found.since}, ok=not found.held
    )
    run.output.table(
        [
            (name, getattr(found.known, name), getattr(found.now, name))
            for name in ("siteurl", "home", "database", "server")
        ],
        ["", "known", "now"],
    )
    if found.held:
        run.output.say()
        run.output.say(
            "On hold: nothing is written. A staging copy: leave it so. The shop moved: `sidecar site confirm`."
        )
        click.get_current_context().exit(1)


@site.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_run
def confirm(run: Context, yes: bool) -> None:
    """Say that the site as it is now is the one that the sidecar may write to."""
    with runtime.build(run.config) as shop:
        found = shop.site()
        if found.held and not yes:
            if run.output.json:
                raise UsageError("with --json nothing is asked: give --yes to confirm")
            for line in found.changed:
                run.output.say(f"- {line}")
            click.confirm("Is this your live shop?", abort=True)
        now = shop.confirm_site()
    run.output.result({"known": now})
    run.output.say("Confirmed." if found.held else "Nothing was on hold.")
