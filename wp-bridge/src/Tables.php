<?php
// Tables, options and the clean-up, per blog.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Loaded by uninstall.php too: uses nothing but WordPress. */
final class Tables {
	const SCHEMA        = '3';
	const OUTBOX_DAYS   = 14;
	/** Of the outbox, of carts, and of subscriptions to Web Push that are nobody's. */
	const ROWS          = 200000;
	const NONCE_SECONDS = 600;
	/** How long a key is remembered that the sidecar may ask for twice. */
	const SENT_DAYS     = 30;

	public static function name( string $table ): string {
		global $wpdb;
		return $wpdb->prefix . 'fcsc_' . $table;
	}

	/** `$work` without a complaint in the log where a table is missing or the database fails. */
	public static function quietly( callable $work ) {
		global $wpdb;
		$quiet = $wpdb->suppress_errors( true );
		try {
			return $work();
		} finally {
			$wpdb->suppress_errors( $quiet );
		}
	}

	/** A statement with texts. Of a table with columns in ASCII (hex digits) WordPress believes that all is, and refuses any query with other letters. */
	public static function write( string $sql ) {
		$charset = fn() => $GLOBALS['wpdb']->charset;
		add_filter( 'pre_get_table_charset', $charset, 99 );
		try {
			return self::quietly( fn() => $GLOBALS['wpdb']->query( $sql ) ); // phpcs:ignore WordPress.DB -- prepared by who calls
		} finally {
			remove_filter( 'pre_get_table_charset', $charset, 99 );
		}
	}

	/** A blog that is made while the plugin is active in the whole network. */
	public static function new_blog( $site ) {
		if ( is_plugin_active_for_network( plugin_basename( FILE ) ) ) {
			switch_to_blog( (int) $site->blog_id );
			self::install();
			restore_current_blog();
		}
	}

	/** After an update of the plugin; never in a shopper's request. */
	public static function upgrade() {
		if ( get_option( 'fcsc_db_version' ) !== self::SCHEMA && ( is_admin() || wp_doing_cron() || ( defined( 'WP_CLI' ) && WP_CLI ) ) ) {
			self::install();
		}
	}

