"""The running sidecar and segments: what FluentCRM tells, what nobody told, and what time does, each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from bridging import NOW_MS, LiveShop, hint
from syncing import TAG, contacts, execute

from sidecar.runtime import build
from sidecar.state.database import State

RULES = """
[[segment]]
slug = "readers"
name = "Readers"
rule = { field = "last_open", within = "30d" }

[[segment]]
slug = "picked"
name = "Picked"
rule = { field = "tags", has = "hand-picked" }

[[segment]]
slug = "agreed"
name = "Agreed"
rule = { field = "consent", is = true }
"""


@pytest.fixture
def rules(rules: Path) -> Path:
    rules.write_text(RULES, "utf-8")
    return rules


def inside(shop: LiveShop, contact: int) -> set[str]:
    with State(shop.config.state.dir) as state:
        found = state.rows(
            "SELECT m.segment FROM membership m JOIN person p ON p.id = m.person_id WHERE p.contact_id = ?", (contact,)
        )
    return {row[0] for row in found}


def test_what_fluentcrm_tells_is_followed_at_once(shop: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    database = shop.database
    with build(shop.config) as sidecar:
        sidecar.pass_()
        order = shop.keeper.order("nowa@example.net", "30.00", lines=((1, 1, "Tea"),), at="2026-11-01 11:59:30")
        hint(database, "order.created", order)
        sidecar.pass_()
        contact = contacts(database)["nowa@example.net"]
        id_ = database.rows("SELECT id FROM wp_fc_subscribers WHERE email = 'nowa@example.net'")[0][0]
        assert contact is not None
        assert inside(shop, id_) == set()
        execute(database, "UPDATE wp_fc_subscribers SET status = 'subscribed' WHERE id = %s", (id_,))
        hint(database, "contact.status", id_, detail="transactional>subscribed")
        sidecar.pass_()
        assert inside(shop, id_) == {"agreed"}
        tag = database.rows("SELECT id FROM wp_fc_tags WHERE slug = 'hand-picked'")[0][0]
        pivot = "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)"
        execute(database, pivot, (id_, tag, TAG))
        hint(database, "contact.tags", id_)
        sidecar.pass_()
        assert inside(shop, id_) == {"agreed", "picked"}
        execute(
            database,
            "INSERT INTO wp_fc_campaign_emails (campaign_id, email_type, subscriber_id, email_subject, email_address,"
            " email_body, email_headers, is_open, is_parsed, status, scheduled_at, created_at, updated_at) VALUES"
            " (1, 'campaign', %s, 'x', 'nowa@example.net', '', '', 1, 1, 'sent', '2026-10-31 10:00:00',"
            " '2026-10-31 10:00:00', '2026-11-01 12:59:00')",
            (id_,),
        )
        hint(database, "email.opened", id_)
        sidecar.pass_()
        assert inside(shop, id_) == {"agreed", "picked", "readers"}
        with State(shop.config.state.dir) as state:
            assert state.rows("SELECT MIN(live) FROM membership_event WHERE entered = 1 AND at >= ? AND person_id ="
                              " (SELECT id FROM person WHERE contact_id = ?)", (NOW_MS // 1000, id_)) == [(1,)]  # fmt: skip
        # What nobody told is found with the next comparison.
        execute(database, "DELETE FROM wp_fc_subscriber_pivot WHERE subscriber_id = %s AND object_id = %s", (id_, tag))
        execute(database, "UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", (id_,))
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:16:00Z")
        sidecar.pass_()
        assert inside(shop, id_) == {"readers"}
        # Thirty days after the open, to the second (the shop's clock, an hour ahead).
        monkeypatch.setenv("SIDECAR_NOW", "2026-12-01T11:58:59Z")
        sidecar.pass_()
        assert inside(shop, id_) == {"readers"}
        monkeypatch.setenv("SIDECAR_NOW", "2026-12-01T11:59:00Z")
        sidecar.pass_()
        assert inside(shop, id_) == set()


def test_a_quiet_pass_asks_the_shop_for_nothing_more(shop: LiveShop) -> None:
    """Segments cost a pass in which nothing happened no query to the shop's database."""
    with build(shop.config) as sidecar:
        for _ in range(2):
            sidecar.pass_()
        general = "SELECT variable_value FROM information_schema.GLOBAL_STATUS WHERE variable_name = 'QUESTIONS'"

        def questions() -> int:
            return int(shop.database.rows(general)[0][0])

        start = questions()
        own = questions() - start
        start = questions()
        sidecar.pass_()
        assert questions() - start - own <= 2, "the look at the outbox is all"
