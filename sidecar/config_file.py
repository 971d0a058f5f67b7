"""The configuration from where it is written: file, environment, and `wp-config.php` for what is empty."""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

import msgspec

from sidecar import config_secrets, toml_file, wp_config
from sidecar.config import Config, Database, Section, Service, Shop
from sidecar.errors import ConfigError, Problem
from sidecar.wp_config import WpConfig

SYSTEM_FILE = "/etc/fluentcrm-sidecar/sidecar.toml"
ENV_PREFIX = "SIDECAR_"
_NOT_KEYS = {"SIDECAR_CONFIG", "SIDECAR_NOW"}
_PREFIX = re.compile(r"[A-Za-z0-9_]{1,32}\Z")
_TABLE = re.compile(r"[A-Za-z0-9_]{1,64}\Z")

log = logging.getLogger(__name__)


def find(explicit: str | None, env: Mapping[str, str] = os.environ) -> Path | None:
    """The file to use: `explicit`, `$SIDECAR_CONFIG`, `./sidecar.toml`, else the one in /etc, if any.

    A file that was named must exist; its absence is `load`'s error.
    """
    named = explicit or env.get("SIDECAR_CONFIG", "")
    if named:
        return Path(named).expanduser()
    for place in (Path("sidecar.toml"), Path(SYSTEM_FILE)):
        if place.is_file():
            return place
    return None


def load(explicit: str | None = None, env: Mapping[str, str] = os.environ) -> Config:
    """The whole configuration, complete and checked. Raises ConfigError with everything that is wrong."""
    config, file = read(explicit, env)
    return complete(config, file, env)


def read(explicit: str | None = None, env: Mapping[str, str] = os.environ) -> tuple[Config, Path | None]:
    """What the file and the environment say, and nothing more: no other file is opened yet."""
    file = find(explicit, env)
    overrides = _overrides(env)
    if file is None and not overrides:
        raise ConfigError(
            f"there is no configuration: no --config, $SIDECAR_CONFIG, ./sidecar.toml or {SYSTEM_FILE}",
            hint="write one with `sidecar init --wp-path /path/to/wordpress`, or try `sidecar demo`",
        )
    config = Config()
    if file is not None:
        config = toml_file.load(file, Config)
        _warn_about_permissions(file, config)
        config_secrets.refuse_written(config, file)
    data = msgspec.to_builtins(config)
    for path, value in overrides:
        table = data
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return msgspec.convert(data, Config), file


def _rules(named: str, usual: str, base: Path, file: Path | None) -> str:
    """The file of rules that is named, else the one of the usual name beside the configuration file, else ''."""
    if named:
        return str(_absolute(named, base))
    return str(base / usual) if file is not None and (base / usual).is_file() else ""


def _automations(named: str, base: Path, file: Path | None, state: Path) -> str:
    """The directory that is named, else `automations` beside the configuration file, else the one in the state directory."""
    if named:
        return str(_absolute(named, base))
    beside = base / "automations"
    return str(beside if file is not None and beside.is_dir() else state / "automations")


def complete(config: Config, file: Path | None, env: Mapping[str, str] = os.environ) -> Config:
    """Fill what is empty (`wp-config.php`, password file, defaults), make paths absolute, check the whole."""
    base = file.absolute().parent if file else Path.cwd()
    wp = None
    if config.shop.wp_path:
        path = _absolute(config.shop.wp_path, base)
        config = _with_shop(config, wp_path=str(path))
        if not _database_given(config.shop):
            wp = wp_config.read(path, env)
    config = _with_shop(config, database=_database(config.shop.database, wp, base))
    config = _with_tables(config, wp)
    _check(config, wp, str(file) if file else "the environment")
    mapping = _rules(config.mapping.file, "mapping.toml", base, file)
    segments = _rules(config.segments.file, "segments.toml", base, file)
    directory = str(_absolute(config.state.dir, base)) if config.state.dir else default_state_dir()
    saved = Path(directory) / "mapping.toml"
    if not mapping and saved.is_file():
        # The mapping page of wp-admin saves here when nothing else is named: /etc is not the service's to write.
        mapping = str(saved)
    automations = _automations(config.automations.dir, base, file, Path(directory))
    return msgspec.structs.replace(
        config,
        automations=msgspec.structs.replace(config.automations, dir=automations),
        mapping=msgspec.structs.replace(config.mapping, file=mapping),
        segments=msgspec.structs.replace(config.segments, file=segments),
        state=msgspec.structs.replace(config.state, dir=directory),
        service=_service(config.service, base),
        channels=config_secrets.filled(config.channels, base),
    )


