"""Contacts as rules see them, read from FluentCRM page by page. Read only; every query goes by an index on the contact."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import tzinfo

import msgspec

from sidecar.crm.model import LIST, TAG
from sidecar.insights import engagement
from sidecar.mysql.connection import Reader
from sidecar.mysql.queries import get
from sidecar.mysql.sqltext import spans
from sidecar.segments.asked import Asked
from sidecar.segments.catalogue import VALUE
from sidecar.segments.evaluate import Held
from sidecar.segments.traits import fold, joined
from sidecar.values import dates, php

_COLUMNS = get("segments_contacts").columns[2:]
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,10})?")
_LONGEST = 500  # characters of a value; what is longer is no choice, number or date
# What rules can compare: no clock of a shop is further away.
_EARLIEST, _LATEST = -2_208_988_800, 7_258_118_400  # 1900 and 2200
_CHANGED = 5000
# How far back to look again: an hour that the shop's clock shows twice, and transactions that were open.
_OVERLAP = 4500


class Mails(msgspec.Struct, frozen=True, array_like=True):
    """How a contact answers to e-mails; moments in Unix seconds."""

    sent: int = 0
    opened: int = 0
    clicked: int = 0
    first_sent: int | None = None
    last_sent: int | None = None
    last_open: int | None = None
    last_click: int | None = None
    engagement: float | None = None


class Cursor(msgspec.Struct, frozen=True):
    """Up to where answers to e-mails were seen: the wall clock of the shop, and an id of `fc_campaign_url_metrics`."""

    at: str = ""
    metric: int = 0


class Pages:
    """Reads for one set of rules."""

    def __init__(self, reader: Reader, asked: Asked, zone: tzinfo) -> None:
        self._reader = reader
        self._asked = asked
        self._zone = zone
        # Neither slug nor title is unique in FluentCRM: any tag of that slug counts.
        self._terms = [
            (type_, {id_: f"{kind}:{fold(slug)}" for id_, _, slug in reader.page(f"terms_{kind}s") if slug and fold(slug) in slugs})
            for kind, type_, slugs in (("tag", TAG, asked.tags), ("list", LIST, asked.lists)) if slugs
        ]  # fmt: skip

    @property
    def terms(self) -> set[str]:
        """The tags and lists that there are of those asked for, as names of values."""
        return {name for _, names in self._terms for name in names.values()}

    def contacts(self, ids: Collection[int]) -> dict[int, tuple[str, dict[str, Held]]]:
        """{id: (status, values by name)} of those that there are."""
        near = spans(ids)
        found: dict[int, tuple[str, dict[str, Held]]] = {}
        columns = self._asked.columns
        for id_, status, *cells in self._reader.page("segments_contacts" if columns else "segments_statuses", ids=near):
            known = dict(zip(_COLUMNS, cells, strict=True)) if columns else {}
            values = {VALUE + name: held(known[name] or "", self._zone) for name in columns}
            found[id_] = (fold(status or ""), {name: value for name, value in values.items() if value is not None})
        for type_, names in self._terms:
            if names:
                rows = self._reader.page("segments_terms", ids=near, objects=sorted(names), type=type_)
                for id_, object_ in rows:
                    if id_ in found:
                        found[id_][1][names[object_]] = Held()
        if slugs := self._asked.slugs:
            rows = self._reader.page("segments_fields", ids=near, slugs=slugs)
            for _, id_, slug, value in sorted(rows, reverse=True, key=lambda row: row[0]):
                name = VALUE + slug
                if id_ in found and name in self._asked.values:
                    read = held(value or "", self._zone)
                    found[id_][1].pop(name, None)
                    if read is not None:
                        found[id_][1][name] = read
        wanted = set(ids)
        return {id_: contact for id_, contact in found.items() if id_ in wanted}

    def mails(self, ids: Collection[int]) -> dict[int, Mails]:
        """How these contacts answer to e-mails; all of them."""
        if not ids:
            return {}
        ordered = sorted(ids)
        answers = {row[0]: row[1:] for row in self._reader.page("segments_metrics", ids=ordered)}
        found = dict.fromkeys(ordered, Mails())
        for id_, sent, opened, clicked, first, last, opened_at, clicked_at, newest in self._reader.page(
            "segments_mails", ids=ordered
        ):
            opens, clicks = answers.get(id_, (None, None))
            last_click = self._latest(clicked_at, clicks)
            # A click is an open, too: images may be switched off.
            found[id_] = Mails(
                sent, opened, clicked, self._latest(first), self._latest(last),
                self._latest(opened_at, opens, clicked_at, clicks), last_click, engagement.score(newest),
            )  # fmt: skip
        return found

    def _latest(self, *texts: str | None) -> int | None:
        return max((at for text in texts if (at := dates.from_local(text, self._zone)) is not None), default=None)

    def cursor(self, now: int) -> Cursor:
        """Where answers end now. A clock that was wrong once must not keep it ahead."""
        at, metric = self._reader.rows("segments_mails_last")[0]
        return Cursor(min(str(at or ""), dates.local_text(now, self._zone)), int(metric))

    def changed(self, since: Cursor) -> set[int]:
        """Contacts to whom something was sent, or who opened or clicked, since then."""
        found: set[int] = set()
        after = since.metric
        while rows := self._reader.page("segments_metrics_changed", after=after, limit=_CHANGED):
            found.update(row[1] for row in rows)
            after = max(row[0] for row in rows)
            if len(rows) < _CHANGED:
                break
        begin = dates.utc(since.at)
        at, after = "1971-01-01 00:00:00" if begin is None else dates.local_text(begin - _OVERLAP, _UTC), 0
        while rows := self._reader.page("segments_mails_changed", at=at, after=after, limit=_CHANGED):
            found.update(row[1] for row in rows)
            at, after = max((row[2], row[0]) for row in rows)
            if len(rows) < _CHANGED:
                break
        return found


_UTC = dates.site_zone(None, None)


def held(text: str, zone: tzinfo) -> Held | None:
    """A value of FluentCRM as rules compare it; None when it is empty. Several choices are a serialized list there."""
    value = php.maybe_unserialize(text)
    if isinstance(value, list | dict):
        choices = value.values() if isinstance(value, dict) else value
        texts = [fold(str(choice)[:_LONGEST]) for choice in choices if isinstance(choice, str | int | float)]
        texts = [choice for choice in texts if choice]
        return Held(texts[0] if len(set(texts)) == 1 else joined(texts)) if texts else None
    plain = text.strip()[:_LONGEST]
    folded = fold(plain)
    if not folded or folded.startswith("0000-00-00"):
        return None
    number = float(plain) if _NUMBER.fullmatch(plain) else None
    return Held(folded, number, _moment(plain, zone))


def _moment(text: str, zone: tzinfo) -> int | None:
    """A day or a time in the shop's zone → Unix seconds."""
    if len(text) not in (10, 16, 19):
        return None
    found = dates.from_local(text + {10: " 00:00:00", 16: ":00", 19: ""}[len(text)], zone)
    return found if found is not None and _EARLIEST <= found <= _LATEST else None
