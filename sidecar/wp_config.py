"""`wp-config.php`, read and never executed: where the shop's database is, and what else WordPress is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from sidecar import php_source
from sidecar.errors import ConfigError
from sidecar.php_source import COMPUTED, Settings, Value

_READ = (
    "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_CHARSET", "MULTISITE", "CUSTOM_USER_TABLE",
    "CUSTOM_USER_META_TABLE", "MYSQL_CLIENT_FLAGS", "WP_HOME", "WP_SITEURL", "WP_CONTENT_DIR",
    "DISABLE_WP_CRON",
)  # fmt: skip
_ENV_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_IPV6 = re.compile(r"^\[?(?P<host>[0-9a-fA-F:]+)(?:\]:(?P<port>[0-9]+))?")
_IPV4 = re.compile(r"^(?P<host>[^:/]*)(?::(?P<port>[0-9]+))?")


class DbHost(NamedTuple):
    """`DB_HOST` taken apart. An empty host with no socket is `localhost`; port 0 is the default one."""

    host: str
    port: int
    unix_socket: str


class WpConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What `wp-config.php` says. `computed` names what it sets in a way that only PHP can work out.

    `repeated` names what it defines twice with different values; as in PHP, the first one counts.
    """

    file: Path
    wp_path: Path
    db_name: str = ""
    db_user: str = ""
    db_password: str = ""
    db_host: str = "localhost"
    db_charset: str = "utf8mb4"
    table_prefix: str = ""
    multisite: bool = False
    custom_user_table: str = ""
    custom_user_meta_table: str = ""
    mysql_client_flags: int | None = None
    wp_home: str = ""
    wp_siteurl: str = ""
    content_dir: Path = Path()
    disable_wp_cron: bool = False
    computed: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    db_dropin: bool = False

    def __repr__(self) -> str:
        """Without the password."""
        return f"WpConfig(file={str(self.file)!r}, db_name={self.db_name!r}, computed={self.computed!r})"


def find(wp_path: Path) -> Path:
    """The file of the WordPress in `wp_path`: there or one directory up, as wp-load.php looks for it."""
    here = wp_path / "wp-config.php"
    above = wp_path.parent / "wp-config.php"
    try:
        if not wp_path.is_dir():
            raise ConfigError(
                f"there is no directory {wp_path}",
                hint="[shop] wp_path is the directory of WordPress, the one that holds wp-includes",
            )
        if here.is_file():
            return here
        if above.is_file() and not (wp_path.parent / "wp-settings.php").exists():
            return above
    except PermissionError as error:
        raise _unreadable(here, error) from error
    raise ConfigError(
        f"there is no wp-config.php in {wp_path} nor one directory up",
        hint="[shop] wp_path is the directory of WordPress, the one that holds wp-includes",
    )


def read(wp_path: Path, env: Mapping[str, str]) -> WpConfig:
    """Read the configuration of the WordPress in `wp_path`. Raises ConfigError when there is none to read."""
    file = find(wp_path)
    try:
        source = file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error
    found = php_source.settings(source, env, str(file.absolute()))
    constants = dict(found.constants)
    prefix = found.variables.get("table_prefix")
    dotenv = _dotenv(file) if constants.get("DB_NAME", COMPUTED) is COMPUTED else {}
    for name in _READ:
        # Bedrock keeps these in `.env`; its wp-config.php only includes other files.
        if constants.get(name, COMPUTED) is COMPUTED and name in dotenv:
            constants[name] = dotenv[name]
    if prefix is None or prefix is COMPUTED:
        prefix = dotenv.get("DB_PREFIX", "wp_" if "DB_NAME" in dotenv else prefix)
    constants["$table_prefix"] = prefix
    return _build(file, wp_path, found, constants)


def _build(file: Path, wp_path: Path, found: Settings, constants: Mapping[str, Value]) -> WpConfig:
    def text(name: str, default: str = "") -> str:
        value = constants.get(name)
        return default if value is None or value is COMPUTED else str(value)

    def truth(name: str) -> bool:
        value = constants.get(name)
        return value is not COMPUTED and value not in (None, False, 0, "", "0")

    content = Path(text("WP_CONTENT_DIR") or wp_path / "wp-content")
    flags = constants.get("MYSQL_CLIENT_FLAGS")
    return WpConfig(
        file=file,
        wp_path=wp_path,
        db_name=text("DB_NAME"),
        db_user=text("DB_USER"),
        db_password=text("DB_PASSWORD"),
        db_host=text("DB_HOST", "localhost"),
        db_charset=text("DB_CHARSET", "utf8mb4") or "utf8mb4",
        table_prefix=text("$table_prefix"),
        multisite=truth("MULTISITE"),
        custom_user_table=text("CUSTOM_USER_TABLE"),
        custom_user_meta_table=text("CUSTOM_USER_META_TABLE"),
        mysql_client_flags=flags if isinstance(flags, int) else None,
        wp_home=text("WP_HOME"),
        wp_siteurl=text("WP_SITEURL"),
        content_dir=content,
        disable_wp_cron=truth("DISABLE_WP_CRON"),
        computed=tuple(name for name in ("$table_prefix", *_READ) if constants.get(name) is COMPUTED),
        repeated=tuple(sorted(found.repeated.intersection(_READ))),
        db_dropin=_exists(content / "db.php"),
    )


def parse_db_host(text: str) -> DbHost:
    """`DB_HOST` by the grammar of `wpdb::parse_db_host`. Raises ConfigError where WordPress refuses too."""
    address, mark, rest = text.partition(":/")
    socket = mark[1:] + rest
    pattern = _IPV6 if address.count(":") > 1 else _IPV4
    found = pattern.match(address)
    if found is None:
        raise ConfigError(f"DB_HOST {text!r} is not a host", hint="write it like localhost or db.example:3307")
    return DbHost(found["host"], int(found["port"] or 0), socket)


def _unreadable(file: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{file} cannot be read: {error.strerror or 'unknown reason'}",
        hint="run the sidecar as a user who may read it, or set [shop.database] and [shop] table_prefix",
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _dotenv(file: Path) -> dict[str, str]:
    """The `.env` beside the configuration or up to two directories above, as Bedrock lays it out."""
    for folder in (file.absolute().parent, *file.absolute().parents[1:3]):
        try:
            text = (folder / ".env").read_text("utf-8", "surrogateescape")
        except OSError:
            continue
        found = [_ENV_LINE.match(line) for line in text.splitlines() if not line.lstrip().startswith("#")]
        values = {match[1]: _dotenv_value(match[2]) for match in found if match}
        if values.get("DB_NAME"):
            return values
    return {}


def _dotenv_value(text: str) -> str:
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        while end > 0 and text[0] == '"' and text[end - 1] == "\\":
            end = text.find('"', end + 1)
        value = text[1:end] if end > 0 else text[1:]
        return re.sub(r"\\([\\\"$])", r"\1", value) if text[0] == '"' else value
    return re.split(r"\s#", text, maxsplit=1)[0].strip()
