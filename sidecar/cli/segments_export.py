"""`sidecar segments export`: the contacts of a segment as a file for other tools."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TextIO

import click

from sidecar import new_file, runtime
from sidecar.cli.context import Context, pass_run
from sidecar.errors import ConfigError, UsageError
from sidecar.segments.book import Book
from sidecar.segments.export import Exported, Format

_ALL = "everybody is exported, also those who did not agree to mailings or took it back: write to nobody who is not subscribed"


@click.command()
@click.argument("slug")
@click.option("--out", metavar="FILE", help="Where to (0600); - is standard output. SLUG.csv or SLUG.json without it.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--all", "everybody", is_flag=True, help="Also contacts that are not subscribed.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@pass_run
def export(run: Context, slug: str, out: str | None, form: Format, everybody: bool, force: bool) -> None:
    """Write the contacts of a segment, as of the last refresh, with their addresses and figures.

    Only contacts whose status in FluentCRM is subscribed, unless --all. In a CSV a text that a spreadsheet would take for a
    formula begins with an apostrophe.
    """
    name = out or f"{slug}.{form}"
    if name == "-" and run.output.json:
        raise UsageError("--json and --out - both want standard output", hint="name a file")
    if everybody:
        run.output.warn(_ALL)
    with runtime.build(run.config) as shop:
        book = shop.segments
        book.segment(slug)
        if book.looked() is None:
            run.output.warn("nobody was looked at yet: `sidecar segments refresh`")
        if name == "-":
            _write(run, book, slug, _standard_output(), form, everybody)
            return
        file = Path(name)
        done = _to_file(run, book, slug, file, form, everybody, force)
    run.output.result({"file": str(file), "written": done.written, "left_out": done.left_out})
    run.output.say(f"{done.written} contacts in {file}." + _left(done, everybody))


def _to_file(
    run: Context, book: Book, slug: str, file: Path, form: Format, everybody: bool, force: bool
) -> Exported:  # fmt: skip
    there = UsageError(f"{file} is there already", hint="--force replaces it")
    if file.exists() and not force:
        raise there
    try:
        with new_file.private(file, replace=force) as stream:
            return _write(run, book, slug, stream, form, everybody)
    except FileExistsError:
        raise there from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error


def _standard_output() -> TextIO:
    # UTF-8 and plain line ends whatever the terminal's language is: it is a file for another program.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    return sys.stdout


def _write(run: Context, book: Book, slug: str, stream: TextIO, form: Format, everybody: bool) -> Exported:
    with run.output.progress(book.sizes().get(slug, 0), "contacts") as bar:
        return book.export(slug, stream, form=form, everybody=everybody, progress=bar.advance)


def _left(done: Exported, everybody: bool) -> str:
    if not done.left_out:
        return ""
    why = "gone from FluentCRM" if everybody else "not subscribed: --all takes them too"
    return f" {done.left_out} left out ({why})."