def _service(service: Service, base: Path) -> Service:
    if not service.unix_socket:
        return service
    return msgspec.structs.replace(service, unix_socket=str(_absolute(service.unix_socket, base)))


def default_state_dir() -> str:
    """Where the sidecar keeps its own data when `[state] dir` is empty."""
    if os.geteuid() == 0:
        return "/var/lib/fluentcrm-sidecar"
    return str(Path("~/.local/share/fluentcrm-sidecar").expanduser())


def _absolute(text: str, base: Path) -> Path:
    return base / Path(text).expanduser()


def _with_shop(config: Config, **changes: Any) -> Config:
    return msgspec.structs.replace(config, shop=msgspec.structs.replace(config.shop, **changes))


def _database_given(shop: Shop) -> bool:
    """Whether nothing is left for `wp-config.php` to say (then it need not even be readable)."""
    database = shop.database
    where = database.host or database.unix_socket
    password = database.password or database.password_file
    return bool(where and database.name and database.user and password and shop.table_prefix and shop.users_table)


def _database(database: Database, wp: WpConfig | None, base: Path) -> Database:
    changes: dict[str, Any] = {}
    if database.password_file and not database.password:
        changes["password"] = config_secrets.read(
            "shop.database.password_file", _absolute(database.password_file, base)
        )
    if wp is not None:
        changes.setdefault("password", database.password or (wp.db_password if not database.user else ""))
        changes["name"] = database.name or wp.db_name
        changes["user"] = database.user or wp.db_user
        if not (database.host or database.port or database.unix_socket) and "DB_HOST" not in wp.computed:
            host, port, unix_socket = wp_config.parse_db_host(wp.db_host)
            changes |= {"host": host or "localhost", "port": port, "unix_socket": unix_socket}
    return msgspec.structs.replace(database, **changes)


def _with_tables(config: Config, wp: WpConfig | None) -> Config:
    """Prefix and account tables. On a multisite the accounts are on the base prefix, whichever blog it is."""
    shop = config.shop
    prefix = shop.table_prefix or (wp.table_prefix if wp else "")
    base = prefix
    if wp and wp.table_prefix and re.fullmatch(re.escape(wp.table_prefix) + r"\d+_", prefix):
        base = wp.table_prefix
    if not prefix:
        return config
    return _with_shop(
        config,
        table_prefix=prefix,
        users_table=shop.users_table or (wp.custom_user_table if wp else "") or f"{base}users",
        usermeta_table=shop.usermeta_table or (wp.custom_user_meta_table if wp else "") or f"{base}usermeta",
    )


_ESSENTIAL = {
    "shop.table_prefix": "$table_prefix",
    "shop.database.name": "DB_NAME",
    "shop.database.user": "DB_USER",
    "shop.database.host": "DB_HOST",
}


