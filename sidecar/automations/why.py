"""Why somebody got a message of an automation, or did not: each time that they were in it, and what keeps them out now."""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from sidecar.automations import describe, enrolments, enter, guards, happenings, model, versions
from sidecar.automations.place import Place
from sidecar.automations.versions import Row
from sidecar.segments import contacts, evaluate, membership, subjects, words
from sidecar.segments.evaluate import Finding
from sidecar.segments.model import Period, Segment
from sidecar.segments.times import due
from sidecar.values import dates

# The newest ways that are told of.
_MOST = 20
# Of a way of which only a bare row is left (`pruning`).
_FORGOTTEN = "too long ago: what came of it is forgotten"
# The newest events of somebody that are looked through for what starts it.
_EVENTS = 100
_ENDS = {
    "waiting": "still inside", "done": "came to the end", "goal": "ended: what it is for has happened", "exit": "ended by an exit",
    "failed": "given up",
}  # fmt: skip


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a way. `at`: Unix seconds UTC; `outcome`: done, skipped, failed."""

    step: str
    at: int
    outcome: str
    reason: str
    sentence: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a way; times are Unix seconds UTC."""

    step: str
    channel: str
    state: str
    reason: str
    decided: int
    delivered: int | None
    opened: int | None
    clicked: int | None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A time that they were in it."""

    id: int
    subject: str
    entered: int
    held: bool
    state: str
    sentence: str
    steps: list[Happened]
    messages: list[Sent]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of entering, whether it holds now, and in words."""

    id: str
    holds: bool
    sentence: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """`checks` in the order in which they are asked; `rule`: the filter value by value, when there is one. `verdict`: the short answer."""

    verdict: str
    ways: list[Way]
    checks: list[Check]
    rule: Finding | None = None


def why(place: Place, row: Row | None, automation: model.Automation, person: int) -> Why:
    """Everything that is known about a person and an automation. Reads only. Raises StoreUnavailable."""
    ways = _ways(place, row, person) if row is not None else []
    checks, rule = _checks(place, row or Row(id=0, name=automation.name), automation, person)
    return Why(verdict=_verdict(ways, checks), ways=ways, checks=checks, rule=rule)


def _verdict(ways: list[Way], checks: list[Check]) -> str:
    got = sum(len([one for one in way.messages if one.state in ("queued", "sent", "delivered")]) for way in ways)
    if got:
        return f"They got {got} message{'' if got == 1 else 's'} of it."
    if ways and ways[0].sentence == _FORGOTTEN:
        return "They were in it too long ago: what they got then is forgotten."
    if ways:
        return f"They were in it and got nothing: {_last(ways[0])}"
    against = [check.sentence for check in checks if not check.holds]
    return (
        f"They were never in it. {against[0]}" if against else "They were never in it: what starts it has not happened."
    )


def _last(way: Way) -> str:
    objections = [one.sentence for one in way.steps if one.outcome != "done"]
    return objections[-1] if objections else way.sentence


# --- the ways --------------------------------------------------------------------------------------------------


def _ways(place: Place, row: Row, person: int) -> list[Way]:
    ids = place.state.rows(
        "SELECT id FROM enrolment WHERE automation_id = ? AND person_id = ? ORDER BY entered DESC, id DESC LIMIT ?",
        (row.id, person, _MOST),
    )
    found = []
    for (id_,) in ids:
        one = enrolments.get(place.state, id_)
        if one is None:
            continue
        spec = versions.specs(place.state, [one.version_id]).get(one.version_id)
        found.append(
            Way(
                id=id_, subject=one.subject, entered=one.entered, held=one.held, state=one.state,
                sentence=_ended(one, spec, place.zone), steps=_steps(place, id_, spec), messages=_messages(place, id_),
            )
        )  # fmt: skip
    return found


def _ended(one: enrolments.Enrolment, spec: model.Automation | None, zone: tzinfo) -> str:
    if one.state == "waiting":
        step = spec.step(one.step) if spec else None
        what = describe.says(step, zone) if step is not None else one.step
        when = f" at {dates.local_minute(one.due, zone)}" if one.due else ""
        return f"still inside; next{when}: {what}"
    if one.ended is None:
        return _FORGOTTEN
    reason = guards.REASONS.get(one.reason, one.reason)
    more = f" ({reason})" if reason and one.state in ("exit", "failed") and one.reason != "exit" else ""
    return f"{_ENDS.get(one.state, one.state)}{more}"


def _steps(place: Place, id_: int, spec: model.Automation | None) -> list[Happened]:
    rows = place.state.rows("SELECT step, at, outcome, reason FROM step_done WHERE enrolment_id = ?", (id_,))
    order = {step.id: number for number, step in enumerate(spec.steps)} if spec else {}
    rows.sort(key=lambda row: (row[1], order.get(row[0], 0)))
    return [
        Happened(step=step, at=at, outcome=outcome, reason=reason, sentence=_sentence(outcome, reason))
        for step, at, outcome, reason in rows
    ]


def _sentence(outcome: str, reason: str) -> str:
    name, _, more = reason.partition(":")
    said = guards.REASONS.get(name) or enter.REASONS.get(name) or name.replace("_", " ")
    said += f" ({more.strip()})" if more.strip() else ""
    return "done" if outcome == "done" else f"left out: {said}" if outcome == "skipped" else f"did not work: {said}"


