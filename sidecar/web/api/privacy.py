"""`/api/v1/privacy`: erasing a person. The address is in the body, never in a URL."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sidecar.sync.privacy import Erased
from sidecar.web.context import runtime
from sidecar.web.routes import Noun

noun = Noun("privacy")


class Erase(msgspec.Struct, forbid_unknown_fields=True):
    """Whom."""

    email: Annotated[str, Meta(min_length=1, max_length=320)]


@noun.post_("/erase", may="settings", body=Erase, answers=Erased)
def erase(body: Erase) -> Erased:
    """Erase a person from FluentCRM and from all that the sidecar keeps; no import brings them back."""
    return runtime().rights.erase(body.email)
