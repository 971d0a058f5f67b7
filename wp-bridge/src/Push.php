<?php
// Web Push: the button, who wants notifications in which browser, and the worker that shows them.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** The browser is never asked without a click. The sidecar sends, and gives the key; without a key there is no button. */
final class Push {
	const KEY       = 'fcsc_push_key';
	const WORKER    = 'fcsc_sw';
	/** A scope of its own, where no page is: the worker of an app or of another plugin stays what it is. */
	const SCOPE     = 'fcsc-push/';
	const OWNERLESS = 180;

	/** `[fcsc_push]`; `$order`: the one that the page thanks for. */
	public static function button( int $order = 0 ): string {
		$key = (string) get_option( self::KEY );
		if ( '' === $key || ! class_exists( 'WooCommerce' ) ) {
			return '';
		}
		$home    = trailingslashit( set_url_scheme( (string) get_option( 'home' ) ) ); // a filter may put a language behind home_url()
		$wording = wp_strip_all_tags( (string) apply_filters( 'fcsc_consent_wording', __( 'Show me news and offers as notifications in this browser', 'fluentcrm-sidecar' ), 'push' ) );
		$page    = array( 'key' => $key, 'url' => \WC_AJAX::get_endpoint( 'fcsc_push' ), 'worker' => "$home?" . self::WORKER . '=1', 'scope' => $home . self::SCOPE, 'mark' => Consents::mark( $wording ), 'order' => $order, 'user' => (int) is_user_logged_in() );
		wp_enqueue_script( 'fcsc-push', plugins_url( 'assets/push.js', FILE ), array(), VERSION, array( 'strategy' => 'defer', 'in_footer' => true ) );
		return sprintf(
			'<p class="fcsc-push" hidden data-page="%s" data-on="%s" data-off="%s" data-blocked="%s" data-failed="%s"><button type="button" class="button" aria-pressed="false"></button> <span role="status"></span></p>',
			esc_attr( (string) wp_json_encode( $page ) ), esc_attr( $wording ), esc_attr__( 'No more notifications in this browser', 'fluentcrm-sidecar' ),
			esc_attr__( 'This browser does not let us notify you. You can change that in its settings for this page.', 'fluentcrm-sidecar' ), esc_attr__( 'That did not work. Please try again later.', 'fluentcrm-sidecar' )
		);
	}

	/** Where the owner wants it: on the page that thanks (`$order`), and in My account. */
	public static function offer( $order = 0 ) {
		echo Settings::get( 'push' ) ? self::button( (int) $order ) : ''; // phpcs:ignore WordPress.Security.EscapeOutput -- escaped there
	}

