"""`sidecar mapping explain`: one person, before and after a sync, and what people changed in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support import ShopDatabase

from sidecar.cli import cli
from sidecar.config import Config
from sidecar.errors import NotFound, UsageError
from sidecar.mapping import compile as rules
from sidecar.state.database import State
from sidecar.sync.engine import sync
from sidecar.sync.explain import Explanation, explain
from sidecar.sync.session import Choices

ANNA = "anna.wielka@example.org"
REFUNDED = "refund.several@example.org"


def ask(config: Config, address: str) -> Explanation:
    with State(config.state.dir) as state:
        return explain(config, state, rules.load(None), address)


def run_sync(config: Config) -> None:
    with State(config.state.dir) as state:
        sync(config, state, rules.load(None), Choices())


def target(found: Explanation, name: str) -> Any:
    return next(one for one in found.targets if one.target == name)


def test_before_the_first_sync(demo: ShopDatabase, config_for: Callable[..., Config]) -> None:
    config = config_for(demo)
    found = ask(config, " Anna.Wielka@Example.ORG ")
    assert (found.email, found.known, len(found.user_ids)) == (ANNA, False, 1)
    assert found.decision == "create"
    assert "transactional" in found.why
    assert target(found, "first_name").shop == "Anna"
    phone = target(found, "phone")
    assert (phone.shop, phone.transforms, phone.action) == ("+48501234567", ["phone"], "write")
    if demo.storage == "hpos":
        assert found.facts.orders_count == 3
    else:
        assert "legacy storage" in found.notes[0]
        assert found.facts.orders_count == 0
    # Nothing was written: neither in FluentCRM nor in the state.
    assert demo.rows("SELECT COUNT(*) FROM wp_fc_subscribers WHERE email = %s", (ANNA,))[0][0] == 0
    with State(config.state.dir) as state:
        assert state.rows("SELECT COUNT(*) FROM person")[0][0] == 0


def test_after_a_sync_and_an_edit(demo: ShopDatabase, config_for: Callable[..., Config]) -> None:
    config = config_for(demo)
    run_sync(config)
    found = ask(config, ANNA)
    assert (found.known, found.decision) == (True, "unchanged")
    assert all(one.action == "nothing" for one in [*found.targets, *found.tags])
    assert {one.last for one in found.targets if one.shop} == {"as the sidecar wrote it"}
    assert [one.counts for one in found.orders] == [True, True, True]
    assert found.facts.ltv == "300.00"

    with demo.connect() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE wp_fc_subscribers SET first_name = 'Ania', city = NULL WHERE email = %s", (ANNA,))
        cursor.execute("UPDATE wp_fc_subscriber_meta SET value = '1.00' WHERE `key` = 'woo_ltv' AND subscriber_id ="
                       " (SELECT id FROM wp_fc_subscribers WHERE email = %s)", (ANNA,))  # fmt: skip
    found = ask(config, ANNA)
    assert found.decision == "update"
    name = target(found, "first_name")
    assert (name.shop, name.crm, name.action, name.last) == ("Anna", "Ania", "nothing", "changed by somebody since")
    assert "somebody entered another value" in name.why
    city = target(found, "city")
    assert (city.action, city.last) == ("nothing", "cleared by somebody since")
    ltv = target(found, "custom:woo_ltv")
    assert (ltv.action, ltv.policy) == ("write", "shop")
    assert "shop's value wins" in ltv.why

    with State(config.state.dir) as state:
        report = sync(config, state, rules.load(None), Choices(full=True, dry_run=True))
    mine = [one for one in report.differences if one.identity == ANNA]
    assert [[change[0] for change in one.changes] for one in mine] == [["woo_ltv"]]


def test_every_person_as_the_sync_left_them(demo: ShopDatabase, config_for: Callable[..., Config]) -> None:
    config = config_for(demo)
    run_sync(config)
    assert demo.truth is not None
    people = [person for person in demo.truth.people.values() if not person.email_problem][::9]
    for person in people:
        found = ask(config, person.email)
        assert found.decision in ("unchanged", "left_out"), (person.email, found.decision, found.why)
        assert found.facts.orders_count == person.orders_count
        assert Decimal(str(found.facts.ltv)) == person.net, person.email


def test_unknown_people(demo_hpos: ShopDatabase, config_for: Callable[..., Config]) -> None:
    config = config_for(demo_hpos)
    with pytest.raises(NotFound, match=r"n\*\*\*@e\*\*\*.org"):
        ask(config, "nobody@example.org")
    with pytest.raises(UsageError):
        ask(config, "nobody")


def test_the_command(demo_hpos: ShopDatabase, config_for: Callable[..., Config], tmp_path: Path) -> None:
    config = config_for(demo_hpos)
    file = tmp_path / "sidecar.toml"
    database = config.shop.database
    file.write_text(f'[shop]\ntable_prefix = "wp_"\n[shop.database]\nunix_socket = "{database.unix_socket}"\n'
                    f'user = "root"\nname = "{database.name}"\n[state]\ndir = "{config.state.dir}"\n')  # fmt: skip
    file.chmod(0o600)
    run_sync(config)

    def call(*words: str) -> Any:
        return CliRunner().invoke(cli, ["--config", str(file), "mapping", *words])

    found = call("explain", REFUNDED)
    assert found.exit_code == 0, found.output
    assert "guest" in found.stdout
    assert "custom:woo_ltv" in found.stdout
    assert "change nothing" in found.stdout
    said = json.loads(call("explain", REFUNDED, "--json").stdout)
    assert (said["decision"], len(said["orders"])) == ("unchanged", 1)
    missing = call("explain", "nobody@example.org")
    assert missing.exit_code == 1
    assert "nobody@example.org" not in missing.output

    found = call("explore", "orders", "--key", "_gift*")
    assert found.exit_code == 0, found.output
    assert "[[field]]" in found.stdout
    said = json.loads(call("explore", "users", "--json", "--all").stdout)
    assert {key["key"] for key in said["keys"]} >= {"birthday", "billing_phone", "wp_capabilities"}
    assert said["hidden"] == 0
