"""POST /contacts against a real FluentCRM: what is written, that its hooks fire, and that none of it comes back as news.

With FLUENTCRM_ROOT set to a folder with FluentCRM 2.9 the same tests ask that one.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

LISTENER = r"""<?php
foreach ( array( 'fluent_crm/contact_created', 'fluent_crm/contact_updated', 'fluent_crm/contact_email_changed', 'fluent_crm/contact_custom_data_updated',
	'fluent_crm/contact_added_to_tags', 'fluent_crm/contact_removed_from_tags', 'fluent_crm/contact_added_to_lists', 'fluent_crm/contact_removed_from_lists',
	'fluentcrm_subscriber_status_to_subscribed', 'fluentcrm_after_subscribers_deleted', 'fluent_crm/subscriber_status_changed' ) as $hook ) {
	add_action( $hook, function () use ( $hook ) { file_put_contents( WP_CONTENT_DIR . '/hooks.log', "$hook\n", FILE_APPEND ); } );
}
add_action( 'fluent_crm/contact_updated', function ( $contact ) { if ( 'Thrower' === $contact->first_name ) { throw new Exception( 'secret@example.com' ); } } );
"""
FIELDS = """
( new FluentCrm\\App\\Models\\CustomContactField() )->saveGlobalFields( array(
 array( 'slug' => 'woo_ltv', 'label' => 'LTV', 'type' => 'number', 'field_key' => 'number' ), array( 'slug' => 'woo_name', 'label' => 'Name', 'type' => 'text', 'field_key' => 'text' ),
 array( 'slug' => 'woo_many', 'label' => 'Many', 'type' => 'select-multi', 'field_key' => 'multi-select', 'options' => array( 'A', 'B' ) ) ) );