def _check(config: Config, wp: WpConfig | None, file: str) -> None:
    shop, found = config.shop, []
    have = {
        "shop.table_prefix": shop.table_prefix,
        "shop.database.name": shop.database.name,
        "shop.database.user": shop.database.user,
        "shop.database.host": shop.database.host or shop.database.unix_socket,
    }
    for key, constant in _ESSENTIAL.items():
        if not have[key]:
            why = "is empty, and there is no [shop] wp_path to take it from"
            if wp:
                how = "computes" if constant in wp.computed else "does not set"
                why = f"is empty, and {wp.file} {how} {constant}"
            found.append(Problem(file, None, key, why, f"set it here, or {env_name(key)} in the environment"))
    if wp and "DB_PASSWORD" in wp.computed and not (shop.database.password or shop.database.password_file):
        why = f"is empty, and {wp.file} computes DB_PASSWORD"
        found.append(Problem(file, None, "shop.database.password", why, "set it, or password_file, here"))
    for key, value, pattern in (
        ("shop.table_prefix", shop.table_prefix, _PREFIX),
        ("shop.users_table", shop.users_table, _TABLE),
        ("shop.usermeta_table", shop.usermeta_table, _TABLE),
    ):
        if value and not pattern.match(value):
            why = f"{value!r} cannot be part of a table name"
            found.append(Problem(file, None, key, why, "letters, digits and _, a prefix at most 32 of them"))
    if found:
        raise ConfigError(
            f"{file} does not say enough to find the shop's database",
            found,
            hint="run `sidecar init --wp-path /path/to/wordpress`, or fill in [shop] and [shop.database]",
        )


def _warn_about_permissions(file: Path, config: Config) -> None:
    if config.shop.database.password and readable_by_others(file):
        log.warning("%s holds a password and others may read it: run `chmod 600 %s`", file, file)


def readable_by_others(file: Path) -> bool:
    """Whether every account of this machine may read the file."""
    try:
        return bool(file.stat().st_mode & 0o004)
    except OSError:
        return False


def env_name(key: str) -> str:
    """The variable that overrides a key: `shop.database.host` → `SIDECAR_SHOP__DATABASE__HOST`."""
    return ENV_PREFIX + key.replace(".", "__").upper()


def _overrides(env: Mapping[str, str]) -> list[tuple[tuple[str, ...], Any]]:
    """Every `SIDECAR_SECTION__KEY` as path and typed value. Raises ConfigError with all that are wrong."""
    known = {env_name(".".join(path)): (path, type_) for path, type_ in _keys(Config)}
    found, faults = [], []
    for name in sorted(env):
        if not name.startswith(ENV_PREFIX) or name in _NOT_KEYS:
            continue
        path, type_ = known.get(name) or _table_key(name, known)
        if not path:
            near = toml_file.did_you_mean(name, list(known))
            faults.append(Problem("environment", None, name, "is no key of the configuration", near))
            continue
        value = _typed(env[name], type_)
        wrong = toml_file.faults(value, type_)
        faults += [Problem("environment", None, name, fault.message, fault.hint) for fault in wrong]
        found.append((path, value))
    if faults:
        count = "1 variable" if len(faults) == 1 else f"{len(faults)} variables"
        raise ConfigError(f"{count} in the environment cannot be used", faults, hint="correct or unset them")
    return found


def _keys(type_: type[Section], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for field in msgspec.structs.fields(type_):
        here = (*path, field.encode_name)
        if isinstance(field.type, type) and issubclass(field.type, Section):
            found += _keys(field.type, here)
        else:
            found.append((here, field.type))
    return found


def _table_key(name: str, known: Mapping[str, tuple[tuple[str, ...], Any]]) -> tuple[tuple[str, ...], Any]:
    """A key of a free table: `SIDECAR_PEOPLE__CURRENCY_RATES__EUR`; the last part keeps its case."""
    table, _, key = name.rpartition("__")
    path, type_ = known.get(table, ((), None))
    return ((*path, key), str) if get_origin(type_) is dict and key else ((), None)


def _typed(text: str, type_: Any) -> Any:
    """The value a variable means: text as it is, else a TOML value, else a list by commas."""
    if not toml_file.faults(text, type_):
        return text
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        if get_origin(type_) is tuple:
            return [part.strip() for part in text.split(",") if part.strip()]
        return text
