"""The plugin in WordPress, and the running sidecar."""

from __future__ import annotations

from sidecar import clock
from sidecar.doctor import grants, needs
from sidecar.doctor.model import Facts, Verdict
from sidecar.doctor.registry import check

SLUG = "fluentcrm-sidecar"


def _installed(facts: Facts) -> bool:
    return bool(facts.shop.active(SLUG))


def _ago(at: int | None) -> int:
    """Minutes since a moment."""
    return 0 if at is None else max(0, int(clock.now().timestamp()) - at) // 60


@check(
    "bridge.I001",
    "The plugin in WordPress",
    "nothing must be done; with the plugin (`make bridge-zip`) contacts follow the shop within seconds, and live",
)
def plugin(facts: Facts) -> Verdict:
    outbox = f"{facts.prefix}fcsc_outbox" in facts.shop.tables
    if not _installed(facts):
        rest = ", though its tables are there" if outbox else ""
        return Verdict("info", f"the plugin is not active{rest}: changes are found by asking, up to a minute later")
    if not outbox:
        return Verdict(
            "info",
            f"the plugin is active, but the table {facts.prefix}fcsc_outbox is not to be seen",
            "deactivate and activate the plugin; give the account the GRANTs that `sidecar init` prints",
        )
    return Verdict("ok", "the plugin is active and tells of changes")


@check("bridge.W002", "Rights on the plugin's tables", "give the account the GRANTs that `sidecar init` prints")
def rights(facts: Facts) -> Verdict:
    if not _installed(facts):
        return Verdict("ok", "without the plugin nothing is needed")
    granted = grants.parse(facts.shop.grants)
    database = facts.config.shop.database.name
    lacking = [
        f"{privilege} on {facts.prefix}{table}"
        for table in needs.PLUGIN
        for privilege in grants.WRITE
        if not granted.may(privilege, database, facts.prefix + table)
    ]
    if lacking and granted.roles:
        return Verdict("info", "the account has rights through a role, which cannot be looked into", "", lacking)
    if lacking:
        return Verdict("warning", "the account may not use all of the plugin's tables", "", lacking)
    return Verdict("ok", "the account may use the plugin's tables")


@check(
    "bridge.W003",
    "Backlog of events",
    "start `sidecar serve`, or `sidecar tick` from cron; `sidecar sync letters` lists events that were given up",
)
def backlog(facts: Facts) -> Verdict:
    queue = facts.shop.queue
    if queue is None:
        return Verdict("ok", "there is no outbox")
    alerts = facts.config.alerts
    shown = f"{queue.rows} events wait, the oldest that is due for {queue.lag_ms // 1000} s"
    late = queue.rows > alerts.backlog_rows or queue.lag_ms > alerts.backlog_minutes * 60_000
    return Verdict("warning" if late else "ok", shown)


@check(
    "bridge.W004",
    "WordPress answers",
    "run `sidecar pair`, and see [bridge] site_url; until it answers, changes are written quietly",
    needs_database=False,
)
def answers(facts: Facts) -> Verdict:
    running = facts.running
    if not running.paired:
        return Verdict("ok", "the sidecar is not paired with the plugin: changes are written quietly")
    if running.silent_since is not None:
        return Verdict(
            "warning", f"the plugin has not answered for {_ago(running.silent_since)} min", "", (running.why,)
        )
    if running.seen is None:
        return Verdict("info", "the plugin has not been asked yet")
    return Verdict("ok", f"the plugin answered {_ago(running.seen)} min ago")


@check(
    "bridge.E005",
    "The site is the known one",
    "a staging copy: leave it so. The shop moved: `sidecar site show`, then `sidecar site confirm`",
    needs_database=False,
)
def site(facts: Facts) -> Verdict:
    if facts.running.held is not None:
        return Verdict("error", f"on hold for {_ago(facts.running.held)} min: the address or the database has changed")
    return Verdict("ok", "nothing is on hold")


@check(
    "bridge.W006",
    "The sidecar is running",
    "start `sidecar serve`, or run `sidecar tick` from cron every minute",
    needs_database=False,
)
def passes(facts: Facts) -> Verdict:
    running = facts.running
    if running.paused_until is not None and running.paused_until > clock.now().timestamp():
        return Verdict("info", "the owner has paused it", "`sidecar sync resume` ends the pause")
    if running.last_pass is None:
        return Verdict("info", "no pass has run yet: contacts follow the shop by `sidecar sync` only")
    if _ago(running.last_pass) >= facts.config.alerts.no_pass_minutes:
        details = (running.pass_error,) if running.pass_error else ()
        return Verdict("warning", f"no pass has succeeded for {_ago(running.last_pass)} min", "", details)
    return Verdict("ok", f"the last pass was {_ago(running.last_pass)} min ago")


@check(
    "bridge.I007",
    "Alerts",
    "set a webhook, a Telegram chat or SMTP in [alerts], then `sidecar alerts test`",
    needs_database=False,
)
def alerts(facts: Facts) -> Verdict:
    config = facts.config.alerts
    ways = [
        name
        for name, there in (
            ("webhook", config.webhook_url),
            ("Telegram", config.telegram_token and config.telegram_chat),
            ("SMTP", config.smtp_host and config.smtp_to),
        )
        if there
    ]
    if not ways:
        return Verdict("info", "nobody is told when the sync stops: no way is set up")
    return Verdict("ok", f"trouble is told by {', '.join(ways)}")


@check(
    "bridge.W008",
    "Segments",
    "`sidecar segments check` shows what is wrong with the rules; `sidecar segments refresh` tries again",
    needs_database=False,
)
def segments(facts: Facts) -> Verdict:
    running = facts.running
    if running.segments_fault:
        return Verdict("warning", "the segments have a fault: they stay as they were", "", (running.segments_fault,))
    if running.segments_error:
        return Verdict("warning", "segments cannot be brought up to date", "", (running.segments_error,))
    return Verdict("ok", "segments are brought up to date without a fault")
