"""`/api/v1/doctor`: what could keep the sidecar from working, and what to do about it."""

from __future__ import annotations

from sidecar.doctor.examine import examine
from sidecar.doctor.model import Finding
from sidecar.web.context import runtime
from sidecar.web.routes import Noun

noun = Noun("doctor")


@noun.get_("", may="see", answers=list[Finding])
def doctor() -> list[Finding]:
    """Every check's finding, as `sidecar doctor` prints them."""
    return examine(runtime().config)