	/** At the root of the site, whatever its permalinks: a script from the plugin's folder (or a CDN) may not serve the whole shop. */
	public static function worker() {
		if ( ! isset( $_GET[ self::WORKER ] ) ) { // phpcs:ignore WordPress.Security.NonceVerification
			return;
		}
		array_map( 'header', array( 'Content-Type: text/javascript; charset=UTF-8', 'Service-Worker-Allowed: ' . trailingslashit( (string) wp_parse_url( (string) get_option( 'home' ), PHP_URL_PATH ) ), 'Cache-Control: no-cache', 'X-Robots-Tag: noindex', 'X-Content-Type-Options: nosniff' ) );
		echo 'self.fcsc=' . wp_json_encode( array( 'name' => get_bloginfo( 'name' ), 'icon' => get_site_icon_url( 192 ) ) ) . ";\n"; // phpcs:ignore
		readfile( dirname( __DIR__ ) . '/assets/sw.js' ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- a file of ours
		exit;
	}

	/** What push.js and the worker say. The answer is 204, whatever it was: there is nothing to learn here. */
	public static function serve() {
		nocache_headers();
		status_header( 204 );
		$said     = Beacon::said();
		$endpoint = (string) ( $said['endpoint'] ?? '' );
		if ( preg_match( '#^https://[^\s"<>\\\\]{4,990}$#D', $endpoint ) && '' !== (string) get_option( self::KEY ) ) {
			$known = self::find( $endpoint );
			empty( $said['stop'] ) ? self::keep( $endpoint, $said, $known ) : self::stop( $known );
		}
		exit;
	}

	/** A click makes a subscription, and it is theirs who clicked. Without one a known one may get another address (`old`), or an owner when it has none. */
	private static function keep( string $endpoint, array $said, array $known ) {
		global $wpdb;
		$click = ! empty( $said['click'] );
		$known = ! $known && ! empty( $said['old'] ) ? self::find( (string) $said['old'] ) : $known;
		$keys  = array( 'p256dh' => (string) ( $said['p256dh'] ?? '' ), 'auth' => (string) ( $said['auth'] ?? '' ) );
		if ( ( ! $known && ! $click ) || ! preg_match( '/^B[\w-]{86}$/D', $keys['p256dh'] ) || ! preg_match( '/^[\w-]{22}$/D', $keys['auth'] ) ) {
			return;
		}
		$order   = empty( $said['order'] ) ? null : wc_get_order( absint( $said['order'] ) );
		$mine    = $order instanceof \WC_Order && hash_equals( $order->get_order_key(), (string) ( $said['key'] ?? '' ) ); // as on the page that thanks
		$owner   = array( 'user_id' => get_current_user_id(), 'order_id' => $mine ? $order->get_id() : 0 );
		$owned   = array_filter( $owner );
		$claimed = $click || ( $owned && ! (int) $known['user_id'] && ! (int) $known['order_id'] );
		$row     = array( 'endpoint' => $endpoint, 'endpoint_hash' => hash( 'sha256', $endpoint ) ) + $keys;
		$row    += $claimed ? $owner + array( 'visitor' => 'none' === Beacon::allowed() ? '' : Beacon::visitor() ) : array();
		$row    += $click ? array( 'wording' => substr( sanitize_key( $said['mark'] ?? '' ), 0, 12 ), 'created_gmt' => gmdate( 'Y-m-d H:i:s' ) ) : array();
		$done    = Tables::quietly( fn() => $known ? $wpdb->update( Tables::name( 'push' ), $row, array( 'id' => $known['id'] ) ) : $wpdb->insert( Tables::name( 'push' ), $row ) );
		$known || Tables::bound_now_and_then( 'push' );
		if ( false !== $done && $claimed && $owned ) {
			self::say( 'given', $row + $known ); // said when it was clicked: what was taken back since then stays so
		}
	}

	private static function stop( array $known ) {
		global $wpdb;
		if ( $known && $wpdb->delete( Tables::name( 'push' ), array( 'id' => $known['id'] ) ) && ( (int) $known['user_id'] || (int) $known['order_id'] ) ) {
			self::say( 'withdrawn', array( 'created_gmt' => gmdate( 'Y-m-d H:i:s' ), 'wording' => '' ) + $known );
		}
	}

	private static function say( string $state, array $row ) {
		$known = (array) get_option( 'fcsc_wordings', array() );
		Consents::add( array( 'channel' => 'push', 'state' => $state, 'source' => 'push', 'wording' => (string) ( $known[ $row['wording'] ] ?? '' ) ) + array_intersect_key( $row, array( 'user_id' => 1, 'order_id' => 1, 'created_gmt' => 1 ) ) );
	}

	/** The row of an address at a push service; empty when there is none. */
	private static function find( string $endpoint ): array {
		global $wpdb;
		return (array) Tables::quietly( fn() => $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM %i WHERE endpoint_hash = %s', Tables::name( 'push' ), hash( 'sha256', $endpoint ) ), ARRAY_A ) );
	}

	/** Those of an account, of orders and of browsers. */
	public static function rows( int $user, array $orders, array $visitors ): array {
		global $wpdb;
		$orders = implode( ',', array_map( 'intval', $orders ) );
		$marks  = implode( ',', array_fill( 0, count( $visitors ), '%s' ) );
		$sql    = 'SELECT * FROM %i WHERE (user_id > 0 AND user_id = %d)' . ( '' === $orders ? '' : " OR order_id IN ($orders)" ) . ( '' === $marks ? '' : " OR (user_id = 0 AND order_id = 0 AND visitor IN ($marks))" ) . ' ORDER BY id';
		return (array) Tables::quietly( fn() => $wpdb->get_results( $wpdb->prepare( $sql, array_merge( array( Tables::name( 'push' ), $user ), array_values( $visitors ) ) ), ARRAY_A ) ); // phpcs:ignore WordPress.DB -- whole numbers, and a mark for each
	}

	/** POST /push: the sidecar's `key`, or a subscription that is `gone` (SHA-256 of its address). @return array<int,array{state:string,reason:string}> In their order. */
	public static function tell( array $items ): array {
		global $wpdb;
		return array_map( static function ( $item ) use ( $wpdb ) {
			if ( is_array( $item ) && is_string( $item['key'] ?? null ) && preg_match( '/^B[\w-]{86}$/D', $item['key'] ) ) {
				update_option( self::KEY, $item['key'], true );
			} elseif ( is_array( $item ) && is_string( $item['gone'] ?? null ) && preg_match( '/^[0-9a-f]{64}$/D', $item['gone'] ) ) {
				$wpdb->delete( Tables::name( 'push' ), array( 'endpoint_hash' => $item['gone'] ) );
			} else {
				return array( 'state' => 'refused', 'reason' => 'a key or a hash' );
			}
			return array( 'state' => 'done', 'reason' => '' );
		}, array_values( $items ) );
	}
}
