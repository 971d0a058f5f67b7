"""The ledger: it agrees after a sync, and it finds every planted fault, in both storages."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from commandline import Bench
from support import ShopDatabase

from sidecar.sync import verify_rules
from sidecar.sync.verify import Verdict

BUYER = "refund.later@example.org"


@pytest.fixture
def synced(demo: ShopDatabase, tmp_path: Path) -> Bench:
    """A shop after its first sync."""
    bench = Bench(demo, tmp_path)
    bench.run("sync", "--quiet")
    return bench


def _fields(verdict: Verdict) -> set[tuple[str, str]]:
    return {(one.field, one.found) for one in verdict.differences}


def _amount(verdict: Verdict, kind: str) -> Decimal:
    return sum((sum(line.amounts.values(), Decimal(0)) for line in verdict.lines if line.kind == kind), Decimal(0))


def test_it_agrees_after_a_sync_and_accounts_for_every_row(synced: Bench) -> None:
    verdict = synced.verdict()
    assert verdict.ok, (verdict.differences[:5], verdict.faults, verdict.disagreements)
    truth = synced.shop.truth
    assert truth is not None
    rows = {kind: sum(line.rows for line in verdict.lines if line.kind == kind) for kind in ("order", "refund", "user")}
    assert rows == {"order": truth.shop_orders, "refund": truth.refund_rows, "user": truth.accounts}
    held = {
        "hpos": "SELECT SUM(total_amount) FROM wp_wc_orders WHERE type = %s",
        "posts": "SELECT SUM(CAST(m.meta_value AS DECIMAL(26,8))) FROM wp_posts p JOIN wp_postmeta m"
        " ON m.post_id = p.ID AND m.meta_key = '_order_total' WHERE p.post_type = %s",
    }[synced.shop.storage]
    assert _amount(verdict, "order") == synced.value(held, ("shop_order",))
    assert _amount(verdict, "refund") == synced.value(held, ("shop_order_refund",))
    assert verdict.ltv_crm == verdict.ltv_people.quantize(Decimal("0.01"))
    reasons = {line.reason for line in verdict.lines if line.kind == "order" and line.place == "left"}
    assert reasons >= {"trash", "draft", "anonymised", "no_email", "bad_email", "unpaid", "custom_status", "no_rate"}
    assert {line.reason for line in verdict.lines if line.kind == "refund"} >= {"", "of_trash", "of_unpaid"}


def test_a_value_that_somebody_changed(synced: Bench) -> None:
    contact = synced.contact(BUYER)
    synced.execute(
        "UPDATE wp_fc_subscriber_meta SET value = '149.99' WHERE subscriber_id = %s AND `key` = 'woo_ltv'", (contact,)
    )
    verdict = synced.verdict()
    assert [(one.email, one.field, one.expected, one.found) for one in verdict.differences] == [
        ("r***@e***.org", "woo_ltv", "150.00", "149.99")
    ]
    assert verdict.differences[0].ref.startswith("order:")
    assert not verdict.ok


def test_values_that_are_gone(synced: Bench) -> None:
    contact = synced.contact(BUYER)
    slugs = {"woo_orders_count", "woo_aov", "woo_first_order", "woo_last_order", "woo_customer_status"}
    synced.execute(
        "DELETE FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND `key` IN %s", (contact, sorted(slugs))
    )
    assert _fields(synced.verdict()) == {(slug, "nothing") for slug in slugs}


def test_a_contact_that_is_gone(synced: Bench) -> None:
    synced.execute("DELETE FROM wp_fc_subscribers WHERE id = %s", (synced.contact(BUYER),))
    verdict = synced.verdict()
    assert [one.field for one in verdict.differences] == ["contact"]
    assert [(line.kind, line.rows) for line in verdict.lines if line.reason.endswith("no_contact")] == [
        ("order", 2), ("refund", 1), ("guest", 1),
    ]  # fmt: skip


def test_an_order_that_changed_after_the_sync(synced: Bench) -> None:
    order = synced.shop.truth.cases["order.refund_later"][1]  # type: ignore[union-attr]
    if synced.shop.storage == "hpos":
        synced.execute("UPDATE wp_wc_orders SET total_amount = 101.5 WHERE id = %s", (order,))
    else:
        synced.execute(
            "UPDATE wp_postmeta SET meta_value = '101.5' WHERE post_id = %s AND meta_key = '_order_total'", (order,)
        )
    assert {one.field for one in synced.verdict().differences} == {"woo_ltv", "woo_aov"}
    synced.run("sync", "--quiet")
    assert synced.verdict().ok


def test_an_order_that_the_sync_has_not_seen_is_a_disagreement(synced: Bench) -> None:
    order = synced.shop.truth.cases["order.refund_later"][1]  # type: ignore[union-attr]
    table = {"hpos": "wp_wc_orders", "posts": "wp_posts"}[synced.shop.storage]
    column = {"hpos": "status", "posts": "post_status"}[synced.shop.storage]
    synced.execute(f"UPDATE {table} SET {column} = 'wc-cancelled' WHERE id = %s", (order,))
    verdict = synced.verdict()
    assert verdict.disagreements == [f"order {order}: unpaid here, candidate in the sync's ledger"]
    assert {one.field for one in verdict.differences} >= {"woo_orders_count", "woo_ltv"}


def test_a_contact_under_another_address_is_recognised(synced: Bench) -> None:
    synced.execute("UPDATE wp_fc_subscribers SET email = 'moved@example.net' WHERE id = %s", (synced.contact(BUYER),))
    verdict = synced.verdict()
    assert verdict.ok
    assert verdict.moved == 1


def test_refunds_without_an_order_are_named(synced: Bench) -> None:
    refund, parent = _a_refund(synced)
    table, column = {"hpos": ("wp_wc_orders", "parent_order_id"), "posts": ("wp_posts", "post_parent")}[
        synced.shop.storage
    ]
    synced.execute(f"UPDATE {table} SET {column} = 999999 WHERE id = %s", (refund,))
    verdict = synced.verdict()
    assert verdict.orphan_refunds == [f"refund {refund} of order 999999"]
    assert not verdict.faults
    assert parent
    assert verdict.differences_found


def _a_refund(bench: Bench) -> tuple[int, int]:
    order = bench.shop.truth.cases["order.refund_later"][0]  # type: ignore[union-attr]
    sql = {
        "hpos": "SELECT id FROM wp_wc_orders WHERE type = 'shop_order_refund' AND parent_order_id = %s",
        "posts": "SELECT ID FROM wp_posts WHERE post_type = 'shop_order_refund' AND post_parent = %s",
    }[bench.shop.storage]
    return int(bench.value(sql, (order,))), int(order)


def test_people_left_out_by_since_and_roles_are_no_differences(demo: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo, tmp_path, '[people]\nexclude_roles = ["wholesale_customer"]\n')
    bench.run("sync", "--since", "1m", "--quiet")
    verdict = bench.verdict()
    assert verdict.ok, (verdict.differences[:5], verdict.disagreements)
    left = {line.reason: line.rows for line in verdict.lines if line.kind in ("user", "guest") and line.place == "left"}
    assert left["excluded_role"] == 1
    assert left["inactive"] > 50


def test_a_figure_without_a_rule_is_skipped_and_said(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo_hpos, tmp_path)
    text = '[[field]]\nto = "custom:woo_ltv"\ntype = "number"\nfrom = "facts.ltv"\n'
    (tmp_path / "mapping.toml").write_text(text, encoding="utf-8")
    bench.run("sync", "--quiet")
    answer = bench.json("sync", "verify")
    assert answer["ok"] is True
    assert [line.partition(":")[0] for line in answer["skipped"]] == [
        "orders_count", "aov", "first_order", "last_order", "customer_status",
    ]  # fmt: skip


def test_the_real_stores_agree(real: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(real, tmp_path)
    bench.run("sync", "--quiet")
    verdict = bench.verdict()
    assert verdict.ok, (verdict.differences[:5], verdict.faults, verdict.disagreements)
    assert verdict.people > 100


@pytest.mark.parametrize(
    ("text", "raw", "usable"),
    [
        ("12.50", "12.50", "12.50"),
        ("12,5", "12.5", "12.5"),
        (" 1 234.50", "1234.50", "1234.50"),
        ("1,234", "1.234", None),
        ("-5", "-5", "-5"),
        ("abc", "0", None),
        ("", "0", None),
        (None, "0", None),
    ],
)
def test_amounts(text: str | None, raw: str, usable: str | None) -> None:
    assert verify_rules.amount(text) == Decimal(raw)
    assert verify_rules.usable(text) == (None if usable is None else Decimal(usable))
