"""The list of checks. A check registers itself with `@check`; importing `checks` fills the list."""

from __future__ import annotations

from collections.abc import Callable

from sidecar.doctor.model import Check, Facts, Verdict

_CHECKS: dict[str, Check] = {}


def check(
    id_: str, title: str, hint: str, *, needs_database: bool = True
) -> Callable[[Callable[[Facts], Verdict]], Callable[[Facts], Verdict]]:
    """Register a check under a stable id (`area.E001`: the letter is the worst level it can give)."""

    def register(function: Callable[[Facts], Verdict]) -> Callable[[Facts], Verdict]:
        if id_ in _CHECKS:
            raise ValueError(f"check {id_} is registered twice")
        _CHECKS[id_] = Check(id_, title, hint, function, needs_database)
        return function

    return register


def all_checks() -> list[Check]:
    """Every check, in the order of areas in which an owner reads them."""
    import sidecar.doctor.checks  # noqa: F401 - fills the list

    return list(_CHECKS.values())
