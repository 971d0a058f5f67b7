"""What a command prints: tables and sentences for people, or exactly one JSON object with `--json`.

The answer goes to standard output; warnings, progress and errors go to standard error, so that a pipe gets
only the answer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import msgspec

from sidecar.cli import tables
from sidecar.cli.progress import Progress
from sidecar.errors import ConfigError, Problem, SidecarError


class Output:
    """The way out of a command. In JSON mode sentences and tables are silent and `result` is what counts."""

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self._result: dict[str, Any] = {}
        self._warnings: list[str] = []
        self._ok = True

    def say(self, text: str = "") -> None:
        """A sentence for people."""
        if not (self.json or self.quiet):
            click.echo(text)

    def table(self, rows: Iterable[Sequence[object]], headers: Sequence[str] = ()) -> None:
        """A table for people; it is the answer, so `--quiet` does not hide it."""
        if not self.json:
            for line in tables.render(rows, headers):
                click.echo(line)

    def raw(self, text: str) -> None:
        """Text that is the answer itself (a file, SQL): printed as it is, `--quiet` or not."""
        if not self.json:
            click.echo(text)

    def warn(self, text: str) -> None:
        """Something the reader should know though the command goes on. In JSON it is in `warnings`."""
        self._warnings.append(text)
        if not self.json:
            click.secho(f"warning: {text}", err=True, fg="yellow")

    def result(self, data: Mapping[str, Any], *, ok: bool = True) -> None:
        """What `--json` prints, once, when the command is done. Called again, the parts are merged."""
        self._result |= data
        self._ok = self._ok and ok

    def progress(self, total: int | None, label: str) -> Progress:
        """A context manager with `advance(n)`: a bar on a terminal, else one line per 5 %."""
        return Progress(total, label, silent=self.json or self.quiet)

    def finish(self) -> None:
        """Print the one JSON object. The root group calls this after the command."""
        if self.json:
            extra = {"warnings": self._warnings} if self._warnings else {}
            self._print({"ok": self._ok} | self._result | extra)

    def error(self, code: str, message: str, hint: str = "", details: Sequence[object] = ()) -> None:
        """Print an error: as the one JSON object, else as text on standard error."""
        if self.json:
            error = {"code": code, "message": message, "hint": hint, "details": list(details)}
            self._print({"ok": False, "error": error})
            return
        click.secho(f"error: {message}", err=True, fg="red")
        for detail in details:
            click.echo(f"  - {detail}", err=True)
        if hint:
            click.echo(f"hint: {hint}", err=True)

    def sidecar_error(self, error: SidecarError) -> int:
        """Print an error of ours and give its exit code. Problems in files keep their parts in JSON."""
        details: Sequence[object] = error.details
        if isinstance(error, ConfigError) and error.problems:
            details = error.problems if self.json else [_located(problem) for problem in error.problems]
        self.error(error.code, error.message, error.hint, details)
        return error.exit_code

    def _print(self, data: Mapping[str, Any]) -> None:
        click.echo(msgspec.json.encode(data, enc_hook=str).decode())


def _located(problem: Problem) -> str:
    """`sidecar.toml:7: shop.tabel_prefix: unknown key (did you mean table_prefix?)`."""
    where = f"{problem.file}:{problem.line}" if problem.line else problem.file
    tail = f" ({problem.hint})" if problem.hint else ""
    return f"{where}: {problem.key}: {problem.message}{tail}"


def harden_streams() -> None:
    """A terminal that cannot show a character must not stop a command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
