"""A real WordPress to drive over HTTP: the files of $WP_ROOT, a database of its own, the bridge of this repository.

$WP_ROOT is a folder with WordPress, and in it WooCommerce and FluentCRM; nothing in it is changed, and its own
wp-config.php and database are not used. $FLUENTCRM_ROOT, if set, is a folder with another FluentCRM to take instead.
`Site` writes a document root that links to those files and installs WordPress into an empty database.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pymysql
import pytest
import requests
from support import ROOT

from sidecar.demo.mariadb import PrivateMariaDB

HERE = Path(__file__).resolve().parent
PREFIX = "wp_"
KEY, SECRET = "00000000000000ab", "5e" * 32
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

CONFIG = r"""<?php
define( 'DB_NAME', '%(database)s' ); define( 'DB_USER', 'root' ); define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:%(socket)s' ); define( 'DB_CHARSET', 'utf8mb4' ); define( 'DB_COLLATE', 'utf8mb4_unicode_520_ci' );
foreach ( array( 'AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE' ) as $name ) { define( $name . '_KEY', 'x' ); define( $name . '_SALT', 'y' ); }
define( 'WP_DEBUG', true ); define( 'WP_DEBUG_DISPLAY', false ); define( 'WP_DEBUG_LOG', true ); define( 'SAVEQUERIES', true );
define( 'DISABLE_WP_CRON', true ); define( 'AUTOMATIC_UPDATER_DISABLED', true ); define( 'WP_HTTP_BLOCK_EXTERNAL', true );
$table_prefix = 'wp_';
defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );
require_once ABSPATH . 'wp-settings.php';
"""

ROUTER = r"""<?php // What Apache's rewrite rules do.
$path = rawurldecode( (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );
$file = $_SERVER['DOCUMENT_ROOT'] . $path;
if ( '/' !== $path && ( is_file( $file ) || is_file( rtrim( $file, '/' ) . '/index.php' ) ) ) { return false; }
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
"""

# The tests' own eye inside the site: e-mails, queries and HTTP calls of each request, as JSON lines.
MU_PLUGIN = r"""<?php
$GLOBALS['fcsc_http'] = array();
add_filter( 'pre_wp_mail', function ( $no, $mail ) {
	file_put_contents( WP_CONTENT_DIR . '/mail.log', json_encode( array( 'to' => $mail['to'], 'subject' => $mail['subject'], 'message' => $mail['message'], 'headers' => (array) $mail['headers'] ) ) . "\n", FILE_APPEND );
	return true;
}, 1, 2 );
add_filter( 'pre_http_request', function ( $no, $args, $url ) { $GLOBALS['fcsc_http'][] = $url; return $no; }, 1, 3 );
add_action( 'shutdown', function () {
	$ours = array_values( array_filter( $GLOBALS['wpdb']->queries ?: array(), function ( $query ) { return false !== strpos( $query[0] . $query[2], 'fcsc' ) || false !== stripos( $query[2], 'FluentCrmSidecar' ); } ) );
	file_put_contents( WP_CONTENT_DIR . '/requests.log', json_encode( array(
		'uri' => $_SERVER['REQUEST_URI'] ?? '', 'method' => $_SERVER['REQUEST_METHOD'] ?? '', 'http' => $GLOBALS['fcsc_http'],
		'sql' => array_map( function ( $query ) { return $query[0]; }, $GLOBALS['wpdb']->queries ?: array() ),
		'ours' => array_map( function ( $query ) { return array( $query[0], $query[1] * 1000 ); }, $ours ),
	) ) . "\n", FILE_APPEND );
}, 9999 );
foreach ( glob( WP_CONTENT_DIR . '/extra/*.php' ) as $file ) { require $file; }
"""

INSTALL = r"""
define( 'WP_INSTALLING', true );
$_SERVER += array( 'HTTP_HOST' => $argv[1], 'SERVER_NAME' => '127.0.0.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1' );
define( 'WP_SITEURL', 'http://' . $argv[1] );
require 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
$done = wp_install( 'Shop', 'admin', 'admin@example.com', false, '', 'admin' );
update_option( 'timezone_string', 'America/New_York' );
update_option( 'permalink_structure', '/%postname%/' );
"""

ACTIVATE = r"""
require_once ABSPATH . 'wp-admin/includes/plugin.php';
foreach ( $in as $plugin ) { if ( $error = activate_plugin( $plugin ) ) { return $error->get_error_message(); } }
return 'ok';
"""

SETUP = r"""
WC_Install::create_pages();
if ( function_exists( 'fluentcrm_update_option' ) ) { fluentcrm_update_option( 'fluentcrm_setup_wizard_ran', 'yes' ); }
foreach ( array( 'woocommerce_coming_soon' => 'no', 'woocommerce_currency' => 'USD', 'woocommerce_default_country' => 'US:NY', 'woocommerce_enable_guest_checkout' => 'yes',
	'woocommerce_enable_signup_and_login_from_checkout' => 'yes', 'woocommerce_enable_myaccount_registration' => 'yes', 'woocommerce_registration_generate_password' => 'no',
	'woocommerce_newly_installed' => 'no', 'woocommerce_enable_reviews' => 'yes', 'comment_moderation' => '0', 'comment_previously_approved' => '0' ) as $name => $value ) { update_option( $name, $value ); }
update_option( 'woocommerce_cod_settings', array( 'enabled' => 'yes', 'title' => 'Cash on delivery' ) );
update_option( 'woocommerce_bacs_settings', array( 'enabled' => 'yes', 'title' => 'Bank transfer' ) );
( new WC_Shipping_Zone( 0 ) )->add_shipping_method( 'flat_rate' );
$page = wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'classic-checkout', 'post_title' => 'Classic', 'post_content' => '[woocommerce_checkout]' ) );
$ids = array();
foreach ( array( 'tea' => '10', 'cup' => '20' ) as $slug => $price ) {
	$product = new WC_Product_Simple(); $product->set_name( ucfirst( $slug ) ); $product->set_regular_price( $price ); $product->set_manage_stock( true );
	$product->set_stock_quantity( 100000 ); $product->set_sku( $slug ); $ids[ $slug ] = $product->save();
}
$shirt = new WC_Product_Variable(); $shirt->set_name( 'Shirt' );
$colour = new WC_Product_Attribute(); $colour->set_name( 'Color' ); $colour->set_options( array( 'Red', 'Blue' ) ); $colour->set_variation( true );
$shirt->set_attributes( array( $colour ) ); $ids['shirt'] = $shirt->save();
foreach ( array( 'Red', 'Blue' ) as $name ) {
	$v = new WC_Product_Variation(); $v->set_parent_id( $ids['shirt'] ); $v->set_attributes( array( 'color' => $name ) ); $v->set_regular_price( '25' ); $ids[ strtolower( $name ) ] = $v->save();
}
WC_Product_Variable::sync( $ids['shirt'] );
$coupon = new WC_Coupon(); $coupon->set_code( 'save10' ); $coupon->set_discount_type( 'percent' ); $coupon->set_amount( 10 ); $ids['save10'] = $coupon->save();
wp_insert_user( array( 'user_login' => 'shop', 'user_email' => 'shop@example.com', 'user_pass' => 'shop', 'role' => 'shop_manager' ) );
foreach ( array( 'VIP', 'New' ) as $title ) { $ids[ $title ] = (int) FluentCrm\App\Models\Tag::create( array( 'title' => $title, 'slug' => sanitize_title( $title ) ) )->id; }
foreach ( array( 'Customers', 'News' ) as $title ) { $ids[ $title ] = (int) FluentCrm\App\Models\Lists::create( array( 'title' => $title, 'slug' => sanitize_title( $title ) ) )->id; }
flush_rewrite_rules();
return $ids;
"""

HPOS = r"""
if ( 'hpos' !== $in ) { update_option( 'woocommerce_custom_orders_table_enabled', 'no' ); return 'posts'; }
wc_get_container()->get( Automattic\WooCommerce\Internal\DataStores\Orders\DataSynchronizer::class )->create_database_tables();
update_option( 'woocommerce_custom_orders_table_data_sync_enabled', 'no' );
update_option( 'woocommerce_custom_orders_table_enabled', 'yes' );
return get_option( 'woocommerce_custom_orders_table_enabled' );
"""


def wp_root() -> Path:
    """The WordPress to use. Skips, with the reason, where there is none."""
    root = os.environ.get("WP_ROOT", "")
    if not root:
        pytest.skip("WP_ROOT is not set: no real WordPress to drive")
    if shutil.which("php") is None:
        pytest.skip("there is no php")
    for file in ("wp-settings.php", "wp-content/plugins/woocommerce", "wp-content/plugins/fluent-crm"):
        if not (Path(root) / file).exists():
            pytest.skip(f"WP_ROOT={root} has no {file}")
    return Path(root)


class Site:
    """One shop. `url`, `storage` ("hpos" or "posts") and `ids` (of products, tags, lists by name)."""

    real = True  # WooCommerce and FluentCRM themselves, not stand-ins

    def __init__(self, folder: Path, server: PrivateMariaDB, storage: str, *, name: str = "") -> None:
        self.folder, self.server, self.storage = folder, server, storage
        self.database = name or f"wordpress_{storage}"
        self.content = folder / "wp-content"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.host = f"127.0.0.1:{self.port}"  # what `php` says it was asked for
        self.ids: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    # -- making it

    def make(self) -> None:
        """Lay the files out, install WordPress and the plugins, fill the shop, start the web server."""
        root = wp_root()
        other = os.environ.get("FLUENTCRM_ROOT")
        content = root / "wp-content"
        self.lay_out(
            root,
            content / "themes",
            {
                "woocommerce": content / "plugins/woocommerce",
                "fluent-crm": Path(other) if other else content / "plugins/fluent-crm",
            },
        )
        self.install()
        assert self.php(ACTIVATE, ["woocommerce/woocommerce.php"]) == "ok"
        assert self.php(HPOS, self.storage) == ("yes" if self.storage == "hpos" else "posts")
        assert self.php(ACTIVATE, ["fluent-crm/fluent-crm.php", "fluentcrm-sidecar/fluentcrm-sidecar.php"]) == "ok"
        self.ids = self.php(SETUP)
        self.start()

    def install(self) -> None:
        """WordPress' own tables and options."""
        self._run(["php", "-d", "memory_limit=512M", "-r", INSTALL, self.host])

    def lay_out(self, root: Path, themes: Path, plugins: dict[str, Path]) -> None:
        """A document root that links to those files, with a database of its own. Nothing is installed yet."""
        # A fixture of the whole session comes again when another parameter was asked for in between.
        self.server.drop_database(self.database)
        self.server.create_database(self.database)
        for path in root.iterdir():
            if path.suffix == ".php" and path.name != "wp-config.php":
                shutil.copy(path, self.folder)
        shutil.copytree(root / "wp-admin", self.folder / "wp-admin", symlinks=False)
        (self.folder / "wp-includes").symlink_to(root / "wp-includes")
        place = self.content / "plugins"
        for made in (place, self.content / "mu-plugins", self.content / "extra", self.content / "uploads"):
            made.mkdir(parents=True)
        (self.content / "themes").symlink_to(themes)
        for name, folder in {**plugins, "fluentcrm-sidecar": ROOT / "wp-bridge"}.items():
            (place / name).symlink_to(folder)
        (self.folder / "wp-config.php").write_text(
            CONFIG % {"database": self.database, "socket": self.server.socket}, "utf-8"
        )
        (self.folder / "router.php").write_text(ROUTER, "utf-8")
        (self.content / "mu-plugins" / "eye.php").write_text(MU_PLUGIN, "utf-8")

    def start(self) -> None:
        """Four PHP processes behind one port."""
        log = (self.folder / "server.log").open("ab")
        self._process = subprocess.Popen(
            ["php", "-d", "memory_limit=512M", "-d", "opcache.enable_cli=1", "-S", f"127.0.0.1:{self.port}", "-t", str(self.folder), "router.php"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"},
        )  # fmt: skip
        log.close()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "server.log").read_text("utf-8", "replace")[-2000:])

    def stop(self) -> None:
        """End the web server and its workers."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)
            self._process = None

    def _run(self, command: list[str], given: str = "") -> str:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, cwd=self.folder, timeout=240
        )
        assert done.returncode == 0, f"PHP said: {done.stdout[-1500:]} {done.stderr[-1500:]}"
        return done.stdout

    # -- looking into it

    def php(self, code: str, given: Any = None, *, user: int = 0) -> Any:
        """The body of a PHP function with `$in`, run inside this WordPress by the command line; its answer."""
        boot = (
            f"$_SERVER += array( 'HTTP_HOST' => '{self.host}', 'REQUEST_URI' => '/', 'REQUEST_METHOD' => 'GET', 'SERVER_PROTOCOL' => 'HTTP/1.1' );"
            "ini_set( 'display_errors', 'stderr' ); require 'wp-load.php'; $in = json_decode( file_get_contents( 'php://stdin' ), true );"
            f"wp_set_current_user( {user} ); ob_start(); $out = ( function ( $in ) {{ global $wpdb; {code} }} )( $in ); ob_end_clean();"
            'fwrite( STDOUT, "\\n@@@" . json_encode( $out ) );'
        )
        out = self._run(["php", "-d", "memory_limit=512M", "-r", boot], json.dumps(given))
        head, mark, answer = out.rpartition("\n@@@")
        assert mark, f"PHP said: {head[-1500:]} {out[-500:]}"
        return json.loads(answer)

    def connect(self) -> pymysql.Connection[Any]:
        return self.server.connect(self.database, autocommit=True)

    def rows(self, sql: str, arguments: object = None) -> list[tuple[Any, ...]]:
        """All rows of a query; of one that changes something, none."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return list(cursor.fetchall())

    def outbox(self, *, keep: bool = False) -> list[tuple[str, int, int, str]]:
        """(topic, object, sub, detail) of what lies there, in order; then it is empty."""
        rows = self.rows("SELECT topic, object_id, sub_id, detail FROM wp_fcsc_outbox ORDER BY id")
        if not keep:
            self.rows("DELETE FROM wp_fcsc_outbox")
        return [(str(a), int(b), int(c), str(d)) for a, b, c, d in rows]

    def requests_log(self) -> list[dict[str, Any]]:
        """What the requests since the last call did: uri, method, sql, ours, http."""
        path = self.content / "requests.log"
        if not path.exists():
            return []
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        path.unlink()
        return lines

    def mails(self) -> list[dict[str, Any]]:
        """The e-mails since the last call: to, subject, message, headers."""
        path = self.content / "mail.log"
        if not path.exists():
            return []
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        path.unlink()
        return lines

    def settings(self, **values: Any) -> None:
        """The plugin's settings."""
        self.php(
            "update_option( 'fcsc_settings', $in + FluentCrmSidecar\\Settings::DEFAULTS, true );", values or {"x": 0}
        )

    # -- the sidecar's side

    def pair(self, endpoint: str = "http://127.0.0.1:9", key: str = KEY, secret: str = SECRET) -> None:
        """Make one key the only one, as `sidecar pair` does."""
        self.rows("DELETE FROM wp_fcsc_keys")
        self.rows("INSERT INTO wp_fcsc_keys VALUES (%s, %s, %s, 'current', UTC_TIMESTAMP())", (key, secret, endpoint))

    def signed(
        self, method: str, route: str, body: Any = None, *, key: str = KEY, secret: str = SECRET, **changes: str
    ) -> requests.Response:
        """A signed call to the bridge; `changes` replace timestamp, nonce, actor, signature or target."""
        data = b"" if body is None else json.dumps(body).encode()
        said = {
            "timestamp": str(int(time.time())),
            "nonce": secrets.token_hex(16),
            "actor": "-",
            "target": f"/fluentcrm-sidecar/v1{route}",
            **changes,
        }
        canonical = "\n".join(
            (
                "FCSC1",
                method,
                said["target"],
                said["timestamp"],
                said["nonce"],
                said["actor"],
                hashlib.sha256(data).hexdigest(),
            )
        )
        signature = hmac.new(bytes.fromhex(secret), canonical.encode(), "sha256").hexdigest()
        headers = {
            "X-FCSC-Key": key,
            "X-FCSC-Timestamp": said["timestamp"],
            "X-FCSC-Nonce": said["nonce"],
            "X-FCSC-Actor": said["actor"],
            "X-FCSC-Signature": said.get("signature", signature),
            "Content-Type": "application/json",
        }
        answer = requests.request(
            method, f"{self.url}/wp-json/fluentcrm-sidecar/v1{route}", data=data, headers=headers, timeout=120
        )
        if answer.status_code not in (401, 413):
            text = f"FCSC1R\n{answer.status_code}\n{said['nonce']}\n{hashlib.sha256(answer.content).hexdigest()}"
            mac = hmac.new(bytes.fromhex(secret), text.encode(), "sha256").hexdigest()
            assert answer.headers.get("X-FCSC-Signature") == mac, answer.text[:500]
        return answer

    def contacts(self, *items: dict[str, Any]) -> list[dict[str, Any]]:
        """POST /contacts."""
        answer = self.signed("POST", "/contacts", {"items": list(items)})
        assert answer.status_code == 200, answer.text[:2000]
        outcomes: list[dict[str, Any]] = answer.json()["outcomes"]
        return outcomes
