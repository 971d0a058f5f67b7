"""What tests of commands share: a shop with its configuration file, and the command line on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from support import ShopDatabase

from sidecar.cli import cli
from sidecar.config import Config
from sidecar.mapping import compile as rules
from sidecar.state.database import State
from sidecar.sync.verify import Verdict, verify


class Bench:
    """One copy of a shop, its sidecar.toml, and commands run on it."""

    def __init__(self, shop: ShopDatabase, folder: Path, extra: str = "") -> None:
        self.shop = shop
        self.file = folder / "sidecar.toml"
        self.state_dir = folder / "state"
        self.file.write_text(
            f'[shop]\ntable_prefix = "wp_"\nusers_table = "wp_users"\nusermeta_table = "wp_usermeta"\n'
            f'[shop.database]\nunix_socket = "{shop.socket}"\nuser = "root"\nname = "{shop.database}"\n'
            f'[state]\ndir = "{self.state_dir}"\n{extra}',
            encoding="utf-8",
        )
        self.file.chmod(0o600)

    @property
    def config(self) -> Config:
        from sidecar import config_file

        return config_file.load(str(self.file))

    def run(self, *arguments: str, code: int | None = 0, typed: str | None = None) -> Result:
        """A command for people. `code` None: any."""
        found = CliRunner().invoke(cli, ["--config", str(self.file), *arguments], input=typed)
        if code is not None:
            assert found.exit_code == code, (found.exit_code, found.output, found.exception)
        return found

    def json(self, *arguments: str, code: int | None = 0) -> dict[str, Any]:
        """A command for programs: its one JSON object."""
        found = self.run("--json", *arguments, code=code)
        assert found.stdout.count("\n") == 1, found.stdout
        answer = json.loads(found.stdout)
        assert isinstance(answer, dict)
        return answer

    def execute(self, sql: str, arguments: object = None) -> int:
        """Change something behind the sidecar's back. Returns how many rows it was."""
        connection = self.shop.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION sql_mode=''")
                return int(cursor.execute(sql, arguments))
        finally:
            connection.close()

    def value(self, sql: str, arguments: object = None) -> Any:
        """One cell."""
        return self.shop.rows(sql, arguments)[0][0]

    def verdict(self) -> Verdict:
        """The recount."""
        config = self.config
        with State(config.state.dir) as state:
            return verify(config, state, rules.load(None))

    def contact(self, email: str) -> int:
        """The id of a contact."""
        return int(self.value("SELECT id FROM wp_fc_subscribers WHERE email = %s", (email,)))

    def field(self, contact: int, slug: str) -> str | None:
        rows = self.shop.rows(
            "SELECT value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND `key` = %s"
            " AND object_type = 'custom_field'",
            (contact, slug),
        )
        return rows[0][0] if rows else None

    def crm(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that FluentCRM has of contacts, without row ids and times of writing."""
        return {
            "contacts": self.shop.rows(
                "SELECT id, email, hash, status, first_name, last_name, phone, address_line_1, city, country,"
                " date_of_birth, contact_type, source, user_id FROM wp_fc_subscribers ORDER BY id"
            ),
            "fields": self.shop.rows(
                "SELECT subscriber_id, `key`, value FROM wp_fc_subscriber_meta WHERE object_type = 'custom_field'"
                " ORDER BY subscriber_id, `key`"
            ),
            "pivot": self.shop.rows(
                "SELECT subscriber_id, object_id, object_type FROM wp_fc_subscriber_pivot ORDER BY 1, 3, 2"
            ),
            "tags": self.shop.rows("SELECT id, title, slug FROM wp_fc_tags ORDER BY id"),
            "definitions": self.shop.rows(
                "SELECT object_type, `key`, value FROM wp_fc_meta WHERE `key` = 'contact_custom_fields'"
            ),
        }
