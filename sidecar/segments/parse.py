"""One rule as it is written in TOML → conditions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo
from typing import Any

from sidecar.segments import model
from sidecar.segments.catalogue import CONTACT_COLUMNS, COUNTED, FIELDS, OPERATORS, VALUE, Field, Kind, find
from sidecar.segments.parse_values import Say, Values
from sidecar.segments.traits import COLUMNS, fold
from sidecar.toml_file import did_you_mean
from sidecar.toml_lines import Path as Place
from sidecar.values import money

_DEPTH = 12
_ENDS = frozenset({"at_least", "at_most", "more_than", "less_than"})
_NAMES = [*FIELDS, *(VALUE + name for name in CONTACT_COLUMNS)]
_NEVER = model.All(())
_SHAPES = ("all", "any", "none", "field", "count", "reorder", "segment")
_REORDERED = ("product", "category")


class Parser(Values):
    """Reads one rule; faults are told to `say(place, message, hint)` and reading goes on."""

    def __init__(self, say: Say, zone: tzinfo, slugs: Collection[str]) -> None:
        super().__init__(say, zone)
        self._slugs = slugs

    def condition(self, data: Any, place: Place, depth: int = 0) -> model.Condition:
        """The condition that `data` writes down; after a fault one that stands for it."""
        if not isinstance(data, dict):
            self._say(place, 'a condition is a table, as in { field = "ltv", at_least = 500 }')
            return _NEVER
        if depth > _DEPTH:
            self._say(place, f"conditions are nested more than {_DEPTH} deep")
            return _NEVER
        shapes = [key for key in _SHAPES if key in data]
        if len(shapes) != 1:
            odd = next((key for key in data if key not in _SHAPES), "")
            hint = did_you_mean(odd, list(_SHAPES)) or f"one of {', '.join(_SHAPES)}"
            self._say(place, f"{len(shapes)} kinds of condition in one table", hint)
            return _NEVER
        shape = shapes[0]
        if shape in ("all", "any", "none"):
            self._only(data, place, (shape,))
            return self._group(shape, data[shape], (*place, shape), depth)
        if shape == "segment":
            self._only(data, place, ("segment",))
            return self._member(data["segment"], (*place, "segment"))
        if shape == "count":
            return self._count(data, place)
        if shape == "reorder":
            return self._reorder(data, place)
        return self._field(data, place)

    def _group(self, shape: str, data: Any, place: Place, depth: int) -> model.Condition:
        if not isinstance(data, list) or not data:
            self._say(place, f"{shape} wants a list of conditions")
            return _NEVER
        parts = tuple(self.condition(part, (*place, number), depth + 1) for number, part in enumerate(data))
        return model.All(parts) if shape == "all" else model.Any(parts) if shape == "any" else model.Nothing(parts)

    def _member(self, slug: Any, place: Place) -> model.Condition:
        if not isinstance(slug, str) or slug not in self._slugs:
            self._say(place, f"there is no segment {slug!r}", did_you_mean(str(slug), list(self._slugs)))
        return model.Member(str(slug))

    # --- fields -----------------------------------------------------------------------------------------

    def _field(self, data: dict[str, Any], place: Place) -> model.Condition:
        name = data["field"]
        field = find(name) if isinstance(name, str) else None
        if field is None:
            hint = did_you_mean(str(name), _NAMES)
            if str(name).startswith(VALUE):
                hint = f"{VALUE} and the slug of a custom field or one of {', '.join(CONTACT_COLUMNS)}"
            self._say((*place, "field"), f"there is no field {name!r}", hint)
            return _NEVER
        known = OPERATORS[field.kind]
        said = [key for key in data if key != "field"]
        wrong = [
            key for key in said if key not in known and not (key == "otherwise" and "older_than_intervals" in data)
        ]
        for key in wrong:
            hint = did_you_mean(key, list(known)) or f"{field.kind}: {', '.join(sorted(known))}"
            self._say((*place, key), f"{field.name} has no operator {key!r}", hint)
        if wrong:
            return _NEVER
        if not said:
            self._say(place, f"what is asked of {field.name}?", ", ".join(sorted(known)))
            return _NEVER
        ends = set(said) <= _ENDS
        pair = set(said) in ({"older_than_intervals", "otherwise"}, {"after", "before"})
        if len(said) > 1 and not ends and not pair:
            self._say(place, f"{' and '.join(said)} together", "write two conditions in all = [...]")
            return _NEVER
        if "known" in data:
            return model.Known(field.name, self._flag(data["known"], (*place, "known")))
        read = {
            "number": self._number, "money": self._number, "moment": self._moment, "text": self._texts, "set": self._set,
            "terms": self._set, "flag": self._yes, "day": self._day,
        }[_kind(data) if field.kind == "value" else field.kind]  # fmt: skip
        return read(field, data, place)

    def _number(self, field: Field, data: dict[str, Any], place: Place) -> model.Condition:
        if "top_percent" in data:
            percent = self._amount(data["top_percent"], (*place, "top_percent"))
            if not 0 < percent <= 100:
                self._say((*place, "top_percent"), "a percentage above 0, at most 100")
            return model.Top(field.name, percent)
        ends: dict[str, float] = {}
        for key, value in data.items():
            if key == "field":
                continue
            at: Place = (*place, key)
            if key != "between":
                ends[key] = self._of(field, value, at)
            elif isinstance(value, list) and len(value) == 2:
                ends["at_least"], ends["at_most"] = (self._of(field, end, at) for end in value)
            else:
                self._say(at, "between wants two numbers, [low, high]")
        for one, other in (("at_least", "more_than"), ("at_most", "less_than")):
            if one in ends and other in ends:
                self._say(place, f"{one} and {other} together", "one of them is enough")
        low = ends.get("is", ends.get("at_least", ends.get("more_than")))
        high = ends.get("is", ends.get("at_most", ends.get("less_than")))
        if low is not None and high is not None and low > high:
            self._say(place, "nothing lies between these two")
        return model.Number(field.name, low, high, "more_than" in ends, "less_than" in ends)

    def _of(self, field: Field, value: Any, place: Place) -> float:
        """A number as the trait holds it: money in whole micros, as `money.to_micros` would read it."""
        amount = self._amount(value, place)
        return round(amount * money.MICROS) if field.kind == "money" else amount

    def _moment(self, field: Field, data: dict[str, Any], place: Place) -> model.Condition:
        if "older_than_intervals" in data:
            at: Place = (*place, "older_than_intervals")
            times = self._amount(data["older_than_intervals"], at)
            if not 0 < times <= 100:
                self._say(at, "a number above 0, at most 100")
            if "otherwise" not in data:
                self._say(place, "otherwise is missing", 'who has no interval of their own: otherwise = "60d"')
            return model.Age(field.name, True, self._period(data.get("otherwise", "60d"), (*place, "otherwise")), times)
        for key in ("within", "older_than"):
            if key in data:
                return model.Age(field.name, key == "older_than", self._period(data[key], (*place, key)))
        return model.Since(field.name, self._date(data, "after", place), self._date(data, "before", place))

    def _texts(self, field: Field, data: dict[str, Any], place: Place) -> model.Condition:
        key = next(key for key in data if key != "field")
        values = self._values(data[key], (*place, key), many=key in ("in", "not_in"))
        return model.Text(field.name, values, negated=key in ("is_not", "not_in"))

    def _set(self, field: Field, data: dict[str, Any], place: Place) -> model.Condition:
        key = next(key for key in data if key != "field")
        values = self._values(data[key], (*place, key), many=None)
        return model.Has(field.name, values, {"has": "any", "has_all": "all", "has_none": "none"}[key])  # type: ignore[arg-type]

    def _yes(self, field: Field, data: dict[str, Any], place: Place) -> model.Condition:
        return model.Flag(field.name, self._flag(data["is"], (*place, "is")))

    def _day(self, field: Field, data: dict[str, Any], place: Place) -> model.Condition:
        period = self._period(data["in_next"], (*place, "in_next"))
        if not 0 < period.days <= 365:
            self._say((*place, "in_next"), "whole days are wanted, at most 365")
        return model.Coming(field.name, max(1, period.days))

    # --- counts -----------------------------------------------------------------------------------------

    def _count(self, data: dict[str, Any], place: Place) -> model.Condition:
        what = data["count"]
        if not isinstance(what, str) or what not in COUNTED:
            self._say((*place, "count"), f"{what!r} cannot be counted", did_you_mean(str(what), list(COUNTED)))
            return _NEVER
        keys = ("count", "within", "at_least", "at_most", "days", "consecutive_days", *sorted(COUNTED[what]))
        self._only(data, place, keys)
        run = self._whole(data, "consecutive_days", place, 0) or 0
        if "consecutive_days" in data:
            if run < 2:
                self._say((*place, "consecutive_days"), "two days or more are wanted")
            for key in ("at_least", "at_most", "days"):
                if key in data:
                    self._say((*place, key), f"{key} and consecutive_days together", "consecutive_days is enough")
            data = {**data, "at_least": max(1, run)}
        low = self._whole(data, "at_least", place, 0 if "at_most" in data else 1)
        high = self._whole(data, "at_most", place, None)
        assert low is not None
        if high is not None and low > high:
            self._say(place, f"nothing lies between {low} and {high}")
        category, coupon = data.get("category", ""), data.get("coupon", "")
        for key, value in (("category", category), ("coupon", coupon)):
            if not isinstance(value, str) or (key in data and not value):
                self._say((*place, key), f"a text is wanted, not {value!r}")
        if sum(key in data for key in ("product", "category", "coupon")) > 1:
            self._say(place, "one of product, category and coupon")
        same = "same_product" in data and self._flag(data["same_product"], (*place, "same_product"))
        if same and (high is not None or low < 1):
            self._say((*place, "same_product"), "same_product goes with at_least alone")
        return model.Count(
            what,
            low,
            high,
            self._period(data["within"], (*place, "within")) if "within" in data else None,
            self._whole(data, "product", place, 0) or 0,
            str(category),
            str(coupon).lower(),
            "days" in data and self._flag(data["days"], (*place, "days")),
            same,
            "not_bought" in data and self._flag(data["not_bought"], (*place, "not_bought")),
            run > 0,
            *self._after(data, place),
        )

    def _reorder(self, data: dict[str, Any], place: Place) -> model.Condition:
        what = data["reorder"]
        if what not in _REORDERED:
            self._say(
                (*place, "reorder"),
                f"{what!r} is not reordered",
                did_you_mean(str(what), list(_REORDERED)) or "product or category",
            )
            return _NEVER
        for other in _REORDERED:
            if other != what and other in data:
                self._say((*place, other), f"{other} does not go with {what}", f'reorder = "{other}"')
        self._only(data, place, ("reorder", "due", "overdue", *_REORDERED))
        ends = []
        for key, default in (("due", 1.0), ("overdue", 2.0)):
            ends.append(float(self._amount(data.get(key, default), (*place, key))))
            if not 0 < ends[-1] <= 100:
                self._say((*place, key), "a number of own intervals above 0, at most 100")
        if ends[0] >= ends[1]:
            self._say(place, "overdue must be more than due")
        product, category = self._whole(data, "product", place, 0), data.get("category", "")
        if product == 0 and "product" in data:
            self._say((*place, "product"), "the id of a product is wanted")
        if not isinstance(category, str) or ("category" in data and not fold(category)):
            self._say((*place, "category"), f"a text is wanted, not {category!r}")
        return model.Reorder(what, ends[0], ends[1], product or 0, str(category))

    def _after(self, data: dict[str, Any], place: Place) -> tuple[str, model.Period]:
        """`after = "last_order"` or `after = "last_order + 12h"`."""
        if "after" not in data:
            return "", model.Period()
        name, plus, period = (part.strip() for part in str(data["after"]).partition("+"))
        moments = [name for name in COLUMNS if FIELDS[name].kind == "moment"]
        if name not in moments:
            self._say((*place, "after"), f"there is no moment {name!r}", did_you_mean(name, moments))
        return name, self._period(period, (*place, "after")) if plus else model.Period()


def _kind(data: dict[str, Any]) -> Kind:
    """As what a custom field is read: what is asked of it says so."""
    is_ = data.get("is")
    if isinstance(is_, int | float) and not isinstance(is_, bool):
        return "number"
    said = data.keys() - {"field"}
    kinds: tuple[Kind, ...] = ("text", "set", "moment", "number")
    return next(kind for kind in kinds if said & OPERATORS[kind])
