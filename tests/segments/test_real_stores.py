"""Segment sizes on the shop that real WooCommerce wrote, against the truth about every buyer and against the shop's own SQL."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from commandline import Bench
from support import ShopDatabase

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def refreshed(real: ShopDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("SIDECAR_NOW", NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    bench = Bench(real, tmp_path)
    bench.run("sync")
    bench.run("segments", "refresh")
    return bench


@pytest.fixture
def sizes(refreshed: Bench) -> dict[str, int]:
    bench = refreshed
    return {row["slug"]: row["size"] for row in bench.json("segments", "list")["segments"]}


def _ago(zone: ZoneInfo, days: int) -> float:
    """The same time of day, days ago by the shop's clock."""
    wall = NOW.astimezone(zone).replace(tzinfo=None) - timedelta(days=days)
    return wall.replace(tzinfo=zone).timestamp()


def test_sizes_equal_the_truth(
    real: ShopDatabase, sizes: dict[str, int], truth_lines: dict[str, dict[str, Any]]
) -> None:
    zone = ZoneInfo(real.rows("SELECT option_value FROM wp_options WHERE option_name = 'timezone_string'")[0][0])
    buyers = [line for line in truth_lines.values() if line["orders_count"]]
    last = [line["last_paid_gmt"] for line in buyers]
    nets = sorted((round(line["net"] * 100) for line in buyers), reverse=True)
    top = [nets[math.ceil(len(nets) * percent / 100) - 1] for percent in (5, 10)]
    counted = [(line["orders_count"], round(line["net"] * 100), line["last_paid_gmt"]) for line in buyers]
    wanted = {
        "first-time-buyers": sum(count == 1 for count, _, _ in counted),
        "repeat-buyers": sum(count >= 2 for count, _, _ in counted),
        "vip": sum(count >= 2 and net >= top[0] for count, net, _ in counted),
        "high-ltv": sum(net >= top[1] for _, net, _ in counted),
        "recent-buyers": sum(at > _ago(zone, 14) for at in last),
        "inactive-30-days": sum(_ago(zone, 60) < at <= _ago(zone, 30) for at in last),
        "inactive-60-days": sum(_ago(zone, 90) < at <= _ago(zone, 60) for at in last),
        "inactive-90-days": sum(at <= _ago(zone, 90) for at in last),
        "lapsed-repeat-buyers": sum(count >= 2 and at <= _ago(zone, 180) for count, _, at in counted),
    }
    assert {slug: sizes[slug] for slug in wanted} == wanted
    assert all(wanted.values()), wanted


def test_frequent_buyers_equal_the_shops_own_count(real: ShopDatabase, sizes: dict[str, int]) -> None:
    """Four counted orders within a year: from the shop's tables, by another path than the sync's."""
    if real.storage == "posts":
        pytest.skip("the SQL is that of WooCommerce's own tables")
    found = real.rows(
        "SELECT COUNT(*) FROM (SELECT COALESCE(LOWER(TRIM(u.user_email)), LOWER(TRIM(o.billing_email))) COLLATE utf8mb4_bin AS who"
        " FROM wp_wc_orders o LEFT JOIN wp_users u ON u.ID = o.customer_id AND o.customer_id > 0"
        " LEFT JOIN (SELECT parent_order_id, SUM(total_amount) AS back FROM wp_wc_orders"
        "  WHERE type = 'shop_order_refund' GROUP BY 1) r ON r.parent_order_id = o.id"
        " WHERE o.type = 'shop_order' AND o.status IN ('wc-processing', 'wc-completed')"
        "  AND o.total_amount + COALESCE(r.back, 0) > 0 AND o.date_created_gmt > %s"
        " GROUP BY who HAVING COUNT(*) >= 4 AND who <> '') x",
        ((NOW - timedelta(days=365)).strftime("%Y-%m-%d %H:%M:%S"),),
    )
    assert sizes["frequent-buyers"] == found[0][0] > 0


def test_rfm_equals_sql_over_the_fields_in_fluentcrm(real: ShopDatabase, sizes: dict[str, int]) -> None:
    """Fifths by MariaDB's own RANK() over what the sync wrote to the contacts, and the grid written a second time."""
    meta = "JOIN wp_fc_subscriber_meta {0} ON {0}.subscriber_id = s.id AND {0}.object_type = 'custom_field' AND {0}.`key` = '{1}'"
    score = "LEAST(5, 1 + FLOOR(5 * (RANK() OVER (ORDER BY {}) - 1) / COUNT(*) OVER ()))"
    rows = real.rows(
        "SELECT CASE"
        " WHEN r = 5 AND f >= 4 AND m >= 4 THEN 'champions' WHEN r >= 3 AND f >= 4 THEN 'loyal'"
        " WHEN r <= 2 AND (f = 5 OR m = 5) THEN 'cannot-lose' WHEN r <= 2 AND f IN (3, 4) THEN 'at-risk'"
        " WHEN r >= 4 AND f IN (2, 3) THEN 'potential-loyalists' WHEN r = 5 AND f = 1 THEN 'new'"
        " WHEN r = 4 AND f = 1 THEN 'promising' WHEN r = 3 AND f = 3 THEN 'need-attention'"
        " WHEN r = 3 AND f <= 2 THEN 'about-to-sleep' WHEN r = 1 AND f = 1 THEN 'lost' ELSE 'hibernating' END AS name, COUNT(*)"
        f" FROM (SELECT {score.format('l.value')} AS r, {score.format('n.value + 0')} AS f,"
        f" {score.format('CAST(v.value AS DECIMAL(20, 6))')} AS m FROM wp_fc_subscribers s"
        f" {meta.format('n', 'woo_orders_count')} {meta.format('v', 'woo_ltv')} {meta.format('l', 'woo_last_order')}"
        " WHERE n.value + 0 > 0) x GROUP BY name"
    )
    found = {f"rfm-{name}": count for name, count in rows}
    assert len(found) >= 9 and sum(found.values()) > 100
    assert {slug: size for slug, size in sizes.items() if slug.startswith("rfm-") and size} == found


