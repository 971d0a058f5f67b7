"""Named SQL. Every statement the sidecar sends to the shop stands in `store/sql` or `crm/sql` under a name.

Format: a block begins with `-- name: NAME`, then comment lines saying what it is for, among them
`-- columns: a b c` (the aliases, in order; where numbers are marked as `a#`, all others are text, and packing is
cheaper for the server), then one statement. `{p}`, `{users}` and `{usermeta}` are the
only substitutions, all three checked identifiers; values are `%(name)s` parameters, never text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sidecar.errors import ConfigError

_IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Query:
    """One named statement, with its column aliases in order (empty for a statement that returns none)."""

    name: str
    sql: str
    columns: tuple[str, ...]
    about: str
    file: str
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tables:
    """The names that stand for `{p}`, `{users}` and `{usermeta}`. Raises ConfigError unless identifiers."""

    prefix: str
    users: str = ""
    usermeta: str = ""

    def __post_init__(self) -> None:
        for value in (self.prefix, self.users_table, self.usermeta_table):
            if not _IDENTIFIER.match(value):
                raise ConfigError(
                    f"{value!r} cannot be part of a table name",
                    hint="[shop] table_prefix, users_table and usermeta_table take letters, digits and _",
                )

    @property
    def users_table(self) -> str:
        return self.users or f"{self.prefix}users"

    @property
    def usermeta_table(self) -> str:
        return self.usermeta or f"{self.prefix}usermeta"

    def fill(self, sql: str) -> str:
        """The statement with the real table names."""
        sql = sql.replace("{users}", f"`{self.users_table}`").replace("{usermeta}", f"`{self.usermeta_table}`")
        return sql.replace("{p}", self.prefix)


def _parse(text: str, file: str) -> Iterator[Query]:
    for block in re.split(r"^-- name: ", text, flags=re.MULTILINE)[1:]:
        head, _, rest = block.partition("\n")
        about, body = [], []
        columns: tuple[str, ...] = ()
        numbers: frozenset[str] = frozenset()
        for line in rest.splitlines():
            if line.startswith("-- columns:"):
                words = line.removeprefix("-- columns:").split()
                columns = tuple(word.rstrip("#") for word in words)
                numbers = frozenset(word.rstrip("#") for word in words if word.endswith("#"))
            elif line.startswith("--"):
                about.append(line.removeprefix("--").strip())
            elif line.strip():
                body.append(line)
        yield Query(head.strip(), "\n".join(body).rstrip(";"), columns, " ".join(about), file, numbers)


@cache
def all_queries() -> dict[str, Query]:
    """Every named query by name. Raises ValueError when a name stands twice: that is a fault of ours."""
    found: dict[str, Query] = {}
    for package in ("sidecar.store", "sidecar.crm"):
        folder = resources.files(package) / "sql"
        for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if item.name.endswith(".sql"):
                for query in _parse(item.read_text(encoding="utf-8"), item.name):
                    if query.name in found:
                        raise ValueError(f"query {query.name} stands twice ({query.file})")
                    found[query.name] = query
    return found


def get(name: str) -> Query:
    """The query of that name; KeyError when there is none."""
    return all_queries()[name]
