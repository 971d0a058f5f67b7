"""`sidecar sync` as its owner sees it, on the demo shop in both storages."""

from __future__ import annotations

from pathlib import Path

import pytest
from commandline import Bench
from support import ShopDatabase

from sidecar.state import runs
from sidecar.state.database import State

BUYER = "refund.later@example.org"


@pytest.fixture
def bench(demo: ShopDatabase, tmp_path: Path) -> Bench:
    return Bench(demo, tmp_path)


@pytest.fixture
def hpos(demo_hpos: ShopDatabase, tmp_path: Path) -> Bench:
    return Bench(demo_hpos, tmp_path)


def test_the_first_run_imports_and_the_second_writes_nothing(bench: Bench) -> None:
    first = bench.run("sync")
    assert "contacts made" in first.stdout
    assert "LTV of all contacts" in first.stdout
    assert "sidecar sync undo" in first.stdout
    assert "half-paid (1), shipped (1)" in first.stderr
    assert "without an exchange rate" in first.stderr
    assert "orders  : 100 %" in first.stderr
    before = bench.crm()
    second = bench.json("sync")
    counts = second["counts"]
    assert (counts["created"], counts["updated"], counts["fields"], counts["columns"], counts["tags"]) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert second["mode"] == "changes"
    assert bench.crm() == before


def test_json_says_what_was_done(bench: Bench) -> None:
    answer = bench.json("sync")
    assert answer["ok"] is True
    assert answer["storage"] == bench.shop.storage
    assert answer["counts"]["created"] > 200
    assert answer["ltv_contacts"] == answer["ltv_shop"]
    assert answer["custom_statuses"] == {"half-paid": 1, "shipped": 1}


def test_a_dry_run_writes_nothing_and_masks(bench: Bench) -> None:
    before = bench.crm()
    tables = bench.shop.rows("SHOW TABLES")
    seen = bench.run("sync", "--dry-run")
    assert "Nothing was written" in seen.stdout
    assert "new contact" in seen.stdout
    assert "@example.org" not in seen.stdout
    assert "woo_ltv" in seen.stdout
    assert (bench.crm(), bench.shop.rows("SHOW TABLES")) == (before, tables)
    answer = bench.json("sync", "--dry-run", "--show")
    assert BUYER in {one["email"] for one in answer["differences"]}
    assert bench.json("sync")["counts"]["created"] == answer["counts"]["created"]


def test_only_some(bench: Bench) -> None:
    answer = bench.json("sync", "--only", BUYER, "--only", "  Anna.Wielka@EXAMPLE.org")
    assert answer["counts"]["people"] == 2
    assert bench.field(bench.contact(BUYER), "woo_ltv") == "150.00"
    guests = bench.json("sync", "--only", "guests")["counts"]["created"]
    customers = bench.json("sync", "--only", "customers")["counts"]["created"]
    assert guests > 50
    assert customers > 50
    rest = bench.json("sync")
    assert rest["counts"]["created"] == 0
    assert bench.verdict().ok


def test_only_takes_nothing_else(hpos: Bench) -> None:
    assert hpos.json("sync", "--only", "nobody", code=2)["error"]["code"] == "usage"


def test_since_leaves_out_the_inactive_and_all_brings_them(bench: Bench) -> None:
    answer = bench.json("sync", "--since", "1m")
    left = answer["counts"]["left_out"]["inactive"]
    assert left > 50
    # A later run without the option, such as cron's, does not widen who was taken.
    assert bench.json("sync")["counts"]["created"] == 0
    made = bench.json("sync", "--since", "all")["counts"]["created"]
    assert made > 40
    assert bench.verdict().ok


