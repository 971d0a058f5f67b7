"""`/api/v1/explain/<id>`: why each field of a contact has its value."""

from __future__ import annotations

from sidecar.sync.explain import Explanation
from sidecar.web.context import runtime
from sidecar.web.routes import CONTACT, Noun

noun = Noun("explain")


@noun.get_(CONTACT, may="contact", answers=Explanation)
def explain(contact_id: int) -> Explanation:
    """Every target of the rules: sources, transforms, what FluentCRM has, and what a sync would do. 404 for nobody."""
    return runtime().explain(contact_id)
