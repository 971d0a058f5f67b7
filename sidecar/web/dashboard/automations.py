"""The automations: all in a list, or one with its drawing, its people and its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, request

from sidecar.automations import flow
from sidecar.automations.overview import Line
from sidecar.errors import AutomationError, ConfigError, Conflict, NotFound, SegmentError, UsageError
from sidecar.state import jobs
from sidecar.state.jobs import Job
from sidecar.values import money
from sidecar.values.masking import mask_email
from sidecar.web.context import desk, runtime, tasks
from sidecar.web.dashboard import automation_editor, common, flow_words, render
from sidecar.web.errors import Error

if TYPE_CHECKING:
    from sidecar.automations.backtest import Backtest

ROWS = 50
# Months are paged through in one go: longer is no better, since people and texts change.
MOST_DAYS = 365
GROUPS = ("start", "carts", "browsing", "after-purchase", "service", "occasions", "win-back", "vip")
STATES = ("", "waiting", "goal", "exit", "done", "failed")


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page: `?automation=NAME` one automation, with `edit=STEP` (`edit=+` its head, `edit=*` the whole file) the editor, with
    `switch=1` what to know before it goes on, with `way=ID` the way of somebody; else all."""
    name = automation_editor.name()
    if name and "edit" in request.args and render.may("mapping"):
        return automation_editor.show(error, code)
    if name and request.args.get("switch") == "1" and render.may("sync"):
        return _switch(name, error, code)
    if name and "way" in request.args and render.may("contact"):
        return _way(name, error, code)
    return _one(name, error, code) if name else _all(error, code)


# --- forms ---------------------------------------------------------------------------------------------------


def on() -> Response:
    """Switch it on, or change for how many it is. Who else sends the same is told first."""
    at = desk()
    name = automation_editor.name()
    was_on = at.line(name).running
    rollout, holdout = _percent("rollout"), _percent("holdout")
    try:
        at.on(name, rollout=rollout, holdout=holdout, anyway=request.form.get("anyway") == "1")
    except Conflict as error:
        told = Error(code=error.code, message=error.message, hint="")
        return _switch(name, told, 409, rollout=rollout, holdout=holdout)
    return render.redirect("automations", automation=name, notice="shared" if was_on else "switched_on")


def off() -> Response:
    """Switch it off."""
    name = automation_editor.name()
    desk().off(name)
    one = "" if request.args.get("list") == "1" else name
    return render.redirect("automations", automation=one, notice="switched_off")


def enable() -> Response:
    """Switch a provider on again that was switched off."""
    from sidecar.automations.channels import gate

    gate.switch_on(runtime().state, request.form.get("provider", "")[:60])
    return render.redirect("automations", notice="provider_on")


def why() -> Response:
    """Why somebody got it or not. The address is in the form's body, never in a URL, and shown masked."""
    at, name = desk(), automation_editor.name()
    email = request.form.get("email", "")[:200].strip()
    found = at.why(name, email)
    return render.fragment(
        "automation_why.html", view="automations", notice="", error=None, line=at.line(name), found=found,
        masked=mask_email(email),
    )  # fmt: skip


def test() -> Response:
    """Send each message to an address by e-mail, marked as a test, and tell what became of it."""
    at, name = desk(), automation_editor.name()
    email = request.form.get("email", "")[:200].strip()
    try:
        sent = at.test(name, email)
    except AutomationError:
        raise
    except ConfigError as error:
        # Nothing is wrong with the sidecar: there is no way to that address.
        return _one(name, Error(code=error.code, message=error.message, hint=error.hint), 422)
    return render.fragment(
        "automation_test.html", view="automations", notice="", error=None, line=at.line(name), sent=sent,
        masked=mask_email(email),
    )  # fmt: skip


def backtest() -> Response:
    """Try it on the shop's own history, in the background."""
    name = automation_editor.name()
    desk().get(name)
    days = common.number(request.form.get("days", ""))
    if days is None or not 1 <= days <= MOST_DAYS:
        raise UsageError(f"days must be from 1 to {MOST_DAYS}")
    tasks().start("backtest", {"automation": name, "days": days})
    return render.redirect("automations", automation=name, notice="testing")


def _tested(name: str) -> tuple[Job | None, Backtest | None]:
    """The newest backtest of an automation, and what came of it."""
    from sidecar.automations.backtest import Backtest

    job = jobs.newest(runtime().state, "backtest")
    if job is None or job.options.get("automation") != name:
        return None, None
    return job, msgspec.convert(job.result, Backtest) if job.state == "done" else None


def _percent(what: str) -> int:
    found = common.number(request.form.get(what, ""))
    if found is None:
        raise UsageError(f"{what} must be a whole number of percent")
    return found


