"""Steps that choose a way. Pure."""

from __future__ import annotations

import hashlib

from sidecar.automations.model import Branch, Split
from sidecar.automations.steps.moves import Go, Move, Walk, onward
from sidecar.segments import evaluate
from sidecar.segments.evaluate import Moment


def branch(step: Branch, walk: Walk, at: Moment) -> Move:
    """By a rule about the person, as they are now. Of whom nothing is known it holds not."""
    subject = walk.known.subject
    holds = subject is not None and evaluate.member(step.rule, subject, at)
    return Go(to=onward(walk, step, step.then if holds else step.otherwise), way=True)


def split(step: Split, walk: Walk) -> Move:
    """By chance, the same person always the same way, so that nobody has seen both when ways are compared."""
    total = sum(weight for weight in step.ways.values() if weight > 0)
    if not total:
        return Go(to=onward(walk, step))
    digest = hashlib.sha256(f"{walk.one.automation_id}/{walk.one.person_id}/{step.id}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") % total
    for way, weight in step.ways.items():
        place -= max(weight, 0)
        if place < 0:
            return Go(to=way, way=True)
    raise AssertionError("unreachable")
