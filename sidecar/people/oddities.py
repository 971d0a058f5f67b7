"""The checks of `sidecar hygiene`: what each looks for, and what the sync does about it. Data only.

`inventory` is the number of the wish in the inventory of capabilities (000-15 … 000-22).
"""

from __future__ import annotations

import msgspec


class Check(msgspec.Struct, frozen=True):
    """One check. `of` says what is counted."""

    name: str
    inventory: str
    of: str
    about: str
    action: str


class Example(msgspec.Struct, frozen=True):
    """Where it is (`user:12`, `order:34`, or a meta key) and what it looks like, masked."""

    ref: str
    value: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found."""

    name: str
    inventory: str
    of: str
    about: str
    action: str
    count: int
    examples: list[Example]


_AS_TYPED = "it is written as it is"
CHECKS = {
    check.name: check
    for check in (
        Check("duplicate_spelling", "000-16", "people", "addresses that look like one mailbox (+tag, dots, slips)",
              "nothing is merged: each address stays a contact of its own; merging is your click"),
        Check("duplicate_mobile", "000-16", "people", "several people with the same mobile number",
              "nothing is merged: a family may share a phone; merging is your click"),
        Check("same_email_accounts", "000-16", "accounts", "another account has the same e-mail address",
              "they are one contact; the lowest id gives name and address, the orders of all count"),
        Check("two_names", "000-16", "people", "different names on one e-mail address",
              "one contact: the account's name, else the newest order's"),
        Check("unreachable", "000-18", "records", "neither an e-mail address nor a phone number",
              "no contact is made; the orders are counted in the ledger as no_email"),
        Check("no_email", "000-18", "records", "a phone number, but no e-mail address",
              "no contact is made: FluentCRM knows people by e-mail; counted in the ledger as no_email"),
        Check("test_order", "000-17", "orders", "orders that somebody made to try the shop ([people.test_orders])",
              "they count like any other: put them into the trash, and the next sync leaves them out"),
        Check("bad_email", "000-22", "people", "e-mail addresses that are none",
              "no contact is made; counted in the ledger as bad_email"),
        Check("email_typo", "000-22", "people", "e-mail addresses with a likely slip in the domain (gmial.com)",
              "the address is used as it is: guessing could write to a stranger"),
        Check("email_spelling", "000-22", "people", "e-mail addresses with capitals, blanks or invisible characters",
              "FluentCRM gets them trimmed and in small letters"),
        Check("bad_phone", "000-15", "people", "phone numbers that no numbering plan knows",
              "the phone is left out, what FluentCRM has stays, and the dead letters list it as bad_phone"),
        Check("ambiguous_phone", "000-15", "people", "phone numbers without + and without a known country",
              "the phone is left out, as bad_phone (ambiguous); set [options] country in mapping.toml to read them"),
        Check("phone_spelling", "000-15", "people", "valid phone numbers in other spellings than +48600700800",
              "FluentCRM gets them in that form (E.164)"),
        Check("phone_country", "000-19", "people", "the phone number is of another country than the billing address",
              "both are written: people move and travel"),
        Check("country_unknown", "000-19", "people", "an address with a country that is none, or without one",
              "a country that is none is left out, as bad_country; phones are read by the shop's country then"),
        Check("state_without_country", "000-19", "people", "an address with a state but no country", _AS_TYPED),
        Check("postcode", "000-19", "people", "postcodes that do not fit their country (PL, GB, BG, IR, US, DE)",
              f"{_AS_TYPED}, digits in ASCII"),
        Check("city", "000-19", "people", "cities with digits, or in another script than the rest", _AS_TYPED),
        Check("full_name", "000-21", "people", "the whole name in one field",
              "it is split: the last word (with van, de …) is the last name"),
        Check("missing_name", "000-21", "people", "no name at all",
              "the contact has none; a name that FluentCRM has stays"),
        Check("name_case", "000-21", "people", "names all in capitals or all in small letters",
              f'{_AS_TYPED}; transform = ["proper"] puts it right'),
        Check("unsafe_name", "000-21", "people", "names with HTML, smartcodes or control characters",
              "they are taken out: FluentCRM prints names unescaped"),
        Check("stale_meta", "000-20", "rows", "meta keys of plugins that are not active, transients and old caches",
              "nothing reads them unless a rule says so; the shop's data is never changed"),
    )
}  # fmt: skip
