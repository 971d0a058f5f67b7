"""`sidecar segments`: who is in which group, why, and what a rule would find."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import tzinfo

import click
import msgspec

from sidecar import runtime
from sidecar.cli.context import Context, pass_run
from sidecar.cli.segments_export import export
from sidecar.errors import MappingError, Problem, SegmentError
from sidecar.segments import file as rules
from sidecar.segments import model, words
from sidecar.segments.catalogue import CONTACT_COLUMNS, COUNTED, FIELDS, OPERATORS, VALUE
from sidecar.segments.dwell import Stay
from sidecar.segments.evaluate import Finding
from sidecar.segments.groups import clashes
from sidecar.segments.people import Sample
from sidecar.segments.rules import in_force
from sidecar.segments.traits import SEPARATOR, members
from sidecar.segments.view import Sheet
from sidecar.values import dates, money


@click.group()
def segments() -> None:
    """Groups that rule themselves: see, try, explain, refresh and export them."""


segments.add_command(export)


@segments.command("list")
@pass_run
def list_(run: Context) -> None:
    """Every segment with its size as of the last refresh."""
    with runtime.build(run.config) as shop:
        book = shop.segments
        found, sizes, looked, file = book.segments, book.sizes(), book.looked(), book.file
    rows = [{"slug": one.slug, "name": one.name, "about": one.about, "group": one.group.slug if one.group else None, "size": sizes.get(one.slug, 0)} for one in found]  # fmt: skip
    run.output.result({"segments": rows, "refreshed": looked, "file": file})
    run.output.table([(row["slug"], row["size"], row["about"]) for row in rows], ["segment", "people", "who"])
    if looked is None:
        run.output.say("\nNobody was looked at yet: `sidecar segments refresh`.")


@segments.command()
@click.option("--full", is_flag=True, help="Look at everybody, not only at who changed or is due.")
@click.option("--no-tags", is_flag=True, help="Leave the tags in FluentCRM to the next refresh.")
@pass_run
def refresh(run: Context, full: bool, no_tags: bool) -> None:
    """Bring memberships and their tags in FluentCRM up to date and say who came and went. The running service does this
    by itself. Quiet: starts no automation, writes nothing to the shop."""
    with runtime.build(run.config) as shop:
        looked = shop.refresh_segments(full=full, tagged=not no_tags)
    changes = looked.changes
    run.output.result({"changes": changes, "contacts": looked.contacts, "fault": looked.fault})
    run.output.table(
        [(change.slug, change.size, change.entered, change.left) for change in changes],
        ["segment", "people", "came", "went"],
    )
    if not changes:
        run.output.say("Nothing changed.")
    if looked.contacts:
        run.output.say(f"\nTags of {looked.contacts} contacts were brought up to date.")
    if looked.fault:
        run.output.say(f"\nNot all could be done: {looked.fault}")


@segments.command()
@click.argument("slug")
@pass_run
def show(run: Context, slug: str) -> None:
    """One segment: its rule, its people in figures, what it overlaps with, how its size went."""
    with runtime.build(run.config) as shop:
        book = shop.segments
        segment, zone = book.segment(slug), book.zone
        sheet, history = book.sheet(segment.rule), book.history(slug)
        people = book.samples(sheet.contacts)
    run.output.result({"segment": segment, "sheet": sheet, "people": people, "history": history})
    run.output.say(f"{segment.name}: {segment.about}")
    run.output.say()
    for depth, rule in _nested(segment.rule, 0):
        run.output.say(f"  {'  ' * depth}{words.condition(rule, zone)}")
    run.output.say()
    _sheet(run, sheet, people)
    if history:
        run.output.say()
        run.output.table(history[-10:], ["day", "people"])


@segments.command()
@click.argument("slug", required=False)
@click.option("--of", "email", default="", metavar="EMAIL", help="One person's way through the group SLUG.")
@pass_run
def groups(run: Context, slug: str | None, email: str) -> None:
    """Segments that exclude one another, as the stages of the journey: who is where, and for how long."""
    with runtime.build(run.config) as shop:
        book = shop.segments
        if email:
            _stays(run, book.stays(slug or "journey", email), book.zone)
            return
        known = [group for group in book.groups() if slug in (None, group.slug)]
        if slug is not None:
            book.group(slug)
        stages = {group.slug: book.dwell(group.slug) for group in known}
    run.output.result({"groups": [{"group": group, "stages": stages[group.slug]} for group in known]})
    head = ["segment", "people", "share", "days (median)", "so far (median)"]
    for number, group in enumerate(known):
        if number:
            run.output.say()
        run.output.say(f"{group.name}: {group.about}")
        run.output.table(
            [
                (
                    one.name,
                    one.people,
                    f"{one.share * 100:.1f} %",
                    _days(one.finished.median),
                    _days(one.lasting.median),
                )
                for one in stages[group.slug]
            ],
            head,
        )


def _stays(run: Context, stays: list[Stay], zone: tzinfo) -> None:
    run.output.result({"stays": stays})
    rows = [
        (one.name, dates.local_text(one.since, zone), "still" if one.until is None else dates.local_text(one.until, zone), _days(one.days))
        for one in stays
    ]  # fmt: skip
    run.output.table(rows, ["segment", "since", "until", "days"])
    if not stays:
        run.output.say("In none of them so far.")


def _days(days: float | None) -> str:
    return "-" if days is None else f"{days:.1f}"


@segments.command()
@click.argument("rule")
@pass_run
def preview(run: Context, rule: str) -> None:
    """What a rule would find, before it is anywhere.

    \b
      sidecar segments preview '{ field = "orders_count", at_least = 3 }'
    """
    with runtime.build(run.config) as shop:
        book = shop.segments
        sheet = book.preview(rule)
        people = book.samples(sheet.contacts)
    run.output.result({"sheet": sheet, "people": people})
    _sheet(run, sheet, people)


def _sheet(run: Context, sheet: Sheet, people: list[Sample]) -> None:
    rows = [
        ("people", f"{sheet.size} of {sheet.people} contacts ({sheet.share * 100:.1f} %)"),
        ("lifetime value, average", money.fixed(sheet.ltv)),
        ("order value, average", "-" if sheet.aov is None else money.fixed(sheet.aov)),
        ("some of them", ", ".join(map(str, people)) or "-"),
    ]
    rows += [(f"also in {one.slug}", str(one.both)) for one in sheet.overlaps[:8] if one.both]
    run.output.table(rows)


@segments.command()
@click.argument("email")
@click.option("--segment", "slug", default="", metavar="SLUG", help="Only this one.")
@pass_run
def explain(run: Context, email: str, slug: str) -> None:
    """Why a person is in each segment or not, value by value."""
    with runtime.build(run.config) as shop:
        book = shop.segments
        if slug:
            book.segment(slug)
        found = [one for one in book.of(email) if slug in ("", one.slug)]
        zone = book.zone
    run.output.result({"segments": [{**msgspec.structs.asdict(one), "finding": _told(one.finding)} for one in found]})
    for one in found:
        since = f" since {dates.local_text(one.since, zone)}" if one.since is not None else ""
        run.output.raw(f"{'in ' if one.holds else 'out'}  {one.slug}{since if one.holds else ''}")
        for depth, finding in _lines(one.finding, 1):
            mark = "yes" if finding.holds else "no "
            text = words.condition(finding.rule, zone)
            value = "" if finding.of else f"  ({words.value(finding.rule, finding.value, zone)})"
            run.output.say(f"     {'  ' * depth}{mark} {text}{value}")


def _lines(finding: Finding, depth: int) -> list[tuple[int, Finding]]:
    found = [(depth, finding)]
    for below in finding.of:
        found += _lines(below, depth + 1)
    return found


def _nested(rule: model.Condition, depth: int) -> list[tuple[int, model.Condition]]:
    found = [(depth, rule)]
    for below in rule.of if isinstance(rule, model.Group) else ():
        found += _nested(below, depth + 1)
    return found


def _told(finding: Finding) -> dict[str, object]:
    """A finding for programs: a set is a list there."""
    value = finding.value
    return {
        "rule": finding.rule,
        "holds": finding.holds,
        "value": members(value) if isinstance(value, str) and SEPARATOR in value else value,
        "of": [_told(below) for below in finding.of],
    }


@segments.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@pass_run
def check(run: Context, file: str | None) -> None:
    """Say everything that is wrong with the segments, with lines; exit 3 when something is. Needs no database."""
    name = file or in_force(run.config)
    found = rules.load(name or None, dates.site_zone(None, None))
    with runtime.build(run.config) as shop:
        taken: Collection[str] = ()
        with suppress(MappingError):  # `sidecar mapping check` tells that
            taken = shop.mapping.custom
    if problems := [Problem(name, None, "group", one) for one in clashes(found, taken)]:
        raise SegmentError(f"{name or 'the built-in segments'}: fields have two writers", problems)
    run.output.result({"file": name, "segments": len(found)})
    run.output.say(f"{name or 'the built-in segments'}: {len(found)} segments, no problem.")


@segments.command()
@pass_run
def fields(run: Context) -> None:
    """What rules can ask about a person."""
    found = [{"field": one.name, "kind": one.kind, "about": one.about, "operators": sorted(OPERATORS[one.kind])} for one in FIELDS.values()]  # fmt: skip
    contact = [VALUE + name for name in CONTACT_COLUMNS]
    run.output.result(
        {"fields": found, "contact": contact, "counted": {what: sorted(by) for what, by in COUNTED.items()}}
    )
    run.output.table([(one.name, one.kind, one.about) for one in FIELDS.values()], ["field", "kind", "what it is"])
    run.output.say(f"\nOf the contact in FluentCRM: {', '.join(contact)}, and {VALUE}SLUG of any custom field.")
    run.output.say("To be counted: " + ", ".join(COUNTED))
