"""What other shops have and the demo shop has not: each once gave a wrong figure, or stopped a run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, contacts, field, letters, run

from sidecar import clock
from sidecar.config import Config
from sidecar.errors import CrmRefused
from sidecar.mapping import compile as mapping_rules
from sidecar.mapping.compiled import Mapping
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.sync import poll
from sidecar.sync.session import Choices, Session
from sidecar.sync.verify import Verdict, verify
from sidecar.values import php

RULES: Mapping = mapping_rules.load(None)


def checked(config: Config) -> Verdict:
    with State(config.state.dir) as state:
        return verify(config, state, RULES)


def facts(config: Config, email: str) -> dict[str, Any]:
    with State(config.state.dir) as state:
        found: dict[str, Any] = json.loads(
            state.rows("SELECT facts FROM person_doc JOIN person ON id = person_id WHERE key = ?", (state.key(email),))[
                0
            ][0]
        )
    return found


def agreed(config: Config) -> None:
    verdict = checked(config)
    assert (verdict.differences, verdict.faults, verdict.disagreements) == ([], [], [])


def test_money_of_other_currencies(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    base = "_order_total_base_currency"
    keeper.order("weak@example.org", "0.37", currency="KWD", meta={base: "2544529.26"})
    keeper.order("negative@example.org", "-5.00", currency="EUR", meta={base: "21.50"})
    parts = keeper.order("parts@example.org", "10.00", currency="EUR", meta={"_woocs_order_rate": "3"})
    keeper.refund(parts, "3.33", currency="EUR")
    moved = keeper.order("moved@example.org", "100.00", currency="EUR", meta={"_woocs_order_rate": "0.25"})
    keeper.refund(moved, "10.00", currency="EUR")
    keeper.order("absurd@example.org", "99999999999.00", currency="EUR", meta={"_woocs_order_rate": "0.001"})
    run(config)
    found = contacts(demo)
    assert field(found["weak@example.org"], "woo_ltv") == "2544529.26"
    assert field(found["negative@example.org"], "woo_ltv") == "0.00"
    assert field(found["moved@example.org"], "woo_ltv") == "360.00"
    agreed(config)
    # The rest is paid back later: nothing is left of the order, not a millionth.
    keeper.refund(parts, "3.33", currency="EUR")
    keeper.refund(parts, "3.34", currency="EUR")
    keeper.set(moved, _order_currency="PLN")
    run(config)
    found = contacts(demo)
    assert field(found["parts@example.org"], "woo_orders_count") == "0"
    assert field(found["moved@example.org"], "woo_ltv") == "90.00"
    agreed(config)


def test_lines_without_a_product_and_variations_without_a_parent(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    order = keeper.order(
        "lines@example.org", lines=((0, 1, "Naprawa"), (0, 2, "Grawer &amp; pudełko"), (987_654, 1, "Filiżanka"))
    )
    keeper.do(
        "INSERT INTO wp_woocommerce_order_items (order_item_name, order_item_type, order_id) VALUES ('Bez danych', 'line_item', %s)",
        order,
    )
    keeper.do(
        "INSERT INTO wp_woocommerce_order_items (order_item_name, order_item_type, order_id) VALUES ('WIOSNA', 'coupon', %s)",
        order,
    )
    keeper.do(
        "INSERT INTO wp_woocommerce_order_items (order_item_name, order_item_type, order_id) VALUES ('wiosna', 'coupon', %s)",
        order,
    )
    id_ = keeper.next_id()
    keeper.do(
        "INSERT INTO wp_posts (ID, post_type, post_status, post_title, post_parent, post_content, post_excerpt, to_ping, pinged,"
        " post_content_filtered) VALUES (%s, 'product_variation', 'publish', 'Filiżanka - biała', 987654, '', '', '', '', '')",
        id_,
    )
    keeper.do("UPDATE wp_woocommerce_order_itemmeta m JOIN wp_woocommerce_order_items i USING (order_item_id) SET m.meta_value = %s"
              " WHERE i.order_id = %s AND i.order_item_name = 'Filiżanka' AND m.meta_key = '_variation_id'", str(id_), order)  # fmt: skip
    run(config)
    contact = contacts(demo)["lines@example.org"]
    assert php.loads(field(contact, "woo_products") or "") == ["Bez danych", "Filiżanka", "Grawer & pudełko", "Naprawa"]
    assert facts(config, "lines@example.org")["coupons"] == ["wiosna"]


def test_titles_and_categories_read_as_wordpress_shows_them(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    product, term = demo.rows(
        "SELECT r.object_id, t.term_id FROM wp_term_relationships r JOIN wp_term_taxonomy x USING (term_taxonomy_id)"
        " JOIN wp_terms t USING (term_id) JOIN wp_posts p ON p.ID = r.object_id"
        " WHERE x.taxonomy = 'product_cat' AND p.post_type = 'product' LIMIT 1"
    )[0]
    keeper.do("UPDATE wp_terms SET name = 'Kawa &amp; herbata' WHERE term_id = %s", term)
    keeper.do("UPDATE wp_posts SET post_title = 'Sól &amp; pieprz &lt;b&gt;' WHERE ID = %s", product)
    keeper.order("entities@example.org", lines=((product, 1, "x"),))
    run(config)
    contact = contacts(demo)["entities@example.org"]
    assert php.loads(field(contact, "woo_products") or "") == ["Sól & pieprz"]
    assert "Kawa & herbata" in str(php.loads(field(contact, "woo_categories") or ""))


def test_an_account_whose_address_is_none_any_more(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """A run of changes ends where a first run would: the account's orders go by their own addresses, and back again."""
    keeper, config = Shopkeeper(demo), config_for(demo)
    user = keeper.account("anna.konto@example.org")
    keeper.order("anna.faktury@example.org", customer=user)
    typo = keeper.account("jan@gmail")
    run(config)
    assert field(contacts(demo)["anna.konto@example.org"], "woo_orders_count") == "1"
    keeper.do("UPDATE wp_users SET user_email = '' WHERE ID = %s", user)
    keeper.do("UPDATE wp_users SET user_email = 'jan@gmail.com' WHERE ID = %s", typo)
    run(config)
    found = contacts(demo)
    assert field(found["anna.faktury@example.org"], "woo_orders_count") == "1"
    assert found["jan@gmail.com"]["columns"]["user_id"] == str(typo)
    agreed(config)
    keeper.do("UPDATE wp_users SET user_email = 'anna.konto@example.org' WHERE ID = %s", user)
    run(config)
    found = contacts(demo)
    assert field(found["anna.konto@example.org"], "woo_orders_count") == "1"
    assert field(found["anna.faktury@example.org"], "woo_orders_count") == "0"
    agreed(config)


