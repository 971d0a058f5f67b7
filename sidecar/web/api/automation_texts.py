"""`/api/v1/automation-texts`: the files of the automations: tried, looked at as messages, saved, and back to the ready-made ones."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sidecar.automations.messages.model import Rendered
from sidecar.edited_file import RulesText
from sidecar.errors import AutomationError, Problem
from sidecar.web.context import desk
from sidecar.web.routes import MOST_ID, Noun

noun = Noun("automation-texts")

Name = Annotated[str, Meta(max_length=60)]
# As automations.file.MAX_BYTES: what reads files is loaded when one is read.
Text = Annotated[str, Meta(max_length=262_144)]


class Check(msgspec.Struct, forbid_unknown_fields=True):
    """A text as the automation of that name."""

    name: Name
    text: Text


class Save(msgspec.Struct, forbid_unknown_fields=True):
    """The same, and the digest of the text that was edited; '' for a new automation."""

    name: Name
    text: Text
    base: Annotated[str, Meta(max_length=64)]


class Copy(msgspec.Struct, forbid_unknown_fields=True):
    """A new automation that begins as `source` is written; `title` '' keeps that one's."""

    source: Name
    name: Name
    title: Annotated[str, Meta(max_length=200)] = ""


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """Which automation."""

    name: Name


class Look(msgspec.Struct, forbid_unknown_fields=True):
    """A message of a text (of the one in force without) in a language, with an example's data or a contact's."""

    name: Name
    step: Name
    language: Annotated[str, Meta(max_length=6)] = "en"
    text: Text | None = None
    contact: Annotated[int, Meta(ge=1, le=MOST_ID)] | None = None


class Checked(msgspec.Struct, kw_only=True):
    """Whether it is in order, or every problem with its line."""

    ok: bool
    problems: list[Problem]


@noun.get_("/<name>", may="mapping", answers=RulesText)
def automation_text(name: str) -> RulesText:
    """How an automation is written. `file` is empty while the ready-made one is in force. 404 when there is none."""
    return desk().library.text(name)


@noun.post_("/check", may="mapping", body=Check, answers=Checked)
def check(body: Check) -> Checked:
    """Everything that is wrong with a text. Nothing is saved."""
    try:
        desk().library.check(body.name, body.text)
    except AutomationError as error:
        return Checked(ok=False, problems=error.shown())
    return Checked(ok=True, problems=[])


@noun.post_("/preview", may="mapping", body=Look, answers=Rendered)
def preview(body: Look) -> Rendered:
    """A message as somebody would get it now; `problems` has what would refuse it. Nothing is sent. 404 when there is no such
    message or contact, 422 when the text is not in order."""
    at = desk()
    automation = at.get(body.name) if body.text is None else at.library.check(body.name, body.text)
    return at.preview(automation, body.step, body.language, body.contact)


@noun.post_("/save", may="mapping", body=Save, answers=RulesText)
def save(body: Save) -> RulesText:
    """Put a text in force, keeping a backup. 422 when it is not in order, 409 when it was changed meanwhile."""
    return desk().save(body.name, body.text, body.base)


@noun.post_("/copy", may="mapping", body=Copy, answers=RulesText)
def copy(body: Copy) -> RulesText:
    """Make a new automation, off, out of another one. 404 when that is not there, 409 when the name is taken."""
    return desk().copy(body.source, body.name, body.title)


@noun.post_("/remove", may="mapping", body=Reset, answers=bool)
def remove(body: Reset) -> bool:
    """Take an automation of the owner's away, keeping a backup. 404 when there is none, 409 for one that is ready-made, on, or
    started by another."""
    desk().remove(body.name)
    return True


@noun.post_("/reset", may="mapping", body=Reset, answers=RulesText)
def reset(body: Reset) -> RulesText:
    """Back to the ready-made automation; the owner's file is kept as a backup. 404 when none is ready-made."""
    return desk().reset(body.name)
