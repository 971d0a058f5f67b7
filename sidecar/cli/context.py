"""What a command is given: where to print, and the configuration, read when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import click

from sidecar import config_file, logs
from sidecar.cli.output import Output
from sidecar.config import Config


class Context:
    """One run of the command line. Commands take it with `@pass_run` as their first argument."""

    def __init__(self) -> None:
        self.output = Output()
        self.config_option: str | None = None
        self.debug = False

    @cached_property
    def config(self) -> Config:
        """The configuration; ConfigError (exit 3) when there is none or it is wrong. Sets up the log."""
        config = config_file.load(self.config_option)
        self.use_log(config)
        return config

    @property
    def config_path(self) -> Path | None:
        """The configuration file in use, if there is one."""
        return config_file.find(self.config_option)

    def use_log(self, config: Config) -> None:
        """Log as the configuration says; `--debug` goes before it."""
        if config.log.level == "debug":
            self.debug = True
        logs.setup("debug" if self.debug else config.log.level, config.log.format)


pass_run = click.make_pass_decorator(Context, ensure=True)