@pytest.mark.parametrize("ahead", ["2026-11-01 15:00:00", "9999-12-31 23:59:59"])
def test_an_order_that_was_changed_in_the_future(demo_hpos: ShopDatabase, config_for: ConfigFor, ahead: str) -> None:
    """A wrong clock or an importer dates a change ahead: runs go on, and polling still sees what comes after."""
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    order = keeper.order("ahead@example.org")
    keeper.do("UPDATE wp_wc_orders SET date_updated_gmt = %s WHERE id = %s", ahead, order)
    run(config)
    assert run(config).counts.writes == 0
    later = keeper.order("later@example.org", at="2026-11-01 11:58:00")
    with State(config.state.dir) as state, runs.lock(state):
        session = Session(config, state, RULES, Choices(), runs.live(state), lambda step, done, total: None)
        try:
            for _ in range(2):
                now = int(clock.now().timestamp() * 1000)
                polled = poll.changed(session, now)
                assert [hint.object_id for hint in polled.hints] == [later]
                poll.keep(session, polled, [])
        finally:
            session.close()
    run(config)
    assert field(contacts(demo_hpos)["later@example.org"], "woo_orders_count") == "1"


def test_a_date_beyond_the_calendar_is_a_letter_and_no_quarrel(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    order = keeper.order("beyond@example.org", at="9999-12-31 23:59:59")
    keeper.order("<deleted@site.invalid>")
    admin = keeper.account("boss@example.org", role="administrator")
    keeper.user_meta(admin, wp_capabilities='a:1:{s:13:"administrator";s:1:"1";}')
    run(config)
    assert f"order:{order}" in {letter.ref for letter in letters(config)}
    agreed(config)


def test_long_tags_are_found_again(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    titles = [f"{'چای سبز ایرانی ' * 3}{name}" for name in ("یک", "دو")]
    for number, title in enumerate(titles):
        keeper.order("tags@example.org", lines=((500_000 + number, 1, title),))
    keeper.order("one.tag@example.org", lines=((500_000, 1, titles[0]),))
    rules = '[[tag]]\nslug = "woo-product-{value}"\ntitle = "{value}"\nfrom = "facts.products"\n'
    run(config, rules)
    found = contacts(demo)
    assert len(found["tags@example.org"]["tags"]) == 2
    assert len(found["one.tag@example.org"]["tags"]) == 1
    assert run(config, rules).counts.writes == 0


def test_countries_as_names_are_codes_for_segments(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    keeper.order("country@example.org", billing={"country": "poland", "city": "Łódź"})
    run(config)
    assert facts(config, "country@example.org")["country"] == "PL"


def test_the_first_order_counts_as_first_also_of_many(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    for number in range(55):
        keeper.order(
            "many@example.org", at=f"2026-0{1 + number // 28}-{1 + number % 28:02d} 10:00:00", lines=((0, 1, "x"),)
        )
    first, last = keeper.orders_of("many@example.org")[0], keeper.orders_of("many@example.org")[-1]
    for order, value in ((first, "first"), (last, "last")):
        item = keeper.one("SELECT order_item_id FROM wp_woocommerce_order_items WHERE order_id = %s", order)
        keeper.do(
            "INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value) VALUES (%s, 'size', %s)",
            item,
            value,
        )
    run(config, '[[field]]\nto = "custom:size"\nfrom = "item_meta.size"\npick = "first"\n')
    assert field(contacts(demo_hpos)["many@example.org"], "size") == "first"


def test_a_contact_with_a_zero_day_of_birth(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    """WordPress, which is not strict, keeps an empty day so: it is no birthday that a person entered."""
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    keeper.account("dob@example.org", birthday="1990-05-12")
    keeper.do(
        "INSERT INTO wp_fc_subscribers (email, status, date_of_birth) VALUES ('dob@example.org', 'pending', '0000-00-00')"
    )
    run(config)
    assert contacts(demo_hpos)["dob@example.org"]["columns"]["date_of_birth"] == "1990-05-12"


def test_field_definitions_that_hold_an_object_are_not_touched(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    text = 'a:1:{i:0;a:2:{s:4:"slug";s:1:"q";s:4:"more";O:8:"stdClass":0:{}}}'
    keeper.do("UPDATE wp_fc_meta SET value = %s WHERE `key` = 'contact_custom_fields'", text)
    with pytest.raises(CrmRefused, match="nothing was changed"):
        run(config)
    assert keeper.one("SELECT value FROM wp_fc_meta WHERE `key` = 'contact_custom_fields'") == text
