"""docs/mapping.md, written from the tables that the rules themselves are compiled with. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from sidecar.mapping import rules, sources, transforms
from sidecar.mapping.compile import COLUMNS

BAR = "\\|"
_HEAD = """\
<!-- Written by `python -m sidecar.mapping.document > docs/mapping.md`; a test says when it is out of date. -->

# Mapping rules

`mapping.toml` says what of the shop goes where in FluentCRM. Without one the built-in rules hold; `sidecar mapping
example` prints them, commented. Copy them beside `sidecar.toml`, change them, then:

| command | what it does |
|---|---|
| `sidecar mapping explore users` (orders, items, products) | every meta key, and the rule that would use it |
| `sidecar mapping check [FILE]` | every fault of the rules at once, with line and what was probably meant |
| `sidecar mapping explain EMAIL` | one person, every field: sources, transforms, old and new value, and why |
| `sidecar sync --dry-run` | what the rules would change, nothing is written |
"""

_RULES = {
    "to": "a contact column, or `custom:SLUG` for a custom field, which is made when FluentCRM does not have it",
    "from": "one source, or a list of which the first that has a value wins",
    "pick": "of order, item and product meta, over the counted orders in order of time: `first`, `last` (default),"
    " `any` (the newest that is not empty), `all`",
    "transform": "a list, done in order; a value that does not fit is reported, and the next source is tried",
    "conflict": "who wins when FluentCRM has another value, see below",
    "blank": "`true`: when the shop has no value any more the place is emptied. Default `false`: it is left alone",
    "label": "of a custom field that is made",
    "type": "of a custom field that is made",
    "options": "of a choice field; values that turn up later are added",
    "group": "of a custom field that is made",
}
_TAGS = """\
`[[tag]]` and `[[list]]` give tags and lists: `slug` and `title` (both may hold `{value}`), `from`, `pick`, `transform`,
and `when`, the values for which it is given (case does not count; without it, every value). Tags begin with `woo-`. A
tag that no rule gives any more is taken away only when the sidecar gave it.

`[options]`: `country` (ISO-2) is assumed for people without one, empty is the shop's own; `day_first = true` reads
03/04/1990 as 3 April.
"""
_POLICIES = {
    "shop": "the shop's value is written whenever it differs (default)",
    "crm": "the shop's value is followed until a person changes or clears it in FluentCRM; then theirs stays",
    "fill_empty": "only an empty place is filled",
    "newest": "the later change wins: the shop's last change of this person against the contact's (a field's) own",
}
_TYPES = {
    "text": "one line",
    "textarea": "several lines",
    "number": "a plain number with a dot",
    "select-one": "one of the options",
    "select-multi": "several of the options",
    "radio": "one of the options",
    "checkbox": "several of the options",
    "date": "`YYYY-MM-DD`",
    "date_time": "`YYYY-MM-DD HH:MM:SS` in the shop's time zone",
}
_STEPS = {
    "map": '`{ map = { cod = "cash", bacs = "transfer" } }` replaces values (case does not count); others pass',
    "default": '`{ map = {…}, default = "other" }` is what others become',
    "template": '`{ template = "{value} PLN" }`; holes: ' + ", ".join(f"`{{{hole}}}`" for hole in transforms.HOLES),
    "limit": "`{ limit = 50 }` cuts to so many characters",
    "join": '`{ join = ", " }` puts the values of a list into one text',
}
_KEYED = {
    "user_meta": "any meta of the account (`sidecar mapping explore users`)",
    "order_meta": "any meta of counted orders (`sidecar mapping explore orders`)",
    "item_meta": "any meta of their lines (`sidecar mapping explore items`)",
    "product_meta": "any meta of products bought (`sidecar mapping explore products`)",
}

_EXAMPLES = """\
## Examples

A birthday from whichever form collected it:

```toml
[[field]]
to = "date_of_birth"
from = ["user_meta.birthday", "order_meta._billing_birthday"]
pick = "any"
transform = ["date"]
conflict = "crm"
```

The tax number of companies, and a tag for those who have one:

```toml
[[field]]
to = "custom:woo_nip"
label = "NIP"
from = ["user_meta.billing_nip", "order_meta._billing_nip"]
transform = ["trim", "upper"]

[[tag]]
slug = "woo-payment-{value}"
title = "Pays by {value}"
from = "facts.payment_method"
when = ["cod", "przelewy24"]
```

The language to write in, from the account's locale:

```toml
[[field]]
to = "custom:language"
label = "Language"
type = "select-one"
options = ["Polish", "Bulgarian", "Persian", "English"]
from = "facts.locale"
transform = [{ map = { pl_PL = "Polish", bg_BG = "Bulgarian", fa_IR = "Persian" }, default = "English" }]
```
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join(
        [
            _HEAD,
            "## Rules\n",
            "`[[field]]` fills one place for every person; no two rules fill the same place.\n",
            _table(("key", "meaning"), _RULES.items()),
            _TAGS,
            "### Who wins: `conflict`\n",
            _table(
                ("policy", "when FluentCRM has another value"),
                ((name, _POLICIES[name]) for name in get_args(rules.Conflict)),
            ),
            "A source without a value changes nothing, unless the rule says `blank = true`.\n",
            "## Targets\n",
            _table(("contact column", "longest"), ((name, f"{limit} characters") for name, limit in COLUMNS.items())),
            _table(("custom field type", "holds"), ((name, _TYPES[name]) for name in get_args(rules.FieldType))),
            "## Sources\n",
            _sources(),
            "## Transforms\n",
            _table(("name", "what it does"), ((name, about) for name, (_, about) in transforms.NAMED.items())),
            _table(("with arguments", "what it does"), ((name, _STEPS[name]) for name in rules.Step.__struct_fields__)),
            _EXAMPLES,
        ]
    )


def _sources() -> str:
    parts = [
        _table(
            ("address", "meaning"),
            (
                (f"{kind}.{part}", f"the account's {kind} address where it has one, else the newest order's")
                for kind in ("billing", "shipping")
                for part in sources.ADDRESS_PARTS
            ),
        )
    ]
    for group, table in sources.GROUPS.items():
        rows = ((f"{group}.{name}", about) for name, (_, about) in table.items())
        parts.append(_table((group, "meaning"), rows))
    parts.append(_table(("with a key", "meaning"), ((f"{name}.KEY", _KEYED[name]) for name in sources.KEYED)))
    return "\n".join(parts)


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    lines += [f"| `{name}` | {about.replace('|', BAR)} |" for name, about in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
