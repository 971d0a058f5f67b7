"""The checks on invented records: what is odd is told once for each person, masked, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config import TestOrders as Tests
from sidecar.people.addresses import odd
from sidecar.people.hygiene import Examiner, Record
from sidecar.people.oddities import CHECKS, Finding
from sidecar.store.model import Address

HOME = Address("Anna", "Wielka", "", "ul. Długa 1", "", "Wrocław", "DS", "50-123", "PL", "", "+48501234567")


def home(**parts: str) -> Address:
    values = {name: getattr(HOME, name) for name in Address.__struct_fields__} | {"phone": "+48501234567"} | parts
    return Address(**values)


def order(number: int, email: str, billing: Address | None = None, user: int = 0, total: int = 10_000_000) -> Record:
    return Record(
        ref=f"order:{number}",
        user_id=user,
        email=email,
        billing=billing or home(phone=""),
        shipping=Address(),
        total=total,
    )


def account(number: int, email: str, billing: Address | None = None) -> Record:
    return Record(
        ref=f"user:{number}", user_id=number, email=email, billing=billing or home(phone=""), shipping=Address()
    )


def found(*records: Record, tests: Tests | None = None) -> dict[str, Finding]:
    examiner = Examiner(tests or Tests(emails=(), names=()), "PL")
    for record in records:
        examiner.look(record)
    return {finding.name: finding for finding in examiner.findings() if finding.count}


def counts(*records: Record, tests: Tests | None = None) -> dict[str, int]:
    return {name: finding.count for name, finding in found(*records, tests=tests).items()}


def test_an_ordinary_person_is_not_reported() -> None:
    assert counts(account(1, "anna@wp.pl", home()), order(2, "anna@wp.pl", home(), user=1)) == {}


def test_duplicates() -> None:
    assert counts(order(1, "jan.k@gmail.com"), order(2, "jank+shop@gmail.com"), order(3, "jank@gmial.com")) == {
        "duplicate_spelling": 2,
        "email_typo": 1,
    }
    assert counts(order(1, "a@wp.pl", home()), order(2, "b@wp.pl", home(phone="501 234 567"))) == {
        "duplicate_mobile": 1,
        "phone_spelling": 1,
    }
    assert (
        counts(order(1, "a@wp.pl", home(phone="+48223334455")), order(2, "b@wp.pl", home(phone="+48223334455"))) == {}
    )
    assert counts(account(1, "a@wp.pl"), account(2, "A@wp.pl")) == {"same_email_accounts": 1, "email_spelling": 1}
    assert counts(order(1, "a@wp.pl"), order(2, "a@wp.pl", home(phone="", first_name="Piotr"))) == {"two_names": 1}
    # ANNA and Anna are one name; an account's orders are the account's, whatever they say.
    shouted = home(phone="", first_name="ANNA", last_name="WIELKA")
    assert counts(account(1, "a@wp.pl"), order(2, "other@wp.pl", shouted, user=1)) == {"name_case": 1}


def test_people_who_cannot_be_reached() -> None:
    assert counts(order(1, ""), order(2, "  ", home())) == {"unreachable": 1, "no_email": 1}
    assert counts(account(7, "a@wp.pl"), order(1, "", user=7)) == {}
    assert counts(order(1, "deleted@site.invalid", Address(first_name="[deleted]"))) == {}


def test_test_orders() -> None:
    rules = Tests(emails=("*@example.com", "test@*"), names=("test", "jan testowy"), max_total="1.00")
    cheap = 1_000_000
    records = [
        order(1, "anna@example.com", total=cheap),
        order(2, "anna@example.com", total=cheap),
        order(3, "anna@wp.pl", home(first_name=" TEST ", phone=""), total=0),
        order(4, "anna@wp.pl", home(first_name="Jan", last_name="Testowy", phone=""), total=0),
        order(5, "anna@example.com", total=cheap + 1),
        order(6, "contest@wp.pl", total=0),
    ]
    told = found(*records, tests=rules)["test_order"]
    assert told.count == 4
    assert [example.ref for example in told.examples] == ["order:1", "order:2", "order:3", "order:4"]


@pytest.mark.parametrize(
    ("parts", "checks"),
    [
        ({"country": ""}, {"country_unknown", "state_without_country"}),
        ({"country": "Atlantis"}, {"country_unknown"}),
        ({"country": "Polska"}, set()),
        ({"postcode": "50123"}, set()),
        ({"postcode": "5012"}, {"postcode"}),
        ({"postcode": "۱۲۳۴۵۶۷۸۹۰", "country": "IR", "city": "تهران", "address_1": "ولیعصر"}, set()),
        ({"postcode": "12345", "country": "IR"}, {"postcode"}),
        ({"postcode": "sw1a1aa", "country": "GB"}, set()),
        ({"postcode": "1234", "country": "GB"}, {"postcode"}),
        ({"postcode": "123", "country": "BG"}, {"postcode"}),
        ({"postcode": "whatever", "country": "FR"}, set()),
        ({"city": "Wrocław 50-123"}, {"city"}),
        ({"city": "Praha 4"}, set()),
        ({"city": "София"}, {"city"}),
    ],
)
def test_addresses(parts: dict[str, str], checks: set[str]) -> None:
    assert {name for name, _ in odd(home(**parts))} == checks


def test_phones() -> None:
    assert counts(order(1, "a@wp.pl", home(phone="123"))) == {"bad_phone": 1}
    assert counts(order(1, "a@wp.pl", home(phone="+442079460018"))) == {"phone_country": 1}
    nowhere = Examiner(Tests(emails=(), names=()), "")
    nowhere.look(order(1, "a@wp.pl", home(phone="501234567", country="", state="")))
    assert [one.name for one in nowhere.findings() if one.count] == ["ambiguous_phone", "country_unknown"]


def test_names() -> None:
    def name(first: str, last: str) -> set[str]:
        return set(counts(order(1, "a@wp.pl", home(phone="", first_name=first, last_name=last))))

    assert name("Jan Maria Kowalski", "") == {"full_name"}
    assert name("", "Jan Kowalski") == {"full_name"}
    assert name("", "") == {"missing_name"}
    assert name("JAN", "KOWALSKI") == {"name_case"}
    assert name("jan", "kowalski") == {"name_case"}
    assert name("<b>Bob</b>", "Nowak") == {"unsafe_name"}
    assert name("فاطمه", "محمدی") == set()


def test_only_some_checks() -> None:
    examiner = Examiner(Tests(), "PL", ["bad_email"])
    examiner.look(order(1, "no-address", home(phone="123")))
    assert [(one.name, one.count) for one in examiner.findings()] == [("bad_email", 1)]


def test_every_check_says_what_the_sync_does() -> None:
    for check in CHECKS.values():
        assert check.inventory in {f"000-{number}" for number in range(15, 23)}
        assert check.action
        assert check.about
    assert {check.inventory for check in CHECKS.values()} == {f"000-{number}" for number in range(15, 23)}


@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20), st.text(max_size=30)), max_size=8
    )
)
def test_nothing_makes_it_fail(people: list[tuple[str, str, str, str]]) -> None:
    records = []
    for at, (mail, one, two, name) in enumerate(people):
        address = home(first_name=one, city=two, phone=two, postcode=one, country=name)
        records.append(order(at, mail, address))
    for finding in found(*records, tests=Tests()).values():
        assert len(finding.examples) <= 5


@given(st.sampled_from(["anna.nowak@wp.pl", "ANNA.NOWAK@WP.PL ", "anna.nowak", "anna nowak@wp"]))
def test_examples_never_show_a_person(mail: str) -> None:
    secret = home(first_name="ANNA", last_name="NOWAK", phone="501 234 56", city="Wrocław 7777", country="Nowakia")
    for finding in found(order(1, mail, secret), tests=Tests(names=("anna",))).values():
        shown = " ".join(example.value for example in finding.examples).lower()
        for word in ("anna", "nowak", "501", "wrocław", "7777"):
            assert word not in shown, finding
