"""Automations that have been at work: people in them, messages that went, an order that was earned."""

from __future__ import annotations

from sidecar.automations import versions
from sidecar.automations.desk import Desk
from sidecar.automations.enrolments import Entry, enter
from sidecar.automations.model import Send
from sidecar.runtime import Runtime

NAME = "cart-recovery"
AT = 1793534400


def fill(runtime: Runtime, at: Desk) -> None:
    """Eight people in cart-recovery: five under way, two at the goal, two only watched; `first` went out to five of them, to one not, one
    message was clicked, and an order is credited to it."""
    state, spec = runtime.state, at.get(NAME)
    people = [row[0] for row in state.rows("SELECT id FROM person WHERE contact_id IS NOT NULL ORDER BY id LIMIT 8")]
    row = versions.row(state, NAME)
    entries = [
        Entry(person_id=person, subject=f"cart:{person}", at=AT, held=place >= 6) for place, person in enumerate(people)
    ]
    assert enter(state, row, spec, entries) == 8
    ids = dict(state.rows("SELECT person_id, id FROM enrolment"))
    order = state.rows("SELECT id, person_id FROM shop_order WHERE person_id IS NOT NULL AND total > 0 LIMIT 1")[0][0]
    with state.transaction() as sql:
        sql.execute("UPDATE enrolment SET step = 'until-8h' WHERE person_id = ?", (people[0],))
        for person in people[1:3]:
            sql.execute("UPDATE enrolment SET state = 'goal', ended = ?, due = NULL, reason = 'bought' WHERE person_id = ?", (AT, person))  # fmt: skip
        for place, person in enumerate(people[:6]):
            outcome, reason = ("skipped", "no_consent") if place == 3 else ("done", "")
            sql.execute("INSERT INTO step_done VALUES (?, 'first', ?, ?, ?)", (ids[person], AT + 60, outcome, reason))
            if outcome == "done":
                sql.execute(
                    "INSERT INTO message (key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose,"
                    " language, state, decided, sent, clicked) VALUES (?, ?, ?, 1, 'first', ?, 'email', 'fluentcrm', 'marketing', 'en',"
                    " 'sent', ?, ?, ?)",
                    (f"k{person}", ids[person], row.id, person, AT * 1000, AT + 61, AT + 90 if place == 1 else None),
                )  # fmt: skip
        message = sql.execute("SELECT id FROM message WHERE clicked IS NOT NULL").fetchone()[0]
        sql.execute("INSERT INTO credit VALUES (?, ?, ?, ?, ?, ?, 'click')", (order, message, ids[people[1]], row.id, people[1], AT))  # fmt: skip


def crowd(runtime: Runtime, at: Desk, count: int) -> None:
    """So many people in cart-recovery, most of whom went all the way, with what became of each step and message."""
    state, spec = runtime.state, at.get(NAME)
    row = versions.row(state, NAME)
    version = versions.version(state, row.id, spec, AT)
    sends = [step.id for step in spec.steps if isinstance(step, Send)]
    with state.transaction() as sql:
        sql.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO person (id, key, contact_id, dirty)"
            " SELECT 1000000 + i, CAST('crowd' || i AS BLOB), 1000000 + i, 0 FROM n",
            (count,),
        )
        sql.execute(
            "INSERT INTO enrolment (automation_id, version_id, person_id, subject, held, entered, state, step, ended, reason, due)"
            " SELECT ?, ?, id, 'cart:' || id, id % 10 = 0, ? - id % 86400,"
            " CASE id % 7 WHEN 0 THEN 'waiting' WHEN 1 THEN 'goal' WHEN 2 THEN 'exit' ELSE 'done' END, 'second', ?, '',"
            " CASE id % 7 WHEN 0 THEN ? END FROM person WHERE id > 1000000",
            (row.id, version, AT, AT, AT),
        )
        for place, step in enumerate(spec.steps):
            sql.execute(
                "INSERT INTO step_done SELECT id, ?, ?, IIF(id % 5 = 4, 'skipped', 'done'), IIF(id % 5 = 4, 'cap', '') FROM enrolment"
                " WHERE automation_id = ? AND person_id > 1000000 AND id % 9 >= ?",
                (step.id, AT, row.id, place),
            )
        for step_id in sends:
            sql.execute(
                "INSERT INTO message (key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose, language,"
                " state, decided, sent, opened, clicked) SELECT ? || e.id, e.id, e.automation_id, e.version_id, d.step, e.person_id, 'email',"
                " 'fluentcrm', 'marketing', 'en', 'sent', ?, ?, IIF(e.id % 3, ?, NULL), IIF(e.id % 20 = 0, ?, NULL) FROM enrolment e"
                " JOIN step_done d ON d.enrolment_id = e.id AND d.step = ? WHERE d.outcome = 'done' AND NOT e.held AND e.person_id > 1000000",
                (step_id, AT * 1000, AT, AT, AT, step_id),
            )
