"""`sidecar automations`: messages that go out by themselves: try them, switch them on, see what they earn."""

from __future__ import annotations

import click
import msgspec

from sidecar import runtime
from sidecar.automations import describe
from sidecar.automations.preflight import Finding
from sidecar.cli.automations_stats import stats
from sidecar.cli.automations_try import backtest, preview, simulate, test_
from sidecar.cli.context import Context, pass_run
from sidecar.values import dates


@click.group()
def automations() -> None:
    """Messages that go out by themselves, each once, with consent, at the right time. All are off until you switch them on.

    \b
    A good order: show NAME, test NAME --to ME, backtest NAME, on NAME --rollout 20 --holdout 10, stats NAME.
    """


for command in (stats, preview, simulate, backtest, test_):
    automations.add_command(command)


@automations.command("list")
@pass_run
def list_(run: Context) -> None:
    """Every automation: whether it is on, and how many people are in it."""
    with runtime.build(run.config) as shop:
        found = shop.automations.listed()
    run.output.result({"automations": found})
    rows = [
        (one.name, _switch(one.on, one.rollout, one.holdout), one.waiting, ("yours  " if one.own else "") + (one.fault or one.about))
        for one in found
    ]  # fmt: skip
    run.output.table(rows, ["automation", "", "inside", "what it does"])
    for one in found:
        if one.fault:
            run.output.warn(f"{one.name}: {one.fault}")


def _switch(on: bool, rollout: int, holdout: int) -> str:
    if not on:
        return "off"
    shares = [f"{rollout} %"] if rollout < 100 else []
    shares += [f"{holdout} % held back"] if holdout else []
    return f"on ({', '.join(shares)})" if shares else "on"


@automations.command()
@click.argument("name")
@pass_run
def show(run: Context, name: str) -> None:
    """What an automation does, step by step, and what to know before it is switched on."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        one, flow, row, zone = desk.get(name), desk.flow(name), desk.row(name), desk.info.zone
        file, findings = desk.library.text(name).file, desk.preflight(name)
    run.output.result({"automation": one, "flow": flow, "switch": row, "file": file, "findings": findings})
    run.output.say(f"{one.title}: {one.about}")
    run.output.say(f"{_switch(row.running, row.rollout, row.holdout)}; {file or 'ready-made, not changed'}")
    run.output.say()
    run.output.say(f"starts   {describe.trigger(one.trigger)}")
    if one.filter is not None:
        run.output.say(f"only if  {describe.rule(one.filter, zone)}")
    if one.again is None:
        run.output.say("again    never")
    elif one.again.days or one.again.seconds:
        run.output.say(f"again    after {describe.period(one.again)} at the earliest")
    if goal := describe.goal(one.goal):
        run.output.say(f"success  {goal}")
    for exit_ in one.exits:
        topics = " or ".join(exit_.topics) + (f" to {' or '.join(exit_.to)}" if exit_.to else "")
        run.output.say(f"leaves   {describe.rule(exit_.rule, zone) if exit_.rule is not None else topics}")
    run.output.say()
    run.output.table([(line.step, line.says) for line in flow], ["step", "what it does"])
    _findings(run, findings)


def _findings(run: Context, findings: list[Finding]) -> None:
    for finding in findings:
        run.output.warn(f"{finding.sentence}: {finding.hint}")


@automations.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@pass_run
def check(run: Context, file: str | None) -> None:
    """Say everything that is wrong with one file, or with all automations; exit 3 when something is."""
    with runtime.build(run.config) as shop:
        found = shop.automations.check(file or "")
    run.output.result({"automations": found})
    run.output.say(f"{file or 'all automations'}: no problem.")


@automations.command()
@click.argument("name")
@click.option(
    "--rollout",
    type=int,
    metavar="PERCENT",
    help="For so many percent of people; raise it later. [as it was; at first 100]",
)
@click.option(
    "--holdout",
    type=int,
    metavar="PERCENT",
    help="So many of those get nothing, to compare with. [as it was; at first 0]",
)
@click.option("--anyway", is_flag=True, help="Also when somebody else sends the same.")
@pass_run
def on(run: Context, name: str, rollout: int | None, holdout: int | None, anyway: bool) -> None:
    """Switch it on, or change its shares. What happened before starts nobody.

    \b
    Begin small, and keep some aside so that you will know what it earned:
      sidecar automations on cart-recovery --rollout 20 --holdout 10
    """
    with runtime.build(run.config) as shop:
        findings = shop.automations.on(name, rollout=rollout, holdout=holdout, anyway=anyway)
        row = shop.automations.row(name)
    run.output.result({"on": name, "rollout": row.rollout, "holdout": row.holdout, "findings": findings})
    run.output.say(f"{name} is {_switch(True, row.rollout, row.holdout)}.")
    _findings(run, findings)


@automations.command()
@click.argument("name")
@pass_run
def off(run: Context, name: str) -> None:
    """Switch it off. Who is in it stands still until it is on again; what became too late by then is left out."""
    with runtime.build(run.config) as shop:
        was = shop.automations.off(name)
    run.output.result({"off": name, "was_on": was})
    run.output.say(f"{name} is off." if was else f"{name} was off.")


@automations.command()
@click.argument("source")
@click.argument("name")
@click.option("--title", default="", help="What it is called. [the title of SOURCE]")
@pass_run
def copy(run: Context, source: str, name: str, title: str) -> None:
    """Make a new automation, off, that begins as another one is written.

    \b
    sidecar automations copy win-back-30 spring-sale --title "Spring sale"
    """
    with runtime.build(run.config) as shop:
        text = shop.automations.copy(source, name, title)
    run.output.result({"copied": source, "name": name, "file": text.file})
    run.output.say(f"{name} is made, and off: edit {text.file}, then `sidecar automations check`.")


@automations.command()
@click.argument("name")
@pass_run
def remove(run: Context, name: str) -> None:
    """Take an automation of your own away; its file is kept as a backup. It must be off; who is in it leaves it."""
    with runtime.build(run.config) as shop:
        shop.automations.remove(name)
    run.output.result({"removed": name})
    run.output.say(f"{name} is removed. What it sent and earned stays on record.")


@automations.command()
@click.argument("name")
@pass_run
def reset(run: Context, name: str) -> None:
    """Take the ready-made automation instead of your own file of that name, which is kept as a backup."""
    with runtime.build(run.config) as shop:
        text = shop.automations.reset(name)
    run.output.result({"reset": name, "file": text.file})
    run.output.say(f"{name} is the ready-made one again.")


@automations.command()
@click.argument("name")
@click.argument("email")
@pass_run
def why(run: Context, name: str, email: str) -> None:
    """Why a person got it, or did not: each time that they were in it, step by step, and what holds now."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        found, zone = desk.why(name, email), desk.info.zone
    ways = [msgspec.to_builtins(way) for way in found.ways]
    run.output.result({"verdict": found.verdict, "ways": ways, "checks": found.checks})
    run.output.raw(found.verdict)
    for way in found.ways:
        held = ", only watched" if way.held else ""
        run.output.say(f"\nentered {dates.local_minute(way.entered, zone)} {way.subject}{held}: {way.sentence}")
        run.output.table([(dates.local_minute(one.at, zone), one.step, one.sentence) for one in way.steps])
        for sent in way.messages:
            run.output.say(f"  message {sent.step} by {sent.channel}: {sent.state}{f' ({sent.reason})' if sent.reason else ''}")  # fmt: skip
    run.output.say("\nNow:")
    for check_ in found.checks:
        run.output.say(f"  {'yes' if check_.holds else 'no '}  {check_.sentence}")


