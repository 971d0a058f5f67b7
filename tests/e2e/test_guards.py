"""The sidecar away, the plugin away, a copied site, and who sees what in wp-admin."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_sidecar import Answer, FakeSidecar
from running import Live, contact, eventually
from shopper import Shopper
from standin_site import StandinSite
from wordpress_site import Site

from sidecar.demo.mariadb import PrivateMariaDB

pytestmark = pytest.mark.wordpress

PAGE = "/wp-admin/admin.php?page=fluentcrm-sidecar"
SECONDS = 8.0


def bought(site: Site, shopper: Shopper, email: str) -> int:
    shopper.add(site.ids["tea"])
    return int(shopper.classic_checkout(email)["order_id"])


def someone(site: Site, role: str) -> str:
    """The name (and password) of a new user."""
    name = f"{role.replace('_', '')}{secrets.token_hex(3)}"
    site.php(
        "wp_insert_user( array( 'user_login' => $in[0], 'user_pass' => $in[0], 'user_email' => $in[0] . '@staff.example', 'role' => $in[1] ) );",
        [name, role],
    )
    return name


def test_the_sidecar_is_away(live: Live, shopper: Shopper) -> None:
    """Pain 34: The shop sells on, what happens is kept, and it is worked off after the start."""
    site = live.site
    assert live.sidecar.stop() < 5
    order = bought(site, shopper, "away@shop.example")
    waiting = site.outbox(keep=True)
    assert ("order.created", order, 0, "") in waiting
    assert ("order.status", order, 0, "pending>processing") in waiting
    time.sleep(1)
    assert contact(site, "away@shop.example") is None
    assert site.outbox(keep=True) == waiting
    live.sidecar.serve()
    found = eventually(lambda: contact(site, "away@shop.example"), SECONDS)
    live.sidecar.quiet()
    # Not late enough to be history: the owner's automations hear of it.
    assert live.sidecar.hooks(found.id).count("contact_created") == 1


def test_a_shopper_pays_one_insert(live: Live, shopper: Shopper) -> None:
    """Pains 34, 35: of ours a visit has one INSERT, in the request that orders, no HTTP and no scheduled action; and the
    same when the sidecar is stopped."""
    site = live.site
    for email in ("cost@shop.example", "cost2@shop.example"):
        site.requests_log()
        shopper.page("/product/tea/")
        bought(site, shopper, email)
        # What the sidecar asks meanwhile is no shopper's.
        asked = ("wp-json", "rest_route=/fluentcrm-sidecar/")
        log = site.requests_log()
        lines = [line for line in log if line["uri"] != "/" and not any(part in line["uri"] for part in asked)]
        assert len([line for line in lines if "wc-ajax=checkout" in line["uri"]]) == 1
        for line in lines:
            ours = [sql for sql in line["sql"] if "fcsc_" in sql and "wp_options" not in sql]
            assert len(ours) == ("wc-ajax=checkout" in line["uri"]), (line["uri"], ours)
            assert all(sql.startswith("INSERT INTO `wp_fcsc_outbox`") for sql in ours)
            assert [url for url in line["http"] if "wp-cron" not in url] == [], line["uri"]
            assert not [sql for sql in line["sql"] if "fcsc" in sql and "actionscheduler" in sql]
        if email == "cost@shop.example":
            live.sidecar.stop()
    live.sidecar.serve()
    eventually(lambda: contact(site, "cost2@shop.example"), SECONDS)


def test_no_get_of_the_plugin_acts(live: Live, admin: Shopper) -> None:
    """Pain 26: with an administrator's cookies and nonce, what acts is not to be had by GET."""
    page = admin.page(f"{PAGE}&view=sync")
    headers = {"X-WP-Nonce": _rest_nonce(page)}
    base = "/wp-json/fluentcrm-sidecar/v1"
    runs = live.sidecar.run("sync", "status")["runs"]
    for path in ("sync/start", "sync/pause", "sync/undo", "letters/retry", "site/confirm", "privacy/erase"):
        answer = admin.get(f"{base}/proxy/api/v1/{path}?email=before@shop.example&run=1", headers=headers)
        assert answer.status_code == 403, path
    assert admin.get(f"{base}/proxy/api/v1/status", headers=headers).status_code == 200
    assert admin.get(f"{base}/contacts?items[0][op]=erase", headers=headers).status_code == 404
    for action in ("erase", "pause", "undo", "start"):
        admin.page(f"{PAGE}&view=sync&action={action}&run=1&sure=1")
    assert live.sidecar.run("sync", "status")["runs"] == runs
    assert contact(live.site, "before@shop.example") is not None
    assert live.sidecar.run("sync", "resume")["was_paused"] is False


