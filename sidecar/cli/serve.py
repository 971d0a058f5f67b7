"""`sidecar serve`: the running service."""

from __future__ import annotations

import click

from sidecar.cli.context import Context, pass_run


@click.command()
@pass_run
def serve(run: Context) -> None:
    """Answer the plugin, follow the shop within seconds, do long work in the background; until SIGTERM.

    Listens where [service] says, on this machine only. docs/service.md has the systemd units.
    """
    from sidecar.mysql import driver

    driver.light()
    from sidecar import serve as service

    config = run.config
    said = f"Serving at {config.service.endpoint}. Stop it with Ctrl-C or SIGTERM."
    code = service.serve(config, lambda: run.output.say(said))
    run.output.result({"endpoint": config.service.endpoint, "stopped": True})
    if code:
        click.get_current_context().exit(code)
