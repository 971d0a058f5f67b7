"""The service at work: how long from a step that is due until its message is with the channel, and 10,000 that are due in the same
minute, with the pages looked at meanwhile. The plugin is a stand-in that takes everything at once.

usage: sending.py [CUSTOMERS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from run import build, configure, line, sync
from service import OUTBOX, Client, Plugin, percentile, rss, settle, start
from service import _port as port_

from sidecar.automations import enrolments, versions
from sidecar.automations.enrolments import Entry
from sidecar.automations.library import Library
from sidecar.config_file import load
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.state import pairing
from sidecar.state.database import State
from sidecar.values import dates

AUTOMATION = """title = "Bench"
[trigger]
on = "hand"
[[step]]
id = "who"
do = "branch"
rule = { field = "orders_count", at_least = 1000 }
then = "end"
[[step]]
id = "mail"
do = "send"
channels = ["email"]
purpose = "service"
title = "A message"
[step.text.en]
subject = "Something from {{ shop.name }}"
body = "{{ person.greeting }},\\n\\nthis is a message of {{ shop.name }} with some words in it.\\n\\n{{ button('To the shop', shop.url) }}"
"""
FEW, MANY = 300, 10_000


def enter(state: State, config: Path, dues: list[int], label: str) -> None:
    zone = dates.site_zone("Europe/Sofia", 0)
    spec = Library(load(config), zone, []).get("bench")
    people = [row[0] for row in state.rows("SELECT id FROM person WHERE verdict = 'in' AND contact_id IS NOT NULL")]
    entries = [
        Entry(person_id=people[n % len(people)], subject=f"{label}:{n // len(people) + 1}", at=due)
        for n, due in enumerate(dues)
    ]
    enrolments.enter(state, versions.row(state, "bench"), spec, entries)


def waited(state: State, count: int, client: Client | None, process: int) -> tuple[list[float], list[float], float]:
    """(seconds from due to handed over, seconds of pages, most MiB) when so many more messages are with the channel."""
    pages: list[float] = []
    most, began = rss(process), time.monotonic()
    while state.rows("SELECT COUNT(*) FROM message WHERE state = 'queued'")[0][0] < count:
        if time.monotonic() - began > 400:
            sys.exit("they are not worked off")
        if client is not None:
            pages += [client.get("/ui/automations"), client.get("/ui/status")]
        most = max(most, rss(process))
        time.sleep(0.1)
    rows = state.rows("SELECT m.handed / 1000.0 - e.entered FROM message m JOIN enrolment e ON e.id = m.enrolment_id WHERE m.state = 'queued'")  # fmt: skip
    return [row[0] for row in rows], pages, most


def main() -> None:
    customers = next((int(word) for word in sys.argv[1:] if word.isdigit()), 5_000)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, PrivateMariaDB(durable=True) as server:
        print(f"\nAutomations in the service, {customers:,} customers")
        build(server, "sending", "hpos", customers)
        config = configure(server, "sending", Path(name) / "sending")
        port = port_()
        sync(config)
        server.run_script("sending", OUTBOX + "UPDATE wp_fc_subscribers SET status = 'subscribed';")
        state_dir = config.parent / "state"
        known = pairing.first(f"http://127.0.0.1:{port}")
        pairing.write(state_dir, known)
        plugin = Plugin(known.current)
        (config.parent / "automations").mkdir()
        (config.parent / "automations" / "bench.toml").write_text(AUTOMATION)
        config.write_text(f'{config.read_text()}[service]\nport = {port}\n[bridge]\nsite_url = "{plugin.url}"\n')
        process = start(config, port)
        try:
            settle(state_dir)
            client = Client(port, known.current)
            client.get("/ui/automations")
            with State(state_dir) as state:
                versions.row(state, "bench")
                state.sql.execute("UPDATE automation SET running = 1, live_from = 1 WHERE name = 'bench'")
                now = int(time.time()) + 3
                enter(state, config, [now + n % 30 for n in range(FEW)], "few")
                times, _, _ = waited(state, FEW, None, process.pid)
                line("due until it is with the channel: p95", f"{percentile(times, 0.95):.1f} s", f"median {percentile(times, 0.5):.1f} s; wanted: p95 5 or less")  # fmt: skip
                before = rss(process.pid)
                now = int(time.time())
                enter(state, config, [now] * MANY, "many")
                began = time.monotonic()
                _, pages, most = waited(state, FEW + MANY, client, process.pid)
                took = time.monotonic() - began
                line(f"{MANY:,} due at once: steps a second", f"{MANY * 2 / took:.0f}", "wanted: 200 or more")
                line("  messages a second", f"{MANY / took:.0f}")
                line("  pages meanwhile: p95", f"{percentile(pages, 0.95) * 1000:.0f} ms", f"{len(pages)} pages; wanted: 300 or less")  # fmt: skip
                line("  memory before, at most", f"{before:.0f} MiB", f"{most:.0f} MiB")
                line("  with the channel, each once", f"{len(set(plugin.keys)):,}", f"{len(plugin.keys):,} taken")
        finally:
            process.kill()


if __name__ == "__main__":
    main()
