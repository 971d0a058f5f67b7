<?php
// Who may be watched, the script, and the light endpoint it posts to.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** A wc-ajax endpoint: the cart, the session and the user are loaded as for any of WooCommerce's own. No nonce: pages are cached. */
final class Beacon {
	const MAX_BYTES = 4096;
	const COOKIE    = 'fcsc_visitor';
	const DAYS      = 180;

	/** The visitor's id when there is one: 32 hex digits, else ''. */
	public static function visitor(): string {
		$cookie = isset( $_COOKIE[ self::COOKIE ] ) ? sanitize_key( wp_unslash( $_COOKIE[ self::COOKIE ] ) ) : '';
		return preg_match( '/^[0-9a-f]{32}$/', $cookie ) ? $cookie : '';
	}

	/** Staff at work and robots. */
	public static function ignored(): bool {
		$agent = isset( $_SERVER['HTTP_USER_AGENT'] ) ? sanitize_text_field( wp_unslash( $_SERVER['HTTP_USER_AGENT'] ) ) : '';
		return is_admin() && ! wp_doing_ajax() || current_user_can( 'edit_posts' ) || current_user_can( 'manage_woocommerce' )
			|| preg_match( '/bot\b|crawl|spider|slurp|preview|headless|lighthouse|monitor|^$/i', $agent );
	}

	/** What the visitor of this request allows, one of Settings::BASES. An active WP Consent API alone decides; else the owner does. */
	public static function allowed(): string {
		$asked = function_exists( 'wp_has_consent' ) ? ( wp_has_consent( 'marketing' ) ? 'email' : 'none' ) : Settings::get( 'basis' );
		return Settings::get( 'capture' ) ? $asked : 'none';
	}

	/** The script asks again in the browser: consent may come, or go, after the page was made or cached. */
	public static function script() {
		$asks = function_exists( 'wp_has_consent' );
		if ( ! class_exists( 'WooCommerce' ) || ! Settings::get( 'capture' ) || ( ! $asks && 'none' === Settings::get( 'basis' ) ) || self::ignored() ) {
			return;
		}
		$page = array( 'url' => \WC_AJAX::get_endpoint( 'fcsc_beacon' ), 'basis' => $asks ? 'ask' : Settings::get( 'basis' ) );
		$page += is_product() ? array( 'view' => get_queried_object_id() ) : array();
		$page += is_order_received_page() ? array( 'order' => absint( get_query_var( 'order-received' ) ) ) : ( is_checkout() ? array( 'checkout' => 1 ) : array() );
		$needs = wp_script_is( 'wp-consent-api', 'registered' ) ? array( 'wp-consent-api' ) : array();
		wp_enqueue_script( 'fcsc-beacon', plugins_url( 'assets/beacon.js', FILE ), $needs, VERSION, array( 'strategy' => 'defer', 'in_footer' => true ) );
		wp_add_inline_script( 'fcsc-beacon', 'window.fcscPage=' . wp_json_encode( $page ) . ';', 'before' );
	}

	/** Answers 204, whatever it was: there is nothing to learn here. */
	public static function serve() {
		nocache_headers();
		status_header( 204 );
		$said = self::said();
		if ( $said && ! self::ignored() ) {
			self::note( $said );
		}
		exit;
	}

	/** The body as an array, empty for what no page of ours sent. */
	public static function said(): array {
		$method = isset( $_SERVER['REQUEST_METHOD'] ) ? sanitize_key( $_SERVER['REQUEST_METHOD'] ) : '';
		$origin = isset( $_SERVER['HTTP_ORIGIN'] ) ? sanitize_text_field( wp_unslash( $_SERVER['HTTP_ORIGIN'] ) ) : '';
		$length = isset( $_SERVER['CONTENT_LENGTH'] ) ? (int) $_SERVER['CONTENT_LENGTH'] : 0;
		if ( 'post' !== $method || $length > self::MAX_BYTES || ( '' !== $origin && wp_parse_url( $origin, PHP_URL_HOST ) !== wp_parse_url( home_url(), PHP_URL_HOST ) ) ) {
			return array();
		}
		$said = json_decode( (string) file_get_contents( 'php://input', false, null, 0, self::MAX_BYTES ), true, 3 );
		return is_array( $said ) ? array_filter( $said, 'is_scalar' ) : array();
	}

	private static function note( array $said ) {
		$visitor = self::visitor();
		$allowed = self::allowed();
		if ( 'none' === $allowed || ! empty( $said['refused'] ) ) {
			if ( '' !== $visitor ) {
				Carts::refuse( $visitor );
				self::remember( '', -DAY_IN_SECONDS );
			}
			return;
		}
		$visitor = '' === $visitor ? bin2hex( random_bytes( 16 ) ) : $visitor;
		self::remember( $visitor );
		$view = absint( $said['view'] ?? 0 );
		if ( $view && 'product' === get_post_type( $view ) && 'publish' === get_post_status( $view ) ) {
			$variation = absint( $said['variation'] ?? 0 );
			$variation = $variation && wp_get_post_parent_id( $variation ) === $view ? $variation : 0;
			Tables::bound_now_and_then( 'outbox' );
			Outbox::add( 'product.viewed', $view, $variation, '', get_current_user_id(), $visitor );
		}
		$email = 'email' === $allowed ? sanitize_email( $said['email'] ?? '' ) : '';
		if ( ! empty( $said['cart'] ) || ! empty( $said['checkout'] ) || ! empty( $said['order'] ) || '' !== $email ) {
			// The buyer proves by its key that the order is theirs, as on the page that says "thank you".
			$order = empty( $said['order'] ) ? null : wc_get_order( absint( $said['order'] ) );
			$mine  = $order instanceof \WC_Order && hash_equals( $order->get_order_key(), (string) ( $said['key'] ?? '' ) );
			Carts::save( $visitor, ! empty( $said['checkout'] ), is_email( $email ) && strlen( $email ) <= 190 ? $email : '', $mine ? $order->get_id() : 0 );
		}
	}

	public static function remember( string $visitor, int $seconds = self::DAYS * DAY_IN_SECONDS ) {
		$where = array( 'path' => COOKIEPATH ? COOKIEPATH : '/', 'domain' => (string) COOKIE_DOMAIN, 'secure' => is_ssl(), 'httponly' => true, 'samesite' => 'Lax' );
		setcookie( self::COOKIE, $visitor, array( 'expires' => time() + $seconds ) + $where );
	}
}
