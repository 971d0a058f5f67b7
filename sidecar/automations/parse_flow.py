"""How the steps of an automation hang together: names, jumps that lead forward, and that every step is reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sidecar.automations import model
from sidecar.segments.parse_values import Say
from sidecar.toml_file import did_you_mean

# A step of the file by its number there; None where it could not be read.
Numbered = Sequence[model.AnyStep | None]


def check(say: Say, steps: Numbered) -> None:
    """Tells of names that are there twice, jumps to nowhere or back, and steps that nobody comes to."""
    numbers: dict[str, int] = {}
    for number, step in enumerate(steps):
        if step is None or not step.id:
            continue
        if step.id in numbers:
            say(("step", number, "id"), f"{step.id!r} is there already")
        else:
            numbers[step.id] = number
    sound = True
    for number, step in enumerate(steps):
        for key, target in _jumps(step):
            if target == model.END:
                continue
            place = ("step", number, *key)
            if target not in numbers:
                sound = False
                say(place, f"there is no step {target!r}", did_you_mean(target, [*numbers, model.END]))
            elif numbers[target] <= number:
                sound = False
                say(place, f"{target!r} does not stand below", "steps lead forward only, so that everybody comes to an end")  # fmt: skip
    if sound and None not in steps:
        reached = _reached(steps, numbers)
        for number, step in enumerate(steps):
            if number not in reached and step is not None:
                say(("step", number), f"nobody comes to {step.id!r}", "no step leads here")


def _jumps(step: model.AnyStep | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """The keys of a step that name another one, and the other one."""
    if step is None:
        return
    for key in ("next", "then", "otherwise"):
        target = getattr(step, key, "")
        if target:
            yield (key,), target
    if isinstance(step, model.Split):
        for way in step.ways:
            yield ("ways", way), way


def _reached(steps: Numbered, numbers: dict[str, int]) -> set[int]:
    """Steps lead forward, so one look from the first to the last is enough."""
    reached = {0}
    for number, step in enumerate(steps):
        if number in reached and step is not None:
            below = number + 1
            reached |= {numbers.get(target, -1) if target else below for target in leads_to(step)}
    return reached


def leads_to(step: model.AnyStep) -> tuple[str, ...]:
    """The steps that may follow: names, END, '' for the one below."""
    if isinstance(step, model.Stop):
        return ()
    if isinstance(step, model.Split):
        return tuple(step.ways)
    if isinstance(step, model.Branch | model.WaitEvent):
        return (step.then or step.next, step.otherwise or step.next)
    if isinstance(step, model.WaitMoment):
        return (step.next, step.otherwise or step.next)
    return (step.next,)


def before(steps: Numbered, number: int) -> set[int]:
    """The numbers of the steps that somebody may have gone through before that one."""
    numbers = {step.id: place for place, step in enumerate(steps) if step is not None}
    found = {number}
    for place in range(number - 1, -1, -1):
        step = steps[place]
        if step is not None and any((numbers.get(to, -1) if to else place + 1) in found for to in leads_to(step)):
            found.add(place)
    return found - {number}