	public static function install() {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$made = file_get_contents( dirname( __DIR__ ) . '/sql/tables.sql' ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- a file of ours
		dbDelta( strtr( $made, array( '{p}' => $wpdb->prefix, '{end}' => 'ENGINE=InnoDB ' . $wpdb->get_charset_collate() ) ) );
		add_option( Settings::OPTION, Settings::DEFAULTS, '', true );
		add_option( 'fcsc_wordings', array(), '', true );
		add_option( 'fcsc_suppression_key', bin2hex( random_bytes( 32 ) ), '', false );
		add_option( 'fcsc_link_key', bin2hex( random_bytes( 32 ) ), '', false ); // Links::KEY
		Roles::add();
		if ( ! wp_next_scheduled( 'fcsc_cleanup' ) ) {
			wp_schedule_event( time() + HOUR_IN_SECONDS, 'daily', 'fcsc_cleanup' );
		}
		update_option( 'fcsc_db_version', self::SCHEMA, true );
	}

	/** A sidecar that is down for weeks must not fill the disk; a cart is kept as long as the owner says. */
	public static function cleanup() {
		global $wpdb;
		$quiet  = $wpdb->suppress_errors( true );
		$outbox = self::name( 'outbox' );
		// Found by reading, which locks nothing: a delete that looks at the whole table would hold up the shop's own inserts.
		$young = $wpdb->get_var( $wpdb->prepare( 'SELECT COALESCE((SELECT id FROM %i WHERE created_ms >= %d ORDER BY id LIMIT 1), MAX(id) + 1) FROM %i', $outbox, ( time() - self::OUTBOX_DAYS * DAY_IN_SECONDS ) * 1000, $outbox ) );
		self::delete( $outbox, 'id < %d', (int) $young );
		array_map( array( self::class, 'bound' ), array( 'outbox', 'carts', 'push' ) );
		self::delete( self::name( 'carts' ), 'updated_gmt < %s', gmdate( 'Y-m-d H:i:s', time() - Settings::get( 'cart_days' ) * DAY_IN_SECONDS ) );
		self::delete( self::name( 'sent' ), "kind <> 'box' AND created_gmt < %s", gmdate( 'Y-m-d H:i:s', time() - self::SENT_DAYS * DAY_IN_SECONDS ) );
		self::delete( self::name( 'push' ), 'user_id = 0 AND order_id = 0 AND created_gmt < %s', gmdate( 'Y-m-d H:i:s', time() - Push::OWNERLESS * DAY_IN_SECONDS ) );
		self::delete( self::name( 'nonces' ), 'seen < %d', time() - self::NONCE_SECONDS );
		$wpdb->suppress_errors( $quiet );
	}

	/** Beyond so many rows the oldest go. A robot that takes a new cookie for each request must not fill the disk before the daily clean-up. */
	public static function bound( string $table ) {
		global $wpdb;
		$nobody = 'push' === $table ? ' AND user_id = 0 AND order_id = 0' : '';
		$floor  = (int) $wpdb->get_var( $wpdb->prepare( "SELECT id FROM %i WHERE id > 0$nobody ORDER BY id DESC LIMIT %d, 1", self::name( $table ), self::ROWS ) ); // phpcs:ignore WordPress.DB
		$floor && self::delete( self::name( $table ), "id <= %d$nobody", $floor );
	}

	/** The same after one in a hundred of the requests by which visitors make rows; never in a page's own. */
	public static function bound_now_and_then( string $table ) {
		if ( 0 === random_int( 0, 99 ) ) {
			self::quietly( fn() => self::bound( $table ) );
		}
	}

	/** In bites: a delete of 200,000 rows at once would hold up the shop's own inserts. */
	private static function delete( string $table, string $where, $value ) {
		global $wpdb;
		do {
			$rows = (int) $wpdb->query( $wpdb->prepare( "DELETE FROM %i WHERE $where LIMIT 5000", $table, $value ) ); // phpcs:ignore WordPress.DB
		} while ( 5000 === $rows );
	}

	/** A blog that is deleted takes its tables with it. */
	public static function of_blog( $tables, $blog = 0 ) {
		global $wpdb;
		$prefix = $wpdb->get_blog_prefix( $blog ) . 'fcsc_';
		return array_merge( $tables, array_map( fn( $table ) => $prefix . $table, array( 'outbox', 'carts', 'keys', 'nonces', 'sent', 'push', 'suppressed', 'consents' ) ) );
	}

	/** For uninstall.php. The sidecar's own tables (fcsc_undo, fcsc_owned) are not ours. */
	public static function remove( bool $all ) {
		global $wpdb;
		foreach ( array_merge( array( 'outbox', 'carts', 'keys', 'nonces', 'sent', 'push' ), $all ? array( 'suppressed', 'consents' ) : array() ) as $table ) {
			$wpdb->query( $wpdb->prepare( 'DROP TABLE IF EXISTS %i', self::name( $table ) ) ); // phpcs:ignore WordPress.DB
		}
		foreach ( array_merge( array( 'fcsc_db_version', 'fcsc_settings', 'fcsc_wordings', 'fcsc_link_key', 'fcsc_push_key' ), $all ? array( 'fcsc_suppression_key' ) : array() ) as $option ) {
			delete_option( $option );
		}
		remove_role( 'fcsc_crm_manager' );
		remove_role( 'fcsc_support' );
		wp_clear_scheduled_hook( 'fcsc_cleanup' );
	}

	/** `$work` on this blog, or in turn on all of the network. */
	public static function each( bool $network, callable $work ) {
		if ( ! $network || ! is_multisite() ) {
			$work();
			return;
		}
		foreach ( get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) as $blog ) {
			switch_to_blog( (int) $blog );
			$work();
			restore_current_blog();
		}
	}
}