"""


@pytest.fixture(autouse=True)
def listening(hpos: Site) -> None:
    hpos.pair()
    (hpos.content / "extra" / "hooks.php").write_text(LISTENER, "utf-8")
    hpos.php(FIELDS)
    hooks(hpos)


def hooks(site: Site) -> list[str]:
    path = site.content / "hooks.log"
    if not path.exists():
        return []
    lines = path.read_text("utf-8").split()
    path.unlink()
    return lines


def new(**more: Any) -> dict[str, Any]:
    return {
        "person": 7,
        "op": "create",
        "email": f"n{secrets.token_hex(5)}@example.com",
        "status": "transactional",
        "created": "2024-03-01 10:00:00",
    } | more


def change(id_: int, **more: Any) -> dict[str, Any]:
    return {"person": 8, "op": "update", "contact_id": id_} | more


def row(site: Site, id_: int, columns: str) -> tuple[Any, ...]:
    found = site.rows(f"SELECT {columns} FROM wp_fc_subscribers WHERE id = %s", (id_,))
    assert found, id_
    return found[0]


def fields(site: Site, id_: int) -> dict[str, str]:
    return dict(
        site.rows(
            "SELECT `key`, value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND object_type = 'custom_field'",
            (id_,),
        )
    )


def terms(site: Site, id_: int, kind: str) -> set[int]:
    return {
        int(one[0])
        for one in site.rows(
            "SELECT object_id FROM wp_fc_subscriber_pivot WHERE subscriber_id = %s AND object_type = %s",
            (id_, f"FluentCrm\\App\\Models\\{kind}"),
        )
    }


def create(site: Site, **more: Any) -> int:
    outcome = site.contacts(new(**more))[0]
    assert outcome["state"] == "done", outcome
    hooks(site)
    return int(outcome["contact_id"])


def test_create(hpos: Site) -> None:
    item = new(
        status="subscribed", columns={"first_name": "Zoë", "country": "US", "contact_type": "customer", "total_points": "0"},
        fields={"woo_ltv": "0", "woo_name": "x", "woo_many": 'a:1:{i:0;s:1:"A";}'},
        tags_add=[hpos.ids["VIP"]], lists_add=[hpos.ids["News"]],
    )  # fmt: skip
    outcome = hpos.contacts(item)[0]
    id_ = outcome["contact_id"]
    assert outcome == {"person": 7, "state": "done", "contact_id": id_, "reason": ""}
    assert row(hpos, id_, "email, status, first_name, country, contact_type, created_at, hash = MD5(email), user_id") == (
        item["email"], "subscribed", "Zoë", "US", "customer", row(hpos, id_, "created_at")[0], 1, None,
    )  # fmt: skip
    assert str(row(hpos, id_, "created_at")[0]) == "2024-03-01 10:00:00"
    assert fields(hpos, id_) == item["fields"]
    assert (terms(hpos, id_, "Tag"), terms(hpos, id_, "Lists")) == ({hpos.ids["VIP"]}, {hpos.ids["News"]})
    assert hooks(hpos) == [
        "fluent_crm/contact_custom_data_updated", "fluent_crm/contact_added_to_lists", "fluent_crm/contact_added_to_tags",
        "fluent_crm/contact_created", "fluentcrm_subscriber_status_to_subscribed",
    ]  # fmt: skip
    assert hpos.outbox() == []


def test_create_finds_the_account(hpos: Site) -> None:
    user = hpos.php(
        "return wp_insert_user( array( 'user_login' => $in, 'user_email' => $in . '@example.com', 'user_pass' => 'x' ) );",
        f"u{secrets.token_hex(4)}",
    )
    email = hpos.rows("SELECT user_email FROM wp_users WHERE ID = %s", (user,))[0][0]
    hpos.rows("DELETE FROM wp_fc_subscribers WHERE email = %s", (email,))
    id_ = create(hpos, email=email)
    assert row(hpos, id_, "user_id") == (user,)


def test_an_address_that_is_there_has_raced(hpos: Site) -> None:
    id_ = create(hpos, email="Jose@Example.com")
    for email in ("jose@example.com", "JOSE@example.com"):
        assert hpos.contacts(new(email=email))[0] == {
            "person": 7,
            "state": "raced",
            "contact_id": id_,
            "reason": "exists",
        }
    assert hooks(hpos) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "no address"},
        {"status": "pending"},
        {"status": ""},
        {"columns": {"status": "subscribed"}},
        {"columns": {"hash": "x"}},
        {"tags_add": [999999]},
        {"lists_add": [999999]},
        {"op": "drop"},
    ],
)
def test_refused_and_nothing_written(hpos: Site, changes: dict[str, Any]) -> None:
    before = hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers")
    assert hpos.contacts(new(**changes))[0]["state"] == "refused"
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers") == before
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_subscriber_pivot WHERE object_id = 999999") == [(0,)]


def test_update_writes_zero_and_empty_as_meant(hpos: Site) -> None:
    id_ = create(
        hpos,
        columns={"first_name": "Ann", "city": "Rome", "date_of_birth": "1990-02-03", "total_points": "5"},
        fields={"woo_ltv": "12.50", "woo_name": "x"},
    )
    outcome = hpos.contacts(change(
        id_, columns={"first_name": "", "total_points": "0", "date_of_birth": ""}, fields={"woo_ltv": "0", "woo_name": ""},
        old_columns={"first_name": "Ann", "total_points": "5", "date_of_birth": "1990-02-03"}, old_fields={"woo_ltv": "12.50", "woo_name": "x"},
    ))[0]  # fmt: skip
    assert outcome == {"person": 8, "state": "done", "contact_id": id_, "reason": ""}
    assert row(hpos, id_, "first_name, total_points, date_of_birth, city, status") == (
        "",
        0,
        None,
        "Rome",
        "transactional",
    )
    assert fields(hpos, id_) == {"woo_ltv": "0"}
    assert hooks(hpos) == ["fluent_crm/contact_custom_data_updated", "fluent_crm/contact_updated"]
    assert hpos.outbox() == []


def test_an_update_that_changes_nothing_fires_nothing(hpos: Site) -> None:
    id_ = create(hpos, columns={"first_name": "Ann"}, fields={"woo_ltv": "1"}, tags_add=[hpos.ids["VIP"]])
    stamp = row(hpos, id_, "updated_at")
    assert (
        hpos.contacts(
            change(
                id_,
                columns={"first_name": "Ann"},
                fields={"woo_ltv": "1", "woo_name": ""},
                tags_add=[hpos.ids["VIP"]],
                tags_remove=[hpos.ids["New"]],
            )
        )[0]["state"]
        == "done"
    )
    assert (hooks(hpos), row(hpos, id_, "updated_at")) == ([], stamp)


def test_tags_and_lists(hpos: Site) -> None:
    vip, fresh, news, customers = (hpos.ids[name] for name in ("VIP", "New", "News", "Customers"))
    id_ = create(hpos, tags_add=[vip], lists_add=[news])
    hpos.contacts(change(id_, tags_add=[fresh], tags_remove=[vip], lists_add=[customers], lists_remove=[news]))
    assert (terms(hpos, id_, "Tag"), terms(hpos, id_, "Lists")) == ({fresh}, {customers})
    assert sorted(hooks(hpos)) == [
        "fluent_crm/contact_added_to_lists", "fluent_crm/contact_added_to_tags",
        "fluent_crm/contact_removed_from_lists", "fluent_crm/contact_removed_from_tags",
    ]  # fmt: skip
    assert hpos.outbox() == []


@pytest.mark.parametrize(
    "old",
    [
        {"old_columns": {"first_name": "Other"}},
        {"old_fields": {"woo_ltv": "2"}},
        {"old_fields": {"woo_name": "x"}},
        {"email": "other@example.com"},
    ],
)
def test_somebody_else_was_faster(hpos: Site, old: dict[str, Any]) -> None:
    id_ = create(hpos, columns={"first_name": "Ann"}, fields={"woo_ltv": "1"})
    outcome = hpos.contacts(
        change(id_, columns={"last_name": "New"}, fields={"woo_ltv": "3"}, tags_add=[hpos.ids["VIP"]], **old)
    )[0]
    assert (outcome["state"], outcome["contact_id"]) == ("raced", id_)
    assert (row(hpos, id_, "last_name")[0] or "", fields(hpos, id_), terms(hpos, id_, "Tag"), hooks(hpos)) == (
        "",
        {"woo_ltv": "1"},
        set(),
        [],
    )


def test_move_to_a_new_address(hpos: Site) -> None:
    id_, other = create(hpos), create(hpos)
    taken = row(hpos, other, "email")[0]
    assert hpos.contacts(change(id_, move_to=taken))[0]["state"] == "raced"
    fresh = f"moved{secrets.token_hex(4)}@example.com"
    assert hpos.contacts(change(id_, move_to=fresh))[0]["state"] == "done"
    assert row(hpos, id_, "email, hash = MD5(email)") == (fresh, 1)
    assert "fluent_crm/contact_updated" in hooks(hpos)
    assert hpos.outbox() == []


def test_the_status_never_changes(hpos: Site) -> None:
    """Pain 22."""
    for status in ("unsubscribed", "bounced", "complained", "pending"):
        id_ = create(hpos)
        hpos.rows("UPDATE wp_fc_subscribers SET status = %s WHERE id = %s", (status, id_))
        hpos.contacts(change(id_, status="subscribed", columns={"first_name": "Up"}))
        assert row(hpos, id_, "status, first_name") == (status, "Up")


def test_internal_meta_of_the_same_name_is_left_alone(hpos: Site) -> None:
    """2.9's own method overwrites it."""
    id_ = create(hpos)
    hpos.rows(
        "INSERT INTO wp_fc_subscriber_meta (subscriber_id, created_by, object_type, `key`, value) VALUES (%s, 0, 'option', 'woo_name', 'internal')",
        (id_,),
    )
    hpos.contacts(change(id_, fields={"woo_name": "field"}))
    assert fields(hpos, id_) == {"woo_name": "field"}
    assert hpos.rows(
        "SELECT value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND object_type = 'option' AND `key` = 'woo_name'",
        (id_,),
    ) == [("internal",)]


