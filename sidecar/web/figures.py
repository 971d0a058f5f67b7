"""How the sidecar stands, in one struct: for the status page, the API and /metrics alike."""

from __future__ import annotations

import msgspec

from sidecar import __version__
from sidecar.runtime import Runtime
from sidecar.state import jobs, pairing


class Standing(msgspec.Struct, kw_only=True):
    """Times are Unix seconds UTC, money is text in the shop's currency. `bridge` is ok, silent, refused or unknown;
    `hold` is why nothing goes out ('' when it does); `trouble` are sentences about what is not as it should be.
    `lag_seconds`: how old the oldest change is that is not worked off, 0 when none is known."""

    versions: dict[str, str]
    paired: bool
    bridge: str
    storage: str
    running: bool
    paused_since: int | None
    hold: str
    trouble: list[str]
    lag_seconds: float | None
    last_sync: int | None
    last_pass: int | None
    queue: int
    queue_oldest: int | None
    events_last_hour: int
    errors_per_1000: float
    dead_letters: int
    people_in: int
    people_left: int
    people_waiting: int
    ltv_contacts: str
    currency: str


def standing(runtime: Runtime) -> Standing:
    """The present standing."""
    health = runtime.health()
    status = runtime.status(1)
    job = jobs.open_(runtime.state)
    done = runtime.state.rows("SELECT MAX(finished) FROM run WHERE kind = 'sync' AND state = 'done'")[0][0]
    return Standing(
        versions={"Sidecar": __version__, **health.versions},
        paired=pairing.read(runtime.config.state.dir) is not None,
        bridge=health.bridge,
        storage=status.storage,
        running=status.running,
        paused_since=int(job.updated) if job is not None and job.state == "paused" else None,
        hold=health.hold,
        trouble=health.trouble,
        lag_seconds=health.lag_seconds,
        last_sync=done,
        last_pass=health.last_pass,
        queue=health.queue,
        queue_oldest=health.queue_oldest,
        events_last_hour=health.events_last_hour,
        errors_per_1000=status.errors_per_1000,
        dead_letters=status.dead_letters,
        people_in=status.people.get("in", 0),
        people_left=sum(count for verdict, count in status.people.items() if verdict.startswith("left")),
        people_waiting=status.people_waiting,
        ltv_contacts=status.ltv_contacts,
        currency=health.currency,
    )


def gauges(runtime: Runtime) -> list[tuple[str, str, float]]:
    """(name, what it is, value) for Prometheus."""
    found = standing(runtime)
    return [
        ("fcsc_lag_seconds", "Age of the oldest change that is not worked off.", found.lag_seconds or 0),
        ("fcsc_queue_rows", "Events that wait in the outbox.", found.queue),
        ("fcsc_events_last_hour", "Events worked off in the last hour.", found.events_last_hour),
        ("fcsc_errors_per_1000", "People of 1,000 whom FluentCRM does not take.", found.errors_per_1000),
        ("fcsc_dead_letters", "Rows that could not be brought over.", found.dead_letters),
        ("fcsc_people", "People who are contacts.", found.people_in),
        ("fcsc_people_waiting", "People who wait for a look.", found.people_waiting),
        ("fcsc_bridge_up", "1 when the plugin answers.", float(found.bridge == "ok")),
        ("fcsc_on_hold", "1 when the clone guard holds everything back.", float(bool(found.hold))),
        ("fcsc_last_pass_timestamp_seconds", "When the shop was last looked at (Unix time).", found.last_pass or 0),
        ("fcsc_last_sync_timestamp_seconds", "When a sync last went through (Unix time).", found.last_sync or 0),
        ("fcsc_running", "1 while a run is at work.", float(found.running)),
    ]
