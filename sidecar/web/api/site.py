"""`/api/v1/site`: the clone guard: which site this is, and the owner's word that it is theirs."""

from __future__ import annotations

from sidecar.sync.site import Fingerprint, Site
from sidecar.web.context import runtime
from sidecar.web.routes import Noun

noun = Noun("site")


@noun.get_("", may="see", answers=Site)
def site() -> Site:
    """The site now and as it is known; `changed` is empty when nothing is on hold."""
    return runtime().site()


@noun.post_("/confirm", may="settings", answers=Fingerprint)
def confirm() -> Fingerprint:
    """The site as it is now is the owner's: nothing is on hold any more."""
    return runtime().confirm_site()
