"""A rule as a condition in SQL over the state database (table `trait`, alias t), for everybody at once.

What only the calendar of the shop can tell is asked of a function (`register`), and only for rows near the border.
"""

from __future__ import annotations

import sqlite3
from datetime import tzinfo
from typing import Any

import msgspec

from sidecar.segments import model
from sidecar.segments.catalogue import ACTS, Field, get
from sidecar.segments.evaluate import Moment
from sidecar.segments.times import days_of_year, longest_run, slack
from sidecar.segments.traits import SEPARATOR, fold
from sidecar.values import dates

Parameters = list[int | float | str]


def register(sql: sqlite3.Connection, zone: tzinfo) -> None:
    """The functions that conditions call: `days_later(moment, days)` and `local_day(moment)` in the shop's zone, NULL of NULL,
    `fold(text)`, and the aggregate `days_in_a_row(local day)`."""

    def days_later(moment: int | None, days: int) -> int | None:
        return None if moment is None else dates.days_later(moment, days, zone)

    def local_day(moment: int | None) -> str | None:
        return None if moment is None else dates.local_day(moment, zone)

    sql.create_function("days_later", 2, days_later, deterministic=True)
    sql.create_function("local_day", 1, local_day, deterministic=True)
    sql.create_function("fold", 1, fold, deterministic=True)
    sql.create_aggregate("days_in_a_row", 1, _Run)


class _Run:
    """The longest run of days of a group."""

    def __init__(self) -> None:
        self._days: set[str] = set()

    def step(self, day: Any) -> None:
        self._days.add(day)

    def finalize(self) -> int:
        return longest_run(self._days)


def column(rule: model.OfField) -> str:
    """Where the value stands that a condition asks for: an expression over `trait`, alias t; NULL where there is none."""
    field = get(rule.field)
    if field.table == "trait":
        return f"t.{field.column}"
    return f"(SELECT {held(rule)} FROM {rows(field)} person_id = t.person_id)"


def buyers(rule: model.Top) -> tuple[str, str]:
    """(the value, FROM and WHERE) of everybody with an order and a value, of whom a rule asks for the top."""
    field, name = get(rule.field), held(rule)
    if field.table == "trait":
        # NULL is not above anything; put so, an index on the field is used where there is one.
        return name, f"FROM trait WHERE orders_count > 0 AND {name} > -1e300"
    bought = f"EXISTS (SELECT 1 FROM trait t WHERE t.person_id = {field.table}.person_id AND t.orders_count > 0)"
    return name, f"FROM {rows(field)} {name} > -1e300 AND {bought}"


def rows(field: Field) -> str:
    """The table that has a field, and what goes before the rest of a WHERE."""
    return (
        f"contact_value WHERE name = {_literal(field.column)} AND" if field.kind == "value" else f"{field.table} WHERE"
    )


def held(rule: model.OfField) -> str:
    """The column of that table which a condition asks for."""
    field = get(rule.field)
    if field.kind != "value":
        return field.column
    if isinstance(rule, model.Number | model.Top):
        return "number"
    return "moment" if isinstance(rule, model.Age | model.Since) else "value"


def reorders(rule: model.Reorder) -> str:
    """The rows that say when something was last ordered again, and what goes before the rest of a WHERE."""
    if rule.what == "product":
        return f"reorder WHERE product {f'= {rule.product}' if rule.product else '> 0'} AND"
    return f"reorder WHERE product = 0 AND{f' category = {_literal(fold(rule.category))} AND' if rule.category else ''}"


def _literal(text: str) -> str:
    """A text in SQL without a quote in it, whatever it is: parameters have an order, and this may stand anywhere."""
    return f"CAST(x'{text.encode().hex()}' AS TEXT)"


def due(column: str, period: model.Period, unit: int = 1) -> str:
    """When the moment in a column will be `period` ago, as `times.due`. `unit`: how many of the column make a second."""
    moment = column if unit == 1 else f"{column} / {unit}"
    return f"days_later({moment}, {period.days})" if period.days else f"{moment} + {period.seconds}"


def due_own(column: str, intervals: float) -> str:
    """When it will be so many of the person's own buying intervals ago, as `times.due_own`."""
    return f"{column} + CAST(interval_days * {intervals!r} * 86400 AS INTEGER)"


def condition(rule: model.Condition, at: Moment) -> tuple[str, Parameters]:
    """SQL that holds for people of whom the rule holds, and its parameters."""
    parameters: Parameters = []
    return _of(rule, at, parameters, False), parameters


