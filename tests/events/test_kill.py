"""`kill -9` at any moment of a pass, then another one: the same end state, live or quietly."""

from __future__ import annotations

import importlib.util
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bridging import NOW_MS, LiveShop, bridge, hint, install, pass_, queue
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, contacts, run, unlike

from sidecar.config import Config
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.runtime import build
from sidecar.state.database import State

LINES = ((1, 2, "Tea"),)
AT = "2026-11-01 11:55:30"
POINTS = 6
_spec = importlib.util.spec_from_file_location("passing", Path(__file__).parent / "passing.py")
assert _spec is not None and _spec.loader is not None
passing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(passing)
_undisturbed: dict[bool, tuple[int, dict[str, Any], Any]] = {}


def story(database: ShopDatabase) -> None:
    """A new buyer, an account that moves, a refund and a buyer who rises to VIP, all in one pass."""
    keeper = Shopkeeper(database)
    hint(database, "order.created", keeper.order("nowa@example.net", "100.00", lines=LINES, at=AT), visitor="a" * 32)
    user = keeper.one(
        "SELECT MAX(u.ID) FROM wp_users u JOIN wp_wc_orders o ON o.customer_id = u.ID WHERE o.status = 'wc-completed'"
    )
    keeper.do("UPDATE wp_users SET user_email = 'przeniesiona@example.net' WHERE ID = %s", user)
    hint(database, "customer.updated", user)
    for total in ("90000.00", "80000.00"):
        hint(database, "order.created", keeper.order("bogata@example.net", total, lines=LINES, at=AT))
    paid = keeper.one(
        "SELECT id FROM wp_wc_orders WHERE status = 'wc-completed' AND total_amount > 50 AND type = 'shop_order' ORDER BY id LIMIT 1"
    )
    hint(database, "order.refunded", paid, keeper.refund(paid, "20.00"))
    hint(database, "product.viewed", 1, visitor="a" * 32)


def _end(config: Config) -> Any:
    """What the state knows, in names that do not depend on the secret key, nor on where a pass died: who was written by then
    needs nothing afterwards, and a contact that was not committed leaves its number unused."""
    with State(config.state.dir) as state:
        return (
            state.rows(
                "SELECT contact_id IS NOT NULL, made, verdict, reason, ltv, status FROM person ORDER BY 1, ltv, verdict"
            ),
            state.rows(
                "SELECT topic, object_id, CASE outcome WHEN 'nothing' THEN 'changed' ELSE outcome END FROM event"
                " ORDER BY topic, object_id"
            ),
            state.rows("SELECT kind, object_id FROM activity ORDER BY 1, 2"),
            state.rows("SELECT * FROM live_intent"),
        )


def told(database: ShopDatabase, config: Config, live: bool, when: int) -> tuple[int | None, Config]:
    run(config)
    install(database)
    story(database)
    with State(config.state.dir) as state:
        state.set("live.from", str(NOW_MS - 86_400_000))
        state.set("poll.last", str(NOW_MS // 1000))
    if not live:
        return passing.run_until(config, when), config
    with bridge(database, config) as (fake, paired):
        said = passing.run_until(paired, when)
        if said is None:
            fake.nonces.clear()
            pass_(paired)
        return said, paired


@pytest.mark.parametrize("number", range(POINTS))
@pytest.mark.parametrize("live", [False, True])
def test_killed_in_a_pass(
    demo_hpos: ShopDatabase, config_for: ConfigFor, mariadb: PrivateMariaDB, live: bool, number: int
) -> None:
    if live not in _undisturbed:
        name = f"undisturbed_pass_{live}"
        mariadb.clone(demo_hpos.database, name)
        whole = ShopDatabase(mariadb, name, "hpos", None)
        config = config_for(whole)
        said, _ = told(whole, config, live, 0)
        assert said is not None
        assert said > 40
        _undisturbed[live] = said, contacts(whole), _end(config)
        mariadb.drop_database(name)
    commands, expected, end = _undisturbed[live]
    config = config_for(demo_hpos)
    when = random.Random(number).randrange(5, commands)
    lived, config = told(demo_hpos, config, live, when)
    if lived is None and not live:
        pass_(config)
    # VIPs that a dead pass had marked have no hint of their own: the next reconciliation writes them.
    pass_(config, reconcile=True)
    assert queue(demo_hpos) == []
    assert unlike(contacts(demo_hpos), expected) == {}
    assert _end(config)[1:] == end[1:], when
    assert sorted(map(repr, _end(config)[0])) == sorted(map(repr, end[0])), when
    with build(config) as sidecar:
        assert sidecar.verify().ok


def test_a_contact_that_a_dead_pass_made_is_known_as_ours(hpos: LiveShop) -> None:
    keeper = hpos.keeper
    order = keeper.order("nowa@example.net", lines=LINES, at=AT)
    hint(hpos.database, "order.created", order)
    from sidecar.sync import few

    def dies(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few, "remember", dies)
        with pytest.raises(KeyboardInterrupt):
            pass_(hpos.config)
    assert "nowa@example.net" in contacts(hpos.database)
    pass_(hpos.config)
    with State(hpos.config.state.dir) as state:
        assert state.rows("SELECT made FROM person WHERE key = ?", (state.key("nowa@example.net"),)) == [(1,)]
    keeper.anonymise(order)
    hint(hpos.database, "order.anonymised", order)
    pass_(hpos.config)
    assert "nowa@example.net" not in contacts(hpos.database)


def test_two_processes_at_once_write_each_contact_once(hpos: LiveShop) -> None:
    """Pain 36: two crons overlap. One works, or each takes what the other left; nothing is done twice."""
    database, keeper = hpos.database, hpos.keeper
    with bridge(database, hpos.config) as (fake, config):
        with State(config.state.dir) as state:
            state.set("live.from", str(NOW_MS - 86_400_000))
        for number in range(30):
            order = keeper.order(f"n{number}@example.net", lines=LINES, at="2026-11-01 11:59:30")
            hint(database, "order.created", order)
        with ThreadPoolExecutor(3) as pool:
            assert None not in list(pool.map(lambda _: passing.run_until(config, 0), range(3)))
        assert pass_(config).state == "done"
        assert queue(database) == []
        sent = [item["email"] for call in fake.calls for item in call if item["op"] == "create"]
    assert sorted(sent) == sorted(f"n{number}@example.net" for number in range(30))
    assert len([1 for name, _ in fake.fired if name == "created"]) == 30
    with build(config) as sidecar:
        assert [one.outcome for one in sidecar.events("order.created")] == ["changed"] * 30
