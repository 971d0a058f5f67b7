"""`sidecar pair`: a key on both sides, proven, renewed without a moment in which nobody is let in."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from commandline import Bench
from signer import Signer
from support import ShopDatabase

from sidecar import signing
from sidecar.runtime import build
from sidecar.state import pairing
from sidecar.web.app import create_app

TABLE = (
    "CREATE TABLE wp_fcsc_keys (key_id CHAR(16) CHARACTER SET ascii PRIMARY KEY, secret CHAR(64) CHARACTER SET ascii NOT NULL,"
    " endpoint VARCHAR(190) NOT NULL, state VARCHAR(10), created_gmt DATETIME NOT NULL)"
)
STATUS = {"plugin": "1.0.0", "site_url": "http://shop.example", "wordpress": "6.8", "now": 0}


class Plugin:
    """WordPress with the plugin: knows the keys of its table, answers signed."""

    def __init__(self, shop: ShopDatabase) -> None:
        self.shop = shop
        self.used: list[str] = []
        plugin = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, signature = plugin.answer(dict(self.headers))
                self.send_response(status)
                self.send_header("X-FCSC-Signature", signature)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, headers: dict[str, str]) -> tuple[int, bytes, str]:
        given = {name.lower(): value for name, value in headers.items()}
        secrets = dict(self.shop.rows("SELECT key_id, secret FROM wp_fcsc_keys"))
        secret = secrets.get(given.get("x-fcsc-key", ""), "00" * 32)
        nonce = given.get("x-fcsc-nonce", "")
        good = signing.verify(
            secret, given.get("x-fcsc-signature", ""), "GET", signing.bridge_target("/status"),
            given.get("x-fcsc-timestamp", ""), nonce, given.get("x-fcsc-actor", ""), b"",
        )  # fmt: skip
        if not good:
            return 401, b"{}", ""
        self.used.append(given["x-fcsc-key"])
        body = json.dumps(STATUS).encode()
        return 200, body, signing.sign_response(secret, 200, nonce, body)


@pytest.fixture
def plugin(demo_hpos: ShopDatabase) -> Iterator[Plugin]:
    found = Plugin(demo_hpos)
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def bench(demo_hpos: ShopDatabase, tmp_path: Path, plugin: Plugin) -> Bench:
    made = Bench(demo_hpos, tmp_path, f'[bridge]\nsite_url = "{plugin.url}"\n')
    made.execute(TABLE)
    return made


def keys(bench: Bench) -> dict[str, str]:
    """{state: key id} in the plugin's table."""
    return {row[0]: row[1] for row in bench.shop.rows("SELECT state, key_id FROM wp_fcsc_keys")}


def test_pairing_proves_itself(bench: Bench, plugin: Plugin) -> None:
    answer = bench.json("pair")
    assert (answer["plugin"], answer["endpoint"], answer["rotated"]) == ("1.0.0", "http://127.0.0.1:8765", False)
    known = pairing.read(bench.state_dir)
    assert known is not None and keys(bench) == {"current": known.current.key_id} == {"current": answer["key_id"]}
    assert plugin.used == [known.current.key_id]
    assert pairing.path(bench.state_dir).stat().st_mode & 0o777 == 0o600
    assert known.current.secret not in json.dumps(answer)
    # Again: nothing new, and what the plugin has lost comes back.
    bench.execute("DELETE FROM wp_fcsc_keys")
    assert bench.json("pair")["key_id"] == answer["key_id"]
    assert keys(bench) == {"current": answer["key_id"]}


def test_rotation_lets_nobody_stand_outside(bench: Bench, plugin: Plugin) -> None:
    bench.json("pair")
    with build(bench.config) as runtime:
        app = create_app(runtime)
        refused: list[str] = []
        asked = [0]
        stop = threading.Event()

        def ask() -> None:
            """The plugin: always with the key that its table says is the current one."""
            client = app.test_client()
            while not stop.is_set():
                row = bench.shop.rows("SELECT key_id, secret FROM wp_fcsc_keys WHERE state = 'current'")[0]
                key = pairing.Key(key_id=row[0], secret=row[1], state="current", since=0)
                asked[0] += 1
                if Signer(client, key).get("/api/v1/events").status_code != 200:
                    refused.append(row[0])

        thread = threading.Thread(target=ask)
        thread.start()
        seen = [bench.json("pair", "--rotate")["key_id"] for _ in range(3)]
        time.sleep(0.2)
        stop.set()
        thread.join()
    assert not refused and asked[0] > 3
    assert len(set(seen)) == 3
    known = pairing.read(bench.state_dir)
    assert known is not None
    assert [(key.state, key.key_id) for key in known.keys] == [("current", seen[2]), ("previous", seen[1])]
    assert plugin.used[-1] == seen[2]


def test_a_code_to_paste(bench: Bench) -> None:
    answer = bench.json("pair", "--print-code", "--endpoint", "unix:/run/fluentcrm-sidecar/sidecar.sock")
    key_id, secret, endpoint = signing.read_pairing_code(answer["code"])
    known = pairing.read(bench.state_dir)
    assert known is not None and (known.current.key_id, known.current.secret, known.endpoint) == (
        key_id,
        secret,
        endpoint,
    )
    assert not keys(bench)
    assert bench.run("--quiet", "pair", "--print-code", "--endpoint", endpoint).output.strip() == answer["code"]
    # Renewed: our own calls keep the old key until the plugin shows that it has the new one.
    new = signing.read_pairing_code(bench.json("pair", "--rotate", "--print-code")["code"])[0]
    known = pairing.read(bench.state_dir)
    assert known is not None and known.current.key_id == key_id
    assert [key.key_id for key in known.keys if key.state == "next"] == [new]


def test_what_to_do_when_it_cannot_be(bench: Bench, plugin: Plugin) -> None:
    assert (
        "no address on this machine"
        in bench.json("pair", "--endpoint", "http://evil.example:80", code=2)["error"]["message"]
    )
    bench.execute("DROP TABLE wp_fcsc_keys")
    answer = bench.json("pair", code=1)
    assert "the plugin is not active" in answer["error"]["message"] and "activate" in answer["error"]["hint"]
    bench.execute("CREATE USER IF NOT EXISTS narrow@localhost")
    bench.execute(TABLE)
    bench.execute(f"GRANT SELECT ON {bench.shop.database}.* TO narrow@localhost")
    bench.file.write_text(bench.file.read_text().replace('user = "root"', 'user = "narrow"\npassword = "x"'))
    bench.execute("SET PASSWORD FOR narrow@localhost = PASSWORD('x')")
    answer = bench.json("pair", code=1)
    assert "may not write" in answer["error"]["message"] and "--print-code" in answer["error"]["hint"]


def test_a_plugin_that_does_not_answer(bench: Bench, plugin: Plugin) -> None:
    plugin.server.shutdown()
    plugin.server.server_close()
    answer = bench.json("pair", code=4)
    assert answer["error"]["code"] == "bridge_unreachable"
    assert pairing.read(bench.state_dir) is not None, "the pairing stands: run again it is proven"


def test_sql_in_the_prefix_never_gets_there(bench: Bench) -> None:
    text = bench.file.read_text()
    bench.file.write_text(text.replace('table_prefix = "wp_"', 'table_prefix = "wp_`; DROP TABLE wp_users; -- "'))
    assert bench.json("pair", code=3)["error"]["code"] == "config"
    assert bench.value("SELECT COUNT(*) FROM wp_users")
