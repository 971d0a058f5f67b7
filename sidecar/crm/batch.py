"""What is written to FluentCRM together, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from sidecar.crm.model import Patch


class NewContact(msgspec.Struct, kw_only=True):
    """A contact to insert. `person` is the caller's handle; `status` is written as given, never a default;
    `written` is what undo compares the contact with (`written.pack`)."""

    person: int
    email: str
    status: str
    created: str
    columns: dict[str, str]
    fields: dict[str, str]
    tags: Sequence[int]
    lists: Sequence[int]
    written: bytes


class Change(msgspec.Struct, kw_only=True):
    """A patch for an existing contact; `move_to` is a new e-mail address of the same person."""

    person: int
    patch: Patch
    move_to: str = ""
    email: str = ""


class Outcome(msgspec.Struct, kw_only=True):
    """What became of one person's write: done with the contact's id, `raced` (look again), or refused and why."""

    person: int
    state: Literal["done", "raced", "refused"]
    contact_id: int = 0
    reason: str = ""


class Batch(msgspec.Struct, kw_only=True):
    """What is written together. `undo`: whether undo rows are kept of changes (not of what follows from other data)."""

    undo: bool = True
    new: list[NewContact] = []
    changes: list[Change] = []
    erase: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.new) + len(self.changes) + len(self.erase)

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches with half of the rows each."""
        middle = len(self) // 2
        first = Batch(undo=self.undo, new=self.new[:middle])
        left = middle - len(first.new)
        first.changes = self.changes[:left]
        left -= len(first.changes)
        first.erase = self.erase[:left]
        rest = Batch(
            undo=self.undo,
            new=self.new[len(first.new) :],
            changes=self.changes[len(first.changes) :],
            erase=self.erase[len(first.erase) :],
        )
        return first, rest
