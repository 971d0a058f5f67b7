"""`sidecar doctor`: what could keep the sidecar from working here, and what to do about it."""

from __future__ import annotations

from itertools import groupby

import click

from sidecar.cli.context import Context, pass_run
from sidecar.doctor.examine import examine
from sidecar.doctor.model import LEVELS, Finding

MARKS = {"ok": "ok", "info": "info", "warning": "warn", "error": "ERROR"}
COLOURS = {"ok": "green", "info": "cyan", "warning": "yellow", "error": "red"}
MOST_DETAILS = 12


@click.command()
@click.option("--only", multiple=True, metavar="ID", help="Run one check or area (store.E003, crm); repeatable.")
@pass_run
def doctor(run: Context, only: tuple[str, ...]) -> None:
    """Check the shop, the CRM and this host. Exit 1 when something keeps the sidecar from working.

    Nothing is changed. docs/doctor.md explains every check.
    """
    findings = examine(run.config, run.config_path, only=only)
    counts = {level: sum(finding.level == level for finding in findings) for level in LEVELS}
    run.output.result({"findings": findings, "counts": counts}, ok=not counts["error"])
    shown = [finding for finding in findings if not (run.output.quiet and finding.level == "ok")]
    for area, members in groupby(shown, key=lambda finding: finding.area):
        _show(run, area, list(members))
    words = {"error": "error", "warning": "warning", "info": "note"}
    run.output.say(
        ", ".join(
            f"{counts[level]} {words[level]}{'' if counts[level] == 1 else 's'}"
            if level in words
            else f"{counts[level]} in order"
            for level in reversed(LEVELS)
        )
    )
    if counts["error"]:
        click.get_current_context().exit(1)


def _show(run: Context, area: str, findings: list[Finding]) -> None:
    run.output.raw(click.style(area, bold=True))
    for finding in findings:
        mark = click.style(f"{MARKS[finding.level]:<5}", fg=COLOURS[finding.level])
        run.output.raw(f"  {mark}  {finding.id:<14}  {finding.sentence}")
        for detail in finding.details[:MOST_DETAILS] if finding.level != "ok" else ():
            run.output.raw(f"{'':25}- {detail}")
        if len(finding.details) > MOST_DETAILS:
            run.output.raw(f"{'':25}- and {len(finding.details) - MOST_DETAILS} more (see --json)")
        if finding.hint:
            run.output.raw(f"{'':25}→ {finding.hint}")
    run.output.raw("")
