"""The root group: commands imported on use, the options that every command has, and errors as exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from sidecar import __version__, logs
from sidecar.cli.context import Context
from sidecar.cli.output import Output, harden_streams
from sidecar.errors import SidecarError

INTERRUPTED = 130
HELP = """Bring a WooCommerce shop's buyers into FluentCRM, on the shop's own host.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 configuration, 4 database unreachable, 130 interrupted.
"""


def _run(context: click.Context) -> Context:
    return context.ensure_object(Context)


def _set_json(context: click.Context, _: click.Parameter, on: bool) -> None:
    if on:
        _run(context).output.json = True


def _set_quiet(context: click.Context, _: click.Parameter, on: bool) -> None:
    if on:
        _run(context).output.quiet = True


def _set_debug(context: click.Context, _: click.Parameter, on: bool) -> None:
    if on:
        _run(context).debug = True
        logs.setup("debug")


def _set_config(context: click.Context, _: click.Parameter, file: str | None) -> None:
    if file is not None:
        _run(context).config_option = file


def _common() -> list[click.Option]:
    """Options that may stand before the command or after it."""
    return [
        click.Option(
            ["--config"],
            metavar="FILE",
            callback=_set_config,
            expose_value=False,
            help="Use this configuration.",
        ),
        click.Option(["--json"], is_flag=True, callback=_set_json, expose_value=False, help="Print one JSON object."),
        click.Option(["--quiet"], is_flag=True, callback=_set_quiet, expose_value=False, help="Print the answer only."),
        click.Option(["--debug"], is_flag=True, callback=_set_debug, expose_value=False, help="Log all; show traces."),
    ]


def add_common(command: click.Command) -> None:
    """Give a command, and all below it, the options that every command has. Its own ones stay."""
    taken = {name for param in command.params for name in param.opts}
    command.params += [option for option in _common() if not taken.intersection(option.opts)]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            add_common(below)


class Root(click.Group):
    """A group whose commands are `name → ("module:attribute", short help)`."""

    def __init__(self, name: str, commands_at: Mapping[str, tuple[str, str]]) -> None:
        version = click.version_option(__version__, prog_name=name)
        super().__init__(name, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
        self.commands_at = commands_at
        self.params += _common()
        version(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer needs them."""
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        if cmd_name not in self.commands_at:
            return None
        module, _, attribute = self.commands_at[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        add_common(command)
        self.commands[cmd_name] = command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in self.commands_at.items()])

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> NoReturn:
        """Run a command line and exit with its code."""
        arguments = list(sys.argv[1:] if args is None else args)
        run = Context()
        # Known before the options are read, so that wrong usage is answered in JSON too.
        run.output.json = "--json" in arguments[: arguments.index("--")] if "--" in arguments else "--json" in arguments
        harden_streams()
        logs.setup()
        try:
            code = self._guarded(arguments, run, options)
            sys.stdout.flush()
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            code = _broken_pipe()
        sys.exit(code)

    def _guarded(self, arguments: list[str], run: Context, options: dict[str, Any]) -> int:
        output = run.output
        try:
            found = super().main(arguments, **(options | {"standalone_mode": False, "obj": run}))
            code = found if isinstance(found, int) else 0
            if not _answered_by_click(arguments, run):
                output.finish()
            return code
        except SidecarError as error:
            if run.debug:
                click.echo(traceback.format_exc(), err=True)
            return output.sidecar_error(error)
        except click.UsageError as error:
            return _usage(output, error)
        except click.ClickException as error:
            output.error("failed", error.format_message())
            return error.exit_code
        except (click.Abort, KeyboardInterrupt) as stop:
            if isinstance(stop, click.Abort) and stop.__cause__ is None:
                # A question was answered by no, or by nobody; click gives a Ctrl-C in the midst of work a cause.
                output.error("not_confirmed", "not confirmed: nothing was done", "answer y, or give --yes")
                return INTERRUPTED
            output.error("interrupted", "stopped before the end", "run it again: it goes on where it was")
            return INTERRUPTED
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            return _unexpected(run, error)
        except Exception as error:  # noqa: BLE001 - the last line of defence: say what, without personal data
            return _unexpected(run, error)


def _answered_by_click(arguments: list[str], run: Context) -> bool:
    """Whether click itself has answered (`--help`, `--version`), in words."""
    return any(one in ("-h", "--help", "--version") for one in arguments)


def _usage(output: Output, error: click.UsageError) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        if not output.json:
            # Who calls a group alone wants to know what is in it: that is no error's text.
            click.echo(error.format_message(), err=True)
            return error.exit_code
        error = click.UsageError("Missing command.", error.ctx)
    hint = f"see `{error.ctx.command_path} --help`" if error.ctx else "see `sidecar --help`"
    output.error("usage", error.format_message(), hint)
    return error.exit_code


def _unexpected(run: Context, error: Exception) -> int:
    """The text of an unforeseen exception may hold a customer's address, so it is shown only with --debug."""
    from sidecar.state.database import failure

    if run.debug:
        click.echo(traceback.format_exc(), err=True)
    known = failure(error)
    if known is not None:
        return run.output.sidecar_error(known)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}sidecar{os.sep}" in frame.filename] or frames
    where = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    run.output.error(
        "unexpected",
        f"{type(error).__name__}{where}: this is a fault of the sidecar",
        "" if run.debug else "run it again with --debug to see the trace (it may show personal data)",
    )
    return 1


def _broken_pipe() -> int:
    """The reader has gone (`sidecar doctor | head`): nobody is there to be told."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, sys.stdout.fileno())
    return 1
