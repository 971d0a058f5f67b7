"""`/api/v1/explore/<kind>`: every meta key that the shop has."""

from __future__ import annotations

import msgspec

from sidecar.errors import NotFound
from sidecar.store import meta
from sidecar.sync.survey import Explored
from sidecar.web.context import runtime, tasks
from sidecar.web.routes import Noun

noun = Noun("explore")


class Asked(msgspec.Struct, kw_only=True):
    """Whether a new survey was asked for; false when one is on its way already."""

    asked: bool


def kind_of(text: str) -> meta.Kind:
    """users, orders, items or products. Raises NotFound."""
    if text not in meta.KINDS:
        raise NotFound("there is nothing of that kind to explore", hint=f"one of {', '.join(meta.KINDS)}")
    return text


@noun.get_("/<kind>", may="mapping", answers=Explored)
def explored(kind: str) -> Explored:
    """The last survey of users, orders, items or products; `at` is null while there is none. Samples are masked."""
    return runtime().explored(kind_of(kind))


@noun.post_("/<kind>", may="mapping", answers=Asked)
def explore(kind: str) -> Asked:
    """Ask for a new survey; it takes seconds to minutes on a big shop."""
    return Asked(asked=tasks().explore(kind_of(kind)))
