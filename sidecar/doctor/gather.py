"""The facts that the checks look at, read once: a few small queries, a few files, nothing is changed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection

from sidecar import clock, php_source, wp_config
from sidecar.automations import senders
from sidecar.config import Config
from sidecar.doctor import needs, running
from sidecar.doctor.model import Facts, Index, Php, Queue, Shop, Table
from sidecar.errors import ConfigError, StoreUnavailable
from sidecar.mysql.connection import open_connection
from sidecar.values import php
from sidecar.wp_config import WpConfig

OPTIONS = (
    "siteurl", "home", "db_version", "active_plugins", "permalink_structure", "timezone_string", "gmt_offset",
    "woocommerce_version", "woocommerce_currency", "woocommerce_custom_orders_table_enabled",
    "woocommerce_custom_orders_table_data_sync_enabled", "woocommerce_custom_orders_table_created",
    "woocommerce_feature_order_attribution_enabled", "_fluentcrm_db_version", "fcsc_paid_statuses", *senders.OPTIONS,
)  # fmt: skip
VARIABLES = (
    "version", "version_comment", "time_zone", "system_time_zone", "max_allowed_packet", "sql_mode",
)  # fmt: skip
_WINTER, _SUMMER = 1767225600, 1782864000  # 2026-01-01 and 2026-07-01 UTC, in Unix seconds
_PHP = 'echo PHP_VERSION, "\\n", implode("\\n", get_loaded_extensions());'


def gather(config: Config, config_file: Path | None, env: Mapping[str, str]) -> Facts:
    """Everything that can be known; what cannot be had is left out and its reason kept."""
    wp, wp_trouble = None, ""
    if config.shop.wp_path:
        try:
            wp = wp_config.read(Path(config.shop.wp_path), env)
        except ConfigError as error:
            wp_trouble = error.message
    database, trouble, hint = None, "", ""
    try:
        connection = open_connection(config.shop.database)
        try:
            database = read_shop(connection, config)
        finally:
            connection.close()
    except StoreUnavailable as error:
        trouble, hint = error.message, error.hint
    except pymysql.err.MySQLError as error:
        trouble = f"the database answered, but not every question: {error.args[-1]}"
        hint = "see the GRANTs that `sidecar init` prints"
    return Facts(
        config=config,
        config_file=config_file,
        database=database,
        trouble=trouble,
        trouble_hint=hint,
        wp=wp,
        wp_trouble=wp_trouble,
        wp_version=wordpress_version(wp),
        php=command_line_php(),
        running=running.read(Path(config.state.dir)),
    )


def read_shop(connection: Connection[Any], config: Config) -> Shop:
    """Ask the database. A table that is not there or not readable just leaves its facts empty."""
    prefix = config.shop.table_prefix
    ask = _Asker(connection, prefix)
    variables = {name: str(value) for name, value in ask("SHOW GLOBAL VARIABLES") if name in VARIABLES}
    moment, winter, summer, account = ask(
        "SELECT CAST(UTC_TIMESTAMP() AS CHAR), TIMESTAMPDIFF(SECOND, '1970-01-01', FROM_UNIXTIME(%s)),"
        " TIMESTAMPDIFF(SECOND, '1970-01-01', FROM_UNIXTIME(%s)), CURRENT_USER()",
        (_WINTER, _SUMMER),
    )[0]
    our_time = clock.now()
    tables = {
        name: Table(engine or "", collation or "", rows or 0, size or 0)
        for name, engine, collation, rows, size in ask(
            "SELECT TABLE_NAME, ENGINE, TABLE_COLLATION, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH"
            " FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
        )
    }
    columns: dict[str, dict[str, str]] = {}
    for table, column, collation in ask(
        "SELECT TABLE_NAME, COLUMN_NAME, COLLATION_NAME FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = DATABASE() ORDER BY ORDINAL_POSITION"
    ):
        columns.setdefault(table, {})[column] = collation or ""
    options = ask.maybe("SELECT option_name, option_value FROM `{p}options` WHERE option_name IN %s", (OPTIONS,))
    found = {str(name): str(value) for name, value in options}
    hpos = found.get("woocommerce_custom_orders_table_enabled") == "yes"
    statuses, currencies = _orders(ask, hpos=hpos)
    return Shop(
        server=variables.get("version", ""),
        account=str(account),
        variables=variables,
        server_time=datetime.fromisoformat(str(moment)).replace(tzinfo=UTC),
        our_time=our_time,
        winter_offset=timedelta(seconds=int(winter) - _WINTER),
        summer_offset=timedelta(seconds=int(summer) - _SUMMER),
        grants=[str(row[0]) for row in ask("SHOW GRANTS")],
        tables=tables,
        columns=columns,
        indexes=_indexes(ask),
        options=found,
        plugins=strings(found.get("active_plugins", "")),
        network_plugins=_network_plugins(ask, config, tables),
        statuses=statuses,
        currencies=currencies,
        hpos_rows=ask.count("SELECT COUNT(*) FROM `{p}wc_orders`"),
        post_orders=ask.count("SELECT COUNT(*) FROM `{p}posts` WHERE post_type = 'shop_order'"),
        queue=_queue(ask, int(our_time.timestamp() * 1000)),
    )


def _queue(ask: _Asker, now_ms: int) -> Queue | None:
    """None where there is no outbox, or it may not be read."""
    rows = ask.maybe(
        "SELECT COUNT(*), MIN(IF(due_ms <= %s, GREATEST(created_ms, due_ms), NULL)) FROM `{p}fcsc_outbox`", (now_ms,)
    )
    if not rows:
        return None
    return Queue(int(rows[0][0]), max(0, now_ms - int(rows[0][1])) if rows[0][1] else 0)


class _Asker:
    """Runs small queries. `{p}` is the prefix, which `config_file` has checked."""

    def __init__(self, connection: Connection[Any], prefix: str) -> None:
        self.connection = connection
        self.prefix = prefix

    def __call__(self, sql: str, params: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.replace("{p}", self.prefix), params)
            return list(cursor.fetchall())

    def maybe(self, sql: str, params: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """No rows when the table is not there or may not be read: another check says so."""
        with suppress(pymysql.err.ProgrammingError, pymysql.err.OperationalError):
            return self(sql, params)
        return []

    def count(self, sql: str) -> int:
        return sum(int(row[0]) for row in self.maybe(sql))


def _orders(ask: _Asker, *, hpos: bool) -> tuple[dict[str, int], dict[str, int]]:
    if hpos:
        statuses = "SELECT status, COUNT(*) FROM `{p}wc_orders` WHERE type = 'shop_order' GROUP BY status"
        currencies = "SELECT currency, COUNT(*) FROM `{p}wc_orders` WHERE type = 'shop_order' GROUP BY currency"
    else:
        statuses = "SELECT post_status, COUNT(*) FROM `{p}posts` WHERE post_type = 'shop_order' GROUP BY post_status"
        currencies = (
            "SELECT m.meta_value, COUNT(*) FROM `{p}postmeta` m JOIN `{p}posts` o ON o.ID = m.post_id"
            " WHERE m.meta_key = '_order_currency' AND o.post_type = 'shop_order' GROUP BY m.meta_value"
        )
    return _counted(ask.maybe(statuses)), _counted(ask.maybe(currencies))


def _counted(rows: list[tuple[Any, ...]]) -> dict[str, int]:
    return {str(name): int(count) for name, count in rows if name}


def _indexes(ask: _Asker) -> dict[str, list[Index]]:
    found: dict[tuple[str, str], tuple[list[str], bool]] = {}
    for table, index, column, other in ask(
        "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, NON_UNIQUE FROM information_schema.STATISTICS"
        " WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
    ):
        found.setdefault((table, index), ([], not int(other)))[0].append(str(column))
    made: dict[str, list[Index]] = {}
    for (table, _), (columns, unique) in found.items():
        made.setdefault(table, []).append(Index(tuple(columns), unique))
    return made


def _network_plugins(ask: _Asker, config: Config, tables: Mapping[str, Table]) -> list[str]:
    """Plugins that a multisite network has switched on for all its sites."""
    base = needs.users_table(config).removesuffix("users")
    if f"{base}sitemeta" not in tables:
        return []
    sql = "SELECT meta_value FROM `{base}sitemeta` WHERE meta_key = 'active_sitewide_plugins'"
    rows = ask.maybe(sql.replace("{base}", base))
    return [plugin for row in rows for plugin in strings(str(row[0]))]


def strings(serialized: str) -> list[str]:
    """The plugin files of a serialized list (or of a table whose keys they are); nothing when broken."""
    try:
        value = php.loads(serialized) if serialized else []
    except php.PhpError:
        return []
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def wordpress_version(wp: WpConfig | None) -> str:
    """`$wp_version` of wp-includes/version.php, which is parsed and not executed."""
    if wp is None:
        return ""
    try:
        source = (wp.wp_path / "wp-includes" / "version.php").read_bytes()
    except OSError:
        return ""
    value = php_source.settings(source, {}).variables.get("wp_version")
    return value if isinstance(value, str) else ""


def command_line_php() -> Php | None:
    """The PHP that the shell finds; the web server may run another."""
    program = shutil.which("php")
    if program is None:
        return None
    try:
        run = subprocess.run(  # noqa: S603 - a fixed command
            [program, "-r", _PHP],
            capture_output=True,
            text=True,
            timeout=15,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = run.stdout.split("\n")
    return Php(lines[0].strip(), frozenset(line.strip().lower() for line in lines[1:]))
