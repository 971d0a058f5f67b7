"""What a database account may do, from `SHOW GRANTS`, and the GRANTs that are just enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.config import Config
from sidecar.doctor import needs

ACCOUNT = "fluentcrm_sidecar"
PLACEHOLDER = "choose-a-long-password"
WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")
OWN = (*WRITE, "CREATE", "ALTER", "INDEX", "DROP")
SECRET_COLUMNS = ("user_pass", "user_activation_key")

_NAME = r"`(?:[^`]|``)*`|'[^']*'|\"[^\"]*\"|[^\s.]+"
_GRANT = re.compile(rf"GRANT (?P<what>.+?) ON (?:TABLE )?(?P<database>{_NAME})\.(?P<table>{_NAME}) TO ", re.IGNORECASE)
_ROLE = re.compile(rf"GRANT (?P<roles>(?:{_NAME})(?:@(?:{_NAME}))?(?:\s*,\s*(?:{_NAME})(?:@(?:{_NAME}))?)*) TO ")
_PART = re.compile(r"\s*(?P<privilege>[A-Za-z ]+?)\s*(?:\((?P<columns>[^)]*)\))?\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege on one table (or `*`), on all columns or on some."""

    privilege: str
    database: str
    table: str
    columns: frozenset[str] = frozenset()

    def covers(self, privilege: str, database: str, table: str) -> bool:
        """Whether it gives the privilege on some column of the table."""
        if self.privilege not in (privilege, "ALL", "ALL PRIVILEGES"):
            return False
        if self.table == "*":
            return self.database == "*" or _pattern(self.database).fullmatch(database) is not None
        return self.database == database and self.table == table


@dataclass(frozen=True, slots=True)
class Rights:
    """All that an account was granted. `roles`: it also has roles, whose rights SHOW GRANTS does not list."""

    grants: tuple[Grant, ...]
    roles: bool = False

    def may(self, privilege: str, database: str, table: str, columns: Iterable[str] = ()) -> bool:
        """Whether the privilege holds for the whole table, or for all of `columns`."""
        found = [grant for grant in self.grants if grant.covers(privilege, database, table)]
        if any(not grant.columns for grant in found):
            return True
        wanted = set(columns)
        return bool(wanted) and wanted <= {column for grant in found for column in grant.columns}

    @property
    def everything(self) -> bool:
        """Whether the account may administer the whole server."""
        strong = {"ALL", "ALL PRIVILEGES", "SUPER", "CREATE USER"}
        return any(grant.database == "*" and grant.privilege in strong for grant in self.grants)


def parse(lines: Iterable[str]) -> Rights:
    """Read the lines of `SHOW GRANTS`."""
    found: list[Grant] = []
    roles = False
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            roles = roles or (_ROLE.match(line) is not None and "PROXY ON" not in line.upper())
            continue
        database, table = _unquote(match["database"]), _unquote(match["table"])
        for part in _PART.finditer(match["what"]):
            columns = frozenset(_unquote(name.strip()) for name in (part["columns"] or "").split(",") if name.strip())
            found.append(Grant(part["privilege"].upper(), database, table, columns))
    return Rights(tuple(found), roles)


def statements(
    config: Config,
    tables: Iterable[str],
    user_columns: Sequence[str],
    *,
    account: str = ACCOUNT,
    host: str = "localhost",
) -> list[str]:
    """The SQL that makes an account with just enough rights. `tables` are those that exist, by whole name.

    Accounts' tables are granted by column, without the password hash and the activation key.
    """
    prefix, database = config.shop.table_prefix, config.shop.database.name
    users = needs.users_table(config)
    who = f"'{account}'@'{host}'"
    there = set(tables)
    shop = [*needs.shop_tables(config, hpos=True), *(prefix + name for name in needs.OPTIONAL)]
    written = [prefix + name for name in (*needs.CRM_WRITTEN, *needs.CRM_CLEANED)]
    columns = ", ".join(_quote(name) for name in user_columns if name not in SECRET_COLUMNS)
    lines = [f"CREATE USER {who} IDENTIFIED BY '{PLACEHOLDER}';"]
    lines += [_grant(("SELECT",), database, name, who) for name in shop if name in there and name != users]
    if columns and users in there:
        lines.append(f"GRANT SELECT ({columns}) ON {_quote(database)}.{_quote(users)} TO {who};")
    lines += [_grant(WRITE, database, name, who) for name in written if name in there]
    # With CREATE, so that they can be granted before the plugin has made its tables.
    lines += [_grant(OWN, database, prefix + name, who) for name in (*needs.OWN, *needs.PLUGIN)]
    return lines


def _grant(privileges: Sequence[str], database: str, table: str, who: str) -> str:
    return f"GRANT {', '.join(privileges)} ON {_quote(database)}.{_quote(table)} TO {who};"


def _quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _unquote(name: str) -> str:
    if name[:1] in "`'\"" and len(name) > 1:
        return name[1:-1].replace("``", "`")
    return name


def _pattern(text: str) -> re.Pattern[str]:
    """A database name of a grant on `name.*`, where `_` and `%` are wildcards unless escaped."""
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    made = [{"_": ".", "%": ".*"}.get(part, re.escape(part.removeprefix("\\"))) for part in parts]
    return re.compile("".join(made), re.DOTALL)
