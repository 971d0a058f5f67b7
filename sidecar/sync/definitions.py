"""What both ways of writing people need: the custom fields that rules fill, and whose contacts may be ours."""

from __future__ import annotations

from sidecar.crm.fields import Definition
from sidecar.mapping.compiled import field_key
from sidecar.sync.session import Session


def definitions(session: Session) -> list[Definition]:
    """The definitions of all custom fields that rules fill."""
    return [
        Definition(
            slug=slug,
            label=rule.label or slug,
            type=rule.type,
            key=field_key(rule.type),
            options=rule.options,
            group=rule.group,
        )
        for slug, rule in session.mapping.custom.items()
    ]


def intents(session: Session) -> frozenset[int]:
    """People whose contact a live pass was about to make when it died: a contact that is there now is ours."""
    return frozenset(row[0] for row in session.state.rows("SELECT person_id FROM live_intent"))
