"""`sidecar config show | check | example`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar import config_file
from sidecar.cli import cli

WP = """<?php
define('DB_NAME', 'shop'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'sEcret');
define('DB_HOST', 'localhost'); $table_prefix = 'wp_';
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "wp-config.php").write_text(WP)
    file = tmp_path / "sidecar.toml"
    file.write_text('[shop]\nwp_path = "."\n[people.currency_rates]\nEUR = "4.27"\n')
    file.chmod(0o600)
    return file


def test_show_hides_the_password(file: Path) -> None:
    found = CliRunner().invoke(cli, ["config", "show", "--config", str(file)])
    assert found.exit_code == 0
    assert "sEcret" not in found.output
    data = tomllib.loads(found.stdout)
    assert data["shop"]["database"]["password"] == "(hidden)"
    assert data["people"]["currency_rates"] == {"EUR": "4.27"}
    said = json.loads(CliRunner().invoke(cli, ["config", "show", "--json", "--config", str(file)]).stdout)
    assert said["config"] == data
    assert said["file"] == str(file)


def test_show_hides_what_addresses_hold(file: Path) -> None:
    file.write_text(
        file.read_text()
        + '[queue]\nurl = "redis://:sEcret@127.0.0.1:6379/0?password=sEcret"\n'
        + '[alerts]\nwebhook_url = "https://hooks.example.org/T0/sEcret"\n[bridge]\nsite_url = "https://shop.example.org/"\n'
    )
    for more in ([], ["--json"]):
        found = CliRunner().invoke(cli, ["config", "show", "--config", str(file), *more])
        assert found.exit_code == 0
        assert "sEcret" not in found.output
    data = json.loads(found.stdout)["config"]
    assert data["queue"]["url"] == "redis://(hidden)@127.0.0.1:6379/0?(hidden)"
    assert data["alerts"]["webhook_url"] == "(hidden)"
    assert data["bridge"]["site_url"] == "https://shop.example.org/"
    config = config_file.load(str(file), {})
    assert "sEcret" not in repr(config)
    assert "port=8765" in repr(config)


def test_check(file: Path) -> None:
    found = CliRunner().invoke(cli, ["--config", str(file), "config", "check"])
    assert found.exit_code == 0
    assert "in order" in found.stdout
    file.chmod(0o644)
    found = CliRunner().invoke(cli, ["--config", str(file), "config", "check"])
    assert "chmod 600" in found.stderr
    file.write_text("[shop]\nwp_pth = 1\n[log]\nlevel = 'all'\n")
    found = CliRunner().invoke(cli, ["--config", str(file), "config", "check"])
    assert found.exit_code == 3
    assert f"{file}:2: shop.wp_pth: unknown key (did you mean wp_path?)" in found.stderr
    assert f"{file}:4: log.level" in found.stderr


def test_example_is_the_example_file() -> None:
    found = CliRunner().invoke(cli, ["config", "example"])
    root = Path(__file__).resolve().parents[2]
    assert found.stdout == (root / "config" / "sidecar.example.toml").read_text()
