"""`sidecar init`: from a WordPress directory to a configuration that works."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from sidecar import config_file, toml_text, wp_config
from sidecar.cli.context import Context, pass_run
from sidecar.config import Config, Database, Shop, State
from sidecar.doctor import grants, needs
from sidecar.doctor.examine import judge, select
from sidecar.doctor.gather import command_line_php, read_shop, wordpress_version
from sidecar.doctor.model import Facts
from sidecar.doctor.model import Shop as ShopFacts
from sidecar.errors import Conflict, StoreUnavailable, UsageError
from sidecar.mysql.connection import open_connection
from sidecar.new_file import directory, write_private
from sidecar.wp_config import WpConfig

# What the owner should know before the first run; the rest is for `sidecar doctor`.
SHOWN = (
    "wordpress.E001", "wordpress.W007", "wordpress.W008", "wordpress.I010", "store.E001", "store.E002",
    "store.I005", "crm.E001", "crm.E002",
)  # fmt: skip
HEADER = """\
# Written by `sidecar init`. `sidecar config example` explains every key.
# What is empty or absent is read from wp-config.php.

"""


@click.command()
@click.option("--wp-path", metavar="DIR", help="WordPress' directory (it holds wp-includes).")
@click.option("--state-dir", metavar="DIR", help="Where the sidecar keeps its own data.")
@click.option("--db-host", metavar="HOST", help="Like DB_HOST; when wp-config.php computes it.")
@click.option("--db-name", metavar="NAME", help="The same for DB_NAME.")
@click.option("--db-user", metavar="USER", help="The same for DB_USER, or an account of your own.")
@click.option("--db-password-file", metavar="FILE", help="A file that holds that account's password.")
@click.option("--table-prefix", metavar="PREFIX", help="The same for $table_prefix; on a multisite the blog's own.")
@click.option("--force", is_flag=True, help="Replace the configuration that is there.")
@pass_run
def init(
    run: Context,
    wp_path: str | None,
    state_dir: str | None,
    db_host: str | None,
    db_name: str | None,
    db_user: str | None,
    db_password_file: str | None,
    table_prefix: str | None,
    force: bool,
) -> None:
    """Write sidecar.toml, after trying the connection. Prints the GRANTs for an account of the sidecar's own.

    The database password stays in wp-config.php; it is not copied.
    """
    file = Path(run.config_option or os.environ.get("SIDECAR_CONFIG") or "sidecar.toml").expanduser()
    _refuse_to_overwrite(file, force=force)
    if not wp_path and not (db_name and db_user):
        raise UsageError("where is WordPress?", hint="give --wp-path, or --db-name, --db-user and --table-prefix")
    written = Config(
        shop=Shop(
            wp_path=_absolute(wp_path),
            table_prefix=table_prefix or "",
            database=_database(db_host, db_name, db_user, db_password_file),
        ),
        state=State(dir=_absolute(state_dir)),
    )
    written, config = _connectable(written, file)
    connection = open_connection(config.shop.database)
    try:
        shop = read_shop(connection, config)
    finally:
        connection.close()
    wp = wp_config.read(Path(config.shop.wp_path), os.environ) if config.shop.wp_path else None
    text = HEADER + toml_text.dumps(_changed(written))
    _write(file, text, force=force)
    _report(run, file, config, shop, wp)


def _refuse_to_overwrite(file: Path, *, force: bool) -> None:
    if file.exists() and not force:
        raise Conflict(f"{file} is there already", hint="give --force to replace it, or --config for another file")


def _write(file: Path, text: str, *, force: bool) -> None:
    try:
        directory(file.parent, 0o777)
        write_private(file, text, replace=force, given=True)
    except FileExistsError as error:
        raise Conflict(f"{file} has appeared meanwhile", hint="give --force to replace it") from error
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}", hint="name another place with --config"
        ) from error


def _absolute(path: str | None) -> str:
    return str(Path(path).expanduser().absolute()) if path else ""


def _database(host: str | None, name: str | None, user: str | None, password_file: str | None) -> Database:
    where = wp_config.parse_db_host(host) if host else wp_config.DbHost("", 0, "")
    return Database(
        host=where.host,
        port=where.port,
        unix_socket=where.unix_socket,
        name=name or "",
        user=user or "",
        password_file=_absolute(password_file),
    )


def _connectable(written: Config, file: Path) -> tuple[Config, Config]:
    """What to write and what it becomes when it is loaded, with a way to the database that works.

    `localhost` is tried as PHP means it, by the server's socket, and then by TCP.
    """
    config = config_file.complete(written, file)
    try:
        open_connection(config.shop.database).close()
    except StoreUnavailable:
        database = config.shop.database
        if database.unix_socket or database.host not in ("", "localhost"):
            raise
        by_tcp = msgspec.structs.replace(database, host="127.0.0.1")
        try:
            open_connection(by_tcp).close()
        except StoreUnavailable:
            by_tcp = database
        if by_tcp is database:
            raise
        changed = msgspec.structs.replace(written.shop.database, host="127.0.0.1", port=database.port)
        written = msgspec.structs.replace(written, shop=msgspec.structs.replace(written.shop, database=changed))
        config = config_file.complete(written, file)
    return written, config


def _changed(config: Config) -> dict[str, Any]:
    """Only what differs from the defaults: an empty key says nothing."""

    def differing(now: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in now.items():
            if isinstance(value, dict):
                inner = differing(value, default.get(key, {}))
                found |= {key: inner} if inner else {}
            elif value != default.get(key):
                found[key] = value
        return found

    return differing(msgspec.to_builtins(config), msgspec.to_builtins(Config()))


def _report(run: Context, file: Path, config: Config, shop: ShopFacts, wp: WpConfig | None) -> None:
    out = run.output
    facts = Facts(
        config=config,
        config_file=file,
        database=shop,
        wp=wp,
        wp_version=wordpress_version(wp),
        php=command_line_php(),
    )
    findings = judge(facts, select(SHOWN))
    sql = account_sql(config, shop)
    out.result({"file": str(file), "findings": findings, "grants": sql})
    out.say(f"{file} is written; only you may read it.")
    out.say()
    for finding in findings:
        if finding.level in ("warning", "error"):
            out.warn(f"{finding.sentence} ({finding.hint})")
        elif finding.level == "info" or finding.id.startswith(("store", "wordpress.E", "crm")):
            out.say(f"  {finding.sentence}")
    out.say()
    out.say("Better than WordPress' own account is one that may do only what is needed. Run as an administrator")
    out.say("of the database, with a password of your own:")
    out.say()
    out.raw("\n".join(sql))
    out.say()
    out.say(f"Then set user = {grants.ACCOUNT!r} and password_file under [shop.database] in {file}.")
    out.say("Next: `sidecar doctor`.")


def account_sql(config: Config, shop: ShopFacts) -> list[str]:
    """The GRANTs for an account of the sidecar's own, from where we connect now."""
    users = needs.users_table(config)
    database = config.shop.database
    local = database.unix_socket or database.host in ("", "localhost")
    host = "localhost" if local else shop.account.rpartition("@")[2]
    return grants.statements(config, shop.tables, list(shop.columns.get(users, ())), host=host or "localhost")
