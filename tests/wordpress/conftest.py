"""A real WordPress to ask: $WP_ROOT is a folder with WordPress, and in it the plugins WooCommerce and FluentCRM.

Nothing has to be installed in it: each test's own database is put under it, `wp-config.php` is not read. Tests skip
where there is none. With another FluentCRM (2.9) in the folder, the same tests ask that one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ShopDatabase
from syncing import execute

BOOT = r"""
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING); ini_set('display_errors', 'stderr'); ini_set('memory_limit', '1024M');
foreach (['DB_NAME' => getenv('FCSC_DB'), 'DB_USER' => 'root', 'DB_PASSWORD' => '', 'DB_HOST' => 'localhost:' . getenv('FCSC_SOCKET'),
  'DB_CHARSET' => 'utf8mb4', 'DB_COLLATE' => '', 'WP_DEBUG' => false, 'DISABLE_WP_CRON' => true, 'WP_HTTP_BLOCK_EXTERNAL' => true,
  'AUTOMATIC_UPDATER_DISABLED' => true, 'ABSPATH' => rtrim(getenv('WP_ROOT'), '/') . '/'] as $fcsc_name => $fcsc_value) { define($fcsc_name, $fcsc_value); }
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $fcsc_name) { define($fcsc_name . '_KEY', 'x'); define($fcsc_name . '_SALT', 'y'); }
$table_prefix = 'wp_';
$_SERVER += ['HTTP_HOST' => '127.0.0.1', 'SERVER_NAME' => '127.0.0.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'REMOTE_ADDR' => '127.0.0.1'];
require ABSPATH . 'wp-settings.php';
$in = json_decode(file_get_contents('php://stdin'), true);
ob_start(); $out = (function ($in) { global $wpdb; %s })($in); ob_end_clean();
fwrite(STDOUT, "\n@@@" . json_encode($out, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION));
"""

Ask = Callable[..., Any]


def wp_root() -> Path:
    """The real WordPress. Skips where there is none."""
    root = os.environ.get("WP_ROOT", "")
    if not root:
        pytest.skip("WP_ROOT is not set: no real WordPress to ask")
    if shutil.which("php") is None:
        pytest.skip("there is no php")
    if not (Path(root) / "wp-settings.php").is_file():
        pytest.skip(f"WP_ROOT={root} holds no WordPress")
    return Path(root)


@pytest.fixture(scope="session")
def fluentcrm() -> str:
    """Its version, such as 3.1.10."""
    text = (wp_root() / "wp-content/plugins/fluent-crm/fluent-crm.php").read_text("utf-8")
    found = re.search(r"Version:\s*([\d.]+)", text)
    assert found
    return found[1]


@pytest.fixture
def ask() -> Ask:
    """`ask(shop, code, given)`: the body of a PHP function with `$in`, run inside WordPress; its answer."""
    root = wp_root()

    def call(shop: ShopDatabase, code: str, given: Any = None, *, plugins: bool = True) -> Any:
        active = (
            'a:2:{i:0;s:25:"fluent-crm/fluent-crm.php";i:1;s:27:"woocommerce/woocommerce.php";}'
            if plugins
            else "a:0:{}"
        )
        for name, value in (
            ("active_plugins", active),
            ("siteurl", "http://127.0.0.1"),
            ("home", "http://127.0.0.1"),
            ("db_version", "60717"),
        ):
            execute(shop, "DELETE FROM wp_options WHERE option_name = %s", (name,))
            execute(
                shop,
                "INSERT INTO wp_options (option_name, option_value, autoload) VALUES (%s, %s, 'on')",
                (name, value),
            )
        environment = {**os.environ, "FCSC_DB": shop.database, "FCSC_SOCKET": shop.socket, "WP_ROOT": str(root)}
        done = subprocess.run(
            ["php", "-r", BOOT.replace("%s", code)],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=240,
        )
        head, mark, answer = done.stdout.rpartition("\n@@@")
        assert mark, f"PHP said: {head[-1500:]} {done.stdout[-500:]} {done.stderr[-1500:]}"
        return json.loads(answer)

    return call
