"""The JSON API, one module a noun. `NOUNS` is the list; a noun that is not there is not served."""

from __future__ import annotations

from sidecar.web.api import (
    automation_texts,
    automations,
    contacts,
    doctor,
    events,
    explain,
    explore,
    letters,
    mapping,
    privacy,
    segment_rules,
    segments,
    site,
    status,
    sync,
)
from sidecar.web.openapi import noun as openapi
from sidecar.web.routes import Noun

NOUNS: tuple[Noun, ...] = (
    status.noun, events.noun, sync.noun, letters.noun, mapping.noun, explore.noun, contacts.noun, explain.noun,
    segments.noun, segment_rules.noun, automations.noun, automation_texts.noun, doctor.noun, privacy.noun, site.noun, openapi,
)  # fmt: skip
