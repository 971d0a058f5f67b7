"""`sidecar serve` as a process: real HTTP, real signals, kill -9, both queues, both kinds of socket."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commandline import Bench
from signer import ADMIN
from support import ShopDatabase

from sidecar import signing
from sidecar.state import jobs, pairing
from sidecar.state.database import State


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._path)


class Served:
    """One `sidecar serve` and a bridge that asks it."""

    def __init__(self, bench: Bench, port: int, unix: str = "") -> None:
        self.bench, self.port, self.unix = bench, port, unix
        known = pairing.read(bench.state_dir)
        assert known is not None
        self.key = known.current
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it and wait until it answers. Returns the seconds that took."""
        began = time.monotonic()
        env = {name: value for name, value in os.environ.items() if name != "SIDECAR_NOW"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", "--config", str(self.bench.file), "--quiet", "serve"], env=env,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        while time.monotonic() - began < 30:
            with suppress(OSError), closing(self.connection()) as one:
                one.request("GET", "/healthz")
                if one.getresponse().read() == b'{"ok":true}':
                    return time.monotonic() - began
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read().decode()
            time.sleep(0.05)
        raise AssertionError("it does not answer")

    def connection(self) -> http.client.HTTPConnection:
        return (
            UnixConnection(self.unix) if self.unix else http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        )

    def ask(self, method: str, target: str, data: Any = None) -> tuple[int, bytes]:
        """A signed call whose answer is proven."""
        body = b"" if data is None else msgspec.json.encode(data)
        headers = signing.headers(self.key.key_id, self.key.secret, method, target, body, now=time.time(), who=ADMIN)
        with closing(self.connection()) as one:
            one.request(method, target, body, headers | {"Content-Type": "application/json"})
            answer = one.getresponse()
            said = answer.read()
            signature = answer.headers.get("X-FCSC-Signature", "")
            assert signing.verify_response(self.key.secret, signature, answer.status, headers["X-FCSC-Nonce"], said)
            return answer.status, said

    def job(self) -> dict[str, Any]:
        status, said = self.ask("GET", "/api/v1/sync")
        assert status == 200, said
        found: dict[str, Any] = json.loads(said)["data"]["job"]
        return found

    def wait_for(self, state: str, seconds: float = 60) -> dict[str, Any]:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            job = self.job()
            if job["state"] == state:
                return job
            assert job["state"] != "failed", job["error"]
            time.sleep(0.1)
        raise AssertionError(f"the job is not {state}: {self.job()}")

    def signal(self, number: signal.Signals) -> tuple[float, int, str]:
        """Send a signal; (seconds until it was gone, exit code, its log)."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        log = self.process.communicate(timeout=15)[1].decode()
        return time.monotonic() - began, self.process.returncode, log


Make = Callable[..., Served]


@pytest.fixture
def serve(demo_hpos: ShopDatabase, tmp_path: Path) -> Iterator[Make]:
    """`serve(extra="…", unix=False)`: a service that is not started yet."""
    made: list[Served] = []

    def make(extra: str = "", *, unix: bool = False) -> Served:
        port, path = free_port(), str(tmp_path / "sidecar.sock") if unix else ""
        where = f'unix_socket = "{path}"' if unix else f"port = {port}"
        bench = Bench(
            demo_hpos,
            tmp_path,
            f'[service]\n{where}\n[sync]\npage_people = 20\npage_orders = 50\n[log]\nlevel = "info"\n{extra}',
        )
        with State(bench.state_dir):
            pairing.write(bench.state_dir, pairing.first(bench.config.service.endpoint))
        made.append(Served(bench, port, path))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def raw(port: int, text: bytes) -> bytes:
    """What a socket answers to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(text)
        one.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: one.recv(65536), b""))


