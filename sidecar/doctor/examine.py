"""The examination: gather the facts, run the checks, collect what they say."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from sidecar.config import Config
from sidecar.doctor.gather import gather
from sidecar.doctor.model import Check, Facts, Finding, Verdict
from sidecar.doctor.registry import all_checks
from sidecar.errors import UsageError
from sidecar.toml_file import did_you_mean

log = logging.getLogger(__name__)


def examine(
    config: Config,
    config_file: Path | None = None,
    *,
    only: tuple[str, ...] = (),
    env: Mapping[str, str] = os.environ,
) -> list[Finding]:
    """Every finding. `only` are ids or areas. Raises UsageError for one that does not exist."""
    chosen = select(only)
    return judge(gather(config, config_file, env), chosen)


def select(only: tuple[str, ...]) -> list[Check]:
    """The checks of these ids or areas; all when none is named."""
    checks = all_checks()
    known = [*(check.id for check in checks), *dict.fromkeys(check.id.partition(".")[0] for check in checks)]
    for name in only:
        if name not in known:
            near = did_you_mean(name, known)
            raise UsageError(f"there is no check {name}", hint=near or "`docs/doctor.md` lists them")
    return [check for check in checks if not only or {check.id, check.id.partition(".")[0]}.intersection(only)]


def judge(facts: Facts, checks: list[Check]) -> list[Finding]:
    """Run checks over facts. A check that fails itself is a finding, not the end."""
    return [_run(check, facts) for check in checks if facts.database is not None or not check.needs_database]


def _run(check: Check, facts: Facts) -> Finding:
    try:
        verdict = check.run(facts)
    except Exception as error:
        log.exception("check failed", extra={"check": check.id})
        verdict = Verdict("warning", f"{check.title}: could not be checked ({type(error).__name__})")
    hint = "" if verdict.level == "ok" else verdict.hint or check.hint
    return Finding(
        id=check.id, level=verdict.level, sentence=verdict.sentence, hint=hint, details=tuple(verdict.details)
    )
