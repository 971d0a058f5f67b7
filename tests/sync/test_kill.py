"""`kill -9` at any moment, then a rerun: the same end state, and undo still leads back to the beginning."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from killing import run_until
from support import ShopDatabase
from syncing import ConfigFor, contacts, crm_rows, people, run, undo_run, unlike

from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.errors import NotFound
from sidecar.state import runs
from sidecar.state.database import State

POINTS = 8
_undisturbed: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {}


def undisturbed(
    shop: ShopDatabase, config_for: ConfigFor, server: PrivateMariaDB
) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """How many commands a whole run sends, and what it leaves in FluentCRM and in the state."""
    if shop.storage not in _undisturbed:
        name = f"undisturbed_{shop.storage}"
        server.clone(shop.database, name)
        whole = ShopDatabase(server, name, shop.storage, shop.truth)
        config = config_for(whole)
        lived = run_until(shop.socket, name, config.state.dir, 0)
        assert lived is not None
        _undisturbed[shop.storage] = lived[0], contacts(whole), _known(config)
        server.drop_database(name)
    return _undisturbed[shop.storage]


def _known(config: Any) -> dict[str, Any]:
    """What the state knows of people, in numbers that do not depend on the secret key."""
    found: dict[str, Any] = {}
    for person in people(config).values():
        found[str(person["contact_id"])] = {
            name: person[name] for name in ("user_id", "dirty", "verdict", "reason", "orders_count", "ltv", "status")
        }
    return found


def _undone(config: Any) -> None:
    """Undo all runs, the newest first."""
    with State(config.state.dir) as state:
        ids = [one.id for one in runs.latest(state)]
    for id_ in ids:
        with contextlib.suppress(NotFound):
            undo_run(config, id_)


@pytest.mark.parametrize("number", range(POINTS))
@pytest.mark.parametrize("storage", ["hpos", "posts"])
def test_killed_and_run_again(
    storage: str, number: int, mariadb: PrivateMariaDB, config_for: ConfigFor, request: pytest.FixtureRequest
) -> None:
    shop: ShopDatabase = request.getfixturevalue(f"demo_{storage}")
    commands, expected, known = undisturbed(shop, config_for, mariadb)
    # One of eight parts of the run each, in both storages at other places; the last is at the very end.
    chance = random.Random(f"{storage} {number}")
    when = commands - 2 if number == POINTS - 1 else 1 + int(commands * (number + chance.random()) / POINTS)
    before = crm_rows(shop)
    config = config_for(shop)
    assert run_until(shop.socket, shop.database, config.state.dir, when) is None, (
        f"was not killed at {when} of {commands}"
    )
    with State(config.state.dir) as state:
        assert not runs.running(state), "the lock outlived its process"
    run(config)
    assert unlike(contacts(shop), expected) == {}, f"killed at {when} of {commands}"
    for columns in ("subscriber_id, `key`, object_type", "subscriber_id, `key`"):
        table = "wp_fc_subscriber_meta"
        doubles = shop.rows(
            f"SELECT {columns} FROM {table} WHERE object_type='custom_field' GROUP BY {columns} HAVING COUNT(*) > 1"
        )
        assert doubles == []
    assert shop.rows("SELECT slug FROM wp_fc_tags GROUP BY slug HAVING COUNT(*) > 1") == []
    facts = [sorted(map(repr, one.values())) for one in (known, _known(config))]
    assert facts[0] == facts[1]
    assert run(config).counts.writes == 0
    assert run(config, full=True).counts.writes == 0
    _undone(config)
    assert unlike(crm_rows(shop), before) == {}, f"killed at {when} of {commands}"


@pytest.mark.parametrize("storage", ["hpos", "posts"])
def test_killed_again_and_again(
    storage: str, mariadb: PrivateMariaDB, config_for: ConfigFor, request: pytest.FixtureRequest
) -> None:
    shop: ShopDatabase = request.getfixturevalue(f"demo_{storage}")
    commands, expected, _ = undisturbed(shop, config_for, mariadb)
    before = crm_rows(shop)
    config = config_for(shop)
    chance = random.Random(storage)
    killed = sum(
        run_until(shop.socket, shop.database, config.state.dir, chance.randint(1, commands)) is None for _ in range(5)
    )
    assert killed >= 2
    run(config)
    assert unlike(contacts(shop), expected) == {}
    _undone(config)
    assert unlike(crm_rows(shop), before) == {}


@pytest.mark.parametrize("storage", ["hpos", "posts"])
def test_the_sidecar_knows_its_own_contacts_after_a_kill(
    storage: str, config_for: ConfigFor, request: pytest.FixtureRequest
) -> None:
    """Killed after a page of contacts was committed and before the state knew: they are still ours (erasure,
    undo and consent depend on it)."""
    shop: ShopDatabase = request.getfixturevalue(f"demo_{storage}")
    config = config_for(shop)
    assert run_until(shop.socket, shop.database, config.state.dir, -1) is None
    had = {row[0] for row in shop.rows("SELECT object_id FROM wp_fcsc_undo WHERE kind = 'created'")}
    assert len(had) > 100
    run(config)
    mine = {person["contact_id"] for person in people(config).values() if person["made"]}
    assert had <= mine
