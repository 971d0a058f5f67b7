<?php
/**
 * Plugin Name: FluentCRM (stand-in of the tests)
 * Description: FluentCRM's models as far as the Sidecar's plugin uses them, over FluentCRM's own tables and with its hooks. No automation, and nothing is sent.
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
	function fluentcrmTrackClicking() { return true; }
	function fluentCrmDb() {
		return new class() {
			public function table( $name ) { return new \FluentCrm\App\Models\Query( \FluentCrm\App\Models\CustomEmailCampaign::class ); } // the only one asked for
		};
	}
	function fluentcrm_get_custom_contact_fields() { return array( array( 'slug' => 'size' ) ); }
	// The sender: here it only counts how often it is asked to work.
	add_action( 'wp_ajax_nopriv_fluentcrm-post-campaigns-send-now', function () { file_put_contents( WP_CONTENT_DIR . '/sender.log', 'x', FILE_APPEND ); wp_die(); } );
}

namespace FluentCrm\App\Services {
	class PermissionManager {
		public static function currentUserCan( $permission ) { return current_user_can( 'manage_options' ); }
	}
	class Helper {
		public static function getDefaultEmailTemplate() { return 'simple'; }
		public static function getTemplateConfig( $name ) { return array( 'template' => $name ); }
		public static function getFooterConfig( $campaign ) { return array( 'footer_content' => '<a href="##crm.unsubscribe_url##">Leave</a>' ); }
		public static function getMailHeadersFromSettings( $settings ) { return array(); }
		public static function urlReplaces( $html ) {
			preg_match_all( '/href="(http[^"]*)"/', $html, $found );
			return array_combine( $found[0], array_map( fn( $url ) => home_url( '/?ns_url=' . substr( md5( $url ), 0, 6 ) ), $found[1] ) );
		}
		public static function attachUrls( $html, $urls, $id, $hash ) {
			return strtr( $html, array_map( fn( $url ) => "href=\"$url&mid=$id&fch=" . substr( $hash, 0, 8 ) . '"', $urls ) );
		}
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
