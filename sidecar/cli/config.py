"""`sidecar config`: what is configured, whether it is right, and what could be."""

from __future__ import annotations

from importlib import resources
from typing import Any

import click
import msgspec

from sidecar import config_file, toml_text
from sidecar.automations.channels import settings
from sidecar.cli.context import Context, pass_run
from sidecar.config_section import shown
from sidecar.errors import ConfigError


@click.group()
def config() -> None:
    """Show and check the configuration."""


@config.command()
@pass_run
def show(run: Context) -> None:
    """Print the configuration in force: file, environment and wp-config.php together, without secrets."""
    data = hide_secrets(msgspec.to_builtins(run.config))
    file = str(run.config_path or "")
    run.output.result({"file": file, "config": data})
    run.output.raw(f"# from {file or 'the environment'}\n\n{toml_text.dumps(data)}".rstrip())


@config.command()
@pass_run
def check(run: Context) -> None:
    """Say everything that is wrong with the configuration; exit 3 when something is."""
    database = run.config.shop.database
    file = run.config_path
    if file is not None and config_file.readable_by_others(file):
        run.output.warn(f"others on this machine may read {file}: run `chmod 600 {file}`")
    if not (database.password or database.unix_socket):
        run.output.warn("there is no database password: right only for an account without one")
    faults = settings.problems(run.config, str(file or "the environment"))
    if faults:
        count = "1 thing is" if len(faults) == 1 else f"{len(faults)} things are"
        raise ConfigError(
            f"{count} missing for channels of automations", faults, hint="docs/channels.md says what each needs"
        )
    run.output.result({"file": str(file or ""), "database": database.name, "prefix": run.config.shop.table_prefix})
    run.output.say(f"{file or 'The environment'} is in order; now try `sidecar doctor`.")


@config.command()
@pass_run
def example(run: Context) -> None:
    """Print the example file: every key, explained, with its default."""
    text = resources.files("sidecar").joinpath("sidecar.example.toml").read_text("utf-8")
    run.output.result({"toml": text})
    run.output.raw(text.rstrip())


def hide_secrets(data: Any, key: str = "") -> Any:
    """The data with every secret that is set replaced."""
    if isinstance(data, dict):
        return {name: hide_secrets(item, name) for name, item in data.items()}
    return shown(key, data)
