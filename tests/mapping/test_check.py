"""`sidecar mapping check | example`: every mistake at once, with its line and what was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import cli
from sidecar.mapping import compile as rules
from sidecar.mapping import partial

TEN_MISTAKES = """\
[options]
day_frist = true

[[field]]
to = "frist_name"
from = "person.first_name"

[[field]]
to = "last_name"
from = "person.lastname"

[[field]]
to = "phone"
from = "billing.phone"
transform = ["fone"]

[[field]]
to = "city"
from = "billing.city"
conflict = "shopp"

[[field]]
to = "custom:woo_ltv"
from = "facts.ltv"
type = "numbr"

[[field]]
to = "custom:email"
from = "person.email"

[[field]]
to = "phone"
from = "shipping.phone"

[[field]]
to = "custom:woo_size"
from = "item_meta.size"
transform = [{ template = "{valeu}" }]

[[tag]]
slug = "customers"
title = "Customers"
from = "facts.customer_status"

[[tag]]
slug = "woo-{valeu}"
title = "Woo"
from = "facts.customer_status"
"""
WRONG = {
    2: ("day_frist", "day_first"),
    5: ("frist_name", "first_name"),
    10: ("person.lastname", "person.last_name"),
    15: ("fone", "phone"),
    20: ("shopp", "shop"),
    25: ("numbr", "number"),
    28: ("email", ""),
    32: ("phone", "several sources"),
    38: ("valeu", "value"),
    41: ("customers", "woo-"),
    46: ("valeu", "{value}"),
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "sidecar.toml"
    file.write_text('[shop]\ntable_prefix = "wp_"\n[shop.database]\nhost = "localhost"\nuser = "u"\nname = "n"\n'
                    f'[state]\ndir = "{tmp_path}/state"\n')  # fmt: skip
    file.chmod(0o600)
    return file


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_every_mistake_at_once(tmp_path: Path, config: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(TEN_MISTAKES)
    found = run("mapping", "check", file, "--config", config)
    assert found.exit_code == 3
    for line, (what, meant) in WRONG.items():
        said = [one for one in found.stderr.splitlines() if f"{file}:{line}:" in one]
        assert said, f"nothing about line {line}"
        assert what in said[0]
        assert meant in said[0]
    assert f"{len(WRONG)} problems" in found.stderr
    said = json.loads(run("mapping", "check", file, "--config", config, "--json").stdout)
    assert sorted(one["line"] for one in said["error"]["details"]) == sorted(WRONG)


def test_what_is_left_of_a_file_with_faults_of_form() -> None:
    left = partial.usable(TEN_MISTAKES)
    assert left is not None
    assert [rule.to for rule in left.field][:5] == ["frist_name", "last_name", "phone", "city", "custom:woo_ltv"]
    left = partial.usable('[[field]]\nfrom = 3\ntransform = [{mapp = 1}, 4]\n[[field]]\nto = "x"\n[[tag]]\n[[tagg]]\n')
    assert left is not None
    assert [rule.to for rule in left.field] == ["custom:rule_0", "x"]
    assert len(left.tag) == 1
    assert partial.usable("[[field]\n") is None


def test_in_order(config: Path) -> None:
    found = run("mapping", "check", "--config", config)
    assert found.exit_code == 0
    assert "is in order" in found.stdout
    said = json.loads(run("mapping", "check", "--config", config, "--json").stdout)
    default = rules.load(None)
    assert (said["fields"], said["tags"]) == (len(default.fields), len(default.tags))


def test_example_is_the_default() -> None:
    assert run("mapping", "example").stdout.strip() == rules.default_text().strip()


def test_not_text(tmp_path: Path, config: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_bytes(b"\xff\xfe")
    assert run("mapping", "check", file, "--config", config).exit_code == 3
    file.write_text("[[field]\n")
    assert run("mapping", "check", file, "--config", config).exit_code == 3