def test_erase(hpos: Site) -> None:
    id_ = create(hpos, fields={"woo_ltv": "1"}, tags_add=[hpos.ids["VIP"]])
    email = row(hpos, id_, "email")[0]
    assert (
        hpos.contacts({"person": 1, "op": "erase", "contact_id": id_, "email": "wrong@example.com"})[0]["state"]
        == "raced"
    )
    assert hpos.contacts({"person": 1, "op": "erase", "contact_id": id_, "email": email.upper()})[0]["state"] == "done"
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [(0,)]
    assert (fields(hpos, id_), terms(hpos, id_, "Tag"), hpos.outbox()) == ({}, set(), [])
    assert hpos.contacts({"person": 1, "op": "erase", "contact_id": id_})[0]["state"] == "done"
    assert hpos.contacts(change(id_, columns={"first_name": "x"}))[0] == {
        "person": 8,
        "state": "raced",
        "contact_id": id_,
        "reason": "gone",
    }


def test_one_bad_item_among_many(hpos: Site) -> None:
    """An automation of the owner's that throws costs its own item only, and its message goes nowhere."""
    victim = create(hpos)
    items = [new() for _ in range(5)]
    items.insert(2, change(victim, columns={"first_name": "Thrower"}))
    outcomes = hpos.contacts(*items)
    assert [outcome["state"] for outcome in outcomes] == ["done", "done", "refused", "done", "done", "done"]
    assert outcomes[2]["reason"].startswith("failed: Exception at hooks.php")
    assert "secret@" not in str(outcomes)


