"""Every target of the rules for one person, with what a sync would do and why, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import pymysql

from sidecar.crm.diff import Conflict, should_write
from sidecar.crm.model import Contact
from sidecar.crm.written import Written, digest
from sidecar.crm.written import name as key
from sidecar.mapping import apply, compiled
from sidecar.mapping.compiled import CompiledField
from sidecar.mapping.rules import Step
from sidecar.mapping.sources import Person
from sidecar.mysql.connection import Reader

CHANGES = ("write", "empty", "add", "remove")
LEFT_OUT = {
    "no_role_here": "the account has no role on this site",
    "staff": "the account is staff and never bought",
    "excluded_role": "the account has a role that [people] exclude_roles names",
    "gone": "neither an account nor an order leads to the address any more",
    "anonymised": "the personal data was erased",
    "bad_email": "the address is none that WordPress and FluentCRM can use",
    "erased": "the shop erased the person: the contact would be deleted",
    "erased_in_shop_but_not_our_contact": "the shop erased the person, but somebody else made the contact",
    "suppressed": "the person was erased on request",
    "deleted": "somebody deleted the contact in FluentCRM, and nothing has changed in the shop since",
    "inactive": "there was nothing in the months that --since asks for",
}


class Target(msgspec.Struct, kw_only=True):
    """One rule for one person. `sources` are (name, raw value); `shop` is the value after the transforms, `crm` what
    FluentCRM has. `last` says what became of what the sidecar last wrote; `action` is write, empty or nothing."""

    target: str
    sources: list[tuple[str, str]]
    transforms: list[str]
    shop: str
    crm: str
    policy: str
    last: str
    action: str
    why: str
    problem: str


class TermWord(msgspec.Struct, kw_only=True):
    """One tag or list: `action` is add, remove or nothing."""

    slug: str
    title: str
    wanted: bool
    has: bool
    action: str
    why: str


def targets(
    person: Person, mapping: compiled.Mapping, contact: Contact | None, written: Written, shop_changed: str
) -> list[Target]:
    """Every field rule explained. `shop_changed` is wall-clock text in the shop's time zone, '' when not known."""
    steps = apply.explain(person, mapping)
    return [
        _target(field, step, contact, written, shop_changed) for field, step in zip(mapping.fields, steps, strict=True)
    ]


def _target(field: CompiledField, step: apply.Step, contact: Contact | None, written: Written, changed: str) -> Target:
    rule = field.rule
    row = contact.fields.get(field.slug) if contact and field.slug else None
    current = (row.value if row else "") if field.slug else (contact.columns.get(field.column, "") if contact else "")
    last = written.f.get(key(field.slug)) if field.slug else written.c.get(key(field.column))
    stamp = (row.updated if row else "") if field.slug else (contact.updated if contact else "")
    newer = bool(changed) and bool(stamp) and changed > stamp
    if step.problem:
        action, why = "nothing", f"the value cannot be used ({step.problem}): what FluentCRM has is left alone"
    elif contact is None:
        action, why = ("write", "the contact will be made") if step.value else ("nothing", "the shop has no value")
    else:
        does = should_write(current, step.value, last, rule.conflict, rule.blank, newer)
        action = ("write" if step.value else "empty") if does else "nothing"
        why = _why(current, step.value, last, rule.conflict, rule.blank, newer, does)
    return Target(
        target=field.target if field.column else f"custom:{field.slug}",
        sources=[(name, _text(value)) for name, value in step.sources],
        transforms=[one if isinstance(one, str) else _step(one) for one in rule.transform],
        shop=readable(step.value or "", field.multi),
        crm=readable(current, field.multi),
        policy=rule.conflict + (" (blank)" if rule.blank else ""),
        last=_last(current, last),
        action=action,
        why=why,
        problem=step.problem,
    )


def _why(
    current: str, wanted: str | None, last: int | None, policy: Conflict, blank: bool, newer: bool, does: bool
) -> str:
    """The table of `crm.diff.should_write`, in words."""
    ours = last is not None and last == digest(current)
    if wanted is None:
        if not current:
            return "the shop has no value and FluentCRM neither"
        if does:
            return "the shop has no value any more and the rule says blank"
        return "the shop has no value; what FluentCRM has stays" + (": it is not ours" if blank else "")
    if current == wanted:
        return "FluentCRM has it already"
    if policy == "shop":
        return "it differs, and the shop's value wins"
    if policy == "fill_empty":
        return "the place is empty" if does else "the place is filled, and the rule fills empty ones only"
    if not current:
        if does:
            return "the place is empty" if last is None else "somebody cleared it, but the shop's change is later"
        return "somebody cleared it in FluentCRM, and the rule respects that"
    if ours:
        return "the shop's value changed since the sidecar wrote it"
    if does:
        return "the shop's change is later than FluentCRM's"
    if policy == "newest":
        return "somebody changed it in FluentCRM later than the shop" if not newer else ""
    return "somebody entered another value in FluentCRM, and the rule respects that"


def _last(current: str, last: int | None) -> str:
    if last is None:
        return "never written by the sidecar"
    if last == digest(current):
        return "as the sidecar wrote it"
    return "changed by somebody since" if current else "cleared by somebody since"


def readable(value: str, multi: bool) -> str:
    """A field's value for people: several values with commas between them."""
    if not (multi and value):
        return value
    return ", ".join(apply.items_of(value)) or value


def _text(value: str | list[str] | None) -> str:
    return "" if value is None else value if isinstance(value, str) else ", ".join(value)


def _step(step: Step) -> str:
    given = ((name, getattr(step, name)) for name in Step.__struct_fields__)
    return "{ " + ", ".join(f"{name} = {value!r}" for name, value in given if value is not None) + " }"


def terms(
    reader: Reader, kind: str, wanted: Mapping[str, str], has: Collection[int], attached: Collection[int]
) -> list[TermWord]:
    """Tags or lists (`kind` tag or list): what the rules give, and what the contact has of them."""
    ids: dict[str, int] = {}
    titles: dict[int, tuple[str, str]] = {}
    for id_, title, slug in sorted(reader.page(f"terms_{kind}s")):
        ids.setdefault(slug, id_)
        titles[id_] = (slug, title)
    owned = owned_ids(reader, kind)
    found = []
    for slug, title in wanted.items():
        there = ids.get(slug) in has
        action = "nothing" if there else "add"
        why = (
            "the contact has it" if there else "a rule gives it" + ("" if slug in ids else f"; the {kind} will be made")
        )
        found.append(TermWord(slug=slug, title=title, wanted=True, has=there, action=action, why=why))
    for id_ in sorted(has):
        slug, title = titles.get(id_, (str(id_), ""))
        if slug in wanted:
            continue
        ours = id_ in owned or id_ in attached
        why = "no rule gives it any more, and the sidecar gave it" if ours else "somebody else gave it: it stays"
        found.append(
            TermWord(slug=slug, title=title, wanted=False, has=True, action="remove" if ours else "nothing", why=why)
        )
    return found


def owned_ids(reader: Reader, kind: str) -> set[int]:
    """Tags or lists that the sidecar made; none before its first run, when its table is not there yet."""
    try:
        return {int(row[1]) for row in reader.rows("owned_all") if row[0] == kind}
    except pymysql.err.ProgrammingError:
        return set()
