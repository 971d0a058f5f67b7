"""Contacts as FluentCRM has them, as they should be, and the difference."""

from __future__ import annotations

import msgspec

from sidecar.crm.written import digest

# Never moved upwards by an import (design §4); `pending` waits for its own double opt-in.
STATUSES = ("subscribed", "pending", "unsubscribed", "transactional", "bounced", "complained", "spammed")
NEW_STATUS = "transactional"
TAG = "FluentCrm\\App\\Models\\Tag"
LIST = "FluentCrm\\App\\Models\\Lists"


class FieldValue(msgspec.Struct, frozen=True, array_like=True):
    """One custom field row. `updated` is wall-clock text in the shop's time zone."""

    row_id: int
    value: str
    updated: str = ""


class Contact(msgspec.Struct, kw_only=True):
    """A contact as read. `columns` holds the mapped columns as text ('' for NULL); `tags` and `lists` are ids."""

    id: int
    email: str
    user_id: int
    status: str
    updated: str
    columns: dict[str, str]
    fields: dict[str, FieldValue] = {}
    tags: set[int] = set()
    lists: set[int] = set()


class Wanted(msgspec.Struct, kw_only=True):
    """What the rules say of a person: {target: value or None when the shop has none}, {slug: title} of tags and
    lists, (target, reason) for values that could not be used (those targets are left alone), and the single values
    of fields that hold several."""

    columns: dict[str, str | None]
    fields: dict[str, str | None]
    tags: dict[str, str] = {}
    lists: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    choices: dict[str, tuple[str, ...]] = {}


class Patch(msgspec.Struct, kw_only=True):
    """What to change of one existing contact. Values are (old, new); '' is empty (NULL or no row)."""

    contact_id: int
    columns: dict[str, tuple[str, str]] = {}
    fields: dict[str, tuple[FieldValue | None, str]] = {}
    tags_add: list[int] = []
    tags_remove: list[int] = []
    lists_add: list[int] = []
    lists_remove: list[int] = []

    def __bool__(self) -> bool:
        return bool(
            self.columns or self.fields or self.tags_add or self.tags_remove or self.lists_add or self.lists_remove
        )

    @property
    def changes(self) -> int:
        """How many single values it touches."""
        return (
            len(self.columns)
            + len(self.fields)
            + len(self.tags_add)
            + len(self.tags_remove)
            + len(self.lists_add)
            + len(self.lists_remove)
        )


class UndoOld(msgspec.Struct, frozen=True, array_like=True):
    """A replaced value and the digest of what replaced it (0: it was emptied)."""

    value: str
    new: int

    @classmethod
    def of(cls, old: str, new: str) -> UndoOld:
        return cls(old, digest(new) if new else 0)


class UndoDetail(msgspec.Struct, omit_defaults=True):
    """An undo row of a changed contact: columns, fields, tags and lists added and removed, address moved."""

    c: dict[str, UndoOld] = {}
    f: dict[str, UndoOld] = {}
    ta: list[int] = []
    tr: list[int] = []
    la: list[int] = []
    lr: list[int] = []
    moved: tuple[str, str] | None = None
