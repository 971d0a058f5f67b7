"""`/api/v1/status`: how the sidecar stands."""

from __future__ import annotations

from sidecar.web.context import runtime
from sidecar.web.figures import Standing, standing
from sidecar.web.routes import Noun

noun = Noun("status")


@noun.get_("", may="see", answers=Standing)
def status() -> Standing:
    """Connection, versions, storage, lag, queue, errors, dead letters, and whether anything holds it back."""
    return standing(runtime())
