"""`/api/v1/mapping`: the rules, checked, tried on real people, and saved."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sidecar.errors import Problem
from sidecar.mapping import file as rules_file
from sidecar.mapping.file import MAX_BYTES, RulesText
from sidecar.sync.preview import MOST, Preview
from sidecar.web.context import runtime
from sidecar.web.routes import Noun

noun = Noun("mapping")

Text = Annotated[str, Meta(max_length=MAX_BYTES)]


class Checked(msgspec.Struct, kw_only=True):
    """`ok`, or every problem with its line."""

    ok: bool
    problems: list[Problem]


class Check(msgspec.Struct, forbid_unknown_fields=True):
    """Rules, as TOML."""

    text: Text


class Try(msgspec.Struct, forbid_unknown_fields=True):
    """Rules to try on these contacts, else on `count` people of different kinds. `show`: values in the clear."""

    text: Text
    contacts: Annotated[list[Annotated[int, Meta(ge=1, le=2**53)]], Meta(max_length=MOST)] = []
    count: Annotated[int, Meta(ge=1, le=MOST)] = 5
    show: bool = False


class Save(msgspec.Struct, forbid_unknown_fields=True):
    """Rules, and the digest of those that were edited."""

    text: Text
    base: Annotated[str, Meta(max_length=64)]


@noun.get_("", may="mapping", answers=RulesText)
def mapping() -> RulesText:
    """The rules in force. `file` is empty while the built-in ones are."""
    return runtime().rules.read()


@noun.post_("/check", may="mapping", body=Check, answers=Checked)
def check(body: Check) -> Checked:
    """Everything that is wrong with rules."""
    problems = rules_file.check(body.text)
    return Checked(ok=not problems, problems=problems)


@noun.post_("/preview", may="mapping", body=Try, answers=list[Preview])
def preview(body: Try) -> list[Preview]:
    """What rules would change of real people. Nothing is written. 422 when they are not in order."""
    return runtime().preview(body.text, body.contacts, body.count, show=body.show)


@noun.post_("/save", may="mapping", body=Save, answers=RulesText)
def save(body: Save) -> RulesText:
    """Put rules in force, keeping a backup. 422 when they are not in order, 409 when they were changed meanwhile."""
    return runtime().rules.save(body.text, body.base)
