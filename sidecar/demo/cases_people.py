"""The deliberate oddities among people: identity, names, contact data, consent, staff."""

from __future__ import annotations

from dataclasses import replace

from sidecar.demo.names import PERSIAN_DIGITS
from sidecar.demo.orders import DAY, Till
from sidecar.demo.plan import Address, Person, Plan

HOME = Address("Anna", "Wielka", "", "ul. Długa 1", "Wrocław", "DS", "50-123", "PL", "+48 501 234 567")
DEAD_USER = 900_001


def plan_people_cases(plan: Plan, till: Till) -> None:
    """All of them. Every person here buys once for 100, unless the case says otherwise."""
    _identity(plan, till)
    _addresses_of_mail(plan, till)
    _names(plan, till)
    _phones(plan, till)
    _metas(plan, till)
    _staff(plan, till)


def _identity(plan: Plan, till: Till) -> None:
    day = plan.now - 200 * DAY
    both = plan.account(Person("Anna.Wielka@Example.org", HOME, profile=HOME, profile_email="anna.wielka@example.org"))
    orders = [till.sell(both, day), till.sell(Person("ANNA.WIELKA@EXAMPLE.ORG", HOME), day + DAY),
              till.sell(Person(" anna.wielka@example.org ", HOME), day + 2 * DAY)]  # fmt: skip
    plan.mark("email.account_and_guest", "anna.wielka@example.org")
    plan.mark("order.account_and_guest", *orders)

    moved = plan.account(Person("new.address@example.org", HOME, profile=HOME, profile_email="old.address@example.org"))
    plan.mark("order.changed_email", till.sell(moved, day, email="old.address@example.org"))
    plan.mark("email.changed", "new.address@example.org", "old.address@example.org")
    till.sell(Person("old.address@example.org", HOME), day - 30 * DAY, 4_000)

    ghost = Person("dead.user@example.org", HOME, user_id=DEAD_USER)
    plan.mark("order.dead_user", till.sell(ghost, day), till.sell(ghost, day + DAY, 5_500))
    plan.mark("order.dead_user_without_email", till.sell(ghost, day + 2 * DAY, email=""))

    silent = plan.account(Person("no.billing.mail@example.org", HOME))
    plan.mark("order.account_without_billing_email", till.sell(silent, day, email=""))
    for number, email in enumerate(("", "", "   ")):
        plan.mark("order.no_email", till.sell(Person("", HOME), day + number * DAY, email=email))
    missing = till.sell(Person("", HOME), day + 9 * DAY)
    missing.email = None
    plan.mark("order.no_email", missing)

    for number in range(3):
        gone = till.sell(Person("deleted@site.invalid", Address(first="[deleted]")), day + number * DAY, 7_000)
        gone.meta["_anonymized"] = "yes"
        plan.mark("order.anonymised", gone)

    for number, (email, first) in enumerate((("josé@cafe.example.org", "José"), ("jose@cafe.example.org", "Jose"))):
        twin = Person(email, replace(HOME, first=first))
        plan.mark("order.accent_pair", till.sell(twin, day + number * DAY, 3_000 + 1_000 * number))
        plan.mark("email.accent_pair", email)
    till.sell(Person("JOSÉ@CAFE.EXAMPLE.ORG", replace(HOME, first="José")), day + 5 * DAY, 500)

    for number, first in enumerate(("Anna", "Piotr")):
        shared = Person("rodzina.shared@example.org", replace(HOME, first=first, last="Wspólna"))
        plan.mark("order.two_names_one_email", till.sell(shared, day + number * DAY))
    plan.mark("email.two_names", "rodzina.shared@example.org")

    for name, mobile in (("first", "+48 601 100 200"), ("second", "601-100-200")):
        home = replace(HOME, first="Ewa", phone=mobile)
        plan.account(Person(f"same.mobile.{name}@example.org", home, profile=home))
        plan.mark("email.same_mobile", f"same.mobile.{name}@example.org")
    plan.account(Person("never.bought@example.org", HOME))
    plan.mark("email.account_without_orders", "never.bought@example.org")


def _addresses_of_mail(plan: Plan, till: Till) -> None:
    day = plan.now - 180 * DAY
    for number, email in enumerate(("not-an-email", "two@@signs.example.org", "anna@", "spaces in@mail.example.org")):
        plan.mark("order.invalid_email", till.sell(Person(email, HOME), day + number * DAY, 2_500))
        plan.mark("email.invalid", email)
    long = "x" * 60 + "@" + "sub." * 35 + "example.org"
    assert len(long) > 190
    plan.mark("order.long_email", till.sell(Person(long, HOME), day))
    plan.mark("email.too_long", long)


