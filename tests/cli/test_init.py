"""`sidecar init` writes a configuration that works, and never more than it should."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support import ShopDatabase

from sidecar import config_file, new_file
from sidecar.cli import cli
from sidecar.mysql.connection import open_connection

Init = Callable[..., Result]


@pytest.fixture
def site(demo_hpos: ShopDatabase, tmp_path: Path) -> Path:
    demo_hpos.rows("CREATE OR REPLACE USER wp@localhost IDENTIFIED BY 'pa$$wd'")
    demo_hpos.rows(f"GRANT ALL ON `{demo_hpos.database}`.* TO wp@localhost")
    wp = tmp_path / "wp"
    (wp / "wp-content").mkdir(parents=True)
    (wp / "wp-config.php").write_text(
        f"<?php define('DB_NAME', '{demo_hpos.database}'); define('DB_USER', 'wp');"
        "define('DB_PASSWORD', 'pa$$wd');"
        f"define('DB_HOST', 'localhost:{demo_hpos.socket}'); $table_prefix = 'wp_';"
    )
    return wp


@pytest.fixture
def init(tmp_path: Path) -> Init:
    def run(*args: str) -> Result:
        return CliRunner().invoke(cli, ["init", "--config", str(tmp_path / "etc" / "sidecar.toml"), *args])

    return run


def test_it_writes_a_file_that_works(site: Path, init: Init, tmp_path: Path) -> None:
    found = init("--wp-path", str(site), "--state-dir", str(tmp_path / "state"))
    assert found.exit_code == 0, found.output
    file = tmp_path / "etc" / "sidecar.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "pa$$wd" not in file.read_text() + found.output
    config = config_file.load(str(file), {})
    assert config.state.dir == str(tmp_path / "state")
    assert config.shop.database.password == "pa$$wd"
    open_connection(config.shop.database).close()
    assert "CREATE USER 'fluentcrm_sidecar'@'localhost'" in found.stdout
    assert "user_pass" not in found.stdout
    assert [one.name for one in file.parent.iterdir()] == ["sidecar.toml"]


def test_it_never_overwrites_without_force(site: Path, init: Init, tmp_path: Path) -> None:
    file = tmp_path / "etc" / "sidecar.toml"
    file.parent.mkdir()
    file.write_text("mine")
    found = init("--wp-path", str(site))
    assert found.exit_code == 1
    assert "--force" in found.stderr
    assert file.read_text() == "mine"
    assert init("--wp-path", str(site), "--force").exit_code == 0
    assert str(site) in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_json(site: Path, init: Init) -> None:
    found = init("--wp-path", str(site), "--json")
    said = json.loads(found.stdout)
    assert said["ok"] is True
    assert said["grants"][0].startswith("CREATE USER")
    assert {one["id"] for one in said["findings"]} >= {"store.E001", "crm.E001"}


def test_nothing_is_written_when_the_database_does_not_answer(site: Path, init: Init, tmp_path: Path) -> None:
    config = (site / "wp-config.php").read_text()
    (site / "wp-config.php").write_text(config.replace("'pa$$wd'", "'wrong'"))
    found = init("--wp-path", str(site))
    assert found.exit_code == 4
    assert not (tmp_path / "etc").exists() or not list((tmp_path / "etc").iterdir())


def test_computed_values_are_asked_for_and_can_be_given(
    site: Path, init: Init, demo_hpos: ShopDatabase, tmp_path: Path
) -> None:
    config = (site / "wp-config.php").read_text().replace("'pa$$wd'", "secret('db')").replace("'wp');", "user());")
    (site / "wp-config.php").write_text(config)
    found = init("--wp-path", str(site))
    assert found.exit_code == 3
    assert "shop.database.user" in found.stderr
    assert "computes DB_USER" in found.stderr
    (tmp_path / "pw").write_text("pa$$wd\n")
    found = init("--wp-path", str(site), "--db-user", "wp", "--db-password-file", str(tmp_path / "pw"))
    assert found.exit_code == 0, found.output
    text = (tmp_path / "etc" / "sidecar.toml").read_text()
    assert 'user = "wp"' in text
    assert "pa$$wd" not in text
    assert f'name = "{demo_hpos.database}"' not in text


def test_without_wordpress_files(site: Path, init: Init, demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    assert init().exit_code == 2
    (tmp_path / "pw").write_text("pa$$wd\n")
    found = init(
        "--db-host", f":{demo_hpos.socket}", "--db-name", demo_hpos.database, "--db-user", "wp",
        "--db-password-file", str(tmp_path / "pw"), "--table-prefix", "wp_",
    )  # fmt: skip
    assert found.exit_code == 0, found.output


def test_drop_in_and_multisite_are_warned_about(site: Path, init: Init) -> None:
    (site / "wp-content" / "db.php").touch()
    with (site / "wp-config.php").open("a") as config:
        config.write("define('MULTISITE', true);")
    found = init("--wp-path", str(site))
    assert "db.php" in found.stderr
    assert "multisite" in found.output


def test_localhost_is_tried_by_tcp_after_the_sockets(
    site: Path, init: Init, demo_hpos: ShopDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = (site / "wp-config.php").read_text()
    (site / "wp-config.php").write_text(config.replace(f"localhost:{demo_hpos.socket}", "localhost"))
    tried = []

    def connect(database, **options):  # type: ignore[no-untyped-def]
        tried.append(database.host)
        if database.host == "localhost":
            from sidecar.errors import StoreUnavailable

            raise StoreUnavailable("no socket")
        with closing(demo_hpos.connect()):
            return demo_hpos.connect()

    monkeypatch.setattr("sidecar.cli.init.open_connection", connect)
    found = init("--wp-path", str(site))
    assert found.exit_code == 0, found.output
    assert tried == ["localhost", "127.0.0.1", "127.0.0.1"]
    assert 'host = "127.0.0.1"' in (tmp_path / "etc" / "sidecar.toml").read_text()


def test_a_private_file_is_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "x"
    new_file.write_private(file, "one")
    with pytest.raises(FileExistsError):
        new_file.write_private(file, "two")
    assert file.read_text() == "one"
    new_file.write_private(file, "two", replace=True)
    assert file.read_text() == "two"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
