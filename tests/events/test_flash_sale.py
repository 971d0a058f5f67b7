"""A flash sale: a thousand orders within a minute are worked off, nothing is lost, and memory stays flat."""

from __future__ import annotations

import threading
import time
import tracemalloc

from bridging import LiveShop, hint, queue
from syncing import contacts

from sidecar.runtime import build

ORDERS = 1000


def test_a_thousand_orders_while_passes_run(hpos: LiveShop) -> None:
    keeper, database = hpos.keeper, hpos.database
    before = len(contacts(database))
    sold = threading.Event()

    def sell() -> None:
        first = keeper.next_id()
        connection = database.connect(autocommit=False)
        try:
            with connection.cursor() as cursor:
                for start in range(first, first + ORDERS, 50):
                    ids = range(start, start + 50)
                    cursor.executemany(
                        "INSERT INTO wp_wc_orders (id, status, currency, type, tax_amount, total_amount, customer_id,"
                        " billing_email, date_created_gmt, date_updated_gmt, parent_order_id, payment_method)"
                        " VALUES (%s, 'wc-processing', 'PLN', 'shop_order', 0, 10, 0, %s, '2026-11-01 11:59:00',"
                        " '2026-11-01 11:59:00', 0, 'bacs')",
                        [(id_, f"sale{id_ - first}@example.net") for id_ in ids],
                    )
                    cursor.executemany(
                        "INSERT INTO wp_woocommerce_order_items (order_item_id, order_item_name, order_item_type, order_id)"
                        " VALUES (%s, 'Tea', 'line_item', %s)",
                        [(id_ + 1_000_000, id_) for id_ in ids],
                    )
                    cursor.executemany(
                        "INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value)"
                        " VALUES (%s, '_product_id', '1')",
                        [(id_ + 1_000_000,) for id_ in ids],
                    )
                    connection.commit()
                    for id_ in ids:
                        hint(database, "order.created", id_)
                        hint(database, "order.paid", id_)
        finally:
            connection.close()
            sold.set()

    with build(hpos.config) as sidecar:
        sidecar.pass_()
        shop = threading.Thread(target=sell)
        shop.start()
        events, peaks = 0, []
        deadline = time.monotonic() + 120
        tracemalloc.start()
        try:
            while time.monotonic() < deadline:
                done = sold.is_set()
                report = sidecar.pass_(5)
                events += report.events
                assert report.failed == report.dead == 0
                if report.events:
                    peaks.append(tracemalloc.get_traced_memory()[0])
                if done and not queue(database):
                    break
                time.sleep(0.05)
        finally:
            tracemalloc.stop()
        shop.join()
        assert events == 2 * ORDERS
        assert queue(database) == []
        assert len(contacts(database)) == before + ORDERS
        assert sidecar.verify().ok
    half = peaks[len(peaks) // 2 :]
    assert max(half) < min(half) + (6 << 20), peaks
