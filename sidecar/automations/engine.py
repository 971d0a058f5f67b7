"""What happens to enrolments: those that are due are claimed, decided on, and moved on until they wait, end, or want something done.

`run` may be called by several processes at once, and die anywhere: a row belongs to whoever claimed it until the claim is over,
what was done is written before the next thing is, and what may have been done is asked for, never done again (`handing`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from sidecar.automations import enrolments, versions
from sidecar.automations.batch import Batch, give_up
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.lost import settle_left
from sidecar.automations.place import Place
from sidecar.automations.worked import Worked
from sidecar.errors import SidecarError
from sidecar.state import pause
from sidecar.state.database import State

log = logging.getLogger(__name__)


def due(state: State, now: int) -> bool:
    """Whether `run` would find anything to do; asks the state only. `now`: Unix seconds."""
    running = [row.id for row in versions.rows(state).values() if row.running]
    return bool(running) and enrolments.due(state, now, running)


def run(place: Place) -> Worked:
    """Work off what is due, until `place.until` (one batch at least). Raises StoreUnavailable, with nothing lost."""
    worked = Worked()
    if place.held or pause.current(place.state) is not None:
        return worked
    place.tick()
    settle_left(place, worked)
    while not worked.taken or time.monotonic() < place.until:
        now_ms = place.tick()
        running = [row.id for row in versions.rows(place.state).values() if row.running]
        claimed = enrolments.claim(place.state, place.now, now_ms, running, place.batch) if running else []
        if not claimed:
            break
        worked.taken += len(claimed)
        _work(place, claimed, worked)
    return worked


def _work(place: Place, claimed: Sequence[Enrolment], worked: Worked) -> None:
    """One batch. Whatever is wrong with one enrolment must not stop the others: they are tried apart."""
    try:
        batch = Batch(place, claimed, worked)
    except SidecarError:
        enrolments.release(place.state, claimed)
        raise
    except Exception as error:
        if len(claimed) > 1:
            middle = len(claimed) // 2
            for half in (claimed[:middle], claimed[middle:]):
                _work(place, half, worked)
            return
        log.exception("an enrolment could not be looked at", extra={"enrolment": claimed[0].id})
        give_up(place, claimed[0], type(error).__name__, worked)
        return
    try:
        batch.work()
    except SidecarError:
        enrolments.release(place.state, batch.ones())
        raise
    except Exception as error:
        # As they were written last: what they had begun in memory is begun anew.
        left = enrolments.ours(place.state, batch.ones())
        if not left:
            raise
        log.exception("a batch could not go on", extra={"enrolments": len(left)})
        if len(left) == 1:
            give_up(place, left[0], type(error).__name__, worked)
        middle = len(left) // 2
        for half in (left[:middle], left[middle:]) if middle else ():
            _work(place, half, worked)
