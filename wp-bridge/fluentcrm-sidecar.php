<?php
/**
 * Plugin Name:       FluentCRM Sidecar
 * Plugin URI:        https://wordpress.org/plugins/fluentcrm-sidecar/
 * Description:       Tells the FluentCRM Sidecar on your own server what changes in the shop, and writes its results to FluentCRM.
 * Version:           1.0.0
 * Requires at least: 6.5
 * Requires PHP:      7.4
 * Requires Plugins:  woocommerce
 * WC requires at least: 8.2
 * WC tested up to:   10.9
 * Author:            FluentCRM Sidecar contributors
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       fluentcrm-sidecar
 * Domain Path:       /languages
 *
 * @package FluentCrmSidecar
 */

namespace FluentCrmSidecar;

defined( 'ABSPATH' ) || exit;

const VERSION = '1.0.0';
const FILE    = __FILE__;

spl_autoload_register( static function ( $name ) {
	$file = __DIR__ . '/src/' . substr( $name, strlen( __NAMESPACE__ ) + 1 ) . '.php';
	if ( 0 === strpos( $name, __NAMESPACE__ . '\\' ) && is_file( $file ) ) {
		require $file;
	}
} );

register_activation_hook( __FILE__, static fn( $network = false ) => Tables::each( (bool) $network, array( Tables::class, 'install' ) ) );
register_deactivation_hook( __FILE__, static fn( $network = false ) => Tables::each( (bool) $network, static fn() => wp_clear_scheduled_hook( 'fcsc_cleanup' ) ) );
Plugin::register();
