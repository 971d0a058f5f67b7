"""How far long work is: a bar on a terminal, else one line per 5 % on standard error."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import click

STEP_PERCENT = 5


class Progress:
    """`with output.progress(total, "orders") as bar: bar.advance(100)`. With no total, only a last count."""

    def __init__(self, total: int | None, label: str, *, silent: bool = False) -> None:
        self.total = total
        self.label = label
        self.done = 0
        self._silent = silent
        self._shown = 0
        self._stack = ExitStack()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if not self._silent and self.total and sys.stderr.isatty():
            bar = click.progressbar(length=self.total, label=self.label, file=sys.stderr)
            self._bar = self._stack.enter_context(bar)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if kind is None and not self._silent and self.total is None:
            click.echo(f"{self.label}: {self.done}", err=True)

    def advance(self, count: int = 1) -> None:
        """Say that `count` more are done."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
        elif self.total and not self._silent:
            self._line(self.total)

    def _line(self, total: int) -> None:
        percent = min(100, self.done * 100 // total)
        if percent // STEP_PERCENT > self._shown:
            self._shown = percent // STEP_PERCENT
            click.echo(f"{self.label}: {self._shown * STEP_PERCENT} % ({self.done} of {total})", err=True)