def _names(plan: Plan, till: Till) -> None:
    day = plan.now - 150 * DAY
    named = {
        "persian": replace(HOME, first="فاطمه", last="محمدی", city="تهران", country="IR"),
        "cyrillic": replace(HOME, first="Георги", last="Стоянов", city="София", country="BG"),
        "emoji": replace(HOME, first="Zoë 🦄", last="👩‍👩‍👧"),
        "html": replace(HOME, first="<b>Bob</b>", last="<script>alert(1)</script>", city="A & B"),
        "smartcode": replace(HOME, first="{{contact.email}}", last="##crm.unsubscribe_url##"),
        "quotes": replace(HOME, first="O'Neil \\", last='"Bobby"; DROP TABLE'),
        "one_field": replace(HOME, first="Jan Maria Kowalski", last=""),
        "missing": replace(HOME, first="", last=""),
        "too_long": replace(HOME, first="Bardzo" * 45, city="Długie" * 40),
    }
    for number, (case, home) in enumerate(named.items()):
        email = f"name.{case.replace('_', '.')}@example.org"
        person = Person(email, home)
        if number % 2 == 0:
            person.profile = home
            plan.account(person)
        plan.mark(f"order.name_{case}", till.sell(person, day + number * DAY))
        plan.mark(f"email.name_{case}", email)


def _phones(plan: Plan, till: Till) -> None:
    day = plan.now - 120 * DAY
    typed = {
        "polish": ("PL", "501-234-568"), "polish_00": ("PL", "0048 501 234 569"),
        "persian_digits": ("IR", "09123456789".translate(PERSIAN_DIGITS)), "iranian": ("IR",
        "+98 912 345 6780"),
        "bulgarian": ("BG", "0888 123 456"), "british": ("GB", "(020) 7946 0018"), "american": ("US",
        "(217) 555-0123"),
        "junk": ("PL", "not-a-phone"), "too_short": ("PL", "123"), "other_country": ("PL", "+44 7700 900123"),
    }  # fmt: skip
    for number, (case, (country, number_text)) in enumerate(typed.items()):
        home = replace(HOME, country=country, phone=number_text, state="")
        email = f"phone.{case.replace('_', '.')}@example.org"
        till.sell(plan.account(Person(email, home, profile=home)), day + number * DAY)
        plan.mark(f"email.phone_{case}", email)


def _metas(plan: Plan, till: Till) -> None:
    day = plan.now - 100 * DAY
    birthdays = {
        "iso": "1985-03-12", "dotted": "12.03.1985", "american": "03/25/1985", "jalali": "1364/12/21",
        "jalali_persian": "1364/12/21".translate(PERSIAN_DIGITS), "words": "March 12, 1985",
        "zero": "0000-00-00",
        "impossible": "31.02.1990", "future": "2999-01-01",
        "with_time": "1985-03-12 00:00:00", "compact": "19850312",
    }  # fmt: skip
    accounts: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
        f"birthday_{case}": ({"birthday": value}, ("customer",)) for case, value in birthdays.items()
    }
    accounts |= {
        "nip": ({"billing_nip": "PL5260250274"}, ("customer",)),
        "vat": ({"billing_vat_number": "BG123456789"}, ("customer",)),
        "role_b2b": ({}, ("wholesale_customer",)),
        "role_two": ({}, ("customer", "b2b_customer")),
        "role_none": ({}, ()),
        "broken_capabilities": ({"{p}capabilities": 'a:1:{s:8:"custo'}, ()),
        "broken_meta": ({"shop_preferences": 'a:2:{i:0;s:99:"short";i:1;'}, ("customer",)),
        "object_meta": ({"last_visit": 'O:8:"stdClass":1:{s:1:"x";i:1;}'}, ("customer",)),
        "optin_yes": ({"marketing_optin": "yes"}, ("customer",)),
        "optin_no": ({"marketing_optin": "no"}, ("customer",)),
        "optin_mailchimp": ({"mailchimp_woocommerce_is_subscribed": "1"}, ("customer",)),
    }
    for number, (case, (meta, roles)) in enumerate(accounts.items()):
        email = f"{case.replace('_', '.')}@example.org"
        person = plan.account(Person(email, HOME, profile=HOME, roles=roles, meta=meta))
        till.sell(person, day + number * DAY // 2)
        plan.mark(f"email.{case}", email)
    for case, key, value in (
        ("optin_order_yes", "mailpoet_woocommerce_checkout_optin", "1"),
        ("optin_order_no", "mailpoet_woocommerce_checkout_optin", "0"),
        ("nip_order", "_billing_nip", "PL1132567890"),
        ("birthday_order", "_billing_birthday", "1990-05-05"),
    ):
        email = f"{case.replace('_', '.')}@example.org"
        order = till.sell(Person(email, HOME), day)
        order.meta[key] = value
        plan.mark(f"order.{case}", order)
        plan.mark(f"email.{case}", email)


def _staff(plan: Plan, till: Till) -> None:
    admin = Person(
        "admin@shop.example.org",
        Address(),
        user_id=1,
        roles=("administrator",),
        registered=plan.now - 900 * DAY,
    )
    plan.people.append(admin)
    plan.mark("email.staff", admin.email)
    manager = plan.account(Person("manager@shop.example.org", HOME, profile=HOME, roles=("shop_manager",)))
    plan.mark("email.staff", manager.email)
    plan.mark("order.staff", till.sell(manager, plan.now - 40 * DAY), till.sell(manager, plan.now - 20 * DAY, 5_000))
