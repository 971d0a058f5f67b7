"""The plugin's life: tables, clean-up, updates, networks of sites, WP-CLI, and what is left when it is deleted."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from fake_sidecar import Answer, FakeSidecar
from shopper import Shopper
from wordpress_site import SECRET, Site

from sidecar.demo.mariadb import PrivateMariaDB

pytestmark = pytest.mark.wordpress

TABLES = {
    "fcsc_outbox",
    "fcsc_carts",
    "fcsc_keys",
    "fcsc_nonces",
    "fcsc_sent",
    "fcsc_suppressed",
    "fcsc_consents",
    "fcsc_push",
}


def tables(site: Site, prefix: str = "wp_") -> set[str]:
    found = {str(row[0]) for row in site.rows("SHOW TABLES")}
    return {name.removeprefix(prefix) for name in found if name.startswith(f"{prefix}fcsc_")}


def options(site: Site) -> dict[str, str]:
    return dict(site.rows("SELECT option_name, autoload FROM wp_options WHERE option_name LIKE 'fcsc%%'", ()))


def test_tables_as_the_contract_has_them(hpos: Site) -> None:
    assert tables(hpos) >= TABLES
    columns = {
        table: [row[0] for row in hpos.rows(f"SHOW COLUMNS FROM wp_{table}")]
        for table in (
            "fcsc_outbox",
            "fcsc_carts",
            "fcsc_keys",
            "fcsc_sent",
            "fcsc_suppressed",
            "fcsc_consents",
            "fcsc_push",
        )
    }
    assert columns == {
        "fcsc_outbox": ["id", "topic", "object_id", "sub_id", "detail", "user_id", "visitor", "created_ms", "attempts", "due_ms"],
        "fcsc_carts": ["id", "visitor", "user_id", "email", "consent", "status", "order_id", "currency", "total", "items", "coupons", "language", "created_gmt", "updated_gmt"],
        "fcsc_keys": ["key_id", "secret", "endpoint", "state", "created_gmt"],
        "fcsc_sent": ["sent_key", "kind", "object_id", "created_gmt"],
        "fcsc_suppressed": ["hash", "created_gmt"],
        "fcsc_consents": ["id", "contact_id", "user_id", "order_id", "channel", "state", "source", "wording", "created_gmt"],
        "fcsc_push": ["id", "endpoint_hash", "endpoint", "p256dh", "auth", "user_id", "order_id", "visitor", "wording", "created_gmt"],
    }  # fmt: skip
    assert set(
        hpos.rows(
            "SELECT DISTINCT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'wp\\_fcsc\\_%%'",
            (),
        )
    ) == {("InnoDB",)}
    for name in ("fcsc_suppression_key", "fcsc_link_key"):
        assert options(hpos)[name] in ("off", "no")
        assert re.fullmatch(r"[0-9a-f]{64}", str(hpos.php("return get_option( $in );", name)))


def test_installing_again_changes_nothing(hpos: Site) -> None:
    before = hpos.rows("SELECT option_value FROM wp_options WHERE option_name = 'fcsc_suppression_key'")
    shown = [hpos.rows(f"SHOW CREATE TABLE wp_{table}") for table in sorted(TABLES)]
    hpos.php("FluentCrmSidecar\\Tables::install();")
    assert [hpos.rows(f"SHOW CREATE TABLE wp_{table}") for table in sorted(TABLES)] == shown
    assert hpos.rows("SELECT option_value FROM wp_options WHERE option_name = 'fcsc_suppression_key'") == before


@pytest.mark.parametrize("who", ["the staff", "the sidecar"])
def test_an_update_of_the_plugin_brings_its_tables(hpos: Site, who: str) -> None:
    """From version 1 of the tables; never in a shopper's request."""
    hpos.pair()
    key = hpos.php("return get_option( 'fcsc_link_key' );")
    hpos.rows("DROP TABLE wp_fcsc_sent")
    hpos.php("update_option( 'fcsc_db_version', '1' ); delete_option( 'fcsc_link_key' );")
    with Shopper(hpos) as shopper:
        shopper.page("/shop/")
        assert "fcsc_sent" not in tables(hpos)
        if who == "the staff":
            shopper.login("admin")
            shopper.page("/wp-admin/index.php")
        else:
            assert hpos.signed("POST", "/sent", {"items": ["x"]}).json() == {"outcomes": []}
    assert tables(hpos) >= TABLES
    assert hpos.php("return get_option( 'fcsc_db_version' );") == "3"
    assert hpos.php("return get_option( 'fcsc_link_key' );") not in ("", key)


