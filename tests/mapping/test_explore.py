"""The EAV explorer over real tables: counts, shares, kinds, samples without a person in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import ShopDatabase

from sidecar.config import Config
from sidecar.mapping import compile as rules
from sidecar.mapping.explore import Around, Key, explore
from sidecar.mysql.connection import Reader
from sidecar.store import meta
from sidecar.store.schema import storage

OWNERS = {
    "users": ("wp_users", "ID", "wp_usermeta", "user_id", "1 = 1"),
    "items": ("wp_woocommerce_order_items", "order_item_id", "wp_woocommerce_order_itemmeta", "order_item_id",
              "o.order_item_type = 'line_item'"),
    "products": ("wp_posts", "ID", "wp_postmeta", "post_id", "o.post_type = 'product'"),
    "orders.posts": ("wp_posts", "ID", "wp_postmeta", "post_id", "o.post_type = 'shop_order'"),
    "orders.hpos": ("wp_wc_orders", "id", "wp_wc_orders_meta", "order_id", "o.type = 'shop_order'"),
}  # fmt: skip


def look(config: Config, kind: meta.Kind) -> tuple[meta.Survey, dict[str, Key]]:
    with Reader(config) as reader:
        survey = meta.survey(reader, kind, storage(reader))
    around = Around(facts={"birthday": "facts.birthday"}, active=("woocommerce/woocommerce.php",))
    return survey, {key.key: key for key in explore(survey, rules.load(None), around)}


def check(shop: ShopDatabase, config: Config, kind: meta.Kind) -> dict[str, Key]:
    """The survey equals what one plain (and slow) query says."""
    owners, id_, table, owner, which = OWNERS[f"orders.{shop.storage}" if kind == "orders" else kind]
    survey, keys = look(config, kind)
    assert survey.owners == shop.rows(f"SELECT COUNT(*) FROM {owners} o WHERE {which}")[0][0]
    plain = shop.rows(
        f"SELECT m.meta_key, COUNT(*), COUNT(DISTINCT o.{id_}), SUM(COALESCE(m.meta_value <> '', 0))"
        f" FROM {owners} o JOIN {table} m ON m.{owner} = o.{id_} WHERE {which} GROUP BY BINARY m.meta_key"
    )
    single = {stats.key: stats for stats in survey.keys if stats.keys == 1}
    assert plain
    for key, rows, carrying, filled in plain:
        if key in single:
            found = single[key]
            assert (found.rows, found.owners, found.filled) == (rows, carrying, int(filled))
    assert sum(stats.rows for stats in survey.keys) == survey.rows == sum(row[1] for row in plain)
    assert survey.longest_query < 1
    return keys


@pytest.mark.parametrize("kind", meta.KINDS)
def test_counts_of_the_demo(demo: ShopDatabase, config_for: Callable[..., Config], kind: meta.Kind) -> None:
    keys = check(demo, config_for(demo), kind)
    if kind == "users":
        assert keys["birthday"].kind == "date"
        assert (keys["birthday"].better, keys["birthday"].used) == ("facts.birthday", ["date_of_birth"])
        assert keys["marketing_optin"].kind == "flag"
        assert keys["shop_preferences"].kind == "php_array"
        assert keys["billing_phone"].better == "billing.phone"
        assert keys["billing_nip"].plugin == "Polish NIP fields"
        assert not any("@example" in sample for key in keys.values() for sample in key.samples)
    if kind == "orders":
        assert keys["_gift_note"].source == "order_meta._gift_note"
        assert keys["_wc_order_attribution_utm_source"].used == ["woo_utm_source"]
        rules.compile_text(keys["_gift_note"].rule, "suggested")


@pytest.mark.stores
@pytest.mark.parametrize("kind", meta.KINDS)
def test_counts_of_real_stores(real: ShopDatabase, config_for: Callable[..., Config], kind: meta.Kind) -> None:
    keys = check(real, config_for(real), kind)
    if kind == "users":
        assert keys["session_tokens"].samples == ["(hidden)"] if "session_tokens" in keys else True
    if kind == "orders":
        assert keys["_wc_shipment_tracking_items"].kind == "php_array"
        assert keys["_wc_shipment_tracking_items"].active is False


def test_every_suggested_rule_compiles(demo_hpos: ShopDatabase, config_for: Callable[..., Config]) -> None:
    config = config_for(demo_hpos)
    suggested = {key.rule for kind in meta.KINDS for key in look(config, kind)[1].values() if key.rule}
    assert len(suggested) > 20
    for rule in suggested:
        rules.compile_text(rule, "suggested")


def test_rare_keys_secrets_and_keys_without_number(demo_hpos: ShopDatabase, config_for: Callable[..., Config]) -> None:
    with demo_hpos.connect() as connection, connection.cursor() as cursor:
        users = [row[0] for row in demo_hpos.rows("SELECT ID FROM wp_users ORDER BY ID")]
        rows = [(users[len(users) // 2], "rare_field", "PL5260250274"), (users[0], "Birthday", "1.2.1990")]
        rows += [(users[3], "session_tokens", 'a:1:{s:64:"abc";a:1:{s:2:"ip";s:9:"127.0.0.1";}}')]
        rows += [(users[5], f"_transient_{number}", "x") for number in range(5000)]
        rows += [(999_999, "of_nobody", "x"), (users[0], 'Anna\'s "key" \\', "value")]
        cursor.executemany("INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (%s, %s, %s)", rows)
    survey, keys = look(config_for(demo_hpos), "users")
    assert keys["rare_field"].samples == ["xx9999999999"]
    assert keys["Birthday"].rows == 1  # not one with birthday: the rules tell them apart
    assert (keys["session_tokens"].kind, keys["session_tokens"].samples) == ("secret", ["(hidden)"])
    assert keys["session_tokens"].source == ""
    assert (keys["_transient_#"].keys, keys["_transient_#"].rows) == (5000, 5000)
    assert survey.left_out == 0
    assert len(keys) < 60
    assert "of_nobody" not in keys
    assert "127" not in str(keys["session_tokens"])
    rules.compile_text(keys['Anna\'s "key" \\'].rule, "suggested")


def test_keys_past_the_limit_are_said(
    demo_hpos: ShopDatabase, config_for: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta, "MOST_KEYS", 10)
    survey, keys = look(config_for(demo_hpos), "users")
    assert len(keys) <= 20
    assert survey.left_out > 0
    assert survey.left_out + sum(key.rows for key in keys.values()) == survey.rows
