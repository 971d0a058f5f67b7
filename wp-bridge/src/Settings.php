<?php
// The owner's settings.
namespace FluentCrmSidecar;

defined( 'ABSPATH' ) || exit;

/** One small option. It is autoloaded: every page needs it, and it must not cost a query there. */
final class Settings {
	const OPTION = 'fcsc_settings';
	/** How little is captured where no consent plugin answers: nothing, views and carts, or the typed address too. */
	const BASES    = array( 'none', 'carts', 'email' );
	const DEFAULTS = array(
		'capture'   => true,
		'basis'     => 'none',
		'cart_days' => 30,
	);

	/** @return mixed */
	public static function get( string $name ) {
		$all = get_option( self::OPTION, array() );
		return is_array( $all ) && isset( $all[ $name ] ) ? $all[ $name ] : self::DEFAULTS[ $name ];
	}

	/** From a form; what makes no sense becomes the default. */
	public static function save( array $form ) {
		$basis = sanitize_key( $form['basis'] ?? '' );
		$days  = absint( $form['cart_days'] ?? 0 );
		update_option(
			self::OPTION,
			array(
				'capture'   => ! empty( $form['capture'] ),
				'basis'     => in_array( $basis, self::BASES, true ) ? $basis : self::DEFAULTS['basis'],
				'cart_days' => $days >= 1 && $days <= 365 ? $days : self::DEFAULTS['cart_days'],
			),
			true
		);
	}
}