def test_uninstalling_on_a_copy_asks_nobody(tmp_path: Path, mariadb: PrivateMariaDB) -> None:
    """Pain 27: the copy has the pairing of the real site. Deleting the plugin there reaches no sidecar and nobody else."""
    site = StandinSite(tmp_path, mariadb, name="uninstalled_copy")
    try:
        site.make()
        with FakeSidecar() as real:
            site.pair(real.endpoint)
            site.rows("UPDATE wp_options SET option_value = 'http://staging.example' WHERE option_name = 'siteurl'")
            site.requests_log()
            site.php(
                "require_once ABSPATH . 'wp-admin/includes/plugin.php'; deactivate_plugins( $in ); define( 'WP_UNINSTALL_PLUGIN', 'x' );"
                "require WP_PLUGIN_DIR . '/fluentcrm-sidecar/uninstall.php';",
                "fluentcrm-sidecar/fluentcrm-sidecar.php",
            )
            assert real.asked == []
        assert [line["http"] for line in site.requests_log()] == [[]]
        assert site.rows("SHOW TABLES LIKE 'wp\\_fcsc\\_keys'") == []
    finally:
        site.stop()
        mariadb.drop_database("uninstalled_copy")


@contextmanager
def without_plugin(site: Site) -> Iterator[None]:
    """Deactivated, as in wp-admin: its hooks for that run, its tables stay."""
    name = "fluentcrm-sidecar/fluentcrm-sidecar.php"
    load = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
    site.php(load + "deactivate_plugins( $in );", name)
    try:
        yield
    finally:
        # By the option: the header asks for a newer WordPress than the package has.
        site.php(
            "update_option( 'active_plugins', array_merge( get_option( 'active_plugins' ), array( $in ) ) );", name
        )
        site.php("FluentCrmSidecar\\Tables::install();")


def test_the_plugin_is_deactivated(live: Live, shopper: Shopper) -> None:
    """Pains 10, 39: Asking the shop itself keeps contacts right; quietly, for nobody fires FluentCRM's hooks."""
    site = live.site
    live.sidecar.run("tick", "--reconcile")
    with without_plugin(site):
        order = bought(site, shopper, "polled@shop.example")
        assert site.outbox(keep=True) == []
        found = eventually(lambda: contact(site, "polled@shop.example"), 130)
        assert found.fields["woo_orders_count"] == "1"
        site.php("wc_get_order( $in )->update_status( 'cancelled' );", order)
        eventually(lambda: contact(site, "polled@shop.example").fields.get("woo_orders_count", "0") == "0", 130)  # type: ignore[union-attr]
    assert live.sidecar.hooks(found.id) == []
    # Active again, it is live again.
    bought(site, shopper, "again@shop.example")
    eventually(lambda: contact(site, "again@shop.example"), SECONDS)


def test_a_copy_of_the_site_writes_nothing(live: Live, shopper: Shopper) -> None:
    """Pain 27."""
    site = live.site
    was = site.rows("SELECT option_value FROM wp_options WHERE option_name = 'siteurl'")[0][0]
    site.rows("UPDATE wp_options SET option_value = 'http://staging.example' WHERE option_name = 'siteurl'")
    try:
        shown = live.sidecar.run("site", "show", code=1)
        assert len(shown["changed"]) == 1
        bought(site, shopper, "copy@shop.example")
        time.sleep(3)
        assert contact(site, "copy@shop.example") is None
        assert [row[0] for row in site.outbox(keep=True)].count("order.created") == 1
        refused = live.sidecar.run("sync", code=1)
        assert refused["ok"] is False
        assert contact(site, "copy@shop.example") is None
        live.sidecar.run("site", "confirm", "--yes")
        eventually(lambda: contact(site, "copy@shop.example"), SECONDS)
        live.sidecar.quiet()
    finally:
        site.rows("UPDATE wp_options SET option_value = %s WHERE option_name = 'siteurl'", (was,))
        live.sidecar.run("site", "confirm", "--yes")


def test_the_pages_in_wp_admin(live: Live, admin: Shopper, shopper: Shopper) -> None:
    bought(live.site, shopper, "shown@shop.example")
    found = eventually(lambda: contact(live.site, "shown@shop.example"), SECONDS)
    live.sidecar.quiet()
    for view in ("status", "events", "sync", "mapping", f"contact/{found.id}"):
        page = admin.page(f"{PAGE}&view={view}")
        assert 'class="wrap fcsc' in page, view
        assert "notice-error" not in page, view
        assert "fcsc:nonce" not in page
    assert "shown@shop.example" in admin.page(f"{PAGE}&view=contact/{found.id}")
    assert "shown@shop.example" not in live.sidecar.log


