"""`sidecar pair`: the secret that the plugin and the sidecar know each other by."""

from __future__ import annotations

import click

from sidecar import runtime, signing
from sidecar.cli.context import Context, pass_run
from sidecar.crm import keys
from sidecar.errors import ConfigError, UsageError
from sidecar.runtime import Runtime
from sidecar.state import pairing
from sidecar.state.pairing import Key, Pairing


@click.command()
@click.option("--rotate", is_flag=True, help="Make a new key; the old one is accepted for another 15 minutes.")
@click.option(
    "--print-code",
    is_flag=True,
    help="Do not write to the shop's database: print a code to paste into the plugin's settings page.",
)
@click.option(
    "--endpoint",
    metavar="URL",
    help="Where the plugin reaches `sidecar serve`: http://127.0.0.1:PORT or unix:/path. Default: what [service] says.",
)
@pass_run
def pair(run: Context, rotate: bool, print_code: bool, endpoint: str | None) -> None:
    """Pair the sidecar with the plugin on this site, and prove that both understand each other.

    \b
    The key is made here, kept in the state directory (pairing.json, only for this account) and written to
    the plugin's table. Run again it checks the pairing and mends the plugin's side.
    """
    where = _endpoint(endpoint or run.config.service.endpoint)
    with runtime.build(run.config) as shop:
        directory = shop.state.directory
        known = pairing.read(directory)
        if known is None:
            known = pairing.first(where)
        elif rotate:
            known = pairing.with_next(known, where)
        elif known.endpoint != where:
            known = Pairing(endpoint=where, keys=known.keys)
        # Kept before the plugin hears of it: its first request with the new key is accepted already.
        pairing.write(directory, known)
        new = next((key for key in known.keys if key.state == "next"), known.current)
        run.output.result({"key_id": new.key_id, "endpoint": where, "rotated": rotate and new.state == "next"})
        if print_code:
            _print(run, new, where)
            return
        keys.make_known(run.config, new, where)
        if new.state == "next":
            pairing.write(directory, pairing.promoted(known))
        _prove(run, shop)


def _endpoint(text: str) -> str:
    """An endpoint that the plugin takes. Raises UsageError: only addresses of this machine."""
    if not signing.is_endpoint(text):
        raise UsageError(
            f"{text!r} is no address on this machine", hint="such as http://127.0.0.1:8765 or unix:/run/sidecar.sock"
        )
    return text


def _print(run: Context, key: Key, endpoint: str) -> None:
    code = signing.pairing_code(key.key_id, key.secret, endpoint)
    run.output.result({"code": code})
    run.output.say("Paste this into wp-admin → FluentCRM → Sidecar → Settings. It is a password: send it to nobody.")
    run.output.say()
    run.output.raw(code)


def _prove(run: Context, shop: Runtime) -> None:
    """A signed question to the plugin, and a signed answer."""
    try:
        found = shop.bridge.status()
    except ConfigError as error:
        run.output.warn(f"the plugin could not be asked: {error.message}")
        return
    run.output.result({"plugin": found.plugin, "wordpress": found.wordpress, "site": found.site_url})
    run.output.say(f"Paired with plugin {found.plugin} on {found.site_url} (WordPress {found.wordpress}).")
    run.output.say("Now run `sidecar serve`, best as a service: docs/service.md.")
