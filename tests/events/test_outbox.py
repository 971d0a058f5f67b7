"""The outbox is a queue: whatever order rows become visible in, whatever dies, whatever comes twice."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from bridging import NOW_MS, LiveShop, hint, pass_, queue
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, contacts, crm_rows, field, run

from sidecar.config import Config, Events
from sidecar.events.outbox import pause_ms
from sidecar.runtime import build
from sidecar.state.database import State
from sidecar.sync import live
from sidecar.sync.session import Choices

LINES = ((1, 2, "Tea"),)


def outcome(config: Config, topic: str) -> list[tuple[str, str]]:
    with build(config) as sidecar:
        return [(one.outcome, one.reason) for one in sidecar.events(topic)]


def test_without_the_plugin_nothing_is_missed(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """Pains 10, 39."""
    config = config_for(demo)
    assert pass_(config).state == "waiting"
    run(config)
    keeper = Shopkeeper(demo)
    keeper.order("nowa@example.net", "120.00", at="2026-11-01 11:58:00", lines=LINES)
    report = pass_(config, poll=True)
    assert (report.state, report.events, report.changed, report.live) == ("done", 0, 1, False)
    assert field(contacts(demo)["nowa@example.net"], "woo_ltv") == "120.00"
    assert pass_(config, poll=True).changed == 0


def test_by_polling_alone_a_buyer_has_their_tag_within_a_minute(
    demo: ShopDatabase, config_for: ConfigFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 10: with the default intervals and no plugin; what is measured is the waiting, by the tests' clock."""
    config, keeper = config_for(demo), Shopkeeper(demo)
    run(config)
    begin = datetime(2026, 11, 1, 12, 1, tzinfo=UTC)
    due, seen = {3: "a", 17: "b", 31: "c", 44: "d", 61: "e", 89: "f"}, {}
    with build(config) as sidecar:
        for second in range(0, 160, 5):
            now = begin + timedelta(seconds=second)
            monkeypatch.setenv("SIDECAR_NOW", now.strftime("%Y-%m-%dT%H:%M:%SZ"))
            for at in [at for at in due if at <= second and due[at] not in seen]:
                seen[due[at]] = 1000
                made = begin + timedelta(seconds=at)
                keeper.order(f"{due[at]}@example.net", at=made.strftime("%Y-%m-%d %H:%M:%S"), lines=LINES)
            if sidecar.pass_().changed == 0:
                continue
            found = contacts(demo)
            for at, name in due.items():
                if seen.get(name) == 1000 and "woo-new" in found.get(f"{name}@example.net", {"tags": ()})["tags"]:
                    seen[name] = second - at
    assert len(seen) == len(due)
    assert max(seen.values()) < 60, seen


def test_a_new_order_is_a_contact_and_the_row_is_gone(shop: LiveShop) -> None:
    database, keeper, config = shop.database, shop.keeper, shop.config
    order = keeper.order("nowa@example.net", "99.50", lines=LINES)
    hint(database, "order.created", order)
    hint(database, "order.status", order, detail="pending>completed")
    hint(database, "order.paid", order)
    report = pass_(config)
    assert (report.events, report.changed, report.failed) == (3, 3, 0)
    assert queue(database) == []
    made = contacts(database)["nowa@example.net"]
    assert (field(made, "woo_ltv"), field(made, "woo_orders_count")) == ("99.50", "1")
    assert made["columns"]["status"] == "transactional"
    assert outcome(config, "order.created") == [("changed", "")]