def test_a_dead_sidecar_does_not_fill_the_disk(hpos: Site) -> None:
    """Pain 35."""
    now = int(time.time() * 1000)
    hpos.rows(
        "INSERT INTO wp_fcsc_outbox (topic, created_ms) VALUES ('old', %s), ('young', %s)", (now - 15 * 86_400_000, now)
    )
    hpos.php("do_action( 'fcsc_cleanup' );")
    assert [row[0] for row in hpos.outbox()] == ["young"]
    hpos.rows("INSERT INTO wp_fcsc_outbox (topic, created_ms) SELECT 'x', %s FROM seq_1_to_200700", (now,))
    last = hpos.rows("SELECT MAX(id) FROM wp_fcsc_outbox")[0][0]
    hpos.php("do_action( 'fcsc_cleanup' );")
    assert hpos.rows("SELECT COUNT(*), MAX(id) FROM wp_fcsc_outbox") == [(200_000, last)]
    hpos.rows("DELETE FROM wp_fcsc_outbox")


def test_visitors_who_come_anew_each_time_do_not_fill_the_disk(hpos: Site) -> None:
    """Each request of a robot may have another cookie, another browser and another address."""
    now = int(time.time() * 1000)
    carts = (
        "(visitor, items, created_gmt, updated_gmt) SELECT LPAD(seq, 32, '0'), '[]', UTC_TIMESTAMP(), UTC_TIMESTAMP()"
    )
    push = "(endpoint_hash, endpoint, p256dh, auth, created_gmt, user_id) SELECT LPAD(seq, 64, '0'), '', '', '', UTC_TIMESTAMP(), seq = 1"
    outbox = f"(topic, created_ms) SELECT 'product.viewed', {now}"
    for table, rows in {"carts": carts, "push": push, "outbox": outbox}.items():
        hpos.rows(f"DELETE FROM wp_fcsc_{table}")
        hpos.rows(f"INSERT INTO wp_fcsc_{table} {rows} FROM seq_1_to_200020")
    hpos.php(
        "for ( $i = 0; $i < 3000; $i++ ) { foreach ( array( 'carts', 'push', 'outbox' ) as $table ) { FluentCrmSidecar\\Tables::bound_now_and_then( $table ); } }"
    )
    for table, left in {"carts": 200_000, "push": 200_001, "outbox": 200_000}.items():
        assert hpos.rows(f"SELECT COUNT(*) FROM wp_fcsc_{table}")[0][0] == left, table
    # Who has an account keeps the browser that was told of first.
    assert hpos.rows("SELECT MIN(endpoint_hash) FROM wp_fcsc_push") == [("1".rjust(64, "0"),)]
    for table in ("carts", "push", "outbox"):
        hpos.rows(f"TRUNCATE wp_fcsc_{table}")


def test_the_cleanup_locks_not_the_whole_table(hpos: Site) -> None:
    """There is no index on the time, which the shop's inserts would pay for: a delete by it would wait for all of them, and they for it."""
    now = int(time.time() * 1000)
    hpos.rows("DELETE FROM wp_fcsc_outbox")
    rows = [("old", now - 15 * 86_400_000), ("young", now), ("newest", now)]
    for row in rows:
        hpos.rows("INSERT INTO wp_fcsc_outbox (topic, created_ms) VALUES (%s, %s)", row)
    with contextlib.closing(hpos.connect()) as shop, shop.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT id FROM wp_fcsc_outbox ORDER BY id DESC LIMIT 1 FOR UPDATE")
        hpos.php("$wpdb->query( 'SET innodb_lock_wait_timeout = 2' ); do_action( 'fcsc_cleanup' );")
        cursor.execute("ROLLBACK")
    assert [row[0] for row in hpos.outbox()] == ["young", "newest"]


def test_the_cleanup_is_scheduled_and_ends_with_the_plugin(hpos: Site) -> None:
    assert hpos.php("return (bool) wp_next_scheduled( 'fcsc_cleanup' );")
    name = "fluentcrm-sidecar/fluentcrm-sidecar.php"
    hpos.php("require_once ABSPATH . 'wp-admin/includes/plugin.php'; deactivate_plugins( $in );", name)
    assert not hpos.php("return (bool) wp_next_scheduled( 'fcsc_cleanup' );")
    assert tables(hpos) >= TABLES
    hpos.php("require_once ABSPATH . 'wp-admin/includes/plugin.php'; activate_plugin( $in );", name)
    assert hpos.php("return (bool) wp_next_scheduled( 'fcsc_cleanup' );")


