"""The running service on a big shop: memory and CPU when idle, the pages' times, and how fast it stops.

usage: service.py [CUSTOMERS]     (50,000 without a number; `make bench` runs it after the main job's figures)
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from run import build, configure, line, sync

from sidecar import signing
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.state import pairing
from sidecar.state.database import State

OUTBOX = """CREATE TABLE wp_fcsc_outbox (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, topic VARCHAR(40) NOT NULL,
  object_id BIGINT UNSIGNED NOT NULL DEFAULT 0, sub_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
  detail VARCHAR(100) NOT NULL DEFAULT '', user_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
  visitor CHAR(32) CHARACTER SET ascii NOT NULL DEFAULT '', created_ms BIGINT UNSIGNED NOT NULL,
  attempts TINYINT UNSIGNED NOT NULL DEFAULT 0, due_ms BIGINT UNSIGNED NOT NULL DEFAULT 0, KEY due (due_ms));"""
ADMIN = "1;administrator;fa_IR;rtl"
IDLE_SECONDS = 60
# What was used for that is given back by then.
SETTLE_SECONDS = 40
TIMES = 60
_SEGMENTS = ("vip", "recent-buyers", "stage-loyalty")


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Client:
    """The plugin, as far as time is concerned: one connection a request."""

    def __init__(self, port: int, key: pairing.Key) -> None:
        self.port, self.key = port, key

    def get(self, target: str) -> float:
        """Seconds of a signed request."""
        headers = signing.headers(self.key.key_id, self.key.secret, "GET", target, b"", now=time.time(), who=ADMIN)
        began = time.perf_counter()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as one:
            one.request("GET", target, headers=headers)
            answer = one.getresponse()
            said = answer.read()
        if answer.status != 200:
            sys.exit(f"{target}: {answer.status} {said[:300]!r}")
        return time.perf_counter() - began


class Plugin:
    """The plugin's end: answers its status, signed, and takes whatever is to be sent; `keys` has what it was given."""

    def __init__(self, key: pairing.Key) -> None:
        self.keys: list[str] = []
        taken = self.keys

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer({"plugin": "1.0.0", "wordpress": "6.8", "now": int(time.time())})

            def do_POST(self) -> None:
                items = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("items", [])
                if "messages" in self.path:
                    taken.extend(item["key"] for item in items)
                outcomes: list[dict[str, Any]] = [
                    {"key": item.get("key", ""), "state": "queued", "id": number, "reason": "", "code": ""}
                    for number, item in enumerate(items, len(taken))
                ]
                if self.path.endswith("/contacts"):
                    outcomes = [{"person": item["person"], "state": "done"} for item in items]
                self.answer({"outcomes": outcomes})

            def answer(self, what: dict[str, Any]) -> None:
                body = json.dumps(what).encode()
                self.send_response(200)
                self.send_header(
                    "X-FCSC-Signature", signing.sign_response(key.secret, 200, self.headers["X-FCSC-Nonce"], body)
                )
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


def rss(pid: int) -> float:
    """MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(one for one in lines if one.startswith("VmRSS")).split()[1]) / 1024


def cpu(pid: int) -> float:
    """Seconds of CPU so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def start(config: Path, port: int) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if name != "SIDECAR_NOW"} | {"MALLOC_ARENA_MAX": "2"}
    process = subprocess.Popen([sys.executable, "-m", "sidecar", "--config", str(config), "--quiet", "serve"], env=env)
    for _ in range(300):
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=5)) as one:
            one.request("GET", "/healthz")
            one.getresponse().read()
            return process
        time.sleep(0.1)
    sys.exit("the service does not answer")


def main() -> None:
    customers = next((int(word) for word in sys.argv[1:] if word.isdigit()), 50_000)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, PrivateMariaDB(durable=True) as server:
        print(f"\nThe service, {customers:,} customers")
        build(server, "served", "hpos", customers)
        config = configure(server, "served", Path(name) / "served")
        port = _port()
        sync(config)
        state = config.parent / "state"
        with State(state) as opened:
            contacts = [row[0] for row in opened.rows("SELECT contact_id FROM person WHERE contact_id IS NOT NULL")]
        known = pairing.first(f"http://127.0.0.1:{port}")
        pairing.write(state, known)
        plugin = Plugin(known.current)
        config.write_text(f'{config.read_text()}[service]\nport = {port}\n[bridge]\nsite_url = "{plugin.url}"\n')
        server.run_script("served", OUTBOX)
        process = start(config, port)
        try:
            settle(state)
            measure(process, Client(port, known.current), contacts)
        finally:
            process.kill()


def settle(state: Path) -> None:
    """Wait until the reconciliation at the start is over, and the segments and their tags are there for the first time."""
    began = time.monotonic()
    with State(state) as opened:
        while not opened.get("segments.compared") or opened.get("segments.comparing") not in ("", "null"):
            if time.monotonic() - began > 300:
                sys.exit("the segments do not come to an end")
            time.sleep(1)
    line("first look at segments and first tags", f"{time.monotonic() - began:.0f} s")


def measure(process: subprocess.Popen[bytes], client: Client, contacts: list[int]) -> None:
    """All figures of a service that has just started."""
    time.sleep(SETTLE_SECONDS)
    before, began = cpu(process.pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    used = (cpu(process.pid) - before) / (time.monotonic() - began)
    line("idle, nobody has looked: memory", f"{rss(process.pid):.1f} MiB", "wanted: 60 or less")
    line("idle: share of one core", f"{used * 100:.2f} %", "wanted: 0.5 or less")
    chance = random.Random(1)
    pages = {
        "status": lambda: "/ui/status", "events": lambda: "/ui/events", "sync": lambda: "/ui/sync",
        "mapping": lambda: "/ui/mapping", "contact": lambda: f"/ui/contact/{chance.choice(contacts)}",
        "segments": lambda: "/ui/segments", "segment": lambda: f"/ui/segments?segment={chance.choice(_SEGMENTS)}",
        "automations": lambda: "/ui/automations", "automation": lambda: "/ui/automations?automation=cart-recovery",
    }  # fmt: skip
    for view, target in pages.items():
        client.get(target())
        times = [client.get(target()) for _ in range(TIMES)]
        line(
            f"page {view}: p95",
            f"{percentile(times, 0.95) * 1000:.0f} ms",
            f"median {percentile(times, 0.5) * 1000:.0f} ms; wanted: p95 200 or less",
        )
    line("after the pages: memory", f"{rss(process.pid):.1f} MiB")
    time.sleep(SETTLE_SECONDS)
    line(f"{SETTLE_SECONDS} s later: memory", f"{rss(process.pid):.1f} MiB")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)
    line("SIGTERM until it was gone", f"{time.monotonic() - began:.2f} s", "wanted: below 5")


if __name__ == "__main__":
    main()