def test_ids_that_become_visible_out_of_order(shop: LiveShop) -> None:
    database, keeper, config = shop.database, shop.keeper, shop.config
    first, second = keeper.order("pierwsza@example.net", lines=LINES), keeper.order("druga@example.net", lines=LINES)
    slow = database.connect(autocommit=False)
    try:
        with slow.cursor() as cursor:
            cursor.execute(
                "INSERT INTO wp_fcsc_outbox (topic, object_id, created_ms) VALUES ('order.created', %s, %s)",
                (first, NOW_MS - 100_000),
            )
        hint(database, "order.created", second)
        assert pass_(config).events == 1
        assert "druga@example.net" in contacts(database)
        slow.commit()
    finally:
        slow.close()
    # A lower id than the one that is done: a cursor would never see it.
    with State(config.state.dir) as state:
        state.set("poll.last", str(NOW_MS // 1000))
    assert pass_(config).events == 1
    assert "pierwsza@example.net" in contacts(database)
    assert queue(database) == []


def test_hints_that_come_twice_or_late_change_nothing(shop: LiveShop) -> None:
    """Pain 39."""
    database, keeper, config = shop.database, shop.keeper, shop.config
    order = keeper.order("nowa@example.net", "50.00", lines=LINES)
    hint(database, "order.created", order)
    pass_(config)
    before = crm_rows(database)
    for topic in ("order.created", "order.paid", "order.refunded", "order.deleted", "order.trashed"):
        hint(database, topic, order, at_ms=NOW_MS - 86_400_000 * 10)
    hint(database, "customer.deleted", keeper.one("SELECT MIN(user_id) FROM wp_fc_subscribers WHERE user_id > 0"))
    hint(database, "contact.deleted", keeper.one("SELECT MIN(id) FROM wp_fc_subscribers"))
    hint(database, "order.created", 999_999_999, at_ms=NOW_MS - 86_400_000)
    hint(database, "future.topic", 5)
    report = pass_(config)
    assert (report.events, report.changed, report.failed) == (9, 0, 0)
    assert crm_rows(database) == before
    assert queue(database) == []


def test_hints_that_never_come_are_made_up_for(shop: LiveShop) -> None:
    """Pain 39."""
    database, keeper, config = shop.database, shop.keeper, shop.config
    order = keeper.order("nowa@example.net", "50.00", at="2026-10-01 10:00:00")
    keeper.status(order, "wc-completed")
    report = pass_(config, reconcile=True)
    assert report.reconciled
    assert "nowa@example.net" in contacts(database)
    with build(config) as sidecar:
        assert sidecar.verify().ok


def test_a_poisoned_event_waits_longer_each_time_and_ends_as_a_dead_letter(
    shop: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, keeper, config = shop.database, shop.keeper, shop.config
    config = Config(
        **{name: getattr(config, name) for name in config.__struct_fields__} | {"events": Events(attempts=3)}
    )
    bad, good = keeper.order("zla@example.net", lines=LINES), keeper.order("dobra@example.net", lines=LINES)
    original = live.apply

    def poisoned(session: Any, hints: Any, way: Any) -> Any:
        if any(one.object_id == bad for one in hints):
            raise RuntimeError("anna@example.com")
        return original(session, hints, way)

    monkeypatch.setattr(live, "apply", poisoned)
    hint(database, "order.created", bad)
    hint(database, "order.paid", bad)
    hint(database, "order.created", good)
    with build(config) as sidecar:
        report = sidecar.pass_()
        assert (report.changed, report.later, report.dead) == (1, 2, 0)
        assert "dobra@example.net" in contacts(database)
        waits = []
        for attempt in (1, 2):
            rows = queue(database)
            assert [row[:3] for row in rows] == [("order.created", bad, attempt), ("order.paid", bad, attempt)]
            waits.append(rows[0][3] - NOW_MS)
            assert sidecar.pass_().events == 0, "not before it is due"
            keeper.do("UPDATE wp_fcsc_outbox SET due_ms = 0")
            report = sidecar.pass_()
        assert 1_500 < waits[0] < waits[1] < 5_000
        assert (report.dead, queue(database)) == (2, [])
        letters = [(one.kind, one.ref, one.reason) for one in sidecar.letters()]
        assert ("event", f"order:{bad}", "RuntimeError") in letters
        assert not any("anna" in one.detail for one in sidecar.letters())
        assert [(one.outcome, one.reason) for one in sidecar.events("order.paid")] == [("failed", "RuntimeError")]
        assert sidecar.health().errors_per_1000 == round(2000 / 3, 2)
        # The obstacle is gone: the owner tries again, by the path of every run.
        monkeypatch.setattr(live, "apply", original)
        sidecar.retry()
        assert "zla@example.net" in contacts(database)
        assert not [one for one in sidecar.letters() if one.kind == "event"]


def test_pauses_grow_to_an_hour() -> None:
    pauses = [pause_ms(attempt) for attempt in range(20)]
    assert all(earlier * 1.4 < later for earlier, later in pairwise(pauses[:10]))
    assert 3_200_000 < pauses[-1] < 4_000_000


def test_two_passes_at_once(shop: LiveShop) -> None:
    """Pain 36."""
    database, keeper, config = shop.database, shop.keeper, shop.config
    hint(database, "order.created", keeper.order("nowa@example.net", lines=LINES))
    from sidecar.state import runs

    with State(config.state.dir) as state, runs.lock(state, runs.PASS):
        assert pass_(config).state == "busy"
        assert not runs.running(state), "a pass is no run"
    assert len(queue(database)) == 1
    with State(config.state.dir) as state, runs.lock(state):
        assert runs.running(state)
        assert pass_(config).state == "busy"
    assert pass_(config).events == 1


def test_a_pass_is_never_taken_for_a_run(shop: LiveShop) -> None:
    """Passes come and go, and pages ask whether a run is at work: a run that starts meanwhile waits, and does not give up."""
    import threading

    from sidecar.errors import Conflict
    from sidecar.state import runs

    directory, stop, starts = shop.config.state.dir, threading.Event(), 0

    def passes() -> None:
        with State(directory) as state:
            while not stop.is_set():
                with contextlib.suppress(Conflict), runs.lock(state, runs.PASS):
                    pass

    def pages() -> None:
        with State(directory) as state:
            while not stop.is_set():
                runs.running(state)

    threads = [threading.Thread(target=work) for work in (passes, pages)]
    for thread in threads:
        thread.start()
    try:
        with State(directory) as state:
            for starts in range(1, 101):  # noqa: B007 - asked for below
                with runs.lock(state):
                    pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert starts == 100


def test_a_run_waits_for_a_pass(shop: LiveShop) -> None:
    import threading
    import time

    from sidecar.state import runs

    config = shop.config
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with State(config.state.dir) as state, runs.lock(state, runs.PASS):
            held.set()
            free.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    threading.Timer(0.3, free.set).start()
    started = time.monotonic()
    with build(config) as sidecar:
        sidecar.sync(Choices())
    assert time.monotonic() - started > 0.2
    thread.join()


def test_a_half_written_order_is_read_again(shop: LiveShop) -> None:
    database, keeper, config = shop.database, shop.keeper, shop.config
    order = keeper.order("nowa@example.net", "80.00", status="wc-processing")
    hint(database, "order.created", order)
    hint(database, "order.created", order + 1000)
    report = pass_(config)
    # The contact is there at once, but its lines were not: the hint stays, and is no failure.
    assert (report.later, report.dead) == (2, 0)
    assert field(contacts(database)["nowa@example.net"], "woo_ltv") == "80.00"
    assert field(contacts(database)["nowa@example.net"], "woo_products") is None
    assert [(row[1], row[2], row[3] > NOW_MS) for row in queue(database)] == [(order, 0, True), (order + 1000, 0, True)]
    product = keeper.one("SELECT MIN(ID) FROM wp_posts WHERE post_type = 'product' AND post_status = 'publish'")
    keeper.do(
        "INSERT INTO wp_woocommerce_order_items (order_item_name, order_item_type, order_id) VALUES ('X', 'line_item', %s)",
        order,
    )
    item = keeper.one("SELECT MAX(order_item_id) FROM wp_woocommerce_order_items")
    keeper.do(
        "INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value) VALUES (%s, '_product_id', %s)",
        item,
        str(product),
    )
    keeper.do("UPDATE wp_fcsc_outbox SET due_ms = 0")
    pass_(config)
    assert field(contacts(database)["nowa@example.net"], "woo_products")
    # An order that never appears is given up quietly.
    keeper.do("UPDATE wp_fcsc_outbox SET due_ms = 0, created_ms = created_ms - 100000")
    pass_(config)
    assert queue(database) == []


def test_a_reconciliation_that_fails_does_not_come_back_with_every_pass(
    hpos: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sidecar.errors import SchemaUnsupported
    from sidecar.sync import engine

    tries = []

    def fails(*arguments: object) -> None:
        tries.append(1)
        raise SchemaUnsupported("there is no table")

    monkeypatch.setattr(engine, "sync", fails)
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T13:00:00Z")
    with build(hpos.config) as sidecar:
        with pytest.raises(SchemaUnsupported):
            sidecar.pass_()
        assert sidecar.health().pass_error == "there is no table"
        hint(hpos.database, "order.created", hpos.keeper.order("nowa@example.net", lines=LINES))
        assert sidecar.pass_().changed == 1
        assert sidecar.health().pass_error == ""
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T13:16:00Z")
        with pytest.raises(SchemaUnsupported):
            sidecar.pass_()
    assert len(tries) == 2


def test_runs_are_forgotten_but_not_the_last_good_one(hpos: LiveShop) -> None:
    """Pain 35."""
    from sidecar.state import runs

    with State(hpos.config.state.dir) as state:
        first = runs.latest(state)[0]
        for number in range(600):
            state.sql.execute(
                "INSERT INTO run (id, kind, state, started, finished) VALUES (?, 'sync', ?, 0, 0)",
                (number + 1, "done" if number % 2 else "failed"),
            )
        assert runs.prune(state, NOW_MS // 1000) == 50
        assert runs.latest(state)[0].id == first.id
        assert runs.prune(state, NOW_MS // 1000 + 100 * 86_400) == 0
