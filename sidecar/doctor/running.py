"""What the sidecar's own state says of the running sidecar, read without changing or making anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sidecar.doctor.model import Running
from sidecar.state import pairing

_KEYS = ("pass.last", "site.hold_since", "pause.until", "bridge.seen", "bridge.silent")


def read(directory: Path) -> Running:
    """Nothing is known where there is no state yet, or one of another version."""
    file = directory / "state.sqlite3"
    paired = pairing.path(directory).is_file()
    with suppress(sqlite3.Error, OSError):
        if file.is_file():
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as state:
                settings = dict(state.execute("SELECT key, value FROM setting").fetchall())
                good = state.execute("SELECT MAX(finished) FROM run WHERE kind = 'sync' AND state = 'done'").fetchone()
            last, held, paused, seen, silent = (_number(settings.get(key)) for key in _KEYS)
            return Running(
                last_sync=good[0], last_pass=last, pass_error=settings.get("pass.error", ""), held=held,
                paused_until=paused, paired=paired, seen=seen, silent_since=silent, why=settings.get("bridge.why", ""),
                segments_fault=settings.get("segments.fault", "") or settings.get("segments.fault_fields", ""),
                segments_error=settings.get("segments.error", "").partition("|")[2],
            )  # fmt: skip
    return Running(paired=paired)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
