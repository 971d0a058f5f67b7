"""Pain 5, through the real sync: history that comes into the shop starts nobody, whatever is switched on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bridging import NOW_MS, LiveShop, hint, install
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, execute, run
from triggering import Yard

from sidecar.automations import model
from sidecar.automations.library import Library
from sidecar.runtime import build
from sidecar.segments import file
from sidecar.segments.model import Period
from sidecar.state import pause

ORDERS, BUYERS, TOLD = 10_000, 2_000, 150
FIRST = 5_000_000


@pytest.fixture
def shop(demo_hpos: ShopDatabase, config_for: ConfigFor) -> LiveShop:
    config = config_for(demo_hpos)
    run(config)
    install(demo_hpos)
    with build(config) as sidecar:
        sidecar.refresh_segments()
    return LiveShop(demo_hpos, Shopkeeper(demo_hpos), config)


def history(shop: ShopDatabase) -> None:
    """Old orders of many people, five of each, written at once as an importer does; the plugin tells of the first ones."""
    seq = f"seq_0_to_{ORDERS - 1}"
    at = f"'2026-01-05 10:00:00' + INTERVAL seq DIV {BUYERS} * 55 DAY + INTERVAL seq MOD {BUYERS} MINUTE"
    for statement in (
        (
            "INSERT INTO wp_wc_orders (id, status, currency, type, tax_amount, total_amount, customer_id, billing_email,"
            " date_created_gmt, date_updated_gmt, parent_order_id, payment_method)"
            f" SELECT {FIRST} + seq, 'wc-completed', 'PLN', 'shop_order', 0, 250, 0, CONCAT('old', seq MOD {BUYERS}, '@example.net'),"
            f" {at}, IF(seq < {TOLD}, '2026-11-01 11:59:00', {at}), 0, 'bacs' FROM {seq}"
        ),
        (
            "INSERT INTO wp_woocommerce_order_items (order_item_id, order_item_name, order_item_type, order_id)"
            f" SELECT {2 * FIRST} + seq, 'Tea', 'line_item', {FIRST} + seq FROM {seq}"
        ),
        (
            "INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value)"
            f" SELECT {2 * FIRST} + seq, '_product_id', '1' FROM {seq}"
        ),
        (
            "INSERT INTO wp_fcsc_outbox (topic, object_id, detail, created_ms)"
            f" SELECT t.topic, {FIRST} + seq, t.detail, {NOW_MS} FROM seq_0_to_{TOLD - 1} JOIN (SELECT 'order.created' AS topic, '' AS"
            " detail UNION SELECT 'order.status', 'pending>completed' UNION SELECT 'order.paid', '') t ORDER BY seq"
        ),
    ):
        execute(shop, statement)


def everything(yard: Yard) -> None:
    """Every ready-made automation, one of every kind, and one for each coming into and going from every segment."""
    ready = Library(yard.config, yard.zone, yard.segments).all().values()
    assert len(ready) > 20
    for automation in ready:
        yard.switch(automation)
    triggers: list[model.Trigger] = [
        model.OnCart(idle=Period(seconds=1800)), model.OnViews(times=1, within=Period(days=30)), model.OnStock(),
        model.OnReorder(overdue=9.0), model.OnEvent(topic="order.status", to=("completed",)),
    ]  # fmt: skip
    triggers += [
        model.OnEvent(topic=topic)
        for topic in ("order.placed", "order.paid", "order.created", "customer.created", "contact.created")
    ]
    triggers += [model.OnEvent(topic="order.paid", first=True), model.OnEvent(topic="order.paid", every=5)]
    triggers += [
        model.OnDay(field=field, late=Period(days=1)) for field in ("birthday", "membership_day", "first_order_day")
    ]
    for segment in yard.segments:
        triggers += [model.OnSegment(segment=segment.slug, entered=entered) for entered in (True, False)]
    for number, trigger in enumerate(triggers):
        yard.on(trigger, f"automation-{number}")


def inside(yard: Yard) -> list[tuple[str, str]]:
    return yard.state.rows(
        "SELECT a.name, e.subject FROM enrolment e JOIN automation a ON a.id = e.automation_id ORDER BY e.id"
    )


def test_ten_thousand_old_orders_start_nobody(shop: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    with build(shop.config) as sidecar:
        yard = Yard(shop.config, segments=tuple(file.load(None, UTC)))
        try:
            everything(yard)
            history(shop.database)
            pause.begin(yard.state, 1)
            assert sidecar.pass_().state == "paused"
            pause.end(yard.state)
            report = sidecar.pass_(reconcile=True)
            assert report.reconciled
            assert report.events == 3 * TOLD
            assert yard.state.rows(
                "SELECT COUNT(*) FROM shop_order WHERE id >= ? AND verdict = 'candidate'", (FIRST,)
            ) == [(ORDERS,)]
            yard.collect()
            for minutes in (1, 20):
                monkeypatch.setenv("SIDECAR_NOW", f"2026-11-01T12:{minutes:02}:00Z")
                sidecar.pass_()
                yard.collect(int(datetime(2026, 11, 1, 12, minutes, tzinfo=UTC).timestamp()))
            assert inside(yard) == []
            # One of the imported people buys: that is of now.
            order = shop.keeper.order("old7@example.net", "30.00", lines=((1, 1, "Tea"),), at="2026-11-01 12:19:30")
            hint(shop.database, "order.created", order, at_ms=1_793_535_570_000)
            hint(shop.database, "order.paid", order, at_ms=1_793_535_570_000)
            sidecar.pass_()
            assert ("thank-you", f"order:{order}") in inside(yard), "the pass itself lets them in"
            yard.collect()
            found = {subject for _, subject in inside(yard)}
            assert f"order:{order}" in found
            assert any(subject.startswith("segment:") for subject in found)
            assert len({row[0] for row in yard.state.rows("SELECT person_id FROM enrolment")}) == 1
        finally:
            yard.close()