def test_status(bench: Bench) -> None:
    empty = bench.json("sync", "status")
    assert (empty["running"], empty["lag_seconds"], empty["runs"]) == (False, None, [])
    bench.run("sync", "--quiet")
    answer = bench.json("sync", "status")
    assert answer["storage"] == bench.shop.storage
    assert answer["lag_seconds"] == 0
    assert answer["people"]["in"] > 200
    assert answer["orders"]["candidate"] > 600
    assert answer["errors_per_1000"] == 0
    assert answer["dead_letters"] > 0
    assert [run["state"] for run in answer["runs"]] == ["done"]
    assert "first import" in bench.run("sync", "status").stdout


def test_a_run_that_was_killed_is_shown_as_interrupted(hpos: Bench) -> None:
    with State(hpos.state_dir) as state:
        runs.start(state, "sync", {})
    assert hpos.json("sync", "status")["runs"][0]["state"] == "interrupted"


def test_another_run_holds_the_lock(hpos: Bench) -> None:
    hpos.run("sync", "--quiet")
    run = hpos.json("sync", "status")["runs"][0]["id"]
    with State(hpos.state_dir) as state, runs.lock(state):
        assert hpos.json("sync", code=1)["error"]["code"] == "conflict"
        assert hpos.json("sync", "undo", str(run), "--yes", code=1)["error"]["code"] == "conflict"
        assert hpos.json("sync", "retry", code=1)["error"]["code"] == "conflict"
        assert hpos.json("sync", "status")["running"] is True


def test_letters_and_retry(bench: Bench) -> None:
    bench.run("sync", "--quiet")
    letters = bench.json("sync", "letters")["letters"]
    undated = next(one for one in letters if one["reason"] == "no_date")
    assert undated["kind"] == "order"
    assert undated["attempts"] == 1
    assert "no_date" in bench.run("sync", "letters").stdout
    bench.json("sync", "retry", str(undated["id"]))
    again = {one["ref"]: one for one in bench.json("sync", "letters")["letters"] if one["reason"] == "no_date"}
    assert again[undated["ref"]]["attempts"] == 2
    assert sum(one["attempts"] for one in again.values()) == len(again) + 1
    _mend(bench, int(undated["ref"].partition(":")[2]))
    answer = bench.json("sync", "retry")
    assert answer["marked"]["orders"] == len(again)
    assert undated["ref"] not in {one["ref"] for one in bench.json("sync", "letters")["letters"]}
    assert bench.verdict().ok


def _mend(bench: Bench, order: int) -> None:
    if bench.shop.storage == "hpos":
        bench.execute("UPDATE wp_wc_orders SET date_created_gmt = '2026-10-01 10:00:00' WHERE id = %s", (order,))
    else:
        bench.execute("UPDATE wp_posts SET post_date_gmt = '2026-10-01 10:00:00' WHERE ID = %s", (order,))


def test_a_letter_that_is_not_there(hpos: Bench) -> None:
    assert hpos.json("sync", "retry", "99", code=1)["error"]["code"] == "not_found"


def test_verify_answers_people_and_programs(bench: Bench) -> None:
    bench.run("sync", "--quiet")
    assert "agree to the cent" in bench.run("sync", "verify").stdout
    bench.execute("UPDATE wp_fc_subscriber_meta SET value = '7' WHERE `key` = 'woo_orders_count' LIMIT 3")
    answer = bench.json("sync", "verify", code=1)
    assert answer["ok"] is False
    assert answer["differences_found"] == 3
    assert "woo_orders_count" in bench.run("sync", "verify", code=1).stdout


@pytest.mark.parametrize("command", ["", "status", "undo", "verify", "letters", "retry"])
def test_help_stands_alone(hpos: Bench, command: str) -> None:
    text = hpos.run("sync", *command.split(), "--help").stdout
    assert len(text.splitlines()) > 8


def test_options_of_a_run_do_not_go_with_a_subcommand(hpos: Bench) -> None:
    assert hpos.json("sync", "--full", "status", code=2)["error"]["code"] == "usage"


def test_a_limited_rate_still_arrives(hpos: Bench) -> None:
    assert hpos.json("sync", "--only", BUYER, "--limit-rate", "20000")["counts"]["created"] == 1
