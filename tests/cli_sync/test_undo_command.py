"""`sidecar sync undo`: exactly what a run did and nobody has changed since."""

from __future__ import annotations

from pathlib import Path

import pytest
from commandline import Bench
from support import ShopDatabase

BUYER = "refund.later@example.org"
TAG = "FluentCrm\\App\\Models\\Tag"


@pytest.fixture
def bench(demo: ShopDatabase, tmp_path: Path) -> Bench:
    return Bench(demo, tmp_path)


def _synced(bench: Bench) -> str:
    return str(bench.json("sync")["run"])


def test_it_restores_all_and_brings_nothing_back(bench: Bench) -> None:
    before = bench.crm()
    run = _synced(bench)
    assert bench.crm() != before
    answer = bench.json("sync", "undo", run, "--yes")
    assert answer["removed"] > 200
    assert answer["kept"] == 0
    assert bench.crm() == before
    again = bench.json("sync")["counts"]
    assert (again["created"], again["updated"]) == (0, 0)
    now, then = bench.crm(), dict(before)
    now.pop("definitions"), then.pop("definitions")
    assert now == then
    verdict = bench.verdict()
    assert verdict.ok
    assert {line.reason for line in verdict.lines if line.kind == "guest"} == {"undone"}
    full = bench.json("sync", "--full")["counts"]
    assert full["created"] == answer["removed"]
    assert bench.verdict().ok


def test_what_somebody_changed_since_stays(bench: Bench) -> None:
    run = _synced(bench)
    renamed, valued, tagged = (bench.contact(f"refund.{case}@example.org") for case in ("later", "partial", "several"))
    bench.execute("UPDATE wp_fc_subscribers SET first_name = 'Halina' WHERE id = %s", (renamed,))
    bench.execute(
        "UPDATE wp_fc_subscriber_meta SET value = 'mine' WHERE subscriber_id = %s AND `key` = 'woo_utm_source'"
        " OR subscriber_id = %s AND `key` = 'woo_payment_method'",
        (valued, valued),
    )
    bench.execute("INSERT INTO wp_fc_tags (title, slug) VALUES ('Friend', 'friend')")
    friend = bench.value("SELECT id FROM wp_fc_tags WHERE slug = 'friend'")
    bench.execute(
        "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)",
        (tagged, friend, TAG),
    )
    answer = bench.json("sync", "undo", run, "--yes")
    assert answer["kept"] == 3
    assert bench.value("SELECT first_name FROM wp_fc_subscribers WHERE id = %s", (renamed,)) == "Halina"
    assert bench.field(renamed, "woo_ltv") is None
    assert bench.field(valued, "woo_payment_method") == "mine"
    assert bench.field(valued, "woo_ltv") is None
    assert bench.shop.rows("SELECT object_id FROM wp_fc_subscriber_pivot WHERE subscriber_id = %s", (tagged,)) == [
        (friend,)
    ]
    assert bench.json("sync")["counts"]["created"] == 0


def test_a_changed_order_is_taken_back_alone(bench: Bench) -> None:
    _synced(bench)
    order = bench.shop.truth.cases["order.refund_later"][1]  # type: ignore[union-attr]
    if bench.shop.storage == "hpos":
        bench.execute("UPDATE wp_wc_orders SET total_amount = 110 WHERE id = %s", (order,))
    else:
        bench.execute(
            "UPDATE wp_postmeta SET meta_value = '110' WHERE post_id = %s AND meta_key = '_order_total'", (order,)
        )
    second = str(bench.json("sync")["run"])
    contact = bench.contact(BUYER)
    assert bench.field(contact, "woo_ltv") == "160.00"
    answer = bench.json("sync", "undo", second, "--yes")
    assert (answer["restored"], answer["removed"]) == (1, 0)
    assert bench.field(contact, "woo_ltv") == "150.00"
    bench.json("sync", "--full")
    assert bench.field(contact, "woo_ltv") == "160.00"


def test_it_asks_first(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo_hpos, tmp_path)
    run = _synced(bench)
    before = bench.crm()
    assert bench.json("sync", "undo", run, code=2)["error"]["code"] == "usage"
    bench.run("sync", "undo", run, typed="n\n", code=130)
    assert bench.crm() == before
    assert "is undone" in bench.run("sync", "undo", run, typed="y\n").stdout
    assert bench.json("sync", "undo", run, "--yes", code=1)["error"]["code"] == "not_found"
    kinds = [run["kind"] for run in bench.json("sync", "status")["runs"]]
    assert kinds[0] == "undo"


def test_an_undo_that_died_half_way_is_finished_by_another(
    demo_hpos: ShopDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(demo_hpos, tmp_path)
    before = bench.crm()
    run = _synced(bench)
    from sidecar.crm import undo as crm_undo

    calls = []

    def dies(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) > 20:
            raise KeyboardInterrupt
        real(*arguments)  # type: ignore[arg-type]

    real = crm_undo._delete
    monkeypatch.setattr(crm_undo, "_delete", dies)
    bench.run("sync", "undo", run, "--yes", code=130)
    monkeypatch.undo()
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
    assert bench.json("sync")["counts"]["created"] == 0
    bench.json("sync", "undo", run, "--yes")
    now = bench.crm()
    now.pop("definitions"), before.pop("definitions")
    assert now == before


def test_what_belongs_to_no_run_is_offered_to_nobody(bench: Bench) -> None:
    """The fields of groups of segments are made by no run: nothing can name it."""
    run = _synced(bench)
    bench.json("segments", "refresh")
    assert bench.value("SELECT COUNT(*) FROM wp_fcsc_undo WHERE run_id = 0") > 0
    found = bench.json("sync", "undo", "5", "--yes", code=1)["error"]
    assert f"runs that can be undone: {run} (" in found["hint"]
