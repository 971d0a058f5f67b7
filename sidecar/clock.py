"""What time it is. The only module that asks the system, so that `SIDECAR_NOW` can fix it for a test."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from sidecar.errors import ConfigError


def now() -> datetime:
    """The present moment in UTC, or what `SIDECAR_NOW` says (ISO 8601 with an offset or `Z`).

    Raises ConfigError when the variable holds anything else.
    """
    fixed = os.environ.get("SIDECAR_NOW", "").strip()
    if not fixed:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError as error:
        raise ConfigError(
            f"SIDECAR_NOW is {fixed!r}, which is not a time",
            hint="write it like 2026-11-01T12:00:00Z",
        ) from error
    if moment.tzinfo is None:
        raise ConfigError(f"SIDECAR_NOW is {fixed!r}, which has no time zone", hint="add Z for UTC")
    return moment.astimezone(UTC)