def test_an_automation_of_the_owner_fires(hpos: Site) -> None:
    """Tag added by us → FluentCRM's own automation that waits for this tag runs, and adds a list."""
    funnel = hpos.php(
        "$base = array( 'type' => 'sequence', 'status' => 'published', 'c_delay' => 0, 'delay' => 0, 'conditions' => array(), 'created_by' => 1 );"
        "$f = FluentCrm\\App\\Models\\Funnel::create( array( 'title' => 'T', 'type' => 'funnels', 'status' => 'published', 'trigger_name' => 'user_registration_action', 'settings' => array(), 'conditions' => array(), 'created_by' => 1 ) );"
        "FluentCrm\\App\\Models\\FunnelSequence::create( array( 'funnel_id' => $f->id, 'action_name' => 'fluentcrm_contact_added_to_tags', 'type' => 'benchmark', 'title' => 'Tag applied', 'sequence' => 1, 'settings' => array( 'tags' => array( $in[0] ), 'select_type' => 'any', 'type' => 'required', 'can_enter' => 'yes' ) ) + $base );"
        "FluentCrm\\App\\Models\\FunnelSequence::create( array( 'funnel_id' => $f->id, 'action_name' => 'add_contact_to_list', 'title' => 'List', 'sequence' => 2, 'settings' => array( 'lists' => array( $in[1] ) ) ) + $base );"
        "( new FluentCrm\\App\\Hooks\\Handlers\\FunnelHandler() )->resetFunnelIndexes(); return (int) $f->id;",
        [hpos.ids["VIP"], hpos.ids["Customers"]],
    )
    try:
        id_ = create(hpos, status="subscribed", tags_add=[hpos.ids["VIP"]])
        assert hpos.rows(
            "SELECT status FROM wp_fc_funnel_subscribers WHERE subscriber_id = %s AND funnel_id = %s", (id_, funnel)
        ) == [("completed",)]
        assert terms(hpos, id_, "Lists") == {hpos.ids["Customers"]}
        other = create(hpos, status="subscribed", tags_add=[hpos.ids["New"]])
        assert terms(hpos, other, "Lists") == set()
    finally:
        hpos.php(
            "FluentCrm\\App\\Models\\Funnel::where( 'id', $in )->delete(); ( new FluentCrm\\App\\Hooks\\Handlers\\FunnelHandler() )->resetFunnelIndexes();",
            funnel,
        )


def test_two_hundred_at_once_are_quick(hpos: Site) -> None:
    items = [
        new(
            columns={"first_name": f"N{i}"},
            fields={"woo_ltv": str(i), "woo_name": "x"},
            tags_add=[hpos.ids["VIP"]],
            lists_add=[hpos.ids["News"]],
        )
        for i in range(200)
    ]
    start = time.monotonic()
    outcomes = hpos.contacts(*items)
    took = time.monotonic() - start
    assert {outcome["state"] for outcome in outcomes} == {"done"}
    assert took < 15, took
    assert hpos.outbox() == []