def test_every_contact_is_at_one_stage(real: ShopDatabase, sizes: dict[str, int]) -> None:
    known = real.rows(
        "SELECT COUNT(DISTINCT s.id) FROM wp_fc_subscribers s JOIN wp_fc_subscriber_meta n ON n.subscriber_id = s.id"
        " AND n.`key` = 'woo_orders_count'"
    )[0][0]
    assert sum(size for slug, size in sizes.items() if slug.startswith("stage-")) == known > 0


# Counted orders as (id, who, at), from the shop's own tables of either storage.
_ORDERS = {
    "hpos": (
        "SELECT o.id, COALESCE(LOWER(TRIM(u.user_email)), LOWER(TRIM(o.billing_email))) COLLATE utf8mb4_bin AS who,"
        " TIMESTAMPDIFF(SECOND, '1970-01-01', o.date_created_gmt) AS at"
        " FROM wp_wc_orders o LEFT JOIN wp_users u ON u.ID = o.customer_id AND o.customer_id > 0"
        " LEFT JOIN (SELECT parent_order_id, SUM(total_amount) AS back FROM wp_wc_orders"
        "  WHERE type = 'shop_order_refund' GROUP BY 1) r ON r.parent_order_id = o.id"
        " WHERE o.type = 'shop_order' AND o.status IN ('wc-processing', 'wc-completed')"
        "  AND o.total_amount + COALESCE(r.back, 0) > 0"
    ),
    "posts": (
        "SELECT p.ID AS id, COALESCE(LOWER(TRIM(u.user_email)), LOWER(TRIM(e.meta_value))) COLLATE utf8mb4_bin AS who,"
        " TIMESTAMPDIFF(SECOND, '1970-01-01', p.post_date_gmt) AS at"
        " FROM wp_posts p LEFT JOIN wp_postmeta e ON e.post_id = p.ID AND e.meta_key = '_billing_email'"
        " LEFT JOIN wp_postmeta c ON c.post_id = p.ID AND c.meta_key = '_customer_user'"
        " LEFT JOIN wp_users u ON u.ID = c.meta_value AND c.meta_value > 0"
        " JOIN wp_postmeta t ON t.post_id = p.ID AND t.meta_key = '_order_total'"
        " LEFT JOIN (SELECT f.post_parent, SUM(m.meta_value) AS back FROM wp_posts f JOIN wp_postmeta m ON m.post_id = f.ID"
        "  AND m.meta_key = '_order_total' WHERE f.post_type = 'shop_order_refund' GROUP BY 1) r ON r.post_parent = p.ID"
        " WHERE p.post_type = 'shop_order' AND p.post_status IN ('wc-processing', 'wc-completed')"
        "  AND t.meta_value + COALESCE(r.back, 0) > 0"
    ),
}
_THINGS = {
    "product": "m.meta_value + 0",
    "category": (
        "x.term_id FROM_ JOIN wp_term_relationships l ON l.object_id = m.meta_value JOIN wp_term_taxonomy x"
        " ON x.term_taxonomy_id = l.term_taxonomy_id AND x.taxonomy = 'product_cat'"
    ),
}


@pytest.mark.parametrize("what", ["product", "category"])
def test_who_is_due_for_replenishment_equals_the_shops_own_orders(
    real: ShopDatabase, refreshed: Bench, what: str
) -> None:
    """Everybody's own interval for each product or category, by MariaDB from the lines of the orders."""
    thing, _, more = _THINGS[what].partition(" FROM_")
    now = int(NOW.timestamp())
    found = real.rows(
        "SELECT COUNT(DISTINCT who) FROM (SELECT who, MAX(at) AS last, FLOOR((MAX(at) - MIN(at)) / (COUNT(*) - 1)) AS gap"
        f" FROM (SELECT DISTINCT o.id, o.who, o.at, {thing} AS thing FROM ({_ORDERS[real.storage]}) o"
        " JOIN wp_woocommerce_order_items i ON i.order_id = o.id AND i.order_item_type = 'line_item'"
        " JOIN wp_woocommerce_order_itemmeta m ON m.order_item_id = i.order_item_id AND m.meta_key = '_product_id'"
        f" AND m.meta_value > 0{more} WHERE o.who <> '') b"
        " GROUP BY who, thing HAVING COUNT(*) > 1 AND gap >= 86400) g"
        f" WHERE last + gap <= {now} AND last + 2 * gap > {now}"
    )[0][0]
    said = refreshed.json("segments", "preview", f'{{ reorder = "{what}" }}')["sheet"]["size"]
    assert said == found > 0
    if what == "product":
        listed = {row["slug"]: row["size"] for row in refreshed.json("segments", "list")["segments"]}
        assert listed["due-for-replenishment"] == found
