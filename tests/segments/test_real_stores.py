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
def sizes(real: ShopDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    monkeypatch.setenv("SIDECAR_NOW", NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    bench = Bench(real, tmp_path)
    bench.run("sync")
    bench.run("segments", "refresh")
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
