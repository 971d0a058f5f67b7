"""`make bench`: the main job on a big shop, as ratios of one run. Not a test: nothing here fails by the clock.

The shop is `../shared/bench/bigstore.py` (N customers, 3N orders), the floor `floor.sql`: what the server alone needs
for the same contacts. Without that folder the project's own demo shop is used and the floor is left out.

usage: run.py [CUSTOMERS] [--legacy-too] [--no-small]
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.demo import shop as demo_shop
from sidecar.demo.mariadb import PrivateMariaDB

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHARED_BENCH", ROOT.parent / "shared" / "bench"))
NOW = "2026-11-01T12:00:00Z"
CHANGED = 100


@dataclass
class Run:
    """One command: wall seconds, peak memory of its processes in MiB, CPU seconds, and what it answered."""

    seconds: float
    rss: float
    cpu: float
    counts: dict[str, Any] = field(default_factory=dict)


def build(server: PrivateMariaDB, name: str, storage: str, customers: int) -> None:
    """A big shop in a new database."""
    server.create_database(name)
    if not (SHARED / "bigstore.py").exists():
        connection = server.connect(name)
        demo_shop.build(connection, storage=storage, customers=customers, orders=3 * customers)
        connection.close()
        return
    server.run_script(name, SHARED / "schema.sql.gz")
    made = subprocess.run(
        [sys.executable, SHARED / "bigstore.py", storage if storage == "hpos" else "legacy", str(customers)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    server.run_script(name, made.stdout)


def floor(server: PrivateMariaDB, name: str) -> float | None:
    """Seconds that the server alone needs; None without the script."""
    if not (SHARED / "floor.sql").exists():
        return None
    started = time.perf_counter()
    server.run_script(name, SHARED / "floor.sql")
    seconds = time.perf_counter() - started
    server.run_script(name, "DROP TABLE IF EXISTS floor_a, floor_c, floor_m, floor_p;")
    return seconds


def sync(config: Path, *arguments: str) -> Run:
    """`sidecar sync` in a process of its own."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "--config", str(config), "--json", "sync", *arguments],
        stdout=subprocess.PIPE, env={**os.environ, "SIDECAR_NOW": NOW},
    )  # fmt: skip
    assert process.stdout is not None
    memory = Memory(process.pid)
    answer = process.stdout.read()
    most = memory.stop()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"sidecar sync failed ({process.returncode}): {answer.decode()[:2000]}")
    return Run(seconds, most, usage.ru_utime + usage.ru_stime, json.loads(answer))


