"""What FluentCRM has against what it should have → what to write. Pure.

The policies of one target, with `ours` = "FluentCRM still has what the sidecar last wrote":

  shop        write when different
  crm         write when empty and never written, or when ours: an edit by a person stays, and so does a
              value that a person cleared
  fill_empty  write when empty
  newest      write when ours, else when the shop's value is later than the contact's

A missing source (None) changes nothing unless the rule says `blank`, and then only what `shop` may overwrite
or what is ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from sidecar.crm.model import Contact, Patch, Wanted
from sidecar.crm.written import Written, digest
from sidecar.crm.written import name as key

# What WordPress, which is not strict, makes of an empty day.
_NO_DAY = "0000-00-00"
Conflict = Literal["shop", "crm", "fill_empty", "newest"]
Policies = Mapping[str, tuple[Conflict, bool]]


class Terms(msgspec.Struct, frozen=True):
    """Tags or lists of one person: ids wanted now, and all ids that the sidecar made itself."""

    wanted: Collection[int]
    owned: Collection[int]


def should_write(
    current: str, wanted: str | None, written: int | None, policy: Conflict, blank: bool, shop_newer: bool
) -> bool:
    """Whether one value is to be written, by the table above."""
    if wanted is None:
        return blank and bool(current) and (policy == "shop" or written == digest(current))
    if current == wanted:
        return False
    if policy == "shop":
        return True
    if policy == "fill_empty":
        return not current
    if not current:
        return written is None or (policy == "newest" and shop_newer)
    if written == digest(current):
        return True
    return policy == "newest" and shop_newer


def diff(
    contact: Contact,
    wanted: Wanted,
    written: Written,
    policies: Policies,
    tags: Terms,
    lists: Terms,
    shop_changed: str = "",
) -> Patch:
    """The patch for one existing contact. `shop_changed`: when the shop's data last changed, as wall-clock text
    in the shop's time zone ('' when it is not known: then `newest` leaves edits alone)."""
    patch = Patch(contact_id=contact.id)
    newer = bool(shop_changed) and shop_changed > contact.updated
    for name, value in wanted.columns.items():
        current = contact.columns.get(name, "")
        if current == value:
            continue
        policy, blank = policies[name]
        if should_write("" if current == _NO_DAY else current, value, written.c.get(key(name)), policy, blank, newer):
            patch.columns[name] = (current, value or "")
    for slug, value in wanted.fields.items():
        row = contact.fields.get(slug)
        current = row.value if row is not None else ""
        if current == value or (value is None and not current):
            continue
        policy, blank = policies[slug]
        later = bool(shop_changed) and row is not None and shop_changed > row.updated
        if should_write(current, value, written.f.get(key(slug)), policy, blank, later):
            patch.fields[slug] = (row, value or "")
    patch.tags_add, patch.tags_remove = _terms(contact.tags, tags, written.t)
    patch.lists_add, patch.lists_remove = _terms(contact.lists, lists, written.l)
    return patch


def _terms(has: set[int], terms: Terms, attached: list[int]) -> tuple[list[int], list[int]]:
    """What to attach and detach. Detached is only what the sidecar attached, or a term that it made."""
    wanted = terms.wanted
    add = [id_ for id_ in wanted if id_ not in has]
    remove = [id_ for id_ in has if id_ not in wanted and (id_ in terms.owned or id_ in attached)]
    return add, sorted(remove)


def written_after(
    contact: Contact | None, patch: Patch | None, wanted: Wanted, written: Written, tags: Terms, lists: Terms
) -> Written:
    """What to remember: every value that now is as the rules want it, and what we wrote before and did not touch.

    A value that a person changed and the policy left alone keeps its old digest, so it stays recognised as theirs.
    """
    columns, fields = dict(written.c), dict(written.f)
    for name, value in wanted.columns.items():
        if contact is None or (patch and name in patch.columns) or contact.columns.get(name, "") == (value or ""):
            if value:
                columns[key(name)] = digest(value)
            elif contact is None or (patch and name in patch.columns):
                columns.pop(key(name), None)
    for slug, value in wanted.fields.items():
        row = contact.fields.get(slug) if contact else None
        if contact is None or (patch and slug in patch.fields) or (row is not None and row.value == value):
            if value:
                fields[key(slug)] = digest(value)
            else:
                fields.pop(key(slug), None)
    return Written(c=columns, f=fields, t=sorted(tags.wanted), l=sorted(lists.wanted))
