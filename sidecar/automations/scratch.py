"""The state to try things in: what is written to the tables of automations is in memory and gone when it is closed; all else is read
from the real state. Nothing is copied, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.state.database import State

# Tables that automations write, and what of them the one person needs who is tried with.
_SHADOWS = {
    "automation": "1", "automation_version": "1", "setting": "key NOT IN ('pause.since', 'pause.until')",
    "enrolment": "person_id = :person", "message": "person_id = :person", "coupon": "person_id = :person",
    "step_done": "enrolment_id IN (SELECT id FROM main.enrolment WHERE person_id = :person)",
}  # fmt: skip
_FAR = 10**12


@contextmanager
def scratch(directory: str, person: int) -> Iterator[State]:
    """A state with tables of its own for what automations write: a table of SQLite's `temp` goes before one of the same name in
    the file."""
    state = State(directory)
    try:
        for name, where in _SHADOWS.items():
            made = state.rows("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?", (name,))[0][0]
            state.sql.execute(made.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
            # With its indexes: some statements name them.
            for (index,) in state.rows(
                "SELECT sql FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (name,)
            ):
                state.sql.execute(index.replace(" INDEX ", " INDEX temp.", 1))
            state.sql.execute(f"INSERT INTO temp.{name} SELECT * FROM main.{name} WHERE {where}", {"person": person})
            # What is made here is never taken for a row of the real state: links in messages name them.
            state.sql.execute("DELETE FROM temp.sqlite_sequence WHERE name = ?", (name,))
            state.sql.execute("INSERT INTO temp.sqlite_sequence (name, seq) VALUES (?, ?)", (name, _FAR))
        yield state
    finally:
        state.close()
