"""`sidecar automations simulate | backtest | test`: what would happen, before it does."""

from __future__ import annotations

import re
from datetime import tzinfo

import click

from sidecar import runtime
from sidecar.automations.model import Send
from sidecar.automations.simulate import Passed, Simulated
from sidecar.cli.context import Context, pass_run
from sidecar.errors import UsageError
from sidecar.values import dates

_SPANS = {"m": 60, "h": 3600, "d": 86_400}


@click.command()
@click.argument("name")
@click.argument("email")
@click.option(
    "--about", "subject", default="", metavar="KIND:ID", help="cart:12, order:55, product:7. [the newest of theirs]"
)
@click.option("--buy-after", "buys", default="", metavar="TIME", help="They order so long after entering: 90m, 5h, 2d.")
@click.option("--text", is_flag=True, help="Print the messages as well.")
@pass_run
def simulate(run: Context, name: str, email: str, subject: str, buys: str, text: bool) -> None:
    """Walk one person through with the clock sped up: each step, when it would come, and why one would be left out. By the person
    and the shop as they are now. Nothing is sent, made or kept."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        found = desk.simulate(name, email, subject=subject, buys_after=_span(buys))
        zone = desk.info.zone
    run.output.result({"simulated": found})
    _print(run, found, zone, text=text)


def _span(text: str) -> int | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if found is None:
        raise UsageError(f"{text!r} is no time", hint="write it like 90m, 5h or 2d")
    return int(found[1]) * _SPANS[found[2]]


def _print(run: Context, found: Simulated, zone: tzinfo, *, text: bool) -> None:
    if found.assumed:
        run.output.warn("no channel is set up yet: this is how it would be with e-mail")
    run.output.table([(dates.local_minute(one.at, zone), one.step or "-", one.says, _became(one)) for one in found.steps], ["at", "step", "what it does", "what comes of it"])  # fmt: skip
    run.output.say(f"\n{dates.local_minute(found.ended, zone)}: {found.sentence}.")
    for one in found.steps if text else ():
        if one.message is not None:
            run.output.say(f"\n--- {one.step} ({one.message.channel}, {one.message.language}): {one.message.subject}\n\n{one.message.text}")  # fmt: skip


def _became(one: Passed) -> str:
    if one.message is not None:
        return f"by {one.message.channel}: {one.message.subject or one.message.text[:60]}"
    return one.sentence


@click.command()
@click.argument("name")
@click.option("--days", default=90, metavar="N", type=click.IntRange(1, 1100), help="The last N days. [90]")
@pass_run
def backtest(run: Context, name: str, days: int) -> None:
    """What it would have done on the shop's own history: how many people, which messages and when, and how many of them bought
    anyway. Those it cannot win, so the effect is below the rest. Reads only."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        found, zone = desk.backtest(name, days), desk.info.zone
    run.output.result({"backtest": found, "ceiling": found.ceiling})
    run.output.say(f"{name}, {dates.local_day(found.since, zone)} until now ({days} days):")
    run.output.table(
        [
            ("entered", f"{found.people} people, {found.entered} times"), ("kept out by the filter", found.filtered),
            ("ended by a purchase on the way", found.goals + found.exits), ("messages", found.messages), ("people reached", found.reached),
            (f"of whom bought within {found.credit_days} days anyway", found.bought_anyway),
        ]
    )  # fmt: skip
    if found.steps:
        run.output.say()
        run.output.table(
            [(step.step, step.title, step.sent, step.bought, _left(step.left_out), " ".join(map(str, step.weeks))) for step in found.steps],
            ["message", "", "sent", "bought anyway", "left out", "by week"],
        )  # fmt: skip
    if found.ceiling is not None:
        run.output.say(f"\nAt most {found.ceiling * 100:.0f} % of those reached can be won: the others bought without it. What it really earns only a holdout tells.")  # fmt: skip
    for note in found.notes:
        run.output.say(f"- {note}")


def _left(reasons: dict[str, int]) -> str:
    return ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in sorted(reasons.items())) or "0"


@click.command()
@click.argument("name")
@click.argument("step", required=False)
@click.option("--language", default="en", metavar="CODE", help="en, fa, pl or bg. [en]")
@click.option("--person", "email", default="", metavar="EMAIL", help="With the data of this person. [an example's]")
@click.option("--html", is_flag=True, help="Print the HTML of the e-mail.")
@pass_run
def preview(run: Context, name: str, step: str | None, language: str, email: str, html: bool) -> None:
    """The messages of an automation, or one of them, as somebody would get them now, and what would keep them from going out.
    Nothing is sent and no coupon is made: the example's stands for it."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        automation = desk.get(name)
        contact = desk.contact(email) if email else None
        steps = [step] if step else [one.id for one in automation.steps if isinstance(one, Send)]
        found = {one: desk.preview(automation, one, language, contact) for one in steps}
    run.output.result({"messages": found})
    for id_, message in found.items():
        run.output.say(f"--- {id_}: {message.subject}\n")
        run.output.raw(message.html if html else message.text or message.short)
        for problem in message.problems:
            run.output.warn(f"{id_}: {problem}")


@click.command("test")
@click.argument("name")
@click.option("--to", required=True, metavar="EMAIL", help="Your own address.")
@click.option("--language", default="", metavar="CODE", help="en, fa, pl or bg. [the shop's]")
@pass_run
def test_(run: Context, name: str, to: str, language: str) -> None:
    """Send each message of an automation to yourself by e-mail, as a customer would get it, with [TEST] in the subject. By SMTP to any
    address; through FluentCRM only to one that is a contact, with their own data. Nothing of it is counted."""
    with runtime.build(run.config) as shop:
        found = shop.automations.test(name, to, language)
    good = all(one.state in ("sent", "queued") for one in found)
    run.output.result({"messages": found}, ok=good)
    run.output.table([(one.step, one.language, one.subject, one.state, one.reason) for one in found], ["message", "in", "subject", "", ""])  # fmt: skip
    for one in found:
        for problem in one.problems:
            run.output.warn(f"{one.step}: {problem}")
    if not found:
        run.output.say("It has no messages.")
    if not good:
        click.get_current_context().exit(1)
