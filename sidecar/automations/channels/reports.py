"""What became of messages: providers are asked, and the rows of `message` follow. A message is asked for often while it is
new, then ever more rarely, and for two weeks at most."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sidecar import clock
from sidecar.automations.channels.model import Provider, Report
from sidecar.state.database import State

log = logging.getLogger(__name__)

_SOONEST = 60
_DAYS = 14
# A message is asked for again after a third of its age.
_PACE = 3


# The index message_asked has the same condition. checked > now: the clock was ahead then.
_DUE = (
    "SELECT ref FROM message WHERE provider = ? AND handed BETWEEN ? AND ? AND ref <> '' AND state IN ('queued', 'sent')"
    " AND (opened IS NULL OR clicked IS NULL)"
    " AND (checked > ? OR checked + MAX(?, (? - handed / 1000) / ?) <= ?) ORDER BY checked LIMIT ?"
)


def collect(state: State, providers: Mapping[str, Provider]) -> int:
    """Ask each provider for as many messages as it takes of those that are due, the longest unasked first. How many rows have
    changed."""
    now = int(clock.now().timestamp())
    changed = 0
    for name, provider in providers.items():
        since = (now - _DAYS * 86_400) * 1000
        rows = state.rows(_DUE, (name, since, now * 1000, now, _SOONEST, now, _PACE, now, provider.tells))
        refs = [row[0] for row in rows]
        if not refs:
            continue
        try:
            found = provider.reports(refs, 0)
        except Exception as error:  # noqa: BLE001 - reports of one provider must not keep those of the others
            log.warning("a provider gave no reports", extra={"provider": name, "error": type(error).__name__})
            found = []
        with state.transaction() as sql:
            sql.executemany(
                "UPDATE message SET checked = ? WHERE provider = ? AND ref = ? AND ref <> ''",
                [(now, name, ref) for ref in refs],
            )
        changed += apply(state, name, found)
    return changed


# How a report changes a row. What is later in the life of a message is never taken back: queued → sent → delivered; failed and
# bounced end it. The first moment of each counts.
_CHANGES = {
    "sent": "UPDATE message SET state = IIF(state = 'queued', 'sent', state), sent = COALESCE(sent, :at)"
    " WHERE {this} AND state IN ('queued', 'sent', 'delivered') AND (state = 'queued' OR sent IS NULL)",
    "delivered": "UPDATE message SET state = 'delivered', delivered = :at, sent = COALESCE(sent, :at)"
    " WHERE {this} AND state IN ('queued', 'sent')",
    "failed": "UPDATE message SET state = 'failed', reason = :reason WHERE {this} AND state IN ('queued', 'sent')",
    "bounced": "UPDATE message SET state = 'bounced', reason = :reason WHERE {this} AND state IN ('queued', 'sent', 'delivered')",
    "opened": "UPDATE message SET opened = :at WHERE {this} AND (opened IS NULL OR opened > :at)",
    "clicked": "UPDATE message SET clicked = :at WHERE {this} AND (clicked IS NULL OR clicked > :at)",
}
# ref <> '': else the index is not used.
_THIS = "provider = :provider AND ref = :ref AND ref <> '' AND state <> 'handing'"


def apply(state: State, provider: str, found: list[Report]) -> int:
    """Write down what a provider says. How many rows have changed."""
    changed = 0
    with state.transaction() as sql:
        for one in found:
            values = {"provider": provider, "ref": one.ref, "at": one.at, "reason": one.reason[:200]}
            changed += sql.execute(_CHANGES[one.state].format(this=_THIS), values).rowcount
    return changed