def _of(rule: model.Condition, at: Moment, out: Parameters, denied: bool) -> str:
    """`denied`: the condition stands below a NOT, where NULL must be 0. Elsewhere it may be NULL: an index can be used."""
    if isinstance(rule, model.Group):
        if not rule.of:
            return "0" if isinstance(rule, model.Any) else "1"
        below = denied or isinstance(rule, model.Nothing)
        parts = [f"({_of(part, at, out, below)})" for part in rule.of]
        text = (" AND " if isinstance(rule, model.All) else " OR ").join(parts)
        return f"NOT ({text})" if isinstance(rule, model.Nothing) else text
    if isinstance(rule, model.Member):
        return _of(at.segments[rule.segment].rule, at, out, denied)
    if isinstance(rule, model.Earlier):
        return _of(model.Nothing(tuple(at.segments[slug].own for slug in rule.segments)), at, out, denied)
    if isinstance(rule, model.Count):
        return _count(rule, at, out)
    if isinstance(rule, model.Reorder):
        due, overdue = (due_own("last_order", intervals) for intervals in (rule.due, rule.overdue))
        return f"t.person_id IN (SELECT person_id FROM {reorders(rule)} {due} <= {at.now} AND {overdue} > {at.now})"
    text = _field(rule, at, out)
    return f"COALESCE({text}, 0)" if denied else text


def _field(
    rule: model.OfField,
    at: Moment,
    out: Parameters,
) -> str:
    field = get(rule.field)
    if field.table == "trait":
        return _of_column(f"t.{field.column}", rule, at, out)
    if isinstance(rule, model.Has) and field.kind == "terms":
        out += [field.column + fold(value) for value in rule.values]
        one = "t.person_id IN (SELECT person_id FROM contact_value WHERE name = ?)"
        return _joined(rule, [one] * len(rule.values))
    if isinstance(rule, model.Age) and rule.intervals:
        return _of_column(column(rule), rule, at, out)
    # One answer for everybody: who has no row has no value.
    negated, rule = _positive(rule)
    text = _of_column(held(rule), rule, at, out)
    bought = "t.orders_count > 0 AND " if isinstance(rule, model.Top) else ""
    return f"{bought}t.person_id {'NOT ' if negated else ''}IN (SELECT person_id FROM {rows(field)} ({text}))"


def _positive(rule: model.OfField) -> tuple[bool, model.OfField]:
    """Whether a condition denies, and what it denies: that is false of whom there is no value."""
    if isinstance(rule, model.Text) and rule.negated:
        return True, msgspec.structs.replace(rule, negated=False)
    if isinstance(rule, model.Known) and not rule.known:
        return True, msgspec.structs.replace(rule, known=True)
    if isinstance(rule, model.Has) and rule.how == "none":
        return True, msgspec.structs.replace(rule, how="any")
    return False, rule


def _of_column(of: str, rule: model.OfField, at: Moment, out: Parameters) -> str:
    if isinstance(rule, model.Known):
        return f"({of} IS NOT NULL AND {of} <> '') = {int(rule.known)}"
    if isinstance(rule, model.Text):
        return f"{of} {'NOT ' if rule.negated else ''}IN ({_many([fold(value) for value in rule.values], out)})"
    if isinstance(rule, model.Has):
        out += [f"{SEPARATOR}{fold(value)}{SEPARATOR}" for value in rule.values]
        # A custom field with one choice holds a text, and is a set of one.
        return _joined(rule, [f"instr(char(31) || {of} || char(31), ?) > 0"] * len(rule.values))
    if isinstance(rule, model.Coming):
        return f"{of} IN ({_many(days_of_year(at.now, rule.days, at.zone), out)})"
    if isinstance(rule, model.Number):
        return _between(of, (">" if rule.above else ">=", rule.low), ("<" if rule.below else "<=", rule.high), out)
    if isinstance(rule, model.Since):
        return _between(of, (">=", rule.low), ("<", rule.high), out)
    if isinstance(rule, model.Flag):
        return f"{of} IS {int(rule.value)}"
    if isinstance(rule, model.Top):
        least = at.tops.get((rule.field, rule.percent))
        if least is None:
            return "0"
        out.append(least)
        return f"{'t.orders_count > 0 AND ' if of.startswith('t.') else ''}{of} >= ?"
    text = _aged(of, rule.period, rule.older, at)
    if rule.intervals:
        own = f"{due_own(of, rule.intervals)} {'<=' if rule.older else '>'} {at.now}"
        text = f"CASE WHEN t.interval_days IS NOT NULL THEN {own} ELSE {text} END"
    return text


def _joined(rule: model.Has, parts: list[str]) -> str:
    text = (" AND " if rule.how == "all" else " OR ").join(parts)
    return f"NOT ({text})" if rule.how == "none" else text


