"""What tests of the running sidecar share: the plugin's tables, its hints, and a bridge that writes the real fc_* tables.

The fake bridge keeps the contract (signatures both ways, `raced`, hooks noted in `fired`) in Python; the plugin itself
is tested with a real WordPress.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import LIST, TAG, execute

from sidecar import signing
from sidecar.config import Config
from sidecar.runtime import build
from sidecar.state import pairing
from sidecar.sync.work import PassReport

NOW_MS = 1_793_534_400_000  # SIDECAR_NOW of the tests
KEY = "5a" * 32
OUTBOX = """CREATE TABLE wp_fcsc_outbox (
 id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, topic VARCHAR(40) NOT NULL, object_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
 sub_id BIGINT UNSIGNED NOT NULL DEFAULT 0, detail VARCHAR(100) NOT NULL DEFAULT '', user_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
 visitor CHAR(32) CHARACTER SET ascii NOT NULL DEFAULT '', created_ms BIGINT UNSIGNED NOT NULL,
 attempts TINYINT UNSIGNED NOT NULL DEFAULT 0, due_ms BIGINT UNSIGNED NOT NULL DEFAULT 0, KEY due (due_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""
OTHERS = (
    """CREATE TABLE wp_fcsc_carts (
 id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, visitor CHAR(32) CHARACTER SET ascii NOT NULL UNIQUE,
 user_id BIGINT UNSIGNED NOT NULL DEFAULT 0, email VARCHAR(190) NOT NULL DEFAULT '', consent VARCHAR(20) NOT NULL DEFAULT '',
 status VARCHAR(12) NOT NULL DEFAULT 'open', order_id BIGINT UNSIGNED NOT NULL DEFAULT 0, currency CHAR(3) CHARACTER SET ascii,
 total DECIMAL(19,4), items LONGTEXT, coupons VARCHAR(255), language VARCHAR(20), created_gmt DATETIME, updated_gmt DATETIME,
 KEY updated_gmt (updated_gmt), KEY user_id (user_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    """CREATE TABLE wp_fcsc_suppressed (
 hash CHAR(64) CHARACTER SET ascii NOT NULL PRIMARY KEY, created_gmt DATETIME NOT NULL) ENGINE=InnoDB""",
    """CREATE TABLE wp_fcsc_consents (
 id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, contact_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
 user_id BIGINT UNSIGNED NOT NULL DEFAULT 0, order_id BIGINT UNSIGNED NOT NULL DEFAULT 0, channel VARCHAR(20) NOT NULL,
 state VARCHAR(10) NOT NULL, source VARCHAR(20) NOT NULL, wording VARCHAR(500) NOT NULL DEFAULT '', created_gmt DATETIME NOT NULL,
 KEY contact_id (contact_id), KEY user_id (user_id), KEY order_id (order_id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    """CREATE TABLE wp_fcsc_push (
 id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, endpoint_hash CHAR(64) CHARACTER SET ascii NOT NULL UNIQUE, endpoint TEXT NOT NULL,
 p256dh VARCHAR(100) CHARACTER SET ascii NOT NULL, auth VARCHAR(40) CHARACTER SET ascii NOT NULL, user_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
 order_id BIGINT UNSIGNED NOT NULL DEFAULT 0, visitor CHAR(32) CHARACTER SET ascii NOT NULL DEFAULT '',
 wording VARCHAR(12) CHARACTER SET ascii NOT NULL DEFAULT '', created_gmt DATETIME NOT NULL,
 KEY user_id (user_id), KEY order_id (order_id), KEY visitor (visitor)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
)


@dataclass(frozen=True)
class LiveShop:
    """The database, its owner at work, and the sidecar's configuration."""

    database: ShopDatabase
    keeper: Shopkeeper
    config: Config


def install(shop: ShopDatabase) -> None:
    """What activating the plugin leaves in the database."""
    for statement in (OUTBOX, *OTHERS):
        execute(shop, statement)
    execute(
        shop,
        "INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('fcsc_suppression_key', %s, 'no')",
        (KEY,),
    )
    plugins = shop.rows("SELECT option_value FROM wp_options WHERE option_name = 'active_plugins'")[0][0]
    count = int(plugins.split(":")[1])
    name = "fluentcrm-sidecar/fluentcrm-sidecar.php"
    more = (
        plugins.replace(f"a:{count}:", f"a:{count + 1}:", 1).removesuffix("}") + f'i:{count};s:{len(name)}:"{name}";}}'
    )
    execute(shop, "UPDATE wp_options SET option_value = %s WHERE option_name = 'active_plugins'", (more,))


def hint(
    shop: ShopDatabase, topic: str, object_id: int = 0, sub_id: int = 0, *, detail: str = "", user: int = 0,
    visitor: str = "", at_ms: int = NOW_MS,
) -> None:  # fmt: skip
    """A row of the outbox, as the plugin writes it."""
    execute(
        shop,
        "INSERT INTO wp_fcsc_outbox (topic, object_id, sub_id, detail, user_id, visitor, created_ms)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (topic, object_id, sub_id, detail, user, visitor, at_ms),
    )


def flash_sale(
    shop: ShopDatabase, first: int, count: int, *, at: str = "2026-11-01 11:59:00", seconds: float = 0.0
) -> None:
    """Orders of so many new buyers (HPOS), fifty a transaction, with two hints each; spread over `seconds`."""
    connection = shop.connect(autocommit=False)
    try:
        with connection.cursor() as cursor:
            for start in range(first, first + count, 50):
                ids = range(start, start + 50)
                cursor.executemany(
                    "INSERT INTO wp_wc_orders (id, status, currency, type, tax_amount, total_amount, customer_id,"
                    " billing_email, date_created_gmt, date_updated_gmt, parent_order_id, payment_method)"
                    " VALUES (%s, 'wc-processing', 'PLN', 'shop_order', 0, 10, 0, %s, %s, %s, 0, 'bacs')",
                    [(id_, f"sale{id_ - first}@example.net", at, at) for id_ in ids],
                )
                cursor.executemany(
                    "INSERT INTO wp_woocommerce_order_items (order_item_id, order_item_name, order_item_type, order_id)"
                    " VALUES (%s, 'Tea', 'line_item', %s)",
                    [(id_ + 10_000_000, id_) for id_ in ids],
                )
                cursor.executemany(
                    "INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value)"
                    " VALUES (%s, '_product_id', '1')",
                    [(id_ + 10_000_000,) for id_ in ids],
                )
                connection.commit()
                when = NOW_MS if not seconds else int(time.time() * 1000)
                cursor.executemany(
                    "INSERT INTO wp_fcsc_outbox (topic, object_id, created_ms) VALUES (%s, %s, %s)",
                    [(topic, id_, when) for id_ in ids for topic in ("order.created", "order.paid")],
                )
                connection.commit()
                time.sleep(seconds * 50 / count)
    finally:
        connection.close()


def queue(shop: ShopDatabase) -> list[tuple[Any, ...]]:
    return shop.rows("SELECT topic, object_id, attempts, due_ms FROM wp_fcsc_outbox ORDER BY id")


def pass_(config: Config, **options: Any) -> PassReport:
    """One pass by a process of its own."""
    with build(config) as shop:
        return shop.pass_(**options)


def pair(config: Config) -> pairing.Pairing:
    made = pairing.first("http://127.0.0.1:8765")
    Path(config.state.dir).mkdir(exist_ok=True)
    pairing.write(config.state.dir, made)
    return made


class FakeBridge:
    """`fired` are FluentCRM's hooks as (hook, contact id); `calls` the items of each POST; `behave` changes it:
    down, refuse, unsigned, break (500 for items of `poison` addresses), slow."""

    def __init__(self, shop: ShopDatabase, keys: pairing.Pairing) -> None:
        self.shop = shop
        self.keys = keys
        self.fired: list[tuple[str, int]] = []
        self.calls: list[list[dict[str, Any]]] = []
        self.told: list[dict[str, Any]] = []  # rows of consent, whose they are
        self.pushed: list[dict[str, str]] = []  # keys, and browsers that are gone
        self.behave = ""
        self.poison: set[str] = set()
        self.nonces: set[str] = set()
        self.before_write: Any = None
        self._lock = threading.Lock()
        self._connection = shop.connect(autocommit=False)
        self._do("SET SESSION sql_mode=''")
        self.url = ""

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        key = self.keys.current
        given = {name: headers.get(name, "") for name in (
            signing.KEY_HEADER, signing.TIMESTAMP_HEADER, signing.NONCE_HEADER, signing.ACTOR_HEADER, signing.SIGNATURE_HEADER)}  # fmt: skip
        who, at, nonce, actor, signature = given.values()
        good = who == key.key_id and signing.well_formed(who, at, nonce, actor) and signing.fresh(at, time.time())
        good = good and nonce not in self.nonces
        good = good and signing.verify(key.secret, signature, method, target, at, nonce, actor, body)
        if not good or self.behave == "refuse":
            return 401, b"{}"
        self.nonces.add(nonce)
        if self.behave == "down":
            return 503, b"<h1>Briefly unavailable</h1>"
        if (method, target) == ("GET", "/fluentcrm-sidecar/v1/status"):
            return 200, json.dumps({"plugin": "1.0.0", "outbox": {"rows": 0, "oldest_ms": 0}, "new": 1}).encode()
        items = json.loads(body)["items"]
        if target == "/fluentcrm-sidecar/v1/consents":
            self.told += items
            return 200, json.dumps({"outcomes": [self._settled(item) for item in items]}).encode()
        assert len(items) <= 200
        if target == "/fluentcrm-sidecar/v1/push":
            self.pushed += items
            return 200, json.dumps({"outcomes": [self._push(item) for item in items]}).encode()
        if self.behave == "break" and any(item.get("email") in self.poison for item in items):
            return 500, b"There has been a critical error"
        with self._lock:
            self.calls.append(items)
            if self.before_write is not None:
                self.before_write(items)
            return 200, json.dumps({"outcomes": [self._committed(item) for item in items]}).encode()

    def _settled(self, item: dict[str, Any]) -> dict[str, Any]:
        """A ticked box lifts `transactional`, as the plugin does."""
        self._connection.commit()
        self._do("UPDATE wp_fcsc_consents SET contact_id = %s WHERE id = %s", (item["contact_id"], item["id"]))
        row = self._rows("SELECT channel, state FROM wp_fcsc_consents WHERE id = %s", (item["id"],))
        up = item["raise"] and row == [("email", "given")]
        if up:
            sql = "UPDATE wp_fc_subscribers SET status = 'subscribed' WHERE id = %s AND status = 'transactional'"
            self._do(sql, (item["contact_id"],))
        self._connection.commit()
        return {"id": item["id"], "state": "raised" if up else "kept", "status": "", "reason": ""}

    def _push(self, item: dict[str, str]) -> dict[str, str]:
        if "key" in item:
            self._do("DELETE FROM wp_options WHERE option_name = 'fcsc_push_key'")
            sql = "INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('fcsc_push_key', %s, 'on')"
            self._do(sql, (item["key"],))
        else:
            self._do("DELETE FROM wp_fcsc_push WHERE endpoint_hash = %s", (item["gone"],))
        self._connection.commit()
        return {"state": "done", "reason": ""}

    # --- FluentCRM ------------------------------------------------------------------------------------

    def _do(self, sql: str, values: tuple[Any, ...] = ()) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def close(self) -> None:
        self._connection.close()

    def _committed(self, item: dict[str, Any]) -> dict[str, Any]:
        # A snapshot that is as old as the last item would hide what the sidecar has made since.
        self._connection.commit()
        answer = self._item(item)
        self._connection.commit()
        return answer

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        answer = {"person": item["person"], "state": "done", "contact_id": item["contact_id"], "reason": ""}
        if item["op"] == "create":
            if self._rows("SELECT 1 FROM wp_fc_subscribers WHERE email = %s", (item["email"],)):
                return answer | {"state": "raced"}
            answer["contact_id"] = self._create(item)
        elif item["op"] == "erase":
            for table, column in (
                ("fc_subscriber_meta", "subscriber_id"),
                ("fc_subscriber_pivot", "subscriber_id"),
                ("fc_subscribers", "id"),
            ):
                self._do(f"DELETE FROM wp_{table} WHERE {column} = %s", (item["contact_id"],))
            self.fired.append(("deleted", item["contact_id"]))
        elif not self._unchanged(item):
            return answer | {"state": "raced"}
        else:
            self._update(item)
        return answer

    def _unchanged(self, item: dict[str, Any]) -> bool:
        id_ = item["contact_id"]
        if not self._rows("SELECT 1 FROM wp_fc_subscribers WHERE id = %s", (id_,)):
            return False
        for name, old in item["old_columns"].items():
            now = self._rows(
                f"SELECT COALESCE(CAST(`{name}` AS CHAR), '') FROM wp_fc_subscribers WHERE id = %s", (id_,)
            )[0][0]
            if name == "user_id" and now == "0":
                now = ""
            if now != old:
                return False
        for slug, old in item["old_fields"].items():
            rows = self._rows(
                "SELECT value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND `key` = %s", (id_, slug)
            )
            if (rows[0][0] if rows else "") != old:
                return False
        return True

    def _create(self, item: dict[str, Any]) -> int:
        columns = {
            "email": item["email"],
            "hash": hashlib.md5(item["email"].encode()).hexdigest(),
            "status": item["status"],
        }
        columns |= {"created_at": item["created"], "updated_at": item["created"]} | item["columns"]
        names = ", ".join(f"`{name}`" for name in columns)
        self._do(
            f"INSERT INTO wp_fc_subscribers ({names}) VALUES ({', '.join(['%s'] * len(columns))})",
            tuple(columns.values()),
        )
        id_ = int(self._rows("SELECT id FROM wp_fc_subscribers WHERE email = %s", (item["email"],))[0][0])
        self._fields(id_, item["fields"])
        self._terms(id_, item)
        self.fired.append(("created", id_))
        return id_

    def _update(self, item: dict[str, Any]) -> None:
        id_ = item["contact_id"]
        for name, value in item["columns"].items():
            self._do(f"UPDATE wp_fc_subscribers SET `{name}` = %s WHERE id = %s", (value or None, id_))
        if item["move_to"]:
            self._do(
                "UPDATE wp_fc_subscribers SET email = %s, hash = MD5(%s) WHERE id = %s",
                (item["move_to"], item["move_to"], id_),
            )
            self.fired.append(("email_changed", id_))
        self._fields(id_, item["fields"])
        self._terms(id_, item)
        self.fired.append(("updated", id_))

    def _fields(self, id_: int, fields: dict[str, str]) -> None:
        for slug, value in fields.items():
            self._do("DELETE FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND `key` = %s", (id_, slug))
            if value:
                self._do(
                    "INSERT INTO wp_fc_subscriber_meta (subscriber_id, created_by, object_type, `key`, value) VALUES (%s, 0, 'custom_field', %s, %s)",
                    (id_, slug, value),
                )

    def _terms(self, id_: int, item: dict[str, Any]) -> None:
        for kind, type_ in (("tags", TAG), ("lists", LIST)):
            for term in item.get(f"{kind}_add", ()):
                self._do(
                    "INSERT IGNORE INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)",
                    (id_, term, type_),
                )
                self.fired.append((f"{kind}_added", id_))
            for term in item.get(f"{kind}_remove", ()):
                self._do(
                    "DELETE FROM wp_fc_subscriber_pivot WHERE subscriber_id = %s AND object_id = %s AND object_type = %s",
                    (id_, term, type_),
                )


@contextmanager
def bridge(
    shop: ShopDatabase, config: Config, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[FakeBridge, Config]]:
    """A bridge that answers, paired; and the configuration that knows where it is. `tls`: by HTTPS, as `localhost`."""
    fake = FakeBridge(shop, pair(config))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            route = query.pop("rest_route").removeprefix(signing.BRIDGE_NAMESPACE)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, data = fake.answer(self.command, signing.bridge_target(route, query), self.headers, body)
            self.send_response(status)
            if fake.behave != "unsigned":
                nonce = self.headers.get(signing.NONCE_HEADER, "")
                self.send_header(
                    signing.SIGNATURE_HEADER, signing.sign_response(fake.keys.current.secret, status, nonce, data)
                )
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.url = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_address[1]}"
    section = msgspec.structs.replace(config.bridge, site_url=fake.url, timeout=5.0)
    try:
        yield fake, msgspec.structs.replace(config, bridge=section)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        fake.close()
