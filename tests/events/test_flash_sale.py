"""A flash sale: a thousand orders within a minute are worked off, nothing is lost, and memory stays flat."""

from __future__ import annotations

import threading
import time
import tracemalloc

from bridging import LiveShop, flash_sale, queue
from syncing import contacts

from sidecar.runtime import build

ORDERS = 1000


def test_a_thousand_orders_while_passes_run(hpos: LiveShop) -> None:
    keeper, database = hpos.keeper, hpos.database
    before = len(contacts(database))
    sold = threading.Event()

    def sell() -> None:
        try:
            flash_sale(database, keeper.next_id(), ORDERS)
        finally:
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
