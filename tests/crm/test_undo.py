"""Undo gives back exactly what a run changed, and nothing that somebody has changed since."""

from __future__ import annotations

import random
from typing import Any

import pytest
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, contacts, crm_rows, execute, field, run, undo_run, unlike

from sidecar.errors import NotFound

TEXTS = ["", "x", "Zoë", "O'Neil \\", "👩‍👩‍👧", 'a:1:{i:0;s:1:"x";}', "2026-01-01", "0"]


def _stir(shop: ShopDatabase, chance: random.Random) -> None:
    """What a year of use makes of a CRM: edits, cleared values, tags given and taken, contacts made and deleted."""
    ids = [row[0] for row in shop.rows("SELECT id FROM wp_fc_subscribers")]
    for id_ in chance.sample(ids, min(60, len(ids))):
        column = chance.choice(
            ["first_name", "last_name", "city", "phone", "state", "address_line_1", "source", "contact_type"]
        )
        execute(
            shop, f"UPDATE wp_fc_subscribers SET {column} = NULLIF(%s, '') WHERE id = %s", (chance.choice(TEXTS), id_)
        )
    rows = [row[0] for row in shop.rows("SELECT id FROM wp_fc_subscriber_meta WHERE object_type = 'custom_field'")]
    for id_ in chance.sample(rows, min(120, len(rows))):
        if chance.random() < 0.4:
            execute(shop, "DELETE FROM wp_fc_subscriber_meta WHERE id = %s", (id_,))
        else:
            execute(shop, "UPDATE wp_fc_subscriber_meta SET value = %s WHERE id = %s", (chance.choice(TEXTS[1:]), id_))
    pivots = [row[0] for row in shop.rows("SELECT id FROM wp_fc_subscriber_pivot")]
    for id_ in chance.sample(pivots, min(40, len(pivots))):
        execute(shop, "DELETE FROM wp_fc_subscriber_pivot WHERE id = %s", (id_,))
    tags = [row[0] for row in shop.rows("SELECT id FROM wp_fc_tags")]
    for id_ in chance.sample(ids, 20):
        execute(
            shop, "INSERT IGNORE INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)",
            (id_, chance.choice(tags), "FluentCrm\\App\\Models\\Tag"),
        )  # fmt: skip
    for id_ in chance.sample(ids, 3):
        for table, column in (
            ("subscriber_meta", "subscriber_id"),
            ("subscriber_pivot", "subscriber_id"),
            ("subscribers", "id"),
        ):
            execute(shop, f"DELETE FROM wp_fc_{table} WHERE {column} = %s", (id_,))


def test_the_first_run_can_be_taken_back_whole(demo: ShopDatabase, config_for: ConfigFor) -> None:
    before, config = crm_rows(demo), config_for(demo)
    report = run(config)
    assert crm_rows(demo) != before
    result = undo_run(config, report.run.id)
    assert unlike(crm_rows(demo), before) == {}
    assert (result.removed, result.kept) == (report.counts.created, 0)
    assert result.fields_removed == report.counts.fields_made
    assert demo.rows("SELECT COUNT(*) FROM wp_fcsc_undo WHERE run_id = %s", (report.run.id,)) == [(0,)]
    assert demo.rows("SELECT COUNT(*) FROM wp_fcsc_owned") == [(0,)]
    with pytest.raises(NotFound):
        undo_run(config, report.run.id)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("storage", ["hpos", "posts"])
def test_a_run_over_a_lived_in_crm_can_be_taken_back(
    storage: str, seed: int, config_for: ConfigFor, request: pytest.FixtureRequest
) -> None:
    """Property: whatever the CRM and the shop look like, run then undo is nothing."""
    shop: ShopDatabase = request.getfixturevalue(f"demo_{storage}")
    chance, config, keeper = random.Random(seed), config_for(shop), Shopkeeper(shop)
    run(config)
    _stir(shop, chance)
    for email in ("refund.later@example.org", "currency.mixed@example.org"):
        keeper.order(email, f"{chance.randint(1, 99999)}.50", payment="stripe")
    keeper.do("UPDATE wp_users SET user_email = 'moved@example.org' WHERE ID = %s", keeper.user_of("nip@example.org"))
    before = crm_rows(shop)
    report = run(config, full=True)
    assert report.counts.writes > 10
    undo_run(config, report.run.id)
    assert unlike(crm_rows(shop), before) == {}


def test_what_was_changed_since_stays(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo_hpos)
    report = run(config)
    made, tagged, had = "never.bought@example.org", "refund.later@example.org", "jose@cafe.example.org"
    execute(demo_hpos, "UPDATE wp_fc_subscribers SET status = 'subscribed', city = 'Edited' WHERE email = %s", (made,))
    execute(
        demo_hpos, "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) SELECT id, 1, %s FROM wp_fc_subscribers WHERE email = %s",
        ("FluentCrm\\App\\Models\\Tag", tagged),
    )  # fmt: skip
    execute(
        demo_hpos, "UPDATE wp_fc_subscriber_meta m JOIN wp_fc_subscribers s ON s.id = m.subscriber_id SET m.value = '77.77'"
        " WHERE BINARY s.email = %s AND m.`key` = 'woo_ltv'", (had,),
    )  # fmt: skip
    result = undo_run(config, report.run.id)
    found = contacts(demo_hpos)
    assert result.kept == 2
    assert (found[made]["columns"]["status"], found[made]["columns"]["city"]) == ("subscribed", "Edited")
    assert "hand-picked" in found[tagged]["tags"]
    assert field(found[had], "woo_ltv") == "77.77"
    assert field(found[had], "woo_aov") is None
    # What the run gave them and nobody touched is gone, and so is everybody else.
    assert found[made]["fields"] == {} and not [tag for tag in found[made]["tags"] if tag.startswith("woo-")]
    assert "anna.wielka@example.org" not in found


def test_two_runs_are_taken_back_newest_first(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    start = crm_rows(demo)
    first = run(config)
    middle = crm_rows(demo)
    keeper.order("refund.later@example.org", "5.00")
    keeper.order("somebody.new@example.org", "5.00")
    second = run(config)
    undo_run(config, second.run.id)
    assert unlike(crm_rows(demo), middle) == {}
    undo_run(config, first.run.id)
    assert unlike(crm_rows(demo), start) == {}


def test_the_older_of_two_runs_leaves_the_newers_values(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    known = "jose@cafe.example.org"
    first: Any = run(config)
    keeper.order(known, "1000.00")
    run(config)
    ltv = field(contacts(demo_hpos)[known], "woo_ltv")
    undo_run(config, first.run.id)
    assert field(contacts(demo_hpos)[known], "woo_ltv") == ltv
