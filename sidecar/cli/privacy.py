"""`sidecar privacy`: export and erasure on request, and the list of those who stay erased."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec

from sidecar import runtime
from sidecar.cli.context import Context, pass_run
from sidecar.errors import UsageError
from sidecar.values import email


@click.group()
def privacy() -> None:
    """Export what is kept of a person; erase them so that no import brings them back. WordPress' own tools erase accounts and orders."""


@privacy.command()
@click.argument("address", metavar="EMAIL")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_run
def erase(run: Context, address: str, yes: bool) -> None:
    """Delete the contact and all that the sidecar keeps of a person; a hash stays. Not to be undone."""
    _address(address, "erase")
    if not yes:
        if run.output.json:
            raise UsageError("with --json nothing is asked: give --yes to erase")
        click.confirm(f"Erase {email.mask(address)} for good?", abort=True)
    with runtime.build(run.config) as shop:
        found = shop.rights.erase(address)
    run.output.result({"erased": found})
    contacts = "the contact is deleted" if found.contacts else "there was no contact"
    run.output.say(
        f"Erased: {contacts}, {found.carts} carts, {'known' if found.known else 'not known'} to the sidecar."
    )
    if not found.in_plugin:
        run.output.say(
            "The plugin is not there: the hash is in the sidecar's state only. Keep [state] dir with your backups."
        )


@privacy.command()
@click.argument("address", metavar="EMAIL")
@pass_run
def export(run: Context, address: str) -> None:
    """What the sidecar itself keeps of a person, as JSON: consent, automations and messages, orders' numbers, views.

    WordPress' own export (Tools > Export Personal Data) has the rest.
    """
    _address(address, "export")
    with runtime.build(run.config) as shop:
        found = shop.rights.export(address)
    run.output.result({"kept": found})
    run.output.raw(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


@privacy.command()
@click.argument("address", metavar="EMAIL")
@pass_run
def lift(run: Context, address: str) -> None:
    """Let an erased person in again: the next run takes them like anybody."""
    _address(address, "lift")
    with runtime.build(run.config) as shop:
        was = shop.rights.lift(address)
    run.output.result({"was_suppressed": was})
    run.output.say("Lifted: the next `sidecar sync` takes them." if was else "That address was not suppressed.")


def _address(text: str, command: str) -> None:
    """Raises UsageError for what is none, before anybody is asked about it."""
    identity = email.identity(text)
    if identity is None or "@" not in identity:
        raise UsageError("that is no e-mail address", hint=f"such as `sidecar privacy {command} anna@example.com`")


@privacy.command(name="list")
@pass_run
def list_(run: Context) -> None:
    """Who is suppressed: the beginnings of hashes, and dates. Addresses are not kept."""
    with runtime.build(run.config) as shop:
        found = shop.rights.suppressed()
    run.output.result({"suppressed": found})
    run.output.table(
        [(one.mark, one.where, datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M")) for one in found],
        ["hash", "kept by", "since (UTC)"],
    )
