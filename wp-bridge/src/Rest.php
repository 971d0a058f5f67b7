<?php
// The REST routes: those for the sidecar (signed), and one for the staff's browsers (cookie and nonce).
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** `fluentcrm-sidecar/v1`. Answers to signed requests are signed. */
final class Rest {
	const SPACE     = 'fluentcrm-sidecar/v1';
	const MAX_BYTES = 1048576;
	/** Each takes a list of items and gives an outcome for each. */
	const BATCHES = array(
		'/contacts' => array( ContactWriter::class, 'write' ), '/automation-contacts' => array( ContactWriter::class, 'automate' ),
		'/messages' => array( Messages::class, 'queue' ), '/coupons' => array( Coupons::class, 'make' ), '/notes' => array( Notes::class, 'write' ),
		'/sent'     => array( Batch::class, 'known' ), '/consents' => array( Consents::class, 'settle' ),
	);

	/** @var array{secret:string,nonce:string}|null What the request that is being served was signed with. */
	private static $signed = null;
	/** @var array{0:\WP_REST_Request,1:mixed}|null */
	private static $asked = null;

	public static function routes() {
		$route = static function ( string $path, string $method, array $callback, array $permission ) {
			register_rest_route( self::SPACE, $path, array( 'methods' => $method, 'callback' => $callback, 'permission_callback' => $permission, 'show_in_index' => false ) );
		};
		$route( '/status', 'GET', array( self::class, 'status' ), array( self::class, 'verify' ) );
		foreach ( array_keys( self::BATCHES ) as $path ) {
			$route( $path, 'POST', array( self::class, 'batch' ), array( self::class, 'verify' ) );
		}
		$route( '/proxy/(?P<path>[a-z0-9/_.-]+)', 'GET, POST', array( Proxy::class, 'rest' ), array( Proxy::class, 'permitted' ) );
	}

	/** WordPress asks the permission again, for the header Allow: the nonce would then be a used one. */
	public static function verify( \WP_REST_Request $request ) {
		if ( ! self::$asked || self::$asked[0] !== $request ) {
			self::$asked = array( $request, self::check( $request ) );
		}
		return self::$asked[1];
	}

	/** Wrong key, signature, time or nonce: one answer for all, and no hint which it was. */
	private static function check( \WP_REST_Request $request ) {
		$body = (string) $request->get_body();
		if ( strlen( $body ) > self::MAX_BYTES ) {
			return new \WP_Error( 'fcsc_too_large', 'Body too large', array( 'status' => 413 ) );
		}
		list( $id, $time, $nonce, $actor, $mac ) = array_map( fn( $name ) => (string) $request->get_header( "x_fcsc_$name" ), array( 'key', 'timestamp', 'nonce', 'actor', 'signature' ) );
		$query = array_diff_key( $request->get_query_params(), array( 'rest_route' => 1 ) );
		$key   = Signer::acceptable( $id, $time, $nonce, $actor, time() ) ? Keys::find( $id ) : null;
		$right = $key && hash_equals( Signer::sign( $key['secret'], $request->get_method(), Signer::target( $request->get_route(), $query ), $time, $nonce, $actor, $body ), $mac );
		if ( ! $right || ! Keys::unused( $nonce ) ) {
			return new \WP_Error( 'fcsc_unauthorized', 'Unauthorized', array( 'status' => 401 ) );
		}
		self::$signed = array( 'secret' => $key['secret'], 'nonce' => $nonce );
		Tables::SCHEMA === get_option( 'fcsc_db_version' ) || Tables::install(); // the plugin is new, and nobody of the staff has come by yet
		return true;
	}

	/** WordPress would encode and send the answer after the last filter: to sign its bytes we send them ourselves. */
	public static function serve( $served, $result, $request, $server ) {
		if ( $served || 0 !== strpos( $request->get_route(), '/' . self::SPACE ) || ! $result instanceof \WP_REST_Response ) {
			return $served;
		}
		$server->send_header( 'Cache-Control', 'no-store' );
		$body = isset( $result->get_headers()['Content-Type'] ) ? (string) $result->get_data() : (string) wp_json_encode( $server->response_to_data( $result, false ) );
		if ( self::$signed ) {
			$server->send_header( 'X-FCSC-Signature', Signer::response( self::$signed['secret'], $result->get_status(), self::$signed['nonce'], $body ) );
		}
		echo $body; // phpcs:ignore WordPress.Security.EscapeOutput -- JSON, or what the sidecar has signed
		return true;
	}

	public static function batch( \WP_REST_Request $request ) {
		$items = $request->get_json_params()['items'] ?? null;
		if ( ! is_array( $items ) || count( $items ) > Batch::LIMIT ) {
			return new \WP_Error( 'fcsc_bad_items', 'items: a list of at most ' . Batch::LIMIT, array( 'status' => 400 ) );
		}
		list( $class, $method ) = self::BATCHES[ substr( $request->get_route(), strlen( '/' . self::SPACE ) ) ];
		return new \WP_REST_Response( array( 'outcomes' => ( new $class() )->$method( $items ) ) );
	}

	public static function status() {
		global $wpdb;
		$table    = Tables::name( 'outbox' );
		$woo      = class_exists( 'WooCommerce' );
		$statuses = $woo ? wc_get_order_statuses() : array();
		return new \WP_REST_Response( array(
			'plugin'         => VERSION,
			'site_url'       => site_url(), 'home_url' => home_url(),
			'wordpress'      => get_bloginfo( 'version' ), 'php' => PHP_VERSION,
			'woocommerce'    => defined( 'WC_VERSION' ) ? WC_VERSION : '', 'fluentcrm' => defined( 'FLUENTCRM_PLUGIN_VERSION' ) ? FLUENTCRM_PLUGIN_VERSION : '',
			'storage'        => 'yes' === get_option( 'woocommerce_custom_orders_table_enabled' ) ? 'hpos' : 'posts',
			'sync_on'        => 'yes' === get_option( 'woocommerce_custom_orders_table_data_sync_enabled' ),
			'timezone'       => wp_timezone_string(), 'locale' => get_locale(),
			'paid_statuses'  => $woo ? array_values( wc_get_is_paid_statuses() ) : array(),
			'order_statuses' => (object) array_combine( preg_replace( '/^wc-/', '', array_keys( $statuses ) ), $statuses ),
			'outbox'         => array(
				'rows'      => (int) $wpdb->get_var( $wpdb->prepare( 'SELECT COUNT(*) FROM %i', $table ) ),
				'oldest_ms' => (int) $wpdb->get_var( $wpdb->prepare( 'SELECT created_ms FROM %i ORDER BY id LIMIT 1', $table ) ),
			),
			'user'           => 'sidecar', 'now' => time(),
		) );
	}
}
