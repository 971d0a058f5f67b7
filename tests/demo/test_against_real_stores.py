"""The demo's tables and rows have the shape of those that real WooCommerce and FluentCRM wrote."""

from __future__ import annotations

import pytest
from support import ShopDatabase

pytestmark = pytest.mark.stores
COLUMNS = (
    "SELECT table_name, column_name, column_type, is_nullable, column_default, extra"
    " FROM information_schema.columns WHERE table_schema=DATABASE() ORDER BY 1, ordinal_position"
)
INDEXES = (
    "SELECT table_name, index_name, non_unique, seq_in_index, column_name, sub_part"
    " FROM information_schema.statistics WHERE table_schema=DATABASE() ORDER BY 1, 2, 4"
)
# What other plugins left in the real store, what the demo has no use for, or what is only written later.
UNLIKE = {
    "show_welcome_panel", "wc_money_spent_wp", "wc_order_count_wp", "_reduced_stock", "_stock",
    "_low_stock_amount",
    "_crosssell_ids", "_upsell_ids", "_download_expiry", "_download_limit", "_variation_description",
    "_used_by",
    "exclude_sale_items", "free_shipping", "individual_use", "limit_usage_to_x_items", "usage_limit_per_user",
    "date_expires",
}  # fmt: skip


@pytest.mark.parametrize("query", [COLUMNS, INDEXES], ids=["columns", "indexes"])
def test_the_tables_are_the_real_ones(demo_hpos: ShopDatabase, real_hpos: ShopDatabase, query: str) -> None:
    ours, theirs = demo_hpos.rows(query), real_hpos.rows(query)
    tables = {row[0] for row in ours}
    assert len(tables) > 35
    assert ours == [row for row in theirs if row[0] in tables]


@pytest.mark.parametrize("storage", ["hpos", "posts"])
def test_the_meta_keys_are_the_real_ones(request: pytest.FixtureRequest, storage: str) -> None:
    demo: ShopDatabase = request.getfixturevalue(f"demo_{storage}")
    real: ShopDatabase = request.getfixturevalue(f"real_{storage}")
    tables = ["usermeta", "postmeta", "woocommerce_order_itemmeta"] + ["wc_orders_meta"] * (storage == "hpos")
    for table in tables:
        query = f"SELECT DISTINCT meta_key FROM wp_{table}"
        missing = {key for (key,) in real.rows(query)} - {key for (key,) in demo.rows(query)} - UNLIKE
        assert missing == set(), table
