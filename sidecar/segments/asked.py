"""What rules ask of FluentCRM: only that is read from it and kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sidecar.segments import model
from sidecar.segments.catalogue import CONTACT_COLUMNS, VALUE, get
from sidecar.segments.traits import fold


class Asked(msgspec.Struct, frozen=True):
    """`contact`: anything at all. `mails`: how contacts answer to e-mails. `tags` and `lists`: folded slugs. `values`: custom
    fields and columns, as fields of the rule language (`contact.city`)."""

    contact: bool = False
    mails: bool = False
    tags: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The names of the rows in `contact_value`."""
        return frozenset({f"tag:{slug}" for slug in self.tags} | {f"list:{slug}" for slug in self.lists} | self.values)

    @property
    def columns(self) -> list[str]:
        """The columns of contacts among the values."""
        return [name for name in CONTACT_COLUMNS if VALUE + name in self.values]

    @property
    def slugs(self) -> list[str]:
        """The custom fields among them."""
        return sorted(name.removeprefix(VALUE) for name in self.values - {VALUE + column for column in self.columns})

    def covers(self, other: Asked) -> bool:
        """Whether all that the other asks for is here."""
        return self.contact >= other.contact and self.mails >= other.mails and self.names >= other.names

    def plus(self, other: Asked) -> Asked:
        """Both."""
        return Asked(
            self.contact or other.contact,
            self.mails or other.mails,
            self.tags | other.tags,
            self.lists | other.lists,
            self.values | other.values,
        )


def of(rules: Iterable[model.Condition]) -> Asked:
    """What these rules ask for."""
    found: dict[str, set[str]] = {"contact_trait": set(), "tags": set(), "lists": set(), "values": set()}
    for rule in rules:
        for part in model.walk(rule):
            if isinstance(part, model.OfField):
                field = get(part.field)
                if field.kind == "value":
                    found["values"].add(field.name)
                elif field.kind == "terms" and isinstance(part, model.Has):
                    found[field.name] |= {fold(slug) for slug in part.values}
                elif field.table == "contact_trait":
                    found["contact_trait"].add(field.name)
    return Asked(
        contact=any(found.values()),
        mails=bool(found["contact_trait"] - {"status", "consent"}),
        tags=frozenset(found["tags"]),
        lists=frozenset(found["lists"]),
        values=frozenset(found["values"]),
    )