@automations.command()
@click.argument("name")
@click.option(
    "--state", default="", type=click.Choice(["", "waiting", "done", "goal", "exit", "failed"]), help="Only these."
)
@click.option("--limit", default=50, metavar="N", help="The newest N. [50]")
@pass_run
def people(run: Context, name: str, state: str, limit: int) -> None:
    """Who is or was in it, the newest first, by the id of the contact in FluentCRM."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        desk.get(name)
        found, zone = desk.people(name, state, 0, limit), desk.info.zone
    run.output.result({"people": found})
    run.output.table(
        [
            (one.contact_id or "-", one.subject, dates.local_minute(one.entered, zone), one.state + (" (held back)" if one.held else ""), one.reason or one.step, dates.local_minute(one.due, zone) if one.due else "-")
            for one in found
        ],
        ["contact", "about", "entered", "state", "at", "due"],
    )  # fmt: skip


@automations.command()
@click.option("--automation", "name", default="", metavar="NAME", help="Only of this automation.")
@click.option("--person", "email", default="", metavar="EMAIL", help="Only to this person.")
@click.option("--limit", default=50, metavar="N", help="The newest N. [50]")
@pass_run
def messages(run: Context, name: str, email: str, limit: int) -> None:
    """The log of messages, the newest first: what went to whom, by which channel, and what became of it."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        found, zone = desk.messages(name, email, 0, limit), desk.info.zone
    run.output.result({"messages": found})
    run.output.table(
        [
            (dates.local_minute(one.decided, zone), f"{one.automation}/{one.step}", one.contact_id or "-", one.channel, _became(one.state, one.opened, one.clicked), one.reason)
            for one in found
        ],
        ["at", "message", "contact", "by", "state", ""],
    )  # fmt: skip


def _became(state: str, opened: int | None, clicked: int | None) -> str:
    return state + (", clicked" if clicked else ", opened" if opened else "")
