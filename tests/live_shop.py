"""A shop that lives: a real WordPress with the plugin, a paired `sidecar serve` beside it, and people in it.

Some of them have names that would be code if a page forgot to escape them, some write from right to left.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from commandline import Bench
from support import ShopDatabase
from wordpress_site import Site

from sidecar.demo.mariadb import PrivateMariaDB

SCRIPT, IMAGE, PERSIAN = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "زهرا محمدی"

# 30 people with 64 orders in the last 200 days: guests and accounts, refunds, hostile and Persian names.
PEOPLE = r"""
$made = array();
$names = array( array( 'Ann', 'Ash' ), array( '<script>alert(1)</script>', 'Hostile' ), array( '"><img src=x onerror=alert(1)>', '\' OR 1=1 --' ), array( 'زهرا', 'محمدی' ), array( 'علی‌رضا', 'کریمی' ),
	array( 'Zoë', 'Łukasz' ), array( 'A very long name that goes on and on', 'Wolfeschlegelsteinhausenbergerdorff' ) );
$products = array( $in['tea'], $in['cup'], $in['red'], $in['blue'] );
for ( $i = 0; $i < 30; $i++ ) {
	list( $first, $last ) = $names[ $i ] ?? array( 'Person' . $i, 'Number' );
	$email = "person$i@example.com";
	$user  = 0;
	if ( 0 === $i % 3 ) {
		$user = wp_insert_user( array( 'user_login' => "person$i", 'user_email' => $email, 'user_pass' => 'x', 'role' => 'customer' ) );
		foreach ( array( 'first_name' => $first, 'last_name' => $last, 'billing_first_name' => $first, 'billing_last_name' => $last, 'favourite_tea' => 0 === $i % 2 ? 'green' : 'black' ) as $key => $value ) { $wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->usermeta} WHERE user_id = %d AND meta_key = %s", $user, $key ) ); $wpdb->insert( $wpdb->usermeta, array( 'user_id' => $user, 'meta_key' => $key, 'meta_value' => $value ) ); }
	}
	for ( $n = 0; $n < 1 + $i % 4; $n++ ) {
		$order = wc_create_order( array( 'customer_id' => $user ) );
		$order->add_product( wc_get_product( $products[ ( $i + $n ) % 4 ] ), 1 + $n );
		$order->set_address( array( 'first_name' => $first, 'last_name' => $last, 'email' => $email, 'phone' => 5 === $i ? '5551234567' : '2127365000', 'country' => 'US', 'state' => 'NY', 'city' => 3 === $i ? 'تهران' : 'Albany', 'postcode' => '12207', 'address_1' => '1 Elm St' ), 'billing' );
		$order->set_date_created( time() - ( 1 + ( $i * 7 + $n * 31 ) % 200 ) * DAY_IN_SECONDS );
		$order->calculate_totals();
		$order->update_meta_data( '_wc_order_attribution_utm_source', array( 'google', 'telegram', '<b>bold</b>' )[ $i % 3 ] );
		$order->update_meta_data( '_wc_order_attribution_source_type', 'utm' );
		$order->update_meta_data( 'gift_note', 0 === $i % 2 ? 'yes' : 'no' );
		$order->update_status( 0 === $i % 9 && 0 === $n ? 'cancelled' : 'completed' );
		$made[] = $order->get_id();
	}
	if ( 0 === $i % 5 ) { wc_create_refund( array( 'order_id' => end( $made ), 'amount' => '5.00' ) ); }
}
$wpdb->update( $wpdb->posts, array( 'post_title' => '<script>alert(2)</script> Cup' ), array( 'ID' => $in['cup'] ) );
$wpdb->query( "UPDATE {$wpdb->prefix}woocommerce_order_items SET order_item_name = '<script>alert(2)</script> Cup' WHERE order_item_name = 'Cup'" );
foreach ( array( 'support' => 'fcsc_support', 'crm' => 'fcsc_crm_manager' ) as $name => $role ) { wp_insert_user( array( 'user_login' => $name, 'user_email' => "$name@example.com", 'user_pass' => $name, 'role' => $role ) ); }
$parsi = wp_insert_user( array( 'user_login' => 'parsi', 'user_email' => 'parsi@example.com', 'user_pass' => 'parsi', 'role' => 'administrator', 'locale' => 'fa_IR' ) );
foreach ( array( 1, $parsi ) as $id ) { update_user_meta( $id, 'show_welcome_panel', 0 ); }
return count( $made );
"""

# Core's Persian language pack is not there; what matters of it is the direction.
DIRECTION = r"""<?php
add_action( 'init', function () { if ( 0 === strpos( get_user_locale(), 'fa' ) && is_admin() || 0 === strpos( get_user_locale(), 'fa' ) && defined( 'REST_REQUEST' ) ) { $GLOBALS['wp_locale']->text_direction = 'rtl'; } }, -100 );
add_action( 'rest_api_init', function () { if ( 0 === strpos( get_user_locale(), 'fa' ) ) { $GLOBALS['wp_locale']->text_direction = 'rtl'; } }, -100 );
"""


class LiveShop:
    """`site` is the WordPress, `bench` the sidecar's command line on the same shop."""

    def __init__(self, folder: Path, server: PrivateMariaDB, storage: str = "hpos") -> None:
        self.site = Site(folder / "site", server, storage, name=f"browser_{storage}")
        self.site.folder.mkdir()
        self.folder = folder
        self.bench: Bench
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Install everything, fill the shop, run the first sync, pair, start both."""
        self.site.make()
        (self.site.content / "extra" / "direction.php").write_text(DIRECTION, "utf-8")
        assert self.site.php(PEOPLE, self.site.ids) > 60
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        database = ShopDatabase(self.site.server, self.site.database, self.site.storage, None)
        self.bench = Bench(
            database,
            self.folder,
            f'[service]\nport = {port}\npoll_seconds = 0.5\n[bridge]\nsite_url = "{self.site.url}"\n',
        )
        self.run("sync")
        self.run("pair")
        self.start(port)

    def run(self, *arguments: str) -> str:
        """A command of the sidecar in a process of its own, at the real time."""
        done = subprocess.run(
            [sys.executable, "-m", "sidecar", "--config", str(self.bench.file), *arguments],
            capture_output=True, text=True, check=False, env=self._environment(), timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: {done.stdout[-1500:]} {done.stderr[-1500:]}"
        return done.stdout

    @staticmethod
    def _environment() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name != "SIDECAR_NOW"}

    def start(self, port: int) -> None:
        """`sidecar serve`, until it answers."""
        with (self.folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sidecar", "--config", str(self.bench.file), "serve"], env=self._environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                with closing(socket.create_connection(("127.0.0.1", port), 1)):
                    return
            except OSError:
                assert self._process.poll() is None, (self.folder / "serve.log").read_text("utf-8")[-2000:]
                time.sleep(0.1)
        raise AssertionError("the sidecar does not answer")

    def stop(self) -> None:
        """End both."""
        if self._process:
            self._process.terminate()
            self._process.wait(15)
            self._process = None
        self.site.stop()

    def contact(self, email: str) -> int:
        """The number of a FluentCRM contact."""
        return int(self.site.rows("SELECT id FROM wp_fc_subscribers WHERE email = %s", (email,))[0][0])

    def order(self, email: str, first: str = "New", last: str = "Buyer") -> int:
        """Somebody buys a tea."""
        code = (
            "$order = wc_create_order(); $order->add_product( wc_get_product( $in[0] ), 1 );"
            "$order->set_address( array( 'first_name' => $in[2], 'last_name' => $in[3], 'email' => $in[1] ), 'billing' );"
            "$order->calculate_totals(); $order->update_status( 'completed' ); return $order->get_id();"
        )
        made: Any = self.site.php(code, [self.site.ids["tea"], email, first, last])
        return int(made)
