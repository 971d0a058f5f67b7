"""Broken rows: 999 in, the one in the dead letter with its id and reason, until the row is repaired."""

from __future__ import annotations

from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, contacts, field, letters, run

from sidecar import config as settings


def told(config: settings.Config) -> set[tuple[str, str, str]]:
    return {(letter.kind, letter.ref, letter.reason) for letter in letters(config)}


def test_orders_without_a_date(demo: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo)
    report = run(config)
    truth = demo.truth
    assert truth is not None
    undated = [*truth.cases["order.date_null"], *truth.cases["order.date_zero"]]
    assert {("order", f"order:{id_}", "no_date") for id_ in undated} == {
        one for one in told(config) if one[0] == "order"
    }
    # The rest of the same person counts.
    found = contacts(demo)
    assert field(found["date.sometimes@example.org"], "woo_orders_count") == "1"
    assert field(found["date.null@example.org"], "woo_orders_count") == "0"
    assert report.counts.people == report.counts.created + report.counts.updated + sum(report.counts.left_out.values())
    # Repaired: it counts, and the letter is gone.
    keeper = Shopkeeper(demo)
    for id_ in undated:
        if keeper.hpos:
            keeper.do("UPDATE wp_wc_orders SET date_created_gmt = '2026-05-05 05:05:05' WHERE id = %s", id_)
        else:
            keeper.do("UPDATE wp_posts SET post_date_gmt = '2026-05-05 05:05:05' WHERE ID = %s", id_)
    run(config)
    assert not [one for one in told(config) if one[0] == "order"]
    assert field(contacts(demo)["date.sometimes@example.org"], "woo_orders_count") == "2"
    assert field(contacts(demo)["date.null@example.org"], "woo_orders_count") == "1"


def test_a_broken_order_that_is_deleted_takes_its_letter_along(demo: ShopDatabase, config_for: ConfigFor) -> None:
    config, keeper = config_for(demo), Shopkeeper(demo)
    run(config)
    id_ = demo.truth.cases["order.date_null"][0]  # type: ignore[union-attr]
    assert ("order", f"order:{id_}", "no_date") in told(config)
    keeper.delete_order(int(id_))
    run(config)
    assert ("order", f"order:{id_}", "no_date") not in told(config)


def test_a_total_that_is_no_number(demo_posts: ShopDatabase, config_for: ConfigFor) -> None:
    """Only postmeta can hold one. The same order is told once, however often it is tried."""
    config, keeper = config_for(demo_posts), Shopkeeper(demo_posts)
    order = keeper.order("total@example.org", "sto złotych")
    good = keeper.order("total@example.org", "20.00")
    for full in (False, True):
        run(config, full=full)
        assert [one for one in told(config) if "bad_total" in one] == [("order", f"order:{order}", "bad_total")]
        assert field(contacts(demo_posts)["total@example.org"], "woo_ltv") == "20.00"
    keeper.set(order, _order_total="30.00")
    run(config)
    assert not [one for one in told(config) if "bad_total" in one]
    assert field(contacts(demo_posts)["total@example.org"], "woo_ltv") == "50.00"
    assert good