def test_hpos_and_blocks_are_declared(hpos: Site) -> None:
    for feature in ("custom_order_tables", "cart_checkout_blocks"):
        said = hpos.php(
            "return Automattic\\WooCommerce\\Utilities\\FeaturesUtil::get_compatible_plugins_for_feature( $in );",
            feature,
        )
        assert "fluentcrm-sidecar/fluentcrm-sidecar.php" in said["compatible"], feature


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory, mariadb: PrivateMariaDB) -> Iterator[Site]:
    """A site of the test's own."""
    site = Site(tmp_path_factory.mktemp("own"), mariadb, "hpos", name=f"own_{secrets.token_hex(4)}")
    try:
        site.make()
        yield site
    finally:
        site.stop()


UNINSTALL = "define( 'WP_UNINSTALL_PLUGIN', 'x' ); %s require WP_PLUGIN_DIR . '/fluentcrm-sidecar/uninstall.php';"


def test_uninstall(own: Site) -> None:
    own.rows("CREATE TABLE wp_fcsc_undo (id INT)")
    own.rows("INSERT INTO wp_fcsc_suppressed VALUES (%s, UTC_TIMESTAMP())", ("a" * 64,))
    own.php(
        "require_once ABSPATH . 'wp-admin/includes/plugin.php'; deactivate_plugins( 'fluentcrm-sidecar/fluentcrm-sidecar.php' );"
    )
    own.php(UNINSTALL % "")
    assert tables(own) == {"fcsc_suppressed", "fcsc_consents", "fcsc_undo"}  # undo is the sidecar's own
    assert set(options(own)) == {"fcsc_suppression_key"}
    assert own.php("return array( get_role( 'fcsc_support' ), get_role( 'fcsc_crm_manager' ) );") == [None, None]
    own.php(UNINSTALL % "define( 'FCSC_REMOVE_ALL', true );")
    assert tables(own) == {"fcsc_undo"}
    assert options(own) == {}


def test_a_network_of_sites(own: Site) -> None:
    own.php("update_option( 'permalink_structure', '' );")
    own.php(
        "require_once ABSPATH . 'wp-admin/includes/plugin.php'; deactivate_plugins( array( 'fluentcrm-sidecar/fluentcrm-sidecar.php', 'fluent-crm/fluent-crm.php', 'woocommerce/woocommerce.php' ) );"
    )
    own.php(
        "require_once ABSPATH . 'wp-admin/includes/upgrade.php'; require_once ABSPATH . 'wp-admin/includes/network.php'; foreach ( $wpdb->tables( 'ms_global' ) as $t => $n ) { $wpdb->$t = $n; }"
        "install_network(); populate_network( 1, $in, 'admin@example.com', 'Net', '/', false );",
        "127.0.0.1",
    )
    config = own.folder / "wp-config.php"
    network = "define( 'MULTISITE', true ); define( 'SUBDOMAIN_INSTALL', false ); define( 'DOMAIN_CURRENT_SITE', '127.0.0.1' ); define( 'PATH_CURRENT_SITE', '/' ); define( 'SITE_ID_CURRENT_SITE', 1 ); define( 'BLOG_ID_CURRENT_SITE', 1 );\n$table_prefix"
    config.write_text(config.read_text("utf-8").replace("$table_prefix", network, 1), "utf-8")
    own.host = "127.0.0.1"  # WordPress' networks know no ports
    own.rows("UPDATE wp_blogs SET domain = '127.0.0.1'")
    own.rows("UPDATE wp_site SET domain = '127.0.0.1'")
    second = own.php(
        "return wp_insert_site( array( 'domain' => '127.0.0.1', 'path' => '/two/', 'user_id' => 1, 'title' => 'Two' ) );"
    )
    own.rows(
        "DROP TABLE wp_fcsc_outbox, wp_fcsc_carts, wp_fcsc_keys, wp_fcsc_nonces, wp_fcsc_sent, wp_fcsc_suppressed, wp_fcsc_consents, wp_fcsc_push"
    )
    own.php(
        "require_once ABSPATH . 'wp-admin/includes/plugin.php'; foreach ( array( 'woocommerce/woocommerce.php', 'fluentcrm-sidecar/fluentcrm-sidecar.php' ) as $p ) { activate_plugin( $p, '', true ); }"
    )
    assert tables(own) == TABLES
    assert tables(own, f"wp_{second}_") == TABLES
    third = own.php(
        "return wp_insert_site( array( 'domain' => '127.0.0.1', 'path' => '/three/', 'user_id' => 1, 'title' => 'Three' ) );"
    )
    assert tables(own, f"wp_{third}_") == TABLES
    own.php(
        "FluentCrmSidecar\\Outbox::add( 'order.created', 1 ); switch_to_blog( $in ); FluentCrmSidecar\\Outbox::add( 'order.created', 2 ); restore_current_blog();",
        second,
    )
    assert own.rows("SELECT object_id FROM wp_fcsc_outbox WHERE topic = 'order.created'") == [(1,)]
    assert own.rows(f"SELECT object_id FROM wp_{second}_fcsc_outbox WHERE topic = 'order.created'") == [(2,)]
    keys = {
        own.php("switch_to_blog( $in ); return get_option( 'fcsc_suppression_key' );", blog)
        for blog in (1, second, third)
    }
    assert len(keys) == 3
    own.php("wp_delete_site( $in );", third)
    assert tables(own, f"wp_{third}_") == set()
    own.php(UNINSTALL % "define( 'FCSC_REMOVE_ALL', true );")
    assert (tables(own), tables(own, f"wp_{second}_")) == (set(), set())


