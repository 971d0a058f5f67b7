"""What rules make of values that shops really hold: damaged dates, PHP's scalars and objects, days to come."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sidecar.mapping import apply
from sidecar.mapping import compile as rules
from sidecar.mapping.sources import Person, Shop
from sidecar.people.model import Facts
from sidecar.store.model import Account

FIELD = '[[field]]\nto = "{to}"\nfrom = "user_meta.x"\ntransform = [{transform}]\n'


def result(value: str, to: str = "custom:x", transform: str = "", **options: Any) -> tuple[str | None, list[str]]:
    """(what the target becomes, reasons why it is left alone)."""
    name = f'"{transform}"' if transform else ""
    mapping = rules.compile_text(FIELD.format(to=to, transform=name), "mapping.toml")
    account = Account(id=1, email="a@example.org", registered=None, display_name="", crc=0, meta={"x": value})
    shop = Shop(zone=ZoneInfo("Europe/Warsaw"), country="PL", products={}, **options)
    found = apply.wanted(Person(email="a@example.org", facts=Facts(), shop=shop, account=account), mapping)
    return (found.columns | found.fields).get(to.removeprefix("custom:")), [reason for _, reason in found.problems]


@pytest.mark.parametrize("value", ["0000-00-00 00:00:00", "2026-02-31 10:00:00", "12:30", "never"])
@pytest.mark.parametrize("transform", ["date", "date_time"])
def test_what_is_no_day_is_left_out(value: str, transform: str) -> None:
    assert result(value, transform=transform) == (None, ["bad_date"])


def test_days_to_come_and_moments_with_a_zone() -> None:
    assert result("2028-03-01", transform="date") == ("2028-03-01", [])
    assert result("۱۴۰۲-۰۱-۰۵ 10:00:00", transform="date") == ("2023-03-25", [])
    assert result("2026-05-01T22:30:00Z", transform="date") == ("2026-05-02", [])
    assert result("2026-05-01T22:30:00Z", transform="date_time") == ("2026-05-02 00:30:00", [])


def test_day_first_holds_for_rules_too() -> None:
    assert result("03/04/1990", transform="date") == ("1990-04-03", [])
    assert result("03/04/1990", transform="date", day_first=False) == ("1990-03-04", [])


@pytest.mark.parametrize("transform", ["", "date"])
def test_the_column_of_birthdays_takes_birthdays_only(transform: str) -> None:
    """Any other text in it and the database would refuse the whole person."""
    assert result("12.05.1990", "date_of_birth", transform) == ("1990-05-12", [])
    assert result("2028-03-01", "date_of_birth", transform) == (None, ["bad_date"])
    assert result("in May", "date_of_birth", transform) == (None, ["bad_date"])


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("b:1;", "1"), ("b:0;", None), ("d:2;", "2"), ("d:2.5;", "2.5"), ("i:-7;", "-7"), ("N;", None), ('s:2:"ok";', "ok"),
        ('a:4:{i:0;b:1;i:1;d:2;i:2;N;i:3;s:1:"x";}', "1, 2, x"),
    ],
)  # fmt: skip
def test_scalars_as_php_prints_them(value: str, want: str | None) -> None:
    assert result(value) == (want, [])


@pytest.mark.parametrize("value", ['O:8:"stdClass":1:{s:1:"a";s:1:"b";}', 'E:11:"Suit:Hearts";', 'a:1:{i:0;s:9:"x";}'])
def test_objects_and_damaged_structures_are_refused(value: str) -> None:
    assert result(value) == (None, ["unparsable_meta"])
