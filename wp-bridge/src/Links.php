<?php
// The signed links in messages: `?fcsc=KIND.ID.EXPIRES.EXTRA.SIG`. The sidecar mints them; the same vectors run in Python.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** A link opens one thing and logs nobody in. There is no address and no name in it. */
final class Links {
	const PARAMETER = 'fcsc';
	/** The option with the key, 64 hex digits; the sidecar reads it from the database. */
	const KEY  = 'fcsc_link_key';
	const FORM = '/^([cgpu])\.(0|[1-9]\d{0,18})\.([1-9]\d{0,11})\.([a-z0-9~-]{0,120})\.([A-Za-z0-9_-]{22})$/D';

	public static function sign( string $key, string $said ): string {
		$mac = hash_hmac( 'sha256', "fcsc-link\n$said", (string) hex2bin( $key ), true );
		return substr( strtr( base64_encode( $mac ), '+/', '-_' ), 0, 22 ); // phpcs:ignore
	}

	/** @return array{kind:string,id:int,extra:string,expired:bool}|null What a token says; null for one that is not ours. */
	public static function read( string $key, string $token, int $now ) {
		if ( ! preg_match( self::FORM, $token, $found ) || ! preg_match( '/^[0-9a-f]{64}$/D', $key ) || ! hash_equals( self::sign( $key, substr( $token, 0, -23 ) ), $found[5] ) ) {
			return null;
		}
		return array( 'kind' => $found[1], 'id' => (int) $found[2], 'extra' => $found[4], 'expired' => (int) $found[3] < $now );
	}

	/** Every page of the site passes here; without the parameter it costs nothing. */
	public static function serve() {
		if ( ! isset( $_GET[ self::PARAMETER ] ) ) { // phpcs:ignore WordPress.Security.NonceVerification -- the token is signed
			return;
		}
		defined( 'DONOTCACHEPAGE' ) || define( 'DONOTCACHEPAGE', true );
		nocache_headers();
		array_map( 'header', array( 'Cache-Control: no-store, private', 'X-Robots-Tag: noindex, nofollow', 'Referrer-Policy: no-referrer' ) );
		$token = wp_unslash( $_GET[ self::PARAMETER ] ); // phpcs:ignore WordPress.Security -- read() lets one form through
		$link  = is_string( $token ) ? self::read( (string) get_option( self::KEY ), $token, time() ) : null;
		$link && 'c' === $link['kind'] && CartLink::serve( $link );
		$link && 'g' === $link['kind'] && self::forward( $link );
		self::go( self::shop(), __( 'This link is not valid, or no longer valid.', 'fluentcrm-sidecar' ) );
	}

	/** To a product or to the shop's start, from a message that cannot count clicks itself. Who came is remembered where that is allowed: the order tells it. */
	private static function forward( array $link ) {
		$visitor = Beacon::visitor();
		if ( '' === $visitor && 'none' !== Beacon::allowed() && ! Beacon::ignored() ) {
			$visitor = bin2hex( random_bytes( 16 ) );
			Beacon::remember( $visitor );
		}
		$link['expired'] || self::clicked( $link, $visitor );
		$product = $link['id'] && function_exists( 'wc_get_product' ) ? wc_get_product( $link['id'] ) : null;
		$there   = $product && 'publish' === get_post_status( $product->get_parent_id() ? $product->get_parent_id() : $product->get_id() );
		self::go( $there ? $product->get_permalink() : ( $link['id'] ? self::shop() : home_url( '/' ) ) );
	}

	/** The message's id, 0 where none is named. */
	public static function message( array $link ): int {
		return preg_match( '/^m([1-9]\d{0,17})(?:~|$)/D', $link['extra'], $found ) ? (int) $found[1] : 0;
	}

	public static function clicked( array $link, string $visitor ) {
		if ( self::message( $link ) && ! Beacon::ignored() ) {
			Outbox::add( 'message.clicked', self::message( $link ), 0, '', get_current_user_id(), $visitor );
		}
	}

	public static function shop(): string {
		return function_exists( 'wc_get_page_permalink' ) ? wc_get_page_permalink( 'shop' ) : home_url( '/' );
	}

	/** Send on, with the campaign's names for WooCommerce's order attribution; `$notice` is shown on the next page. */
	public static function go( string $url, string $notice = '' ) {
		if ( '' !== $notice && function_exists( 'wc_add_notice' ) && WC()->session ) {
			WC()->session->set_customer_session_cookie( true ); // who has no cart has no session yet
			wc_add_notice( $notice, 'notice' );
		}
		$utm = array_filter( $_GET, fn( $value, $name ) => is_string( $value ) && 0 === strpos( $name, 'utm_' ), ARRAY_FILTER_USE_BOTH ); // phpcs:ignore WordPress.Security
		wp_safe_redirect( add_query_arg( array_map( 'rawurlencode', array_map( 'sanitize_text_field', wp_unslash( $utm ) ) ), $url ) );
		exit;
	}
}
