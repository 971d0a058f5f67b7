"""What a segment is, and the tree of conditions that says who belongs to it."""

from __future__ import annotations

from typing import Literal

import msgspec


class Period(msgspec.Struct, frozen=True):
    """A length of time in the shop's own calendar: whole `days` keep the time of day over a change of the clock; `seconds`
    are exact (hours and minutes)."""

    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        if self.days:
            return f"{self.days}d"
        return f"{self.seconds // 3600}h" if self.seconds % 3600 == 0 else f"{self.seconds // 60}m"


class All(msgspec.Struct, frozen=True, tag=True):
    """Every one holds (an empty list always does)."""

    of: tuple[Condition, ...]


class Any(msgspec.Struct, frozen=True, tag=True):
    """At least one holds."""

    of: tuple[Condition, ...]


class Nothing(msgspec.Struct, frozen=True, tag=True):
    """None of them holds."""

    of: tuple[Condition, ...]


class Number(msgspec.Struct, frozen=True, tag=True):
    """A number (or money, in micros) between two ends; None is no end. `above` and `below`: the end itself is left out. Who has
    no value is not in."""

    field: str
    low: float | None
    high: float | None
    above: bool = False
    below: bool = False


class Top(msgspec.Struct, frozen=True, tag=True):
    """Among the top `percent` of those who have an order: the ceil(n * percent / 100) with the highest value and all who tie
    with the last of them."""

    field: str
    percent: float


class Age(msgspec.Struct, frozen=True, tag=True):
    """How long ago a moment is. `older`: `period` ago or longer, else less long ago. Exactly `period` ago is older.

    With `intervals` the period is so many of the person's own buying intervals where one is known (two orders or more),
    `period` otherwise.
    """

    field: str
    older: bool
    period: Period
    intervals: float = 0.0


class Since(msgspec.Struct, frozen=True, tag=True):
    """A moment at or after `low` and before `high` (Unix seconds; None is no end)."""

    field: str
    low: int | None
    high: int | None


class Text(msgspec.Struct, frozen=True, tag=True):
    """A text is one of `values`, or is none of them (`negated`; who has no value is none of them)."""

    field: str
    values: tuple[str, ...]
    negated: bool = False


class Has(msgspec.Struct, frozen=True, tag=True):
    """A set has one (`any`), all, or none of `values`."""

    field: str
    values: tuple[str, ...]
    how: Literal["any", "all", "none"] = "any"


class Flag(msgspec.Struct, frozen=True, tag=True):
    """Yes or no; who did not say is neither."""

    field: str
    value: bool


class Known(msgspec.Struct, frozen=True, tag=True):
    """There is a value, or (`known` false) there is none."""

    field: str
    known: bool


class Coming(msgspec.Struct, frozen=True, tag=True):
    """A day of the year that is today or one of the next `days` - 1 days, by the shop's calendar. 29 February is kept on
    1 March in other years."""

    field: str
    days: int


class Count(msgspec.Struct, frozen=True, tag=True):
    """How often something happened within the last `within` (None: ever), narrowed to a product, a category or a coupon:
    at least `low` and at most `high` times. With `days` the days count on which it happened; with `same_product` the product
    with which it happened most often (`high` is None then); `not_bought` leaves out products that they have bought ever.
    With `in_a_row` the longest run of days counts on each of which it happened (`high` is None then too). `after` counts from
    a moment of the person on (a field), and so much later.
    """

    what: str
    low: int
    high: int | None = None
    within: Period | None = None
    product: int = 0
    category: str = ""
    coupon: str = ""
    days: bool = False
    same_product: bool = False
    not_bought: bool = False
    in_a_row: bool = False
    after: str = ""
    later: Period = Period()


class Reorder(msgspec.Struct, frozen=True, tag=True):
    """Something that they bought in two orders or more is due again: since the last order with it at least `due`, and less than
    `overdue`, of their own intervals for it have passed ((last - first) / (orders with it - 1), at least a day). `what`: a
    product or a category, any or (`product`, `category`) this one.
    """

    what: Literal["product", "category"]
    due: float = 1.0
    overdue: float = 2.0
    product: int = 0
    category: str = ""


class Member(msgspec.Struct, frozen=True, tag=True):
    """Is in another segment."""

    segment: str


class Earlier(msgspec.Struct, frozen=True, tag=True):
    """None of these segments' own rules holds (`Segment.own`): those that stand before a segment in its group."""

    segments: tuple[str, ...]


Group = All | Any | Nothing
OfField = Number | Top | Age | Since | Text | Has | Flag | Known | Coming
Condition = Group | OfField | Count | Reorder | Member | Earlier


class Grouping(msgspec.Struct, frozen=True, kw_only=True):
    """Segments that exclude one another: whoever fits several is in the one that stands first. `field`: the slug of the custom
    field in FluentCRM that holds the name of a person's segment, '' for none."""

    slug: str
    name: str
    about: str = ""
    field: str = ""
    field_label: str = ""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A named group of people. `rule` says who is in it; in a `group` it ends in what keeps it apart from those before it.
    `no_offers`: kinds of offers that do not fit these people (000-34). `tag`: whether they have a tag of it in FluentCRM."""

    slug: str
    name: str
    about: str = ""
    rule: Condition
    no_offers: tuple[str, ...] = ()
    tag: bool = True
    group: Grouping | None = None

    @property
    def own(self) -> Condition:
        """The rule as its owner wrote it, whoever stands before it in its group."""
        rule = self.rule
        return rule.of[0] if isinstance(rule, All) and len(rule.of) == 2 and isinstance(rule.of[1], Earlier) else rule


def apart(rule: Condition, earlier: tuple[str, ...]) -> Condition:
    """The rule of a segment that stands behind others in its group."""
    return All((rule, Earlier(earlier))) if earlier else rule


def asked(rule: Condition) -> list[str]:
    """The segments that a rule asks about."""
    found: list[str] = []
    for part in walk(rule):
        if isinstance(part, Member):
            found.append(part.segment)
        elif isinstance(part, Earlier):
            found += part.segments
    return found


def walk(rule: Condition) -> list[Condition]:
    """The rule and every condition below it."""
    found: list[Condition] = [rule]
    if isinstance(rule, Group):
        for part in rule.of:
            found += walk(part)
    return found
