"""E-mail by FluentCRM's own queue: its sender, rate limit, unsubscribe link and tracking apply. The plugin puts it there, and
knows each key, so handing over twice is one e-mail. What became of it is read from FluentCRM's tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import msgspec

from sidecar import clock
from sidecar.automations.channels.model import ROBOT_SECONDS, Handed, Outgoing, Report
from sidecar.automations.model import ChannelName
from sidecar.automations.plugin import Plugin, Queued
from sidecar.crm.bridge_client import MOST_BYTES, MOST_ITEMS, ServerFailed
from sidecar.errors import BridgeRefused, BridgeUnreachable
from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import spans
from sidecar.values import dates

# When one item of a call makes PHP fail, the call is halved to find it; so many calls at most for one batch.
_MOST_CALLS = 12
_MOST_REPORTS = 500
# Seconds until a message asks again whether the plugin answers by now. That is known of it: its queue is not in trouble.
_WAIT = 60.0
# A contact that bounced so long after an e-mail bounced because of it.
_BOUNCE_SECONDS = 3 * 86_400


class FluentCrm:
    """`reader` and `zone` (of the shop) are for reports; without a reader there are none."""

    name = "fluentcrm"
    channel: ChannelName = "email"
    knows_keys = True
    most = MOST_ITEMS

    def __init__(self, plugin: Plugin | None, reader: Reader | None, zone: tzinfo) -> None:
        self._plugin = plugin
        self._reader = reader
        self._zone = zone
        self.tells = _MOST_REPORTS if reader is not None else 0

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Put them into the queue."""
        plugin = self._plugin
        if plugin is None:
            return [
                Handed(key=one.key, state="again", reason="the plugin does not answer", wait=_WAIT) for one in batch
            ]
        done: list[Handed] = []
        parts = _parts(batch)
        calls = 0
        while parts:
            part = parts.pop(0)
            calls += 1
            try:
                done += _answers(part, plugin.messages([_item(message) for message in part]))
            except ServerFailed:
                if len(part) > 1 and calls < _MOST_CALLS:
                    middle = len(part) // 2
                    parts[:0] = [part[:middle], part[middle:]]
                    continue
                done += [
                    Handed(key=one.key, state="again", reason="WordPress failed", down=len(part) > 1) for one in part
                ]
            except (BridgeUnreachable, BridgeRefused) as error:
                why = (
                    "the plugin does not answer"
                    if isinstance(error, BridgeUnreachable)
                    else "the plugin refuses the call"
                )
                left = [*part, *(one for rest in parts for one in rest)]
                return done + [Handed(key=one.key, state="again", reason=why, down=True) for one in left]
        return done

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """How they stand in FluentCRM. 3.x notes an open and a click on the e-mail, 2.9 an open as a row of its own."""
        ids = [int(ref) for ref in refs if ref.isdigit()]
        if self._reader is None or not ids:
            return []
        found = self._reader.page("channel_emails", ids=spans(ids))
        wanted = set(ids)
        asked = [row for row in found if row[0] in wanted]
        answers = self._answers({row[1] for row in asked if row[6] or row[7]})
        return [report for row in asked for report in self._report(row, answers)]

    def _answers(self, contacts: set[int]) -> dict[tuple[int, int, str], list[int]]:
        """{(campaign, contact, open or click): when each happened for the first and for the last time}."""
        if self._reader is None or not contacts:
            return {}
        answers: dict[tuple[int, int, str], list[int]] = {}
        for campaign, contact, type_, *ends in self._reader.page("channel_answers", ids=sorted(contacts)):
            moments = [dates.from_local(end, self._zone) for end in ends]
            answers.setdefault((campaign, contact, type_), []).extend(at for at in moments if at is not None)
        return answers

    def _report(self, row: list[Any], answers: dict[tuple[int, int, str], list[int]]) -> list[Report]:
        id_, contact, campaign, status, scheduled, updated, opened, clicked, standing, changed = row
        now = int(clock.now().timestamp())
        sent, seen = dates.from_local(scheduled, self._zone), dates.from_local(updated, self._zone)
        ref = str(id_)
        if status == "cancelled":
            return [Report(ref=ref, state="failed", at=seen or now, reason="FluentCRM cancelled it")]
        if status == "failed":
            return [Report(ref=ref, state="failed", at=seen or now, reason="the mail server refused it")]
        if status != "sent":
            return []
        # Once it is sent, scheduled_at is when.
        found = [Report(ref=ref, state="sent", at=sent or now)]
        for state, type_, on in (("opened", "open", opened or clicked), ("clicked", "click", clicked)):
            if on:
                # Who clicks as soon as it was sent is a program that tries links before it lets the mail through.
                first = (sent or 0) + (ROBOT_SECONDS if state == "clicked" else 0)
                known = answers.get((campaign, contact, type_), [])
                at = min((at for at in known if at >= first), default=seen or now)
                if at < first or (state == "clicked" and known and max(known) < first):
                    continue
                found.append(Report(ref=ref, state="opened" if state == "opened" else "clicked", at=at))
        left = dates.from_local(changed, self._zone)
        if standing == "bounced" and sent is not None and left is not None and sent <= left <= sent + _BOUNCE_SECONDS:
            found.append(Report(ref=ref, state="bounced", at=left))
        return found


def _item(message: Outgoing) -> dict[str, Any]:
    return {
        "key": message.key, "contact_id": message.contact_id, "container": message.container, "title": message.title,
        "subject": message.subject, "preheader": message.preheader, "html": message.html, "purpose": message.purpose,
    }  # fmt: skip


def _parts(batch: Sequence[Outgoing]) -> list[Sequence[Outgoing]]:
    """The batch in pieces that one call takes."""
    parts: list[Sequence[Outgoing]] = []
    piece: list[Outgoing] = []
    size = 0
    for message in batch:
        weight = len(msgspec.json.encode(_item(message))) + 1
        if piece and (len(piece) == MOST_ITEMS or size + weight > MOST_BYTES):
            parts.append(piece)
            piece, size = [], 0
        piece.append(message)
        size += weight
    return [*parts, piece] if piece else parts


def _answers(part: Sequence[Outgoing], outcomes: Sequence[Queued]) -> list[Handed]:
    known = {one.key: one for one in outcomes}
    return [handed(message.key, known.get(message.key)) for message in part]


def handed(key: str, outcome: Queued | None) -> Handed:
    """What the plugin says of one key; nothing is "again"."""
    if outcome is None:
        return Handed(key=key, state="again", reason="the plugin had no time for it")
    if outcome.state in ("queued", "known"):
        return Handed(key=key, state="queued", ref=str(outcome.email_id or ""))
    return Handed(key=key, state="refused" if outcome.state == "refused" else "again", reason=outcome.reason[:100])
