"""What a run of the engine did."""

from __future__ import annotations

import msgspec


class Worked(msgspec.Struct, kw_only=True):
    """Counts: enrolments `taken`, `steps` that were done, messages `sent` (handed over), steps `skipped` and `failed`, enrolments
    `postponed` (a cap, quiet hours, a channel that is down) and `ended`, messages of which nobody can tell whether they went."""

    taken: int = 0
    steps: int = 0
    sent: int = 0
    skipped: int = 0
    failed: int = 0
    postponed: int = 0
    ended: int = 0
    unsure: int = 0
