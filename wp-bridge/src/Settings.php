<?php
// The owner's settings.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** One small option. It is autoloaded: every page needs it, and it must not cost a query there. */
final class Settings {
	const OPTION = 'fcsc_settings';
	/** How much is captured where no consent plugin answers: nothing, views and carts, or the typed address too. */
	const BASES    = array( 'none', 'carts', 'email' );
	const DEFAULTS = array( 'capture' => true, 'basis' => 'none', 'cart_days' => 30 );

	/** @return mixed */
	public static function get( string $name ) {
		$all = get_option( self::OPTION, array() );
		return is_array( $all ) && isset( $all[ $name ] ) ? $all[ $name ] : self::DEFAULTS[ $name ];
	}

	/** One of the page's two forms; what makes no sense becomes the default. Returns the notice to show. */
	public static function post( array $form ): string {
		if ( isset( $form['pairing_code'] ) ) {
			$code = Signer::pairing_code( (string) $form['pairing_code'] );
			return $code && Keys::add( $code ) ? 'paired' : 'bad_code';
		}
		$basis = sanitize_key( $form['basis'] ?? '' );
		$days  = absint( $form['cart_days'] ?? 0 );
		$basis = in_array( $basis, self::BASES, true ) ? $basis : self::DEFAULTS['basis'];
		$days  = $days >= 1 && $days <= 365 ? $days : self::DEFAULTS['cart_days'];
		update_option( self::OPTION, array( 'capture' => ! empty( $form['capture'] ), 'basis' => $basis, 'cart_days' => $days ), true );
		return 'saved';
	}
}
