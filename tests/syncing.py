"""What the tests of the main job share: running it, and reading what it left in FluentCRM without its own code."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import ShopDatabase

from sidecar.config import Config
from sidecar.crm.undo import Result, undo
from sidecar.crm.writer_sql import Writer
from sidecar.mapping import compile as mapping_rules
from sidecar.mysql.connection import Reader
from sidecar.state import dead_letters
from sidecar.state.database import State
from sidecar.state.dead_letters import DeadLetter
from sidecar.sync.engine import Report, sync
from sidecar.sync.session import Choices

ConfigFor = Callable[..., Config]
TAG, LIST = "FluentCrm\\App\\Models\\Tag", "FluentCrm\\App\\Models\\Lists"
COLUMNS = (
    "user_id", "prefix", "first_name", "last_name", "email", "hash", "status", "timezone", "address_line_1",
    "address_line_2", "postal_code", "city", "state", "country", "phone", "contact_type", "source",
    "date_of_birth", "created_at",
)  # fmt: skip
WALL = "2026-11-01 13:00:00"  # SIDECAR_NOW by the clock of Warsaw
Contact = dict[str, Any]


def run(config: Config, rules: str | None = None, **choices: Any) -> Report:
    """One run of the main job, with the built-in mapping or the given text."""
    mapping = mapping_rules.load(None) if rules is None else mapping_rules.compile_text(rules, "mapping.toml")
    with State(config.state.dir) as state:
        return sync(config, state, mapping, Choices(**choices))


def letters(config: Config) -> list[DeadLetter]:
    with State(config.state.dir) as state:
        return dead_letters.all_(state)


def people(config: Config) -> dict[str, dict[str, Any]]:
    """The state's people by a name that does not depend on the order of a run: their key in hex."""
    names = ("user_id", "contact_id", "made", "dirty", "verdict", "reason", "orders_count", "ltv", "status")
    with State(config.state.dir) as state:
        rows = state.rows(f"SELECT hex(key), {', '.join(names)} FROM person")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def undo_run(config: Config, run_id: int, *, pivot_unique: bool = True) -> Result:
    """What `sidecar sync undo RUN` does to FluentCRM."""
    prefix = config.shop.table_prefix
    with Reader(config) as reader:
        writer = Writer(config.shop.database, prefix, 0, WALL, pivot_unique=pivot_unique)
        try:
            return undo(reader, writer, run_id)
        finally:
            writer.close()


def execute(shop: ShopDatabase, sql: str, arguments: object = None) -> int:
    """Do something to the shop behind the sidecar's back. Returns the rows it concerned."""
    connection = shop.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode=''")
            return int(cursor.execute(sql, arguments))
    finally:
        connection.close()


def contacts(shop: ShopDatabase) -> dict[str, Contact]:
    """Every contact by its e-mail in lower case. Fields, tags and lists are lists: a double row shows."""
    found: dict[int, Contact] = {}
    for id_, *cells in shop.rows(
        f"SELECT id, {', '.join(f'CAST({c} AS CHAR)' for c in COLUMNS)} FROM wp_fc_subscribers"
    ):
        columns = dict(zip(COLUMNS, cells, strict=True))
        found[id_] = {"columns": columns, "fields": defaultdict(list), "tags": [], "lists": []}
    for id_, key, value in shop.rows(
        "SELECT subscriber_id, `key`, value FROM wp_fc_subscriber_meta WHERE object_type='custom_field' ORDER BY 1, 2, 3"
    ):
        found[id_]["fields"][key].append(value)
    for kind, table, type_ in (("tags", "fc_tags", TAG), ("lists", "fc_lists", LIST)):
        for id_, slug in shop.rows(
            f"SELECT p.subscriber_id, t.slug FROM wp_fc_subscriber_pivot p JOIN wp_{table} t ON t.id = p.object_id"
            " WHERE p.object_type = %s ORDER BY 1, 2",
            (type_,),
        ):
            found[id_][kind].append(slug)
    for contact in found.values():
        contact["fields"] = dict(contact["fields"])
    by_email = {contact["columns"]["email"].strip().lower(): contact for contact in found.values()}
    assert len(by_email) == len(found), "two contacts of one address"
    return by_email


def field(contact: Contact, slug: str) -> str | None:
    """A custom field's only value, None when there is no row."""
    values = contact["fields"].get(slug, [])
    assert len(values) <= 1, (slug, values)
    return values[0] if values else None


def checksums(shop: ShopDatabase, where: Callable[[str], bool]) -> dict[str, int]:
    """CHECKSUM TABLE of the tables whose name (without prefix) fits: any changed byte shows."""
    names = [row[0] for row in shop.rows("SHOW TABLES") if where(row[0].removeprefix("wp_"))]
    return {
        row[0].partition(".")[2]: row[1] for row in shop.rows(f"CHECKSUM TABLE {', '.join(f'`{n}`' for n in names)}")
    }


def is_crm(table: str) -> bool:
    return table.startswith("fc_")


def is_shop(table: str) -> bool:
    return not table.startswith(("fc_", "fcsc_"))


def crm_rows(shop: ShopDatabase) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of FluentCRM's tables but for what no undo can give back: row ids of values and touch dates."""
    found = {}
    for (table,) in shop.rows("SHOW TABLES LIKE 'wp\\_fc\\_%'"):
        drop = {"updated_at"}
        if table in ("wp_fc_subscriber_meta", "wp_fc_subscriber_pivot"):
            drop |= {"id", "created_at"}
        columns = [row[0] for row in shop.rows(f"SHOW COLUMNS FROM {table}") if row[0] not in drop]
        rows = shop.rows(f"SELECT {', '.join(f'CAST(`{c}` AS BINARY)' for c in columns)} FROM {table}")
        found[table] = sorted(rows, key=repr)
    return found


def unlike(left: dict[str, Any], right: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The entries that differ, small enough to read."""
    keys = left.keys() | right.keys()
    return {key: _parts(left.get(key), right.get(key)) for key in sorted(keys) if left.get(key) != right.get(key)}


def _parts(a: Any, b: Any) -> tuple[Any, Any]:
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
        parts = {key: _parts(a.get(key), b.get(key)) for key in keys}
        return {key: part[0] for key, part in parts.items()}, {key: part[1] for key, part in parts.items()}
    if isinstance(a, list) and isinstance(b, list) and len(a) + len(b) > 20:
        return [x for x in a if x not in b], [x for x in b if x not in a]
    return a, b


def fresh(server: Any, shop: ShopDatabase, name: str, template: str) -> ShopDatabase:
    """A copy of a shop as it is now, but for FluentCRM's tables: these are as they were in the template."""
    server.clone(shop.database, name)
    copy = ShopDatabase(server, name, shop.storage, shop.truth)
    connection = copy.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO'")
            for table in [row[0] for row in copy.rows("SHOW TABLES")]:
                if table.startswith("wp_fcsc_"):
                    cursor.execute(f"DROP TABLE `{table}`")
                elif table.startswith("wp_fc_"):
                    cursor.execute(f"TRUNCATE TABLE `{table}`")
                    cursor.execute(f"INSERT INTO `{table}` SELECT * FROM `{template}`.`{table}`")
    finally:
        connection.close()
    return copy


@contextmanager
def local_time(zone: str) -> Iterator[None]:
    """The process in another time zone than the shop."""
    old = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if old is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = old
        time.tzset()


def python_files(folder: Path) -> Iterator[Path]:
    """The Python files below a folder."""
    yield from sorted(folder.rglob("*.py"))
