"""Step 5: people. Facts, rules, difference, write: the same for the first import and for one changed person.

This side of it has the state: it chooses the people and remembers what became of them. Looking at them and writing is
the desk's work (`desk.py`), in this process or, for many, in a helper beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from sidecar.sync.definitions import intents
from sidecar.sync.desk import Desk, Result, Task
from sidecar.sync.helper import Helper
from sidecar.sync.look import Difference
from sidecar.sync.memory import remember
from sidecar.sync.selection import Selection
from sidecar.sync.session import Session

_ATTEMPTS = 3


class PeopleStep:
    """All people that need a look, page by page. `helper`: a process that stands by, None without."""

    def __init__(self, session: Session, vip_from: int | None, helper: Helper | None = None) -> None:
        self._session = session
        self._dry = session.choices.dry_run
        self._selection = Selection(session)
        self._task = Task(vip_from, _broken_runs(session), tuple(intents(session)))
        self._helper = helper
        # What a dry run found.
        self.differences: list[Difference] = []

    def run(self) -> None:
        """All of them; those whose write met another's are looked at again, three times at most."""
        if self._helper is not None:
            self._rounds(self._helper.desk(self._task))
            return
        desk = Desk(self._session, self._task)
        try:
            self._rounds(desk)
            self.differences = desk.differences
        finally:
            desk.close()

    def _rounds(self, desk: Desk | Helper) -> None:
        for attempt in range(1 if self._dry else _ATTEMPTS):
            final = attempt == _ATTEMPTS - 1
            # Closed here also when it is left half-way: its threads and connections end before the run does.
            with closing(desk.work(self._selection.pages(), again=attempt > 0, final=final)) as results:
                if not self._remembered(results, final=final):
                    return

    def _remembered(self, results: Iterable[Result], *, final: bool) -> int:
        """One pass. Returns how many people must be looked at once more."""
        raced = seen = 0
        total = self._selection.total()
        for result in results:
            if not self._dry:
                raced += remember(self._session, result.memos, result.crcs, final=final)
            seen += result.people
            self._session.progress("people", seen, total)
        return raced


def _broken_runs(session: Session) -> tuple[int, ...]:
    rows = session.state.rows("SELECT id FROM run WHERE state IN ('interrupted', 'failed') AND kind = 'sync'")
    return tuple(row[0] for row in rows)