def test_over_long_values(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """The contact comes without the value that does not fit; once it fits, it is written and the letter goes."""
    config, keeper = config_for(demo), Shopkeeper(demo)
    order = keeper.order(
        "long@example.org", billing={"first_name": "Krótkie", "last_name": "Nazwisko" * 25, "city": "Miasto" * 33}
    )
    run(config)
    columns = contacts(demo)["long@example.org"]["columns"]
    assert (columns["first_name"], columns["last_name"], columns["city"]) == ("Krótkie", None, None)
    mine = {one for one in told(config) if one[1] == f"order:{order}"}
    assert {(kind, reason.partition(":")[0]) for kind, _, reason in mine} == {("value", "last_name"), ("value", "city")}
    assert all("too_long" in reason for _, _, reason in mine)
    keeper.order(
        "long@example.org",
        at="2026-11-01 10:00:00",
        billing={"first_name": "Krótkie", "last_name": "Nazwisko", "city": "Miasto"},
    )
    run(config)
    columns = contacts(demo)["long@example.org"]["columns"]
    assert (columns["last_name"], columns["city"]) == ("Nazwisko", "Miasto")


def test_a_guests_letter_goes_with_the_next_good_order(demo: ShopDatabase, config_for: ConfigFor) -> None:
    config, keeper = config_for(demo), Shopkeeper(demo)
    order = keeper.order("long@example.org", billing={"first_name": "Ola", "city": "Miasto" * 33})
    run(config)
    newer = keeper.order("long@example.org", at="2026-11-01 10:00:00", billing={"first_name": "Ola", "city": "Ełk"})
    run(config)
    assert not [one for one in told(config) if one[1] in (f"order:{order}", f"order:{newer}")]


def test_the_demos_over_long_name(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo_hpos)
    run(config)
    assert "name.too.long@example.org" in contacts(demo_hpos)
    assert [one for one in told(config) if "too_long" in one[2]]


def test_addresses_that_collide(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """FluentCRM's index takes é for e: the second address cannot stand beside the first."""
    config, keeper = config_for(demo), Shopkeeper(demo)
    keeper.order("renee@example.org", "10.00")
    run(config)
    order = keeper.order("renèe@example.org", "20.00")
    report = run(config)
    assert "renèe@example.org" not in contacts(demo)
    assert field(contacts(demo)["renee@example.org"], "woo_ltv") == "10.00", "nobody gets another's orders"
    if report.counts.failed:
        assert ("person", f"order:{order}", "address_collides") in told(config)


def test_accounts_whose_addresses_collide_with_a_contact(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """ASCII accents cannot collide; the width of letters and trailing marks can."""
    config, keeper = config_for(demo), Shopkeeper(demo)
    keeper.do("INSERT INTO wp_fc_subscribers (email, hash, status) VALUES ('zoë@example.org', '', 'unsubscribed')")
    order = keeper.order("zoe@example.org", "20.00")
    report = run(config)
    assert report.counts.failed == {"address_collides": 1}
    assert ("person", f"order:{order}", "address_collides") in told(config)
    stranger = contacts(demo)["zoë@example.org"]
    assert (stranger["fields"], stranger["tags"], stranger["columns"]["status"]) == ({}, [], "unsubscribed")
    # Every run tries again; when the obstacle is gone, the person comes and the letter goes.
    assert run(config).counts.failed == {"address_collides": 1}
    keeper.do("DELETE FROM wp_fc_subscribers WHERE email = 'zoë@example.org'")
    assert run(config).counts.failed == {}
    assert field(contacts(demo)["zoe@example.org"], "woo_ltv") == "20.00"
    assert not [one for one in told(config) if "address_collides" in one]


def test_a_row_that_the_server_refuses(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """An owner's trigger, a missing column width, a full disk: one person is refused, all others go in."""
    config, keeper = config_for(demo), Shopkeeper(demo)
    keeper.do(
        "CREATE TRIGGER refuse BEFORE INSERT ON wp_fc_subscribers FOR EACH ROW"
        " IF NEW.email = 'never.bought@example.org' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF"
    )
    report = run(config)
    user = keeper.user_of("never.bought@example.org")
    assert report.counts.failed == {"mysql_1644": 1}
    assert ("person", f"user:{user}", "mysql_1644") in told(config)
    assert len(contacts(demo)) > 280
    assert "never.bought@example.org" not in contacts(demo)
    keeper.do("DROP TRIGGER refuse")
    assert run(config).counts.created == 1
    assert "never.bought@example.org" in contacts(demo)
    assert ("person", f"user:{user}", "mysql_1644") not in told(config)


def test_unparsable_meta_that_a_rule_reads(demo: ShopDatabase, config_for: ConfigFor) -> None:
    rules = """
[[field]]
to = "custom:preferences"
from = "user_meta.shop_preferences"
"""
    config, keeper = config_for(demo), Shopkeeper(demo)
    run(config, rules)
    user = keeper.user_of("broken.meta@example.org")
    assert ("value", f"user:{user}", "preferences: unparsable_meta") in told(config)
    assert "broken.meta@example.org" in contacts(demo)
    keeper.user_meta(user, shop_preferences="now plain")
    run(config, rules)
    assert field(contacts(demo)["broken.meta@example.org"], "preferences") == "now plain"
    assert not [one for one in told(config) if one[1] == f"user:{user}"]


def test_orders_without_an_address_are_nobodys(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """Counted, not failed: there is nobody to write to."""
    from sidecar.state.database import State

    config = config_for(demo)
    report = run(config)
    truth = demo.truth
    assert truth is not None
    with State(config.state.dir) as state:
        verdicts = dict(state.rows("SELECT id, verdict FROM shop_order"))
    assert {verdicts[int(id_)] for id_ in truth.cases["order.no_email"]} == {"no_email"}
    assert {verdicts[int(id_)] for id_ in truth.cases["order.invalid_email"]} == {"bad_email"}
    assert {verdicts[int(id_)] for id_ in truth.cases["order.long_email"]} == {"bad_email"}
    assert report.counts.failed == {}
    for id_ in truth.cases["order.no_billing_row"]:
        assert verdicts[int(id_)] in ("candidate", "no_email")
