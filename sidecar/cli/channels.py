"""`sidecar channels`: by which ways automations send, and switching one on again."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec

from sidecar import clock, runtime
from sidecar.automations.channels import gate, push, settings
from sidecar.cli.context import Context, pass_run
from sidecar.sync.link import Link


@click.group(invoke_without_command=True)
@pass_run
@click.pass_context
def channels(context: click.Context, run: Context) -> None:
    """The channels that are set up, by whom each sends, and whether that works. Nothing is asked or sent."""
    if context.invoked_subcommand is not None:
        return
    with runtime.build(run.config) as shop:
        found = settings.providers(run.config.channels, Link(run.config, shop.state).paired)
        known = {one.name: one for one in gate.standing(shop.state)}
    now = clock.now().timestamp()
    rows = [(channel, name, _words(known.get(name), now)) for channel, name in found.items()]
    run.output.result({"channels": found, "providers": msgspec.to_builtins(list(known.values()))})
    for problem in settings.problems(run.config, str(run.config_path or "the environment")):
        run.output.warn(str(problem))
    if rows:
        run.output.table(rows, ["channel", "by", ""])
    else:
        run.output.say("No channel is set up, and the plugin is not paired: see docs/channels.md.")


@channels.command()
@click.argument("name")
@pass_run
def enable(run: Context, name: str) -> None:
    """Switch a provider on again that was switched off, or paused, after trouble."""
    with runtime.build(run.config) as shop:
        gate.switch_on(shop.state, name)
    run.output.result({"enabled": name})
    run.output.say(f"{name} is on again.")


@channels.command()
@pass_run
def push_key(run: Context) -> None:
    """Print the public key that a page gives to browsers which subscribe to Web Push; made when there is none yet."""
    with runtime.build(run.config) as shop:
        key = push.public_key(shop.state.directory)
    run.output.result({"key": key})
    run.output.raw(key)


def _words(standing: gate.ProviderState | None, now: float) -> str:
    if standing is None or not (standing.disabled or standing.retry_at > now):
        return "ready"
    if standing.disabled:
        return f"switched off: {standing.disabled}"
    return f"paused until {datetime.fromtimestamp(standing.retry_at, UTC):%H:%M:%S} UTC, {standing.failures} failures in a row"
