"""Progress of work that goes in steps: one bar a step, opened when the step begins."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sidecar.cli.output import Output
from sidecar.cli.progress import Progress


class Steps:
    """Give it as `progress` to a run: `steps("orders", done, total)` with figures from the start of the step."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, step: str, done: int, total: int) -> None:
        bar = self._bar
        if bar is None or bar.label.strip() != step or bar.total != total or done < bar.done:
            self._end()
            bar = self._bar = self._output.progress(max(total, 1), f"{step:<8}")
            bar.__enter__()
        bar.advance(min(done, bar.total or done) - bar.done)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
