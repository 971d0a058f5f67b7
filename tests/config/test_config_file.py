"""The configuration comes from the file, the environment and wp-config.php, in one known order."""

from __future__ import annotations

import logging
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sidecar import config_file, toml_file
from sidecar.config import Config, OptIn
from sidecar.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config" / "sidecar.example.toml"
WP = """<?php
define('DB_NAME', 'shop'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'secret');
define('DB_HOST', 'db.example:3307'); $table_prefix = 'wp_';
"""
ENV = {
    "SIDECAR_SHOP__TABLE_PREFIX": "wp_",
    "SIDECAR_SHOP__DATABASE__HOST": "localhost",
    "SIDECAR_SHOP__DATABASE__NAME": "shop",
    "SIDECAR_SHOP__DATABASE__USER": "wp",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "wp").mkdir()
    (tmp_path / "wp" / "wp-config.php").write_text(WP)
    return tmp_path


def _file(folder: Path, text: str) -> str:
    file = folder / "sidecar.toml"
    file.write_text(text)
    file.chmod(0o600)
    return str(file)


def test_wp_config_fills_what_is_empty(site: Path) -> None:
    config = config_file.load(_file(site, '[shop]\nwp_path = "wp"\n'), {})
    assert config.shop.wp_path == str(site / "wp")
    assert config.shop.table_prefix == "wp_"
    assert (config.shop.users_table, config.shop.usermeta_table) == ("wp_users", "wp_usermeta")
    database = config.shop.database
    assert (database.host, database.port, database.unix_socket) == ("db.example", 3307, "")
    assert (database.name, database.user, database.password) == ("shop", "wp", "secret")


def test_the_file_goes_before_wp_config_and_the_environment_before_both(site: Path) -> None:
    text = '[shop]\nwp_path = "wp"\n[shop.database]\nname = "mine"\nunix_socket = "/s"\n[sync]\nwriters = 3\n'
    env = {
        "SIDECAR_SHOP__DATABASE__NAME": "theirs",
        "SIDECAR_SYNC__WRITERS": "4",
        "SIDECAR_PEOPLE__VIP__PERCENT": "2.5",
        "SIDECAR_PEOPLE__PAID_STATUSES": "completed, shipped",
        "SIDECAR_PEOPLE__B2B_ROLES": '["a,b"]',
        "SIDECAR_PEOPLE__CURRENCY_RATES__EUR": "4.27",
        "SIDECAR_PEOPLE__STATUS_MAP": '{ shipped = "completed" }',
        "SIDECAR_CONSENT__EMAIL": '[{ source = "news" }]',
        "SIDECAR_CONFIG": "/nowhere",
        "SIDECAR_NOW": "2026-11-01T12:00:00Z",
    }
    config = config_file.load(_file(site, text), env)
    assert config.shop.database.name == "theirs"
    assert (config.shop.database.unix_socket, config.shop.database.host) == ("/s", "")
    assert config.sync.writers == 4
    assert config.people.vip.percent == 2.5
    assert config.people.paid_statuses == ("completed", "shipped")
    assert config.people.b2b_roles == ("a,b",)
    assert config.people.currency_rates == {"EUR": "4.27"}
    assert config.people.status_map == {"shipped": "completed"}
    assert config.consent.email == (OptIn(source="news"),)
    assert Config().people.currency_rates == {}


def test_another_account_does_not_get_wordpress_password(site: Path) -> None:
    text = '[shop]\nwp_path = "wp"\n[shop.database]\nuser = "fluentcrm_sidecar"\n'
    assert config_file.load(_file(site, text), {}).shop.database.password == ""
    (site / "pw").write_text("own secret \n")
    text += 'password_file = "pw"\n'
    assert config_file.load(_file(site, text), {}).shop.database.password == "own secret "
    (site / "pw").unlink()
    with pytest.raises(ConfigError, match="password_file"):
        config_file.load(_file(site, text), {})


def test_wrong_variables_are_all_reported() -> None:
    env = ENV | {
        "SIDECAR_SHOP__DATABASE__PASWORD": "x",
        "SIDECAR_SYNC__WRITERS": "nine",
        "SIDECAR_LOG__LEVEL": "warn",
        "SIDECAR_PEOPLE__NONE__X": "1",
    }
    with pytest.raises(ConfigError, match="4 variables") as caught:
        config_file.load(None, env)
    by_key = {problem.key: problem for problem in caught.value.problems}
    assert by_key["SIDECAR_SHOP__DATABASE__PASWORD"].hint == "did you mean SIDECAR_SHOP__DATABASE__PASSWORD?"
    assert "whole number" in by_key["SIDECAR_SYNC__WRITERS"].message
    assert by_key["SIDECAR_LOG__LEVEL"].hint == "did you mean warning?"


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/x")
    config = config_file.load(None, ENV)
    assert config.shop.users_table == "wp_users"
    assert config.state.dir == "/home/x/.local/share/fluentcrm-sidecar"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert config_file.load(None, ENV).state.dir == "/var/lib/fluentcrm-sidecar"


