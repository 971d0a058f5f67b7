"""How the sidecar stands, in one struct: for the status page, the API and /metrics alike."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import msgspec

from sidecar import __version__
from sidecar.errors import SidecarError
from sidecar.runtime import Runtime
from sidecar.state.pause import Pause
from sidecar.sync.health import Health, conditions


class Standing(msgspec.Struct, kw_only=True):
    """Times are Unix seconds UTC, money is text in the shop's currency. `bridge` is live, waiting, silent or unpaired
    (`bridge_why` says more). `held` since when the clone guard keeps everything back, `changed` what is other than
    before; `trouble` are sentences about what is not as it should be. `lag_seconds` is the age of the oldest change
    that is not worked off. `pace`: follows, late (no look at the shop has succeeded for longer than the alerts allow), or
    first (nothing was ever imported)."""

    versions: dict[str, str]
    bridge: str
    bridge_why: str
    storage: str
    pace: Literal["follows", "late", "first"]
    running: bool
    paused: Pause | None
    held: int | None
    changed: list[str]
    trouble: list[str]
    lag_seconds: float
    last_sync: int | None
    last_pass: int | None
    last_reconcile: int | None
    queue_rows: int
    events_last_hour: int
    errors_per_1000: float
    dead_letters: int
    people_in: int
    people_left: int
    people_waiting: int
    people_failed_per_1000: float
    ltv_contacts: str
    currency: str
    segments_failing: bool


def standing(runtime: Runtime) -> Standing:
    """The present standing. A shop that does not answer is told as trouble, not raised."""
    health, people = runtime.health(), runtime.people()
    options: dict[str, str] = {}
    changed: list[str] = []
    with suppress(SidecarError):
        options = runtime.options("woocommerce_currency", "woocommerce_version")
        changed = runtime.site().changed if health.held else []
    return Standing(
        versions=_versions(runtime, options.get("woocommerce_version", "")),
        bridge=health.bridge,
        bridge_why=health.bridge_why,
        storage=runtime.state.get("storage"),
        pace=_pace(runtime, health),
        running=health.running,
        paused=health.paused,
        held=health.held,
        changed=changed,
        trouble=_trouble(runtime, health),
        lag_seconds=round(health.lag_ms / 1000, 3),
        last_sync=health.last_sync,
        last_pass=health.last_pass,
        last_reconcile=health.last_reconcile,
        queue_rows=health.queue_rows,
        events_last_hour=health.events_last_hour,
        errors_per_1000=health.errors_per_1000,
        dead_letters=health.dead_letters,
        people_in=people.contacts,
        people_left=people.left,
        people_waiting=people.waiting,
        people_failed_per_1000=people.failed_per_1000,
        ltv_contacts=people.ltv,
        currency=options.get("woocommerce_currency", ""),
        segments_failing=bool(health.segments_fault or health.segments_error),
    )


def _pace(runtime: Runtime, health: Health) -> Literal["follows", "late", "first"]:
    if health.last_sync is None:
        return "first"
    late = any(one.on for one in conditions(health, runtime.config) if one.name == "no_pass")
    return "late" if late else "follows"


def _versions(runtime: Runtime, woocommerce: str) -> dict[str, str]:
    """What the site consists of, as the plugin last said; the shop's own word for WooCommerce when it never did."""
    said = runtime.bridge_status()
    if said is None:
        return {"Sidecar": __version__, "WooCommerce": woocommerce}
    return {
        "Sidecar": __version__, "Plugin": said.plugin, "WordPress": said.wordpress,
        "WooCommerce": said.woocommerce or woocommerce, "FluentCRM": said.fluentcrm, "PHP": said.php,
    }  # fmt: skip


def _trouble(runtime: Runtime, health: Health) -> list[str]:
    """What the alerts know, and what is plain to see before they look again. The clone guard has its own place."""
    found = [one.sentence for one in runtime.troubles() if one.name != "on_hold"]
    if health.shop:
        found.append(f"the shop's database cannot be asked: {health.shop}")
    if health.segments_fault and not any(health.segments_fault in sentence for sentence in found):
        found.append(f"the segments have a fault: {health.segments_fault}")
    if health.pass_error and not found:
        found.append(f"the last look at the shop failed: {health.pass_error}")
    return list(dict.fromkeys(found))


def gauges(runtime: Runtime) -> list[tuple[str, str, float]]:
    """(name, what it is, value) for Prometheus."""
    found = standing(runtime)
    return [
        ("fcsc_lag_seconds", "Age of the oldest change that is not worked off.", found.lag_seconds),
        ("fcsc_queue_rows", "Events that wait in the outbox.", found.queue_rows),
        ("fcsc_events_last_hour", "Events worked off in the last hour.", found.events_last_hour),
        ("fcsc_errors_per_1000", "People of 1,000 whom FluentCRM does not take.", found.people_failed_per_1000),
        ("fcsc_event_errors_per_1000", "Events of 1,000 of the last day that failed.", found.errors_per_1000),
        ("fcsc_paused", "1 while the owner has paused it.", float(found.paused is not None)),
        ("fcsc_dead_letters", "Rows that could not be brought over.", found.dead_letters),
        ("fcsc_people", "People who are contacts.", found.people_in),
        ("fcsc_people_waiting", "People who wait for a look.", found.people_waiting),
        ("fcsc_bridge_up", "1 when the plugin answers.", float(found.bridge == "live")),
        ("fcsc_on_hold", "1 when the clone guard holds everything back.", float(found.held is not None)),
        ("fcsc_segments_failing", "1 when segments have a fault or fail.", float(found.segments_failing)),
        ("fcsc_last_pass_timestamp_seconds", "When the shop was last looked at (Unix time).", found.last_pass or 0),
        ("fcsc_last_sync_timestamp_seconds", "When a sync last went through (Unix time).", found.last_sync or 0),
        ("fcsc_running", "1 while a run is at work.", float(found.running)),
    ]
