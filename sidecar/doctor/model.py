"""What the checks look at and what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal

import msgspec

from sidecar.config import Config
from sidecar.values import dates
from sidecar.wp_config import WpConfig

Level = Literal["ok", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "info", "warning", "error")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found. `hint` is empty only when all is well."""

    id: str
    level: Level
    sentence: str
    hint: str = ""
    details: tuple[str, ...] = ()

    @property
    def area(self) -> str:
        """The first part of the id."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check function returns. Without a hint the check's own one is shown."""

    level: Level
    sentence: str
    hint: str = ""
    details: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One registered check. `title` says what it looks at, `hint` what to do when it does not like it."""

    id: str
    title: str
    hint: str
    run: Callable[[Facts], Verdict]
    needs_database: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table as information_schema describes it; `rows` is the server's estimate."""

    engine: str
    collation: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Index:
    """An index: its columns in order."""

    columns: tuple[str, ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """The plugin's outbox: how many rows wait, and for how long the oldest one that is due has waited."""

    rows: int
    lag_ms: int


@dataclass(frozen=True, slots=True)
class Running:
    """What the sidecar's own state says of the running sidecar. Times are Unix seconds UTC, None for never."""

    last_sync: int | None = None
    last_pass: int | None = None
    pass_error: str = ""
    held: int | None = None
    paused_until: int | None = None
    paired: bool = False
    seen: int | None = None
    silent_since: int | None = None
    why: str = ""
    segments_fault: str = ""
    segments_error: str = ""


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything that was asked of the database, once. Names of tables are whole, with the prefix."""

    server: str
    account: str
    variables: Mapping[str, str]
    server_time: datetime
    our_time: datetime
    winter_offset: timedelta
    summer_offset: timedelta
    grants: Sequence[str]
    tables: Mapping[str, Table]
    columns: Mapping[str, Mapping[str, str]]
    indexes: Mapping[str, Sequence[Index]]
    options: Mapping[str, str]
    network_plugins: Sequence[str] = ()
    plugins: Sequence[str] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    currencies: Mapping[str, int] = field(default_factory=dict)
    hpos_rows: int = 0
    post_orders: int = 0
    queue: Queue | None = None

    @property
    def hpos(self) -> bool:
        """Whether the order tables are authoritative: the option decides, never the tables."""
        return self.options.get("woocommerce_custom_orders_table_enabled") == "yes"

    @property
    def maria(self) -> bool:
        """Whether the server is MariaDB."""
        return "mariadb" in self.server.lower()

    @property
    def zone(self) -> tzinfo:
        """The site's time zone."""
        return dates.site_zone(self.options.get("timezone_string"), self.options.get("gmt_offset"))

    def active(self, *slugs: str) -> list[str]:
        """Which of these plugins (by folder) are active."""
        folders = {plugin.partition("/")[0].lower() for plugin in (*self.plugins, *self.network_plugins)}
        return [slug for slug in slugs if slug in folders]


@dataclass(frozen=True, slots=True)
class Php:
    """The PHP on the command line, which need not be the web server's."""

    version: str
    modules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known here. `database` is None when it did not answer; `trouble` then says why."""

    config: Config
    config_file: Path | None = None
    database: Shop | None = None
    trouble: str = ""
    trouble_hint: str = ""
    wp: WpConfig | None = None
    wp_trouble: str = ""
    wp_version: str = ""
    php: Php | None = None
    running: Running = Running()

    @property
    def shop(self) -> Shop:
        """The database's facts, for the checks that need them (they run only when it answered)."""
        assert self.database is not None
        return self.database

    @property
    def prefix(self) -> str:
        """The prefix of the shop's tables."""
        return self.config.shop.table_prefix


def numbers(version: str) -> tuple[int, ...]:
    """`10.11.6-MariaDB` → (10, 11, 6), for comparing."""
    found = []
    for part in version.replace("5.5.5-", "").split("-")[0].split(".")[:3]:
        digits = "".join(char for char in part if char.isdigit())
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)
