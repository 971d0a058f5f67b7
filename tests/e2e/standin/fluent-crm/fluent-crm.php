<?php
/**
 * Plugin Name: FluentCRM (stand-in of the tests)
 * Description: FluentCRM's models as far as the Sidecar's plugin uses them, over FluentCRM's own tables and with its hooks. No automation, no e-mail.
 * Version: 3.1.10
 */

namespace {
	define( 'FLUENTCRM', 'fluentcrm' );
	define( 'FLUENTCRM_PLUGIN_VERSION', '3.1.10' );
	require __DIR__ . '/models.php';
	add_action( 'admin_menu', function () {
		add_menu_page( 'FluentCRM', 'FluentCRM', 'read', 'fluentcrm-admin', '__return_empty_string' );
		do_action( 'fluent_crm/after_core_menu_items', 'read', true );
	} );
	add_action( 'init', function () { do_action( 'fluent_crm/after_init' ); }, 20 );
}

namespace FluentCrm\App\Services {
	class PermissionManager {
		public static function currentUserCan( $permission ) { return current_user_can( 'manage_options' ); }
	}
	class Helper {
		public static function deleteContacts( array $ids ) {
			global $wpdb;
			do_action( 'fluentcrm_before_subscribers_deleted', $ids );
			foreach ( $ids as $id ) {
				$wpdb->delete( "{$wpdb->prefix}fc_subscribers", array( 'id' => $id ) );
				$wpdb->delete( "{$wpdb->prefix}fc_subscriber_meta", array( 'subscriber_id' => $id ) );
				$wpdb->delete( "{$wpdb->prefix}fc_subscriber_pivot", array( 'subscriber_id' => $id ) );
			}
			do_action( 'fluentcrm_after_subscribers_deleted', $ids );
		}
	}
}
