"""Every error that the sidecar raises on purpose.

An error says what happened, where, why, and what to do (`hint`). It knows its exit code, so that one
renderer in `cli/output.py` (and later one in `web/errors.py`) can show any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a file that a person wrote."""

    file: str
    line: int | None
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "somewhere"
        tail = f" ({self.hint})" if self.hint else ""
        return f"{self.key}: {self.message} [{where}]{tail}"


class SidecarError(Exception):
    """The root. `code` is stable and meant for programs; `message` and `hint` are meant for people."""

    code = "error"
    exit_code = 1
    http_status = 500
    permanent = True

    def __init__(self, message: str, *, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = list(details)


class UsageError(SidecarError):
    """The command was called in a way that makes no sense."""

    code = "usage"
    exit_code = 2
    http_status = 400


class ConfigError(SidecarError):
    """The configuration cannot be used. Carries every problem that was found, not only the first."""

    code = "config"
    exit_code = 3

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint, details=[str(p) for p in problems])
        self.problems = list(problems)

    def shown(self, file: str = "(file)") -> list[Problem]:
        """Every problem; the error itself, as one of `file`, when it names none in particular."""
        return self.problems or [Problem(file, None, "(file)", self.message, self.hint)]


class MappingError(ConfigError):
    """The mapping rules cannot be used."""

    code = "mapping"


class SegmentError(ConfigError):
    """The rules of segments cannot be used."""

    code = "segments"


class AutomationError(ConfigError):
    """An automation's file cannot be used."""

    code = "automations"


class StoreUnavailable(SidecarError):
    """The shop's database cannot be reached, or it went away and did not come back."""

    code = "store_unavailable"
    exit_code = 4
    http_status = 503
    permanent = False


class SchemaUnsupported(SidecarError):
    """The database is there but is not a shop that the sidecar can read or a CRM that it can write."""

    code = "schema_unsupported"
    exit_code = 3


class StateFailed(SidecarError):
    """The sidecar's own database cannot be read or written now."""

    code = "state_failed"


class CrmRefused(SidecarError):
    """FluentCRM's tables refused a write for a reason that trying again will not change."""

    code = "crm_refused"


class NotFound(SidecarError):
    """What was asked for is not there."""

    code = "not_found"
    http_status = 404


class Conflict(SidecarError):
    """Somebody else is at it: another run holds the lock, or the thing has changed since."""

    code = "conflict"
    http_status = 409
    permanent = False


class Paused(Conflict):
    """The owner has paused the sidecar; the pause ends by itself."""

    code = "paused"


class OnHold(Conflict):
    """The site is not the one that the sidecar knows (a staging copy?): nothing goes out before the owner confirms."""

    code = "on_hold"


class BridgeUnreachable(SidecarError):
    """WordPress or the plugin in it does not answer. What was asked may have been done or not: read again."""

    code = "bridge_unreachable"
    exit_code = 4
    http_status = 503
    permanent = False


class BridgeRefused(SidecarError):
    """The plugin answers, but not to us: the keys do not fit, or the answer is not signed by it."""

    code = "bridge_refused"
    exit_code = 3
    http_status = 502
