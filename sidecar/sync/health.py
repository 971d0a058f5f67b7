"""How the running sidecar is: figures for the status page, `/metrics`, `sidecar tick` and the alerts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
from pymysql.connections import Connection

from sidecar import clock
from sidecar.alerts import Condition
from sidecar.automations.channels import gate, settings
from sidecar.automations.channels.gate import ProviderState
from sidecar.config import Config
from sidecar.errors import SidecarError
from sidecar.events import monitor
from sidecar.events.outbox import Outbox, Standing
from sidecar.mysql.connection import Reader
from sidecar.state import dead_letters, pause, runs
from sidecar.state.database import State
from sidecar.state.pause import Pause
from sidecar.sync import automations, segments, site
from sidecar.sync.link import Link

_DAY = 86_400
_WINDOW = 30 * _DAY
_FEW_ORDERS = 20
_PACE, _PACE_SECONDS = "orders.pace", 300
_SHORTEST_QUIET = 6 * 3600
# Failures of a provider in a row that are no hiccup any more: about ten minutes of them.
_FAILURES = 7


class Health(msgspec.Struct, kw_only=True, frozen=True):
    """Times are Unix seconds UTC, durations what their names say. `queue_there` is False without the plugin's table;
    `shop` is '' or why the shop's database could not be asked. `bridge` is unpaired, live, waiting or silent.
    `held` and `paused` say since when and until when nothing is written. `segments_fault` is what is wrong with the rules of
    segments, `segments_failing` since when they cannot be brought up to date (`segments_error`: why). `providers` are those of channels that were ever used. `automations_…`: the same
    of automations; `channels_fault` what is wrong with a channel while one of them is on, `emails_wait` whether then only the plugin
    could send e-mails, and does not answer."""

    now: int
    shop: str
    queue_there: bool
    queue_rows: int
    queue_due: int
    lag_ms: int
    last_pass: int | None
    pass_error: str
    last_reconcile: int | None
    last_sync: int | None
    running: bool
    events_last_hour: int
    errors_per_1000: float
    dead_letters: int
    bridge: str
    bridge_seen: int | None
    bridge_silent_since: int | None
    bridge_why: str
    last_hint: int | None
    live_from: int | None
    held: int | None
    paused: Pause | None
    last_activity: int | None
    quiet_after: int | None
    segments_fault: str
    segments_failing: int | None
    segments_error: str
    providers: list[ProviderState] = []
    automations_fault: str = ""
    automations_failing: int | None = None
    automations_error: str = ""
    channels_fault: str = ""
    emails_wait: bool = False

    @property
    def quiet(self) -> bool:
        """Whether the shop has been without an order for longer than it ever is."""
        return bool(self.quiet_after and self.last_activity and self.now - self.last_activity > self.quiet_after)


def health(config: Config, state: State, link: Link) -> Health:
    """The figures now: one small query to the shop, the rest from the state."""
    now = int(clock.now().timestamp())
    standing, trouble = Standing(there=False), ""
    try:
        with Reader(config) as reader:
            standing = Outbox(reader, _no_writing).standing(now * 1000)
    except SidecarError as error:
        trouble = error.message
    rates = monitor.rates(state, now * 1000)
    bridge = link.state()
    good = state.rows("SELECT MAX(finished) FROM run WHERE kind = 'sync' AND state = 'done'")[0][0]
    newest, usual = _orders(state, now)
    hinted = (link.last_hint() or 0) // 1000
    failing, why = segments.trouble(state) or (None, "")
    stuck, reason = automations.trouble(state) or (None, "")
    sending = automations.any_on(state)
    return Health(
        now=now, shop=trouble, queue_there=standing.there, queue_rows=standing.rows, queue_due=standing.due,
        lag_ms=standing.lag_ms, last_pass=_number(state, "pass.last"), pass_error=state.get("pass.error"),
        last_reconcile=_number(state, "reconcile.last"), last_sync=good, running=runs.running(state),
        events_last_hour=rates.last_hour, errors_per_1000=rates.errors_per_1000,
        dead_letters=dead_letters.count(state), bridge=bridge.mode, bridge_seen=bridge.seen,
        bridge_silent_since=bridge.silent_since, bridge_why=bridge.why, last_hint=hinted or None,
        live_from=(_number(state, "live.from") or 0) // 1000 or None, held=site.on_hold(state),
        paused=pause.current(state), last_activity=max(newest, hinted) or None,
        quiet_after=int(usual * config.alerts.quiet_factor) if usual and config.alerts.quiet_factor else None,
        segments_fault=segments.fault(state), segments_failing=failing, segments_error=why,
        providers=[one for one in gate.standing(state) if not one.name.startswith("hook:")],
        automations_fault=automations.faults(state), automations_failing=stuck, automations_error=reason,
        channels_fault=settings.fault(config.channels) if sending else "",
        emails_wait=sending and bridge.mode == "silent" and not settings.email(config.channels, answers=False),
    )  # fmt: skip


def conditions(found: Health, config: Config) -> list[Condition]:
    """What is wrong, or is not: each condition with whether it is on now."""
    alerts = config.alerts
    # A run of the main job that went through is as good as a pass.
    last = max(found.last_pass or 0, found.last_sync or 0)
    since = found.now - last
    # While the owner has paused it, or before the first import, nobody expects a pass.
    expected = found.paused is None and found.last_sync is not None
    silent = found.now - (found.bridge_silent_since or found.now)
    failing = found.now - (found.segments_failing or found.now)
    stuck = found.now - (found.automations_failing or found.now)
    return [
        Condition(
            "no_pass",
            expected and since > alerts.no_pass_minutes * 60,
            f"no pass has succeeded for {_span(since)}" + (f": {found.pass_error}" if found.pass_error else ""),
        ),
        Condition(
            "shop_unreachable", bool(found.shop), f"the shop's database cannot be asked: {found.shop or 'it can again'}"
        ),
        Condition(
            "backlog",
            expected and (found.queue_rows > alerts.backlog_rows or found.lag_ms > alerts.backlog_minutes * 60_000),
            f"{found.queue_rows} events wait, the oldest for {_span(found.lag_ms // 1000)}",
        ),
        Condition("on_hold", found.held is not None, "the site is another one than before: nothing is written until"
                  " `sidecar site confirm`"),
        Condition(
            "bridge_silent",
            found.bridge == "silent" and silent >= alerts.silent_minutes * 60,
            f"the plugin has not answered for {_span(silent)}: {found.bridge_why}"
            + ("; e-mails of automations wait for it" if found.emails_wait else ""),
        ),
        Condition(
            "quiet",
            found.quiet,
            f"no order and no event for {_span(found.now - (found.last_activity or found.now))}, longer than usual",
        ),
        Condition(
            "segments_fault",
            bool(found.segments_fault),
            f"the segments have a fault: {found.segments_fault or 'it is mended'}",
        ),
        Condition(
            "segments_failing",
            failing >= alerts.no_pass_minutes * 60,
            f"segments could not be brought up to date for {_span(failing)}: {found.segments_error}",
        ),
        Condition(
            "automations_fault",
            bool(found.automations_fault),
            f"automations have a fault: {found.automations_fault or 'it is mended'}",
        ),
        Condition(
            "automations_failing",
            stuck >= alerts.no_pass_minutes * 60,
            f"automations could not be worked on for {_span(stuck)}: {found.automations_error}",
        ),
        Condition(
            "channels_fault",
            bool(found.channels_fault),
            f"messages wait, as their channel has a fault: {found.channels_fault or 'it is mended'}",
        ),
        *(_provider(one) for one in found.providers),
    ]  # fmt: skip


def _provider(one: ProviderState) -> Condition:
    """Whether messages by a provider do not go out."""
    said = f"messages by {one.name} fail again and again, and wait"
    if one.disabled:
        said = f"{one.name} is switched off: {one.disabled}; mend it, then `sidecar channels enable {one.name}`"
    return Condition(f"channel_{one.name}", bool(one.disabled) or one.failures >= _FAILURES, said)


def _orders(state: State, now: int) -> tuple[int, int | None]:
    """What `_pace` says, worked out every five minutes: it walks over all orders, and pages ask all the time."""
    text = state.get(_PACE)
    if text:
        at, newest, usual = msgspec.json.decode(text, type=tuple[int, int, int | None])
        if 0 <= now - at < _PACE_SECONDS:
            return newest, usual
    newest, usual = _pace(state, now)
    state.set(_PACE, msgspec.json.encode((now, newest, usual)).decode())
    return newest, usual


def _pace(state: State, now: int) -> tuple[int, int | None]:
    """(when the newest order was placed, the longest pause between orders of the last 30 days); None when there are
    too few to say what is usual."""
    newest = state.rows("SELECT MAX(created) FROM shop_order WHERE verdict <> 'refund' AND created <= ?", (now + _DAY,))
    rows = state.rows(
        "SELECT created FROM shop_order WHERE verdict <> 'refund' AND created BETWEEN ? AND ? ORDER BY created",
        (now - _WINDOW, now),
    )
    if len(rows) < _FEW_ORDERS:
        return newest[0][0] or 0, None
    times = [row[0] for row in rows]
    longest = max(later - earlier for earlier, later in pairwise(times))
    return newest[0][0] or 0, max(longest, _SHORTEST_QUIET)


def _number(state: State, key: str) -> int | None:
    text = state.get(key)
    return int(text) if text and text != "0" else None


def _span(seconds: int) -> str:
    """`3 min`, `5 h`, `2 days`: as people say it."""
    for size, word in ((_DAY, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


def _no_writing() -> Connection[Any]:
    raise AssertionError("health only reads")
