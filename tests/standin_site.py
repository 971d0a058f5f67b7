"""The distribution's WordPress, with stand-ins for WooCommerce and FluentCRM over these plugins' own tables.

WordPress is real: its hooks, REST, users, cookies and database. tests/e2e/standin/ has the calls of the two plugins that
ours uses, and no more; `Site` with $WP_ROOT has the real ones. Orders are in WooCommerce's own tables.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

import pytest
from wordpress_site import HERE, Site

from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.schema import statements

PACKAGE = Path("/usr/share/wordpress")
STANDIN = HERE / "e2e" / "standin"
PLUGINS = ["woocommerce/woocommerce.php", "fluent-crm/fluent-crm.php", "fluentcrm-sidecar/fluentcrm-sidecar.php"]

# Option by option, not by activate_plugin(): the header "Requires at least: 6.5" is above what the package has.
SETUP = r"""
foreach ( array( 'woocommerce_currency' => 'USD', 'woocommerce_default_country' => 'US:NY', 'woocommerce_custom_orders_table_enabled' => 'yes',
	'woocommerce_custom_orders_table_data_sync_enabled' => 'no', 'woocommerce_version' => '10.9.1', 'woocommerce_db_version' => '10.9.1',
	'_fluentcrm_db_version' => '2.10.10', 'template' => 'standin', 'stylesheet' => 'standin', 'active_plugins' => $in ) as $name => $value ) { update_option( $name, $value ); }
add_role( 'customer', 'Customer', array( 'read' => true ) );
add_role( 'shop_manager', 'Shop manager', get_role( 'editor' )->capabilities + array( 'manage_woocommerce' => true ) );
get_role( 'administrator' )->add_cap( 'manage_woocommerce' );
"""
FILL = r"""
FluentCrmSidecar\Tables::install();
wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'classic-checkout', 'post_title' => 'Classic', 'post_content' => '[woocommerce_checkout]' ) );
$ids = array();
foreach ( array( 'tea' => '10', 'cup' => '20' ) as $slug => $price ) {
	$ids[ $slug ] = wp_insert_post( array( 'post_type' => 'product', 'post_status' => 'publish', 'post_name' => $slug, 'post_title' => ucfirst( $slug ), 'meta_input' => array( '_price' => $price, '_sku' => $slug ) ) );
	$wpdb->insert( "{$wpdb->prefix}wc_product_meta_lookup", array( 'product_id' => $ids[ $slug ], 'sku' => $slug, 'min_price' => $price, 'max_price' => $price ) );
}
wp_insert_user( array( 'user_login' => 'shop', 'user_email' => 'shop@example.com', 'user_pass' => 'shop', 'role' => 'shop_manager' ) );
foreach ( array( 'VIP', 'New' ) as $title ) { $ids[ $title ] = (int) FluentCrm\App\Models\Tag::create( array( 'title' => $title, 'slug' => sanitize_title( $title ) ) )->id; }
flush_rewrite_rules();
return $ids;
"""


def wordpress_package() -> None:
    """Skips, with the reason, where the package or PHP is missing; fails instead in CI (REQUIRE_WORDPRESS=1)."""
    reasons = [
        reason
        for reason, missing in (
            ("there is no php", shutil.which("php") is None),
            ("the package wordpress is not installed (make setup)", not (PACKAGE / "wp-settings.php").exists()),
        )
        if missing
    ]
    if reasons:
        (pytest.fail if os.environ.get("REQUIRE_WORDPRESS") == "1" else pytest.skip)("; ".join(reasons))


class StandinSite(Site):
    """One shop without WooCommerce's and FluentCRM's code."""

    real = False

    def __init__(self, folder: Path, server: PrivateMariaDB, *, name: str = "wordpress_standin") -> None:
        super().__init__(folder, server, "hpos", name=name)

    def make(self) -> None:
        wordpress_package()
        themes = self.folder / "themes"
        themes.mkdir()
        (themes / "standin").symlink_to(STANDIN / "theme")
        self.lay_out(PACKAGE, themes, {"woocommerce": STANDIN / "woocommerce", "fluent-crm": STANDIN / "fluent-crm"})
        (self.content / "db.php").symlink_to(STANDIN / "db.php")
        self.install()
        own = ("options", "users", "usermeta", "posts", "postmeta", "comments", "commentmeta", "term")
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements(prefix="wp_", hpos_tables=True, fluentcrm="3.1"):
                found = re.match(r"CREATE TABLE `wp_(\w+)`", statement)
                assert found
                if not found[1].startswith(own):
                    cursor.execute(statement)
        self.php(SETUP, PLUGINS)
        self.ids = self.php(FILL)
        self.start()