def _messages(place: Place, id_: int) -> list[Sent]:
    rows = place.state.rows(
        "SELECT step, channel, state, reason, decided / 1000, delivered, opened, clicked FROM message WHERE enrolment_id = ?"
        " ORDER BY decided, id",
        (id_,),
    )
    return [Sent(**dict(zip(Sent.__struct_fields__, row, strict=True))) for row in rows]


# --- entering now ----------------------------------------------------------------------------------------------


def _checks(place: Place, row: Row, automation: model.Automation, person: int) -> tuple[list[Check], Finding | None]:
    zone, state = place.zone, place.state
    since = dates.local_minute(row.live_from, zone) if row.live_from else ""
    found = [
        Check(id="on", holds=row.running, sentence=f"It is on since {since}; what was before starts nobody." if row.running else "It is off."),
        Check(
            id="rollout", holds=enter.within(row.name, person, row.rollout),
            sentence=f"It is for {row.rollout} % of people, and they are {'' if enter.within(row.name, person, row.rollout) else 'not '}among them.",
        ),
    ]  # fmt: skip
    known = state.rows("SELECT verdict, COALESCE(contact_id, 0), key FROM person WHERE id = ?", (person,))
    contact = known[0][1] if known and known[0][0] == "in" else 0
    found.append(Check(id="contact", holds=bool(contact), sentence="They are a contact." if contact else "They are no contact."))  # fmt: skip
    erased = bool(known and state.rows("SELECT 1 FROM suppressed WHERE key = ?", (known[0][2],)))
    if erased:
        found.append(Check(id="suppressed", holds=False, sentence="They asked to be erased."))
    rule = _filter(place, automation, person, contact)
    if rule is not None:
        found.append(Check(id="filter", holds=rule.holds, sentence=f"The filter {'holds' if rule.holds else 'does not hold'}: {_why(rule, zone)}"))  # fmt: skip
    found += _again(place, row, automation, person)
    if row.holdout and enter.within(row.name, person, row.holdout, "holdout"):
        found.append(Check(id="holdout", holds=False, sentence="They belong to those who are only watched (holdout): they get nothing."))  # fmt: skip
    last = _started(place, automation, person)
    if last is not None:
        recent = last >= row.live_from if row.running else False
        words_ = (
            f"What starts it happened last at {dates.local_minute(last, zone)}"
            if last
            else "What starts it has not happened to them"
        )
        late = ", before it was switched on." if last and row.running and not recent else "."
        found.append(Check(id="trigger", holds=recent, sentence=f"{words_}{late}"))
    return found, rule


def _filter(place: Place, automation: model.Automation, person: int, contact: int) -> Finding | None:
    if automation.filter is None:
        return None
    enter.fresh(place.state, place.zone)
    alone = Segment(slug="filter", name="filter", rule=automation.filter)
    contacts.refresh(place.state, place.reader, [alone], place.zone, [contact] if contact else [])
    subject = subjects.load(place.state, [person]).get(person)
    if subject is None:
        return None
    tops = membership.tops(place.state, place.at, automation.filter)
    return evaluate.explain(automation.filter, subject, msgspec.structs.replace(place.at, tops=tops))


def _why(finding: Finding, zone: tzinfo) -> str:
    """The parts that decide, with the values that they found."""
    if finding.of:
        return "; ".join(f"{'yes' if part.holds else 'no'}: {_why(part, zone)}" for part in finding.of)
    return f"{words.condition(finding.rule, zone)} (it is {words.value(finding.rule, finding.value, zone)})"


def _again(place: Place, row: Row, automation: model.Automation, person: int) -> list[Check]:
    last = enter.latest(place.state, row.id, automation, [person]).get(person)
    if last is None or automation.again == Period():
        return []
    if automation.again is None:
        return [Check(id="again", holds=False, sentence="They have been in it, and nobody enters it twice.")]
    free = due(last, automation.again, place.zone)
    when = dates.local_minute(free, place.zone)
    return [Check(id="again", holds=free <= place.now, sentence=f"They may enter anew {describe.period(automation.again)} after the last time: from {when}.")]  # fmt: skip


def _started(place: Place, automation: model.Automation, person: int) -> int | None:
    """When that which starts it happened to them the last time (Unix seconds); 0: never; None: it is not of a kind that leaves a
    mark."""
    trigger, query = automation.trigger, ""
    if isinstance(trigger, model.OnEvent):
        query = "SELECT id FROM event WHERE person_id = ? AND topic IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"
        names = happenings.HINTED.get(trigger.topic, (trigger.topic,))
        for (id_,) in place.state.rows(query, (person, msgspec.json.encode(names).decode(), _EVENTS)):
            for one in happenings.read(place.state, id_ - 1, id_, 1):
                if one.means(trigger.topic, trigger.to):
                    return one.moment
        return 0
    if isinstance(trigger, model.OnSegment):
        query = "SELECT MAX(at) FROM membership_event WHERE person_id = ? AND live = 1 AND segment = ? AND entered = ?"
        rows = place.state.rows(query, (person, trigger.segment, trigger.entered))
        return int(rows[0][0] or 0)
    if isinstance(trigger, model.OnCart):
        query = "SELECT MAX(at) / 1000 FROM activity WHERE person_id = ? AND kind IN ('cart', 'checkout')"
    elif isinstance(trigger, model.OnViews):
        query = "SELECT MAX(at) / 1000 FROM activity WHERE person_id = ? AND kind = 'view'"
    return int(place.state.rows(query, (person,))[0][0] or 0) if query else None
