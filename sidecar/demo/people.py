"""The ordinary people: four in five have an account."""

from __future__ import annotations

from sidecar.demo.chance import Chance
from sidecar.demo.names import LOCALES, address
from sidecar.demo.plan import Person, Plan

DOMAINS = ("poczta.example.pl", "abv.example.bg", "post.example.ir", "mail.example.org", "firma.example.pl")
BIRTHDAYS = ("{y}-{m:02d}-{d:02d}", "{d:02d}.{m:02d}.{y}", "{d}/{m}/{y}", "{y}/{m:02d}/{d:02d}")


def plan_people(plan: Plan, chance: Chance, count: int) -> list[Person]:
    """`count` people, in the order in which they like to buy."""
    people = []
    for number in range(count):
        word = chance.pick(("buyer", "client", "shopper", "user.name+tag"))
        email = f"{word}{number}@{chance.pick(DOMAINS)}"
        if chance.one_in(12):
            email = email[0].upper() + email[1:].replace("example", "Example")
        person = Person(email=email, address=address(chance, number))
        if number % 5 == 4:
            people.append(plan.guest(person))
            continue
        person.registered = plan.now - 86_400 * (1 + chance.below(800)) - chance.below(86_400)
        if not chance.one_in(10):
            person.profile, person.profile_email = person.address, email
        person.meta = _extras(chance)
        people.append(plan.account(person))
    return people


def _extras(chance: Chance) -> dict[str, str]:
    extras = {}
    if chance.one_in(2):
        extras["birthday"] = chance.pick(BIRTHDAYS).format(
            y=1950 + chance.below(55), m=1 + chance.below(12), d=1 + chance.below(28)
        )
    if not chance.one_in(4):
        extras["marketing_optin"] = chance.pick(("yes", "no"))
    if chance.one_in(7):
        extras["billing_nip"] = f"PL{chance.below(10**10):010d}"
        extras["customer_type"] = "B2B"
    return extras


def locale_of(person: Person) -> str:
    """The WordPress locale that somebody of that country would have chosen."""
    return LOCALES.get(person.address.country, "")