def test_a_neighbour_on_loopback_gets_nothing(serve: Make) -> None:
    served = serve()
    served.start()
    for line in (b"GET /ui/status", b"GET /api/v1/status", b"GET //healthz", b"GET http://127.0.0.1/ui/status", b"GET /healthz/x",
                 b"POST /ui/sync", b"OPTIONS *", b"GET /metrics", b"TRACE /ui/status", b"GET /ui/%2e%2e/healthz"):  # fmt: skip
        answer = raw(served.port, line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        status = answer.split(b" ", 2)[1] if answer else b""
        assert status in (b"401", b"404", b"400"), answer
        assert status != b"404" or b"metrics" in line, answer
        assert b"waitress" not in answer.lower() and b"sidecar" not in answer.lower() and b"Traceback" not in answer, (
            answer
        )
    # A body that is too long is not even waited for; half a request holds nobody up.
    head = b"POST /ui/sync HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    assert b" 413 " in raw(served.port, head + b"Content-Length: 1048577\r\n\r\n")[:40]
    half = socket.create_connection(("127.0.0.1", served.port))
    half.sendall(b"GET /ui/status HTTP/1.1\r\nHost:")
    assert served.ask("GET", "/ui/status")[0] == 200
    half.close()


def test_absolute_and_encoded_targets(serve: Make) -> None:
    """What is signed is the target as it was sent; PHP and proxies may send it in either form."""
    served = serve()
    served.start()
    assert served.ask("GET", "/ui/events?type=order&x=%D9%82%20+%2B")[0] == 200
    assert served.ask("GET", "/ui/mapping?kind=users&all=1")[0] == 200


def test_sigterm_under_load_loses_nothing(serve: Make) -> None:
    served = serve()
    assert served.start() < 15
    status, said = served.ask("POST", "/api/v1/sync/start", {"full": True})
    assert status == 200, said
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            with suppress(OSError, http.client.HTTPException, AssertionError):
                served.ask("GET", "/ui/status")

    threads = [threading.Thread(target=load) for _ in range(4)]
    for one in threads:
        one.start()
    began = time.monotonic()
    while time.monotonic() - began < 20 and served.job()["state"] == "queued":
        time.sleep(0.05)
    seconds, code, log = served.signal(signal.SIGTERM)
    stop.set()
    for one in threads:
        one.join()
    print(f"SIGTERM under load: {seconds:.2f} s")
    assert code == 0, log
    assert seconds < 5
    assert "Traceback" not in log, log
    with State(served.bench.state_dir) as state:
        job = jobs.latest(state)
        assert job is not None and job.state in ("queued", "done", "running"), job
    served.start()
    done = served.wait_for("done")
    assert done["result"]["failed"] == 0
    assert served.signal(signal.SIGTERM)[1] == 0
    assert served.bench.verdict().ok


def test_kill_9_while_a_sync_runs(serve: Make) -> None:
    served = serve()
    served.start()
    served.ask("POST", "/api/v1/sync/start", {})
    began = time.monotonic()
    while time.monotonic() - began < 20 and served.job()["step"] in ("", "accounts"):
        time.sleep(0.02)
    served.signal(signal.SIGKILL)
    served.start()
    served.wait_for("done")
    served.signal(signal.SIGTERM)
    assert served.bench.verdict().ok


def test_pause_and_go_on(serve: Make) -> None:
    served = serve()
    served.start()
    served.ask("POST", "/api/v1/sync/start", {})
    began = time.monotonic()
    while time.monotonic() - began < 20 and served.job()["step"] in ("", "accounts"):
        time.sleep(0.02)
    status, said = served.ask("POST", "/api/v1/sync/pause")
    assert status == 200, said
    paused = served.wait_for("paused", 20)
    assert 0 < paused["done"] <= paused["total"]
    time.sleep(1)
    assert served.job()["state"] == "paused" and served.job()["done"] == paused["done"]
    assert served.ask("POST", "/api/v1/sync/start", {})[0] == 409
    served.ask("POST", "/api/v1/sync/resume")
    served.wait_for("done")
    served.signal(signal.SIGTERM)
    assert served.bench.verdict().ok


def test_a_unix_socket(serve: Make) -> None:
    served = serve(unix=True)
    served.start()
    assert served.ask("GET", "/ui/status")[0] == 200
    assert Path(served.unix).stat().st_mode & 0o777 == 0o666
    # What a killed one left behind does not keep the next from starting.
    served.signal(signal.SIGKILL)
    served.start()
    assert served.ask("GET", "/ui/status")[0] == 200


def test_the_wsgi_entry(serve: Make) -> None:
    """For Passenger: the same application without our server; what a page starts, `sidecar tick` does."""
    from signer import Signer

    from sidecar.web.wsgi import make

    served = serve()
    client = make(str(served.bench.file)).test_client()
    bridge = Signer(client, served.key)
    assert bridge.form("sync", action="start").status_code == 303
    assert served.bench.json("tick")["pass"]["state"] == "waiting"
    assert bridge.data("/api/v1/sync")["job"]["state"] == "done"
    assert served.bench.verdict().ok


def test_only_one_serves_a_state(serve: Make) -> None:
    served = serve()
    served.start()
    again = served.bench.json("serve", code=None)
    assert again["ok"] is False and again["error"]["code"] == "conflict"
    assert "Serving at" not in served.bench.run("serve", code=None).output  # which it did not


def test_a_port_that_is_taken(serve: Make) -> None:
    served = serve()
    with socket.create_server(("127.0.0.1", served.port)):
        answer = served.bench.json("serve", code=None)
    assert answer["error"]["code"] == "config" and str(served.port) in answer["error"]["message"]


def test_a_socket_path_that_is_too_long(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120)
    bench = Bench(demo_hpos, tmp_path, f'[service]\nunix_socket = "{path}"\n')
    command = [sys.executable, "-m", "sidecar", "--config", str(bench.file), "--json", "serve"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 3
    found = json.loads(run.stdout)["error"]
    assert found["message"] == f"cannot listen on unix:{path}: AF_UNIX path too long"
    assert "107" in found["hint"]


def test_a_signal_that_wakes_nobody(serve: Make) -> None:
    """A signal can come in the instant before the main thread waits for connections, or to another thread: then nothing
    ends the wait. Python acts on it when the wait is over, and that is soon."""
    served = serve()
    served.start()
    assert served.process is not None
    pid = served.process.pid
    time.sleep(0.5)  # the main thread waits
    other = max(int(one.name) for one in Path(f"/proc/{pid}/task").iterdir())
    assert other != pid
    began = time.monotonic()
    assert (
        ctypes.CDLL(None, use_errno=True).syscall(234 if platform.machine() == "x86_64" else 131, pid, other, 15) == 0
    )
    served.process.communicate(timeout=15)
    assert served.process.returncode == 0
    assert time.monotonic() - began < 5


def test_the_log_names_nobody(serve: Make, demo_hpos: ShopDatabase) -> None:
    """Pains 24, 25."""
    served = serve()
    served.start()
    email = "anna.tajna@poczta.example"
    served.ask("POST", "/api/v1/privacy/erase", {"email": email})
    served.ask("GET", f"/ui/events?type={email.replace('@', '%40')}")
    served.ask("POST", "/api/v1/mapping/check", {"text": f'x = "{email}"'})
    with closing(served.connection()) as one:
        one.request("GET", f"/ui/{email}", headers={"X-FCSC-Key": email, "User-Agent": email})
        one.getresponse().read()
    _, _, log = served.signal(signal.SIGTERM)
    assert "request" in log and "route=/api/v1/privacy/erase" in log
    assert "tajna" not in log and served.key.secret not in log and "X-FCSC" not in log
    queue = b"".join(file.read_bytes() for file in served.bench.state_dir.glob("queue.sqlite3*"))
    assert b"tajna" not in queue


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The distribution's redis-server, for this test alone."""
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server")
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    for _ in range(100):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


def test_the_queue_may_be_redis(serve: Make, redis: str) -> None:
    served = serve(f'[queue]\nurl = "{redis}"\n')
    served.start()
    served.ask("POST", "/api/v1/sync/start", {})
    served.wait_for("done")
    assert not (served.bench.state_dir / "queue.sqlite3").exists()
    seconds, code, log = served.signal(signal.SIGTERM)
    assert (code, seconds < 5, "Traceback" in log) == (0, True, False), log
    assert served.bench.verdict().ok


def test_a_redis_that_is_away_stops_nothing_else(serve: Make) -> None:
    """What is to be done stands in the state: it is started, and waits, before a restart and after it."""
    served = serve(f'[queue]\nurl = "redis://127.0.0.1:{free_port()}/0"\n')
    for started in (False, True):
        served.start()
        assert served.ask("GET", "/ui/status")[0] == 200
        if not started:
            status, said = served.ask("POST", "/api/v1/sync/start", {})
            assert status == 200, said
        assert served.job()["state"] == "queued"
        time.sleep(2)
        _, code, log = served.signal(signal.SIGTERM)
        assert code == 0
        assert "the queue does not answer" in log
        assert log.count("Error reading from queue") == 1, "told, and not by each look"


def test_a_queue_that_is_no_redis(serve: Make) -> None:
    served = serve('[queue]\nurl = "amqp://localhost"\n')
    answer = served.bench.json("serve", code=3)
    assert "no address of a Redis server" in answer["error"]["message"]


def test_the_service_follows_the_shop(serve: Make, demo_hpos: ShopDatabase) -> None:
    """A row in the plugin's outbox, and the contact is right a moment later."""
    from shopkeeper import Shopkeeper

    served = serve('[bridge]\nsite_url = "http://127.0.0.1:9"\n')
    served.start()
    served.ask("POST", "/api/v1/sync/start", {})
    served.wait_for("done")
    status, said = served.ask("GET", "/api/v1/status")
    assert status == 200 and json.loads(said)["data"]["people_in"] > 200
    keeper = Shopkeeper(demo_hpos)
    keeper.do(
        "CREATE TABLE IF NOT EXISTS wp_fcsc_outbox (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, topic VARCHAR(40) NOT NULL,"
        " object_id BIGINT UNSIGNED NOT NULL DEFAULT 0, sub_id BIGINT UNSIGNED NOT NULL DEFAULT 0, detail VARCHAR(100) NOT NULL DEFAULT '',"
        " user_id BIGINT UNSIGNED NOT NULL DEFAULT 0, visitor CHAR(32) NOT NULL DEFAULT '', created_ms BIGINT UNSIGNED NOT NULL,"
        " attempts TINYINT UNSIGNED NOT NULL DEFAULT 0, due_ms BIGINT UNSIGNED NOT NULL DEFAULT 0, KEY due (due_ms))"
    )
    order = keeper.order("brand.new@shop.example", "123.45", lines=((12, 1, "V60"),))
    keeper.do(
        "INSERT INTO wp_fcsc_outbox (topic, object_id, created_ms) VALUES ('order.created', %s, %s)",
        order,
        int(time.time() * 1000),
    )
    began = time.monotonic()
    while time.monotonic() - began < 30:
        found = demo_hpos.rows("SELECT id FROM wp_fc_subscribers WHERE email = 'brand.new@shop.example'")
        if found:
            break
        time.sleep(0.1)
    assert found, "the contact was not made"
    events: list[dict[str, Any]] = []
    while not events and time.monotonic() - began < 40:
        time.sleep(0.1)
        events = json.loads(served.ask("GET", "/api/v1/events?type=order")[1])["data"]
    assert events, served.signal(signal.SIGTERM)[2]
    assert events[0]["object_id"] == order and events[0]["outcome"] == "changed"