def test_the_order_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config_file, "SYSTEM_FILE", str(tmp_path / "etc.toml"))
    assert config_file.find(None, {}) is None
    with pytest.raises(ConfigError, match="no configuration") as caught:
        config_file.load(None, {})
    assert caught.value.exit_code == 3
    assert "sidecar init" in caught.value.hint
    (tmp_path / "etc.toml").touch()
    assert config_file.find(None, {}) == tmp_path / "etc.toml"
    (tmp_path / "sidecar.toml").touch()
    assert config_file.find(None, {}) == Path("sidecar.toml")
    assert config_file.find(None, {"SIDECAR_CONFIG": "/a"}) == Path("/a")
    assert config_file.find("/b", {"SIDECAR_CONFIG": "/a"}) == Path("/b")
    with pytest.raises(ConfigError, match="/b cannot be read"):
        config_file.load("/b", {})


def test_missing_essentials_are_named(site: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config_file.load(_file(site, "[log]\n"), {})
    keys = [problem.key for problem in caught.value.problems]
    assert keys == ["shop.table_prefix", "shop.database.name", "shop.database.user", "shop.database.host"]
    (site / "wp" / "wp-config.php").write_text("<?php define('DB_PASSWORD', secret()); define('DB_USER', 'u');")
    with pytest.raises(ConfigError) as caught:
        config_file.load(_file(site, '[shop]\nwp_path = "wp"\n'), {})
    found = {problem.key: problem.message for problem in caught.value.problems}
    assert "computes DB_PASSWORD" in found["shop.database.password"]
    assert "does not set DB_NAME" in found["shop.database.name"]
    assert "shop.database.user" not in found


@pytest.mark.parametrize("hour", ["9:00", "21", "24:00", "21:00:00", "9 pm", "", "21:00\n"])
def test_quiet_hours_that_are_none(hour: str) -> None:
    """Else nobody would be left in peace at night, and nobody would be told."""
    with pytest.raises(ConfigError) as caught:
        config_file.load(None, ENV | {"SIDECAR_AUTOMATIONS__QUIET_FROM": hour})
    assert [problem.key for problem in caught.value.problems] == ["SIDECAR_AUTOMATIONS__QUIET_FROM"]


@pytest.mark.parametrize("prefix", ["wp-", "wp_`; DROP", "x" * 33, "wp_\n"])
def test_a_prefix_that_cannot_be_in_a_table_name(prefix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_file.load(None, ENV | {"SIDECAR_SHOP__TABLE_PREFIX": prefix})
    assert "shop.table_prefix" in [problem.key for problem in caught.value.problems]


def test_a_blog_of_a_multisite_has_the_accounts_of_the_network(site: Path) -> None:
    config = config_file.load(_file(site, '[shop]\nwp_path = "wp"\ntable_prefix = "wp_2_"\n'), {})
    assert (config.shop.table_prefix, config.shop.users_table) == ("wp_2_", "wp_users")


def test_the_mapping_beside_the_file_is_found(site: Path) -> None:
    file = _file(site, '[shop]\nwp_path = "wp"\n[state]\ndir = "state"\n')
    assert config_file.load(file, {}).mapping.file == ""
    (site / "mapping.toml").touch()
    config = config_file.load(file, {})
    assert config.mapping.file == str(site / "mapping.toml")
    assert config.state.dir == str(site / "state")


def test_a_password_that_others_may_read_is_warned_about(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = _file(site, '[shop]\nwp_path = "wp"\n[shop.database]\npassword = "x"\n')
    with caplog.at_level(logging.WARNING):
        config_file.load(file, {})
        assert caplog.text == ""
        Path(file).chmod(0o644)
        config_file.load(file, {})
    assert "chmod 600" in caplog.text


def test_the_example_has_every_key_with_its_default() -> None:
    text = EXAMPLE.read_text()
    assert toml_file.load(EXAMPLE, Config) == Config()
    written = tomllib.loads(text)

    def missing(default: Any, found: Any, path: str) -> list[str]:
        lost = []
        for key, value in default.items():
            if key not in found:
                lost.append(f"{path}{key}")
            elif isinstance(value, dict) and isinstance(found[key], dict):
                lost += missing(value, found[key], f"{path}{key}.")
        return lost

    assert missing(msgspec.to_builtins(Config()), written, "") == []
    for field in msgspec.structs.fields(OptIn):
        assert re.search(rf"^# {field.encode_name} = ", text, re.MULTILINE), field.name


def test_every_key_of_the_example_is_explained() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for at, line in enumerate(lines):
        if re.match(r"[a-z0-9_]+ = ", line) and not line.startswith("usermeta_table"):
            assert lines[at - 1].startswith("#"), f"line {at + 1}: {line}"