def _between(column: str, low: tuple[str, float | None], high: tuple[str, float | None], out: Parameters) -> str:
    ends = [(sign, end) for sign, end in (low, high) if end is not None]
    out += [end for _, end in ends]
    return " AND ".join(f"{column} {sign} ?" for sign, _ in ends) or f"{column} IS NOT NULL"


def _aged(column: str, period: model.Period, older: bool, at: Moment, unit: int = 1) -> str:
    """That a moment is `period` ago or longer, or that it is not yet. `unit`: how many of the column make a second.

    Where a clock is changed on the way the first comparison is wider than the truth: an index finds the rows, and only those
    near the border are asked about one by one. Most are older: an index that finds them row by row would take longer than a
    look at all of them, which is what `likely` tells SQLite.
    """
    now, zone = at.now, at.zone
    if not period.days:
        border = (now - period.seconds + 1) * unit
        return f"likely({column} < {border})" if older else f"{column} >= {border}"
    wide = slack(now, now, period.days, zone)
    if not wide:
        border = (now - period.days * 86400 + 1) * unit
        return f"likely({column} < {border})" if older else f"{column} >= {border}"
    low, high = ((now - period.days * 86400 + by) * unit for by in (-wide, wide + 1))
    when = due(column, period, unit)
    if older:
        return f"(likely({column} < {high}) AND ({column} < {low} OR {when} <= {now}))"
    return f"({column} >= {low} AND ({column} >= {high} OR {when} > {now}))"


def _count(rule: model.Count, at: Moment, out: Parameters) -> str:
    narrow: list[str] = []
    if rule.what == "orders":
        source, unit = "counted_order e", 1
        lines = "SELECT 1 FROM shop_order o, json_each(CAST(o.doc AS TEXT), '$[0]') l"
        if rule.product:
            narrow.append(f"EXISTS ({lines} WHERE o.id = e.order_id AND json_extract(l.value, '$[0]') = ?)")
            out.append(rule.product)
        if rule.category:
            narrow.append(
                f"EXISTS ({lines} JOIN product_category c ON c.product_id = json_extract(l.value, '$[0]')"
                " WHERE o.id = e.order_id AND c.category = ?)"
            )
            out.append(fold(rule.category))
        if rule.coupon:
            narrow.append(
                "EXISTS (SELECT 1 FROM shop_order o, json_each(CAST(o.doc AS TEXT), '$[2]') l WHERE o.id = e.order_id"
                " AND fold(l.value) = ?)"
            )
            out.append(fold(rule.coupon))
    else:
        source, unit = "activity e", 1000
        narrow.append("e.person_id IS NOT NULL AND e.kind = ?")
        out.append(ACTS[rule.what])
        if rule.product:
            narrow.append("e.object_id = ?")
            out.append(rule.product)
        if rule.category:
            narrow.append(
                "EXISTS (SELECT 1 FROM product_category c WHERE c.product_id = e.object_id AND c.category = ?)"
            )
            out.append(fold(rule.category))
        if rule.not_bought:
            narrow.append(
                "NOT EXISTS (SELECT 1 FROM trait b WHERE b.person_id = e.person_id"
                " AND instr(b.products, char(31) || e.object_id || char(31)))"
            )
    if rule.after:
        column = get(rule.after).column
        begins = f"b.{column}" if rule.later == model.Period() else due(f"b.{column}", rule.later)
        moment = "e.at" if unit == 1 else f"e.at / {unit}"
        narrow.append(f"EXISTS (SELECT 1 FROM trait b WHERE b.person_id = e.person_id AND {moment} >= {begins})")
    if rule.within is not None:
        narrow.insert(0, _aged("e.at", rule.within, False, at, unit))
    number = f"COUNT(DISTINCT local_day(e.at / {unit}))" if rule.days else "COUNT(*)"
    if rule.in_a_row:
        number = f"days_in_a_row(local_day(e.at / {unit}))"
    group = f"SELECT e.person_id FROM {source}{' WHERE ' if narrow else ''}{' AND '.join(narrow)} GROUP BY e.person_id"
    if rule.same_product:
        group += ", e.object_id"
    if rule.low > 0:
        ends = f"{number} >= {rule.low}" + (f" AND {number} <= {rule.high}" if rule.high is not None else "")
        return f"t.person_id IN ({group} HAVING {ends})"
    if rule.high is None:
        return f"t.person_id NOT IN ({group} HAVING 0)"
    return f"t.person_id NOT IN ({group} HAVING {number} > {rule.high})"


def _many(values: list[str], out: Parameters) -> str:
    out += values
    return ",".join("?" * len(values))