# --- pages ---------------------------------------------------------------------------------------------------


def _all(error: Error | None, code: int) -> Response:
    at = desk()
    given: dict[str, Any] = {"groups": [], "faults": {}, "providers": [], "broken": []}
    try:
        wanted = request.args.get("q", "")[:100].strip()
        lines = [line for line in at.lines() if _found(line, wanted)]
        given["groups"] = _grouped(lines)
        given["providers"] = at.providers(runtime().health().bridge in ("live", "waiting"))
        given["faults"] = {name: fault.shown() for name, fault in at.library.faults().items()}
    except SegmentError as fault:
        given["broken"] = fault.problems
    return render.fragment(
        "automations.html", status=code, view="automations", notice=common.notice(), error=error, currency=_currency(),
        fixed=money.fixed, q=request.args.get("q", "")[:100].strip(), new=_new(), **given,
    )  # fmt: skip


def _new() -> dict[str, str]:
    """What was typed for a new one that could not be made."""
    form = request.form if request.form.get("action") == "copy" else {}
    return {key: form.get(key, "")[:200] for key in ("source", "name", "title")}


def _found(line: Line, wanted: str) -> bool:
    """Every word that was typed is somewhere in it."""
    text = f"{line.name} {line.title} {line.about} {line.group}".casefold()
    return all(word in text for word in wanted.casefold().split())


def _grouped(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    by_group: dict[str, list[Line]] = {group: [] for group in GROUPS}
    for line in lines:
        by_group.setdefault(line.group, []).append(line)
    return [(group, rows) for group, rows in by_group.items() if rows]


def _one(name: str, error: Error | None, code: int) -> Response:
    from sidecar.automations.library import ready

    at = desk()
    try:
        automation = at.get(name)
    except (AutomationError, NotFound) as fault:
        line = at.line(name)
        if isinstance(fault, NotFound) and not line.running:
            raise
        return render.fragment(
            "automation_broken.html", status=code, view="automations", notice=common.notice(), error=error, line=line,
            problems=fault.shown() if isinstance(fault, AutomationError) else [],
        )  # fmt: skip
    figures = at.overview(automation)
    line, steps, earned = figures.line, figures.steps, figures.earned
    say = flow_words.box(automation, at.info.zone)
    drawing = flow.draw(automation, say, flow_words.counts(line, steps), rtl=render.rtl())
    seen = render.may("contact")
    after, log_after = common.after(), common.number(request.args.get("log", "")) or 0
    only = request.args.get("state", "") if request.args.get("state", "") in STATES else ""
    people = at.people(name, only, after, ROWS) if seen else []
    log = at.log(name, log_after, ROWS) if seen else []
    job, tested = _tested(name)
    leads: dict[str, list[flow.Arrow]] = {one: [] for one in (flow.START, *(step.id for step in automation.steps))}
    for arrow in flow.arrows(automation):
        leads[arrow.start].append(arrow)
    return render.fragment(
        "automation.html", status=code, view="automations", notice=common.notice(), error=error, line=line,
        automation=automation, drawing=drawing, steps=steps, earned=earned, boxed=say, words=flow_words, leads=leads, people=people,
        after=after, next=people[-1].id if len(people) == ROWS else 0, log=log, log_after=log_after,
        log_next=log[-1].id if len(log) == ROWS else 0, only=only, states=STATES, currency=_currency(), fixed=money.fixed,
        rule=flow_words.rule(automation.filter, at.info.zone) if automation.filter is not None else "",
        job=job, tested=tested, own_ready=line.own and name in ready(),
    )  # fmt: skip


def _switch(
    name: str, error: Error | None, code: int, *, rollout: int | None = None, holdout: int | None = None
) -> Response:
    at = desk()
    line = at.line(name)
    findings = at.preflight(name)
    return render.fragment(
        "automation_switch.html", status=code, view="automations", notice=common.notice(), error=error, line=line,
        findings=findings, overlap=any(one.level == "overlap" for one in findings),
        rollout=line.rollout if rollout is None else rollout, holdout=line.holdout if holdout is None else holdout,
    )  # fmt: skip


def _way(name: str, error: Error | None, code: int) -> Response:
    at = desk()
    way = at.way(name, common.number(request.args.get("way", "")) or 0)
    return render.fragment(
        "automation_way.html", status=code, view="automations", notice=common.notice(), error=error, line=at.line(name),
        way=way, boxed=flow_words.box(way.spec, at.info.zone), words=flow_words,
    )  # fmt: skip


def _currency() -> str:
    return runtime().options("woocommerce_currency").get("woocommerce_currency", "")
