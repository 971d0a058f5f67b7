"""`/api/v1/automations`: every automation in figures, its people and messages, and its switch."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from sidecar.automations import flow
from sidecar.automations.figures import Figures as Reports
from sidecar.automations.flow import Arrow
from sidecar.automations.inside import Inside, Logged, Way
from sidecar.automations.model import Automation
from sidecar.automations.overview import Line, StepLine
from sidecar.errors import UsageError
from sidecar.web.context import desk, runtime
from sidecar.web.dashboard.automations import STATES
from sidecar.web.routes import MOST_ID, Noun, Page, Paging

noun = Noun("automations")

Name = Annotated[str, Meta(max_length=60)]


class Channel(msgspec.Struct, kw_only=True):
    """A channel that is set up, and its provider. `disabled`: why that is switched off, '' it is not; `retry_at`: until when it is left
    alone after trouble (Unix seconds, 0: it is not)."""

    channel: str
    provider: str
    disabled: str = ""
    retry_at: int = 0


class AutomationsView(msgspec.Struct, kw_only=True):
    """Every automation, and by which ways they can send."""

    automations: list[Line]
    channels: list[Channel]


class AutomationView(msgspec.Struct, kw_only=True):
    """One automation: what its file says, where each step leads, its figures, and what it earned as that was counted last (null: never)."""

    automation: Automation
    arrows: list[Arrow]
    figures: Line
    steps: list[StepLine]
    earned: Reports | None


class Found(msgspec.Struct, kw_only=True):
    """What preflight found: `overlap` (somebody else sends the same) or `note`."""

    id: str
    level: str
    sentence: str
    hint: str


class On(msgspec.Struct, forbid_unknown_fields=True):
    """Switch it on for `rollout` percent of people, of whom `holdout` percent are only watched. A share that is left out stays as it is
    (at first 100 and 0)."""

    name: Name
    rollout: Annotated[int, Meta(ge=1, le=100)] | None = None
    holdout: Annotated[int, Meta(ge=0, le=50)] | None = None
    anyway: bool = False


class Off(msgspec.Struct, forbid_unknown_fields=True):
    """Switch it off."""

    name: Name


class People(Paging, forbid_unknown_fields=True):
    """Paging; `state`: only those under way (waiting), or whose way ended so (goal, exit, done, failed)."""

    state: Annotated[str, Meta(max_length=10)] = ""


class Log(Paging, forbid_unknown_fields=True):
    """Paging; `step`: only the messages of one step."""

    step: Name = ""


@noun.get_("", may="see", answers=AutomationsView)
def automations() -> AutomationsView:
    """Every automation in figures. 422 when the segments are not in order."""
    at = desk()
    there = [
        Channel(
            channel=channel, provider=name, disabled=how.disabled if how else "", retry_at=how.retry_at if how else 0
        )
        for channel, name, how in at.providers(runtime().health().bridge in ("live", "waiting"))
    ]
    return AutomationsView(automations=at.lines(), channels=there)


@noun.get_("/<name>", may="see", answers=AutomationView)
def automation(name: str) -> AutomationView:
    """One automation. 404 when there is none, 422 when its file is not in order."""
    at = desk()
    found = at.get(name)
    figures = at.overview(found)
    return AutomationView(
        automation=found, arrows=flow.arrows(found), figures=figures.line, steps=figures.steps, earned=figures.earned
    )


@noun.get_("/<name>/people", may="contact", answers=list[Inside], query=People, paged=True)
def people(name: str, query: People) -> Page[list[Inside]]:
    """Who is or was in it, e-mail addresses masked."""
    if query.state not in STATES:
        raise UsageError(f"state is one of {', '.join(STATES[1:])}")
    found = desk().people(name, query.state, query.after, query.limit)
    return Page(data=found, next=found[-1].id if len(found) == query.limit else None)


@noun.get_(f"/<name>/people/<int(max={MOST_ID}):enrolment>", may="contact", answers=Way)
def way(name: str, enrolment: int) -> Way:
    """What became of each step of one of them, and why."""
    return desk().way(name, enrolment)


@noun.get_("/<name>/messages", may="contact", answers=list[Logged], query=Log, paged=True)
def messages(name: str, query: Log) -> Page[list[Logged]]:
    """Its messages, the last first."""
    found = desk().log(name, query.after, query.limit, query.step)
    return Page(data=found, next=found[-1].id if len(found) == query.limit else None)


@noun.get_("/<name>/preflight", may="see", answers=list[Found])
def preflight(name: str) -> list[Found]:
    """Who else sends the same, and what else there is to know before it is switched on."""
    return _found(desk().preflight(name))


@noun.post_("/on", may="sync", body=On, answers=list[Found])
def on(body: On) -> list[Found]:
    """Switch it on, or change its shares. 409 when somebody else sends the same, unless `anyway`."""
    return _found(desk().on(body.name, rollout=body.rollout, holdout=body.holdout, anyway=body.anyway))


@noun.post_("/off", may="sync", body=Off, answers=bool)
def off(body: Off) -> bool:
    """Switch it off. Whether it was on."""
    return desk().off(body.name)


class Whose(msgspec.Struct, forbid_unknown_fields=True):
    """An automation and somebody's address."""

    name: Name
    email: Annotated[str, Meta(min_length=3, max_length=200)]


class Reason(msgspec.Struct, kw_only=True):
    """A condition of entering, and whether it holds now."""

    id: str
    holds: bool
    sentence: str


class WhyView(msgspec.Struct, kw_only=True):
    """The short answer, what keeps them out now, and the ways that they took (`GET automations/<name>/people/<id>` shows one)."""

    verdict: str
    checks: list[Reason]
    ways: list[int]


@noun.post_("/why", may="contact", body=Whose, answers=WhyView)
def why(body: Whose) -> WhyView:
    """Why somebody got it or not. 404 when nobody has the address."""
    found = desk().why(body.name, body.email)
    checks = [Reason(id=one.id, holds=one.holds, sentence=one.sentence) for one in found.checks]
    return WhyView(verdict=found.verdict, checks=checks, ways=[one.id for one in found.ways])


def _found(findings: list[Any]) -> list[Found]:
    return [Found(id=one.id, level=one.level, sentence=one.sentence, hint=one.hint) for one in findings]
