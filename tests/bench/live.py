"""How fast a contact follows one change of the shop, how dear idling is, and a flash sale. Not a test.

The shop is the one of `run.py`. Without a real WordPress the bridge is the tests' fake one, which writes through the
same tables one statement at a time; PHP itself is measured with a real site.

usage: live.py [CUSTOMERS]
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

# ruff: noqa: E402 - the tests' own helpers are beside, not installed
from bridging import bridge, flash_sale, hint, install, queue
from run import build as build_shop
from shopkeeper import Shopkeeper
from support import ShopDatabase

from sidecar.config import Config, Database, Shop, State
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.runtime import build
from sidecar.sync.session import Choices

LINES = ((1, 1, "Tea"),)


def now_ms() -> int:
    return int(time.time() * 1000)


def say(words: str, value: object) -> None:
    print(f"{words:<58} {value}", flush=True)


def passes(sidecar: object, database: ShopDatabase, keeper: Shopkeeper, count: int) -> list[float]:
    took = []
    for number in range(count):
        order = keeper.order(
            f"live{time.time_ns()}-{number}@example.net",
            "50.00",
            at=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
            lines=LINES,
        )
        hint(database, "order.created", order, at_ms=now_ms())
        started = time.perf_counter()
        report = sidecar.pass_(5)  # type: ignore[attr-defined]
        took.append((time.perf_counter() - started) * 1000)
        assert report.changed >= 1, report
    return took


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    os.environ.pop("SIDECAR_NOW", None)
    with PrivateMariaDB(durable=True, buffer_pool="512M") as server, tempfile.TemporaryDirectory() as folder:
        build_shop(server, "live", "hpos", customers)
        database = ShopDatabase(server, "live", "hpos", None)
        config = Config(
            shop=Shop(table_prefix="wp_", database=Database(unix_socket=server.socket, user="root", name="live")),
            state=State(dir=folder),
        )
        with build(config) as sidecar:
            started = time.perf_counter()
            sidecar.sync(Choices())
            say("first import, seconds", round(time.perf_counter() - started, 1))
        install(database)
        keeper = Shopkeeper(database)
        with build(config) as sidecar:
            sidecar.pass_(60, reconcile=True)
            quiet = passes(sidecar, database, keeper, 30)[1:]
            say(
                "one pass for one order, quiet: p50 / p95 ms",
                f"{statistics.median(quiet):.0f} / {sorted(quiet)[-2]:.0f}",
            )
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(60):
                sidecar.pass_(1)
                time.sleep(0.5)
            share = (time.process_time() - cpu) / (time.perf_counter() - wall)
            say("idle, a pass every 0.5 s: share of one core", f"{share:.2%}")
        with bridge(database, config) as (_, paired), build(paired) as sidecar:
            sidecar.pass_(60)
            live = passes(sidecar, database, keeper, 30)[1:]
            say(
                "one pass for one order, live (fake bridge): p50 / p95 ms",
                f"{statistics.median(live):.0f} / {sorted(live)[-2]:.0f}",
            )
            sold = threading.Event()

            def sell() -> None:
                try:
                    flash_sale(
                        database,
                        keeper.next_id(),
                        1000,
                        at=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
                        seconds=60,
                    )
                finally:
                    sold.set()

            thread = threading.Thread(target=sell)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            thread.start()
            events, worst, started = 0, 0.0, time.perf_counter()
            while not sold.is_set() or queue(database):
                report = sidecar.pass_(5)
                events += report.events
                worst = max(worst, report.seconds)
                time.sleep(0.5)
            thread.join()
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            say(
                "flash sale of 1,000 orders: events, seconds, longest pass",
                f"{events}, {time.perf_counter() - started:.0f}, {worst:.1f}",
            )
            say("  memory grew by MiB", f"{grown:.1f}")
        say(
            "peak RSS of this process (with the shop's side), MiB",
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}",
        )


if __name__ == "__main__":
    main()
