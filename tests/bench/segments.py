"""`make bench`: segments of a big shop, in a state that is filled directly. Not a test: nothing here fails by the clock.

usage: segments.py [PEOPLE]
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import msgspec

from sidecar.people.model import Facts, OrderDoc, Touch
from sidecar.segments import due, evaluate, file, membership, subjects
from sidecar.segments import sql as rules
from sidecar.state.database import State

NOW = 1_793_534_400
DAY = 86_400
ZONE = ZoneInfo("Europe/Sofia")
encode = msgspec.json.encode

# The same groups as somebody would write them by hand, over the same tables.
BY_HAND = {
    "first-time-buyers": "SELECT person_id FROM trait WHERE orders_count = 1",
    "repeat-buyers": "SELECT person_id FROM trait WHERE orders_count >= 2",
    "inactive-90-days": f"SELECT person_id FROM trait WHERE last_order <= {NOW - 90 * DAY}",
    "inactive-30-days": f"SELECT person_id FROM trait WHERE last_order <= {NOW - 30 * DAY} AND last_order > {NOW - 60 * DAY}",
    "frequent-buyers": f"SELECT person_id FROM counted_order WHERE at > {NOW - 365 * DAY} GROUP BY person_id HAVING COUNT(*) >= 4",
    "sudden-drop": (
        f"SELECT person_id FROM counted_order GROUP BY person_id HAVING SUM(at > {NOW - 365 * DAY}) >= 3"
        f" AND SUM(at > {NOW - 90 * DAY}) = 0"
    ),
    "viewed-three-times": (
        "SELECT DISTINCT a.person_id FROM activity a JOIN trait t ON t.person_id = a.person_id WHERE a.kind = 'view'"
        f" AND a.at > {(NOW - 7 * DAY) * 1000} AND NOT instr(t.products, char(31) || a.object_id || char(31)) GROUP BY a.person_id, a.object_id HAVING COUNT(*) >= 3"
    ),
    "b2b": "SELECT person_id FROM trait WHERE customer_type = 'b2b'",
}


def line(label: str, value: str, note: str = "") -> None:
    print(f"  {label:<52}{value:>12}  {note}".rstrip(), flush=True)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def build(state: State, people: int) -> None:
    """People with three orders on average, a tenth of them with acts."""
    pick = random.Random(7)
    order = act = 0
    with state.transaction() as sql:
        sql.executemany(
            "INSERT INTO product_category VALUES (?, ?)", [(id_, f"category {id_ % 12}") for id_ in range(1, 201)]
        )
        for id_ in range(1, people + 1):
            times = sorted(NOW - pick.randrange(0, 900 * DAY) for _ in range(pick.choice([0, 1, 1, 2, 3, 4, 5, 8])))
            bought: dict[int, int] = {}
            total = 0
            for at in times:
                order += 1
                product, price = pick.randrange(1, 201), pick.randrange(5, 300) * 1_000_000
                bought[product] = bought.get(product, 0) + 1
                total += price
                document = OrderDoc(lines=((product, 0, 1, ""),), coupons=("save10",) if order % 9 == 0 else ())
                sql.execute(
                    "INSERT INTO shop_order (id, person_id, verdict, status, total, created, crc, doc)"
                    " VALUES (?, ?, 'candidate', 'completed', ?, ?, 0, ?)",
                    (order, id_, price, at, encode(document)),
                )
            facts = Facts(
                orders_count=len(times), gross=total, ltv=total, first_order=times[0] if times else None,
                last_order=times[-1] if times else None, products=bought,
                categories={f"Category {id_ % 12}": 1 for id_ in bought}, customer_type="b2b" if id_ % 50 == 0 else "retail",
                is_account=True, registered=NOW - pick.randrange(0, 1000 * DAY), locale="bg_BG",
                birthday=f"19{pick.randrange(50, 99)}-{pick.randrange(1, 13):02d}-{pick.randrange(1, 29):02d}",
                coupons=["save10"] if id_ % 9 == 0 else [], last_touch=Touch("google", "cpc", "autumn", "Mobile"), country="BG",
            )  # fmt: skip
            sql.execute("INSERT INTO person (id, key, verdict) VALUES (?, ?, 'in')", (id_, id_.to_bytes(16)))
            sql.execute("INSERT INTO person_doc VALUES (?, ?, NULL)", (id_, encode(facts)))
            for _ in range(5 if id_ % 10 == 0 else 0):
                act += 1
                sql.execute(
                    "INSERT INTO activity (outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail)"
                    " VALUES (?, ?, 'view', '', ?, ?, 0, '')",
                    (act, (NOW - pick.randrange(0, 20 * DAY)) * 1000, id_, pick.randrange(1, 4)),
                )


def main() -> None:
    people = next((int(word) for word in sys.argv[1:] if word.isdigit()), 100_000)
    segments = file.load(None, ZONE)
    print(f"\nSegments: {people:,} people, {len(segments)} built-in segments")
    with tempfile.TemporaryDirectory(prefix="segments-") as folder, State(folder) as state:
        build(state, people)
        seconds = timed(lambda: membership.refresh(state, segments, NOW, ZONE))
        line("all of them from scratch", f"{seconds:.2f} s", "wanted: 10 or less")
        line(
            "peak memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB", "wanted: 150 or less"
        )
        again = timed(lambda: membership.refresh(state, segments, NOW, ZONE))
        line("again, with nothing changed", f"{again:.2f} s")
        some = list(range(1, people, max(1, people // 100)))[:100]
        state.sql.execute(
            "INSERT OR REPLACE INTO person_doc SELECT * FROM person_doc WHERE person_id IN (SELECT value FROM json_each(?))",
            (encode(some).decode(),),
        )
        seconds = timed(lambda: membership.tick(state, segments, NOW + 60, ZONE))
        line("a minute's tick with 100 changed people", f"{seconds * 1000:.0f} ms", "wanted: 100 or less")
        seconds = timed(lambda: due.next_after(state, segments, NOW + 60, ZONE))
        line("when will time alone change something?", f"{seconds * 1000:.0f} ms")
        at = membership.moment(state, segments, NOW, ZONE)

        def one() -> None:
            person = subjects.load(state, [some[50]])[some[50]]
            for segment in segments:
                evaluate.member(segment.rule, person, at)

        line("all segments of one person", f"{min(timed(one) for _ in range(9)) * 1000:.2f} ms", "wanted: 5 or less")
        rules.register(state.sql, ZONE)
        for slug, text in BY_HAND.items():
            segment = next(segment for segment in segments if segment.slug == slug)
            where, parameters = rules.condition(segment.rule, at)
            ours = f"SELECT t.person_id FROM trait t WHERE {where}"
            mine = min(timed(lambda: state.rows(ours, parameters)) for _ in range(5))  # noqa: B023
            theirs = min(timed(lambda: state.rows(text)) for _ in range(5))  # noqa: B023
            line(
                f"{slug} / by hand",
                f"{mine / theirs:.2f}",
                f"{mine * 1000:.0f} ms, {theirs * 1000:.0f} ms; wanted: 2 or less",
            )


if __name__ == "__main__":
    main()