# A form's nonce belongs to a user and a session: pages that have no form for somebody give none.
NONCE = "<?php add_action( 'admin_init', function () { if ( isset( $_GET['test_nonce'] ) ) { exit( wp_create_nonce( 'fcsc_admin' ) ); } } );"


@pytest.mark.parametrize("role", ["fcsc_support", "fcsc_crm_manager"])
def test_who_may_not_undo(live: Live, shopper: Shopper, role: str) -> None:
    """Both ask with everything that a browser could have: their login and nonces of their own."""
    site = live.site
    before = site.rows("SELECT COUNT(*) FROM wp_fc_subscribers")
    run = live.sidecar.run("sync", "status")["runs"][-1]["id"]
    shopper.login(someone(site, role))
    page = shopper.page(f"{PAGE}&view=sync")
    assert 'class="wrap fcsc' in page
    answer = shopper.post(
        "/wp-json/fluentcrm-sidecar/v1/proxy/api/v1/sync/undo",
        f'{{"run":{run}}}',
        headers={"X-WP-Nonce": _rest_nonce(page), "Content-Type": "application/json"},
    )
    assert answer.status_code == 403
    extra = site.content / "extra" / "nonce.php"
    extra.write_text(NONCE, "utf-8")
    try:
        nonce = shopper.page("/wp-admin/index.php?test_nonce=1")
    finally:
        extra.unlink()
    form = {"action": "undo", "run": str(run), "sure": "1"}
    assert shopper.post(f"{PAGE}&view=sync", form).status_code == 403  # no nonce at all
    answer = shopper.post(f"{PAGE}&view=sync", {**form, "_wpnonce": nonce}, allow_redirects=False)
    assert "Location" not in answer.headers
    # Support is stopped by the plugin, the CRM manager (who may start a sync) by the sidecar.
    assert ("You may not do this" if role == "fcsc_support" else "your role may not do this") in answer.text
    time.sleep(1)
    assert site.rows("SELECT COUNT(*) FROM wp_fc_subscribers") >= before
    assert all(one["kind"] != "undo" for one in live.sidecar.run("sync", "status")["runs"])


def _rest_nonce(page: str) -> str:
    start = page.index('"nonce":"', page.index("fcscAdmin=")) + len('"nonce":"')
    return page[start : page.index('"', start)]


def test_another_process_on_the_port(live: Live, admin: Shopper) -> None:
    """It knows no key: what it says is not shown, nor is it believed in an erase request."""
    key, endpoint = live.site.rows("SELECT key_id, endpoint FROM wp_fcsc_keys WHERE state = 'current'")[0]
    live.sidecar.stop()
    with FakeSidecar() as stranger:
        stranger.answer = lambda _: Answer("<p>gotcha</p>")
        live.site.rows("UPDATE wp_fcsc_keys SET endpoint = %s WHERE key_id = %s", (stranger.endpoint, key))
        try:
            page = admin.page(f"{PAGE}&view=status")
            assert stranger.asked
            assert not stranger.asked[0].good
            assert "gotcha" not in page
            assert "did not prove" in page
        finally:
            live.site.rows("UPDATE wp_fcsc_keys SET endpoint = %s WHERE key_id = %s", (endpoint, key))
    page = admin.page(f"{PAGE}&view=status")
    assert "sidecar serve" in page  # nobody there: it says how to start it
    live.sidecar.serve()
    assert "did not prove" not in admin.page(f"{PAGE}&view=status")


def test_wp_cli(live: Live) -> None:
    if not live.site.real:
        pytest.skip("WP-CLI is asked for the real site only")
    program = os.environ.get("WP_CLI") or shutil.which("wp")
    if not program:
        pytest.skip("there is no WP-CLI (wp in PATH, or $WP_CLI)")

    def wp(*words: str) -> subprocess.CompletedProcess[str]:
        command = [
            program or "",
            "--allow-root",
            f"--path={live.site.folder}",
            f"--url={live.site.url}",
            "sidecar",
            *words,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    told = wp("status")
    assert told.returncode == 0, told.stderr
    assert "hpos" in told.stdout or "posts" in told.stdout
    live.sidecar.stop()
    told = wp("status")
    assert told.returncode == 1
    assert "sidecar serve" in told.stderr
