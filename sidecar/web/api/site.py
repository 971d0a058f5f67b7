"""`/api/v1/site`: the clone guard's question, answered."""

from __future__ import annotations

from sidecar.web.routes import Noun

noun = Noun("site")
