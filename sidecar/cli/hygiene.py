"""`sidecar hygiene`: what in the shop's data is doubtful, and what the sync does about it."""

from __future__ import annotations

import click
import msgspec

from sidecar.cli.context import Context, pass_run
from sidecar.mapping import compile as rules
from sidecar.people.oddities import CHECKS, Finding
from sidecar.sync.hygiene import examine


@click.command()
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    type=click.Choice(list(CHECKS)),
    help=f"One check; repeatable: {', '.join(CHECKS)}.",
)
@pass_run
def hygiene(run: Context, only: tuple[str, ...]) -> None:
    """Report doubtful data: duplicates, test orders, bad addresses, phones and names, stale meta keys.

    Each line says how many, shows masked examples with their ids, and what the sync does about it. Nothing in the
    shop is changed, ever; the exit code is 0 whatever is found.
    """
    mapping = rules.load(run.config.mapping.file or None)
    bars: dict[str, int] = {}

    def tell(step: str, done: int, total: int) -> None:
        percent = done * 100 // total // 20 * 20 if total else 100
        if bars.get(step) != percent and not (run.output.json or run.output.quiet):
            bars[step] = percent
            click.echo(f"{step}: {percent} %", err=True)

    findings = examine(run.config, mapping, only=only, progress=tell)
    run.output.result({"findings": msgspec.to_builtins(findings)})
    clean = [finding.name for finding in findings if not finding.count]
    for finding in sorted(findings, key=lambda one: -one.count):
        if finding.count:
            _show(run, finding)
    if clean:
        run.output.say(f"nothing found: {', '.join(clean)}")


def _show(run: Context, finding: Finding) -> None:
    head = click.style(f"{finding.count} {finding.of}", bold=True)
    run.output.raw(f"{head}  {finding.about}  [{finding.name}, {finding.inventory}]")
    run.output.raw(f"    sync: {finding.action}")
    for example in finding.examples:
        run.output.raw(f"    - {example.ref}  {example.value}".rstrip())
    run.output.raw("")