def wp(site: Site, *arguments: str, given: str = "") -> tuple[int, str]:
    program = os.environ.get("WP_CLI") or shutil.which("wp")
    if program is None:
        pytest.skip("there is no WP-CLI (wp in PATH, or $WP_CLI)")
    done = subprocess.run(
        [program, f"--path={site.folder}", "--allow-root", "sidecar", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + "\n".join(
        line for line in done.stderr.splitlines() if "Deprecated" not in line and "Notice" not in line
    )


def test_wp_cli(hpos: Site) -> None:
    hpos.rows("DELETE FROM wp_fcsc_keys")
    assert wp(hpos, "status")[0] == 1
    assert "sidecar pair" in wp(hpos, "status")[1]
    hpos.pair("http://127.0.0.1:9")
    code, text = wp(hpos, "status")
    assert (code, "sidecar serve" in text, "sidecar tick" in text) == (1, True, True)
    code, text = wp(hpos, "cron")
    assert (code, "sidecar tick" in text) == (0, True)
    with FakeSidecar() as fake:
        hpos.pair(fake.endpoint)
        fake.answer = lambda _: Answer(
            '{"data":[{"id":1,"topic":"order.created"}],"next":null}', type="application/json"
        )
        code, text = wp(hpos, "events", "--type=order", "--limit=5")
        assert (code, "order.created" in text) == (0, True)
        assert (fake.asked[-1].good, fake.asked[-1].target, fake.asked[-1].headers["x-fcsc-actor"]) == (
            True,
            "/api/v1/events?limit=5&type=order",
            "-",
        )
        for arguments, method, target, body in (
            (("status",), "GET", "/api/v1/status", b""), (("sync",), "GET", "/api/v1/sync", b""), (("sync", "pause"), "POST", "/api/v1/sync/pause", b"{}"),
            (("doctor",), "GET", "/api/v1/doctor", b""), (("explain", "17"), "GET", "/api/v1/explain/17", b""),
            (("retry", "3", "4"), "POST", "/api/v1/letters/retry", b'{"letters":[3,4]}'), (("retry",), "POST", "/api/v1/letters/retry", b'{"letters":[]}'),
        ):  # fmt: skip
            assert wp(hpos, *arguments)[0] == 0, arguments
            asked = fake.asked[-1]
            assert (asked.good, asked.method, asked.target, asked.body) == (True, method, target, body)
        before = len(fake.asked)
        for wrong, told in (
            (("explain",), "wp sidecar explain 17"), (("explain", "anna"), "wp sidecar explain 17"), (("sync", "undo"), "`resume`"),
            (("retry", "3", "x"), "sidecar sync letters"),
        ):  # fmt: skip
            code, text = wp(hpos, *wrong)
            assert (code, told in text) == (1, True), text
        assert len(fake.asked) == before
        fake.answer = lambda _: Answer(
            '{"error":{"code":"busy","message":"a run is at work","hint":"wait"}}', status=409, type="application/json"
        )
        code, text = wp(hpos, "sync", "start")
        assert (code, "a run is at work" in text, "wait" in text) == (1, True, True)
        fake.answer = lambda _: Answer("{}", signature="0" * 64)
        assert "did not prove" in wp(hpos, "status")[1]
    assert wp(hpos, "pair", given="fcsc1.x")[0] == 1
    hpos.pair()
    assert SECRET not in wp(hpos, "status")[1]


def test_the_shop_without_the_sidecar_is_the_same(hpos: Site, shopper: Shopper) -> None:
    """Pain 34: Nothing answers at the endpoint: a checkout asks nobody."""
    hpos.pair("http://127.0.0.1:9")
    shopper.add(hpos.ids["tea"])
    hpos.requests_log()
    assert shopper.classic_checkout("alone@example.com")["result"] == "success"
    assert [url for line in hpos.requests_log() for url in line["http"] if ":9" in url] == []
    hpos.pair()