class Memory(threading.Thread):
    """The peak of what a process and its children take together, in MiB: memory that they share counts once (PSS)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._over, self._most = pid, threading.Event(), 0.0
        self.start()

    def run(self) -> None:
        # Each look walks through all their pages: ten a second took 2 % of the two cores from what is measured.
        while not self._over.wait(0.3):
            self._most = max(self._most, sum(map(_proportional, [self._pid, *_children(self._pid)])))

    def stop(self) -> float:
        self._over.set()
        self.join()
        return self._most


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _proportional(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def configure(server: PrivateMariaDB, name: str, folder: Path) -> Path:
    """A configuration file for one database."""
    folder.mkdir(parents=True)
    path = folder / "sidecar.toml"
    path.write_text(
        f'[shop]\ntable_prefix = "wp_"\n[shop.database]\nunix_socket = "{server.socket}"\nuser = "root"\n'
        f'name = "{name}"\n[state]\ndir = "{folder / "state"}"\n'
    )
    path.chmod(0o600)
    return path


# What floor.sql writes for each person: ten custom fields and two tags. The default mapping writes half as much again.
FLOOR_FIELDS = frozenset(
    f"woo_{name}"
    for name in (
        "orders_count", "ltv", "aov", "first_order", "last_order", "payment_method", "utm_source", "utm_medium",
        "shipping_method", "products",
    )
)  # fmt: skip
FLOOR_TAG = '[[tag]]\nslug = "woo-type-{value}"\ntitle = "Type: {value}"\nfrom = "facts.customer_type"\n'


def floor_mapping() -> str:
    """The default rules without the custom fields that the floor does not write, and one more tag."""
    head, *rules = re.split(r"(?m)^(?=\[\[)", (ROOT / "config" / "mapping.toml").read_text())
    kept = [rule for rule in rules if (found := re.search(r'"custom:(\w+)"', rule)) is None or found[1] in FLOOR_FIELDS]
    return "".join([head, *kept, FLOOR_TAG])


def empty_crm(server: PrivateMariaDB, name: str) -> None:
    """FluentCRM as it was before the first sync."""
    server.run_script(
        name,
        "TRUNCATE wp_fc_subscribers; TRUNCATE wp_fc_subscriber_meta; TRUNCATE wp_fc_subscriber_pivot;"
        " DELETE FROM wp_fc_tags; DELETE FROM wp_fc_lists; DELETE FROM wp_fc_meta;"
        " DROP TABLE IF EXISTS wp_fcsc_undo; DROP TABLE IF EXISTS wp_fcsc_owned;",
    )


def like_for_like(server: PrivateMariaDB, folder: Path, name: str) -> None:
    """The first sync again, with rules that write as many field rows and tags as the floor."""
    empty_crm(server, name)
    config = configure(server, name, folder / f"{name}-floor")
    (config.parent / "mapping.toml").write_text(floor_mapping())
    base = floor(server, name)
    first = sync(config)
    after = floor(server, name)
    if base is not None and after is not None:
        line("first full sync of the floor's fields / floor", f"{2 * first.seconds / (base + after):.2f}",
             f"{first.seconds:.2f} s, {counted(first)['fields']:,} fields; floor {base:.2f}, {after:.2f}")  # fmt: skip


def touch_orders(server: PrivateMariaDB, name: str) -> None:
    """Change 100 orders as WooCommerce does: another total, a newer date."""
    server.run_script(
        name,
        "UPDATE wp_wc_orders SET total_amount = total_amount + 1, date_updated_gmt = '2026-11-01 12:30:00'"
        " WHERE type = 'shop_order' AND status = 'wc-completed' ORDER BY CRC32(id) LIMIT"
        f" {CHANGED};",
    )


def written(run: Run) -> int:
    """How many single values a run wrote to FluentCRM."""
    counts = counted(run)
    return sum(counts[name] for name in ("created", "moved", "erased", "fields", "columns", "tags", "lists"))


def line(label: str, value: str, note: str = "") -> None:
    print(f"  {label:<44}{value:>12}  {note}".rstrip(), flush=True)


def counted(run: Run) -> dict[str, Any]:
    return run.counts.get("counts", run.counts)


def hpos(server: PrivateMariaDB, folder: Path, customers: int) -> tuple[float, float | None]:
    """All figures for HPOS. Returns (seconds of the first sync, of the floor)."""
    print(f"\nHPOS, {customers:,} customers, {3 * customers:,} orders")
    build(server, f"hpos{customers}", "hpos", customers)
    config = configure(server, f"hpos{customers}", folder / f"hpos{customers}")
    base = floor(server, f"hpos{customers}")
    first = sync(config)
    after = floor(server, f"hpos{customers}")
    if base is not None and after is not None:
        # Once before and once after, so that a warm cache helps both alike.
        line("floor: the server alone", f"{(base + after) / 2:.2f} s", f"before {base:.2f}, after {after:.2f}")
        base = (base + after) / 2
    orders = counted(first).get("orders_read", 0)
    line(
        "first full sync",
        f"{first.seconds:.2f} s",
        f"{orders / first.seconds:,.0f} orders/s, CPU {first.cpu:.1f} s",
    )
    if base:
        line("first full sync / floor", f"{first.seconds / base:.2f}", "wanted: 2 or less")
    line("peak memory, all processes", f"{first.rss:.0f} MiB", "wanted: 150 or less")
    line("longest query on the shop", f"{counted(first).get('longest_query', 0):.2f} s", "wanted: below 1")
    again = sync(config)
    line(
        "unchanged re-run / first",
        f"{again.seconds / first.seconds:.2f}",
        f"{again.seconds:.2f} s; wanted: 0.5 or less",
    )
    line("unchanged re-run: values written", f"{written(again)}", "wanted: 0")
    touch_orders(server, f"hpos{customers}")
    some = sync(config)
    line(
        f"after {CHANGED} changed orders",
        f"{some.seconds:.2f} s",
        f"{counted(some).get('people', 0)} people; wanted: 2 or less",
    )
    full = sync(config, "--full")
    line(
        "unchanged --full re-run / first",
        f"{full.seconds / first.seconds:.2f}",
        f"{full.seconds:.2f} s, {written(full)} written, {full.rss:.0f} MiB",
    )
    like_for_like(server, folder, f"hpos{customers}")
    return first.seconds, base


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    customers = numbers[0] if numbers else 50_000
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="bench-") as name, PrivateMariaDB(durable=True) as server:
        folder = Path(name)
        print(f"server {server.connect().get_server_info()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
        if not (SHARED / "bigstore.py").exists():
            print("../shared/bench is not here: using the demo shop, without the floor")
        if "--no-small" not in sys.argv:
            small, _ = hpos(server, folder, customers // 10)
        big, _ = hpos(server, folder, customers)
        if "--no-small" not in sys.argv:
            line("10 x the customers / time", f"{big / small:.1f}", "wanted: 11 or less")
        print(f"\nLegacy, {customers:,} customers")
        build(server, "legacy", "posts", customers)
        config = configure(server, "legacy", folder / "legacy")
        first = sync(config)
        line("first full sync", f"{first.seconds:.2f} s", f"CPU {first.cpu:.1f} s, {first.rss:.0f} MiB")
        line("legacy / HPOS", f"{first.seconds / big:.2f}", "wanted: 2 or less")
        again = sync(config)
        line(
            "unchanged re-run / first",
            f"{again.seconds / first.seconds:.2f}",
            f"{again.seconds:.2f} s, {written(again)} written",
        )


if __name__ == "__main__":
    main()
