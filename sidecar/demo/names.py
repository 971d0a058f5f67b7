"""The words the shop is made of: names, places and phone numbers of five countries."""

from __future__ import annotations

from sidecar.demo.chance import Chance
from sidecar.demo.plan import Address

FIRST = {
    "PL": ("Anna", "Jan", "Łukasz", "Małgorzata", "Piotr", "Żaneta", "Ewa", "Michał"),
    "IR": ("علی", "فاطمه", "محمد", "زهرا", "حسین", "مریم"),
    "BG": ("Иван", "Мария", "Георги", "Елена", "Димитър"),
    "GB": ("James", "Olivia", "Siân", "Zoë", "O'Neil"),
    "US": ("John", "Mary-Ann", "José", "Ng", "Søren"),
}
LAST = {
    "PL": ("Kowalska", "Nowak", "Wiśniewski", "Źdźbło", "Lewandowska", "Zieliński"),
    "IR": ("رضایی", "محمدی", "حسینی", "کریمی"),
    "BG": ("Петров", "Иванова", "Димитров", "Стоянова"),
    "GB": ("Smith", "Brown", "MacDonald", "van der Berg"),
    "US": ("Müller", "Díaz", "Johnson", "Li"),
}
PLACES = {
    "PL": (("Wrocław", "DS", "50-123"), ("Kraków", "MP", "30-001"), ("Łódź", "LD", "90-001")),
    "IR": (("تهران", "THR", "1193653471"), ("اصفهان", "ESF", "8146834111")),
    "BG": (("София", "BG-22", "1000"), ("Пловдив", "BG-16", "4000")),
    "GB": (("London", "", "SW1A 1AA"), ("Leeds", "West Yorkshire", "LS1 4AP")),
    "US": (("Springfield", "IL", "62701"), ("New York", "NY", "10001")),
}
COUNTRIES = ("PL", "PL", "PL", "PL", "IR", "BG", "GB", "US")
LOCALES = {"PL": "pl_PL", "IR": "fa_IR", "BG": "bg_BG", "GB": "en_GB", "US": "en_US"}
PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
JUNK_PHONES = ("not-a-phone", "123", "-", "0000000000", "+48", "501 234 567 / 502 345 678")


def phone(chance: Chance, country: str) -> str:
    """A phone number as people of that country type it; one in twenty is junk or missing."""
    digits, shape = f"{chance.below(1_000_000):06d}", chance.below(20)
    if shape == 0:
        return chance.pick(JUNK_PHONES)
    if shape == 1:
        return ""
    way = shape % 3
    if country == "PL":
        n = f"50{1 + shape % 8}{digits}"
        return (f"+48 {n[:3]} {n[3:6]} {n[6:]}", f"{n[:3]}-{n[3:6]}-{n[6:]}", f"0048{n}")[way]
    if country == "IR":
        n = f"0912{digits}{shape % 10}"
        return (n.translate(PERSIAN_DIGITS), n, f"+98{n[1:]}")[way]
    if country == "BG":
        n = f"088{digits}{shape % 10}"
        return (f"{n[:4]} {n[4:7]} {n[7:]}", f"+359{n[1:]}", n)[way]
    if country == "GB":
        return (f"07700 {digits}", f"+44 7700 {digits}", f"(07700) {digits}")[way]
    return (
        f"(217) 55{digits[0]}-{digits[1:5]}",
        f"+1 217-55{digits[0]}-{digits[1:5]}",
        f"21755{digits[:5]}",
    )[way]


def address(chance: Chance, number: int) -> Address:
    """A believable address; a few have no last name, no names, or everything in one field."""
    country = chance.pick(COUNTRIES)
    first, last = chance.pick(FIRST[country]), chance.pick(LAST[country])
    odd = chance.below(40)
    if odd == 0:
        first = ""
    elif odd == 1:
        last = ""
    elif odd == 2:
        first, last = f"{first} {last}", ""
    elif odd == 3:
        first, last = first.upper(), last.upper()
    city, state, postcode = chance.pick(PLACES[country])
    return Address(
        first=first, last=last, street=f"Main St {number}", city=city, state=state,
        postcode=postcode, country=country, phone=phone(chance, country),
    )  # fmt: skip
