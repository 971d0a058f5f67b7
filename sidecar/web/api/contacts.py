"""`/api/v1/contacts/<id>`: one contact, 360°."""

from __future__ import annotations

from sidecar.web.routes import Noun

noun = Noun("contacts")
