"""How the main job stands, from the state alone: the shop's database is not asked."""

from __future__ import annotations

import msgspec

from sidecar import clock
from sidecar.state import dead_letters, runs
from sidecar.state.database import State
from sidecar.state.runs import Run
from sidecar.values import money


class Status(msgspec.Struct, kw_only=True):
    """`lag_seconds` since the last sync that went through (None: none yet). `people` counts by verdict and reason,
    `orders` by verdict, `errors_per_1000` people that FluentCRM does not take. Money is text in the shop's currency."""

    running: bool
    backfill_done: bool
    storage: str
    lag_seconds: int | None
    people: dict[str, int]
    people_waiting: int
    errors_per_1000: float
    orders: dict[str, int]
    custom_statuses: dict[str, int]
    no_rate: int
    dead_letters: int
    ltv_contacts: str
    ltv_shop: str
    runs: list[Run]


def status(state: State, limit: int = 10) -> Status:
    """The present standing."""
    running = runs.running(state)
    now = int(clock.now().timestamp())
    people = {
        f"{verdict}: {reason}" if reason and verdict != "in" else verdict: count
        for verdict, reason, count in state.rows(
            "SELECT verdict, CASE verdict WHEN 'in' THEN '' ELSE reason END, COUNT(*) FROM person"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
    }
    everybody, failed, waiting = state.rows(
        "SELECT COUNT(*), COALESCE(SUM(verdict = 'failed'), 0), COALESCE(SUM(dirty), 0) FROM person"
    )[0]
    good = state.rows("SELECT MAX(finished) FROM run WHERE kind = 'sync' AND state = 'done'")[0][0]
    orders = dict(
        state.rows("SELECT verdict, COUNT(*) FROM shop_order GROUP BY verdict ORDER BY COUNT(*) DESC, verdict")
    )
    contacts, shop = ltv(state)
    return Status(
        running=running,
        backfill_done=bool(state.get("backfill.done")),
        storage=state.get("storage"),
        lag_seconds=None if good is None else max(0, now - good),
        people=people,
        people_waiting=waiting,
        errors_per_1000=round(failed * 1000 / everybody, 2) if everybody else 0.0,
        orders=orders,
        custom_statuses=custom_statuses(state),
        no_rate=orders.get("no_rate", 0),
        dead_letters=dead_letters.count(state),
        ltv_contacts=money.fixed(contacts),
        ltv_shop=money.fixed(shop),
        runs=latest(state, limit),
    )


def latest(state: State, limit: int) -> list[Run]:
    """The newest runs. One that the lock no longer belongs to is shown as interrupted."""
    found = runs.latest(state, limit)
    if not runs.running(state):
        for run in found:
            if run.state == "running":
                run.state = "interrupted"
    return found


def custom_statuses(state: State) -> dict[str, int]:
    """Statuses that neither WooCommerce nor the owner's map knows, with their orders."""
    return dict(
        state.rows(
            "SELECT status, COUNT(*) FROM shop_order WHERE verdict = 'custom_status' GROUP BY status ORDER BY status"
        )
    )


def ltv(state: State) -> tuple[int, int]:
    """(LTV of people who are contacts, net of all counted orders), micros, as the sync's ledger has them."""
    contacts = state.rows("SELECT COALESCE(SUM(ltv), 0) FROM person WHERE verdict = 'in'")[0][0]
    shop = state.rows(
        "SELECT COALESCE(SUM(o.total), 0) + COALESCE((SELECT SUM(r.total) FROM shop_order r"
        " JOIN shop_order p ON p.id = r.parent_id"
        " WHERE r.verdict = 'refund' AND p.verdict = 'candidate'), 0) FROM shop_order o WHERE o.verdict = 'candidate'"
    )[0][0]
    return int(contacts), int(shop)
