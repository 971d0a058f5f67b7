<?php
// The owner's settings.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** One small option. It is autoloaded: every page needs it, and it must not cost a query there. */
final class Settings {
	const OPTION = 'fcsc_settings';
	/** How much is captured where no consent plugin answers: nothing, views and carts, or the typed address too. */
	const BASES    = array( 'none', 'carts', 'email' );
	/** What may be asked for at the checkout and in the form of a new account. */
	const ASKABLE  = array( 'email', 'sms' );
	const DEFAULTS = array( 'capture' => true, 'basis' => 'none', 'cart_days' => 30, 'ask' => array(), 'wording' => array(), 'confirm' => false, 'push' => false );

	/** @return mixed */
	public static function get( string $name ) {
		$all = get_option( self::OPTION, array() );
		return is_array( $all ) && isset( $all[ $name ] ) ? $all[ $name ] : self::DEFAULTS[ $name ];
	}

	/** @return array<string,string> channel => the words beside its box, of what the owner asks for. A shop in many languages translates by the filter. */
	public static function asked(): array {
		$all = array();
		foreach ( array_intersect( self::ASKABLE, (array) self::get( 'ask' ) ) as $channel ) {
			$all[ $channel ] = wp_strip_all_tags( (string) apply_filters( 'fcsc_consent_wording', self::wording( $channel ), $channel ) );
		}
		return $all;
	}

	public static function wording( string $channel ): string {
		$own = (string) ( ( (array) self::get( 'wording' ) )[ $channel ] ?? '' );
		return '' !== $own ? $own : self::default_wording( $channel );
	}

	private static function default_wording( string $channel ): string {
		return 'sms' === $channel ? __( 'Send me news and offers by text message (SMS). I can take this back at any time.', 'fluentcrm-sidecar' ) : __( 'Send me news and offers by e-mail. I can take this back at any time.', 'fluentcrm-sidecar' );
	}

	/** One of the page's forms; what makes no sense becomes the default. Returns the notice to show. */
	public static function post( array $form ): string {
		if ( isset( $form['pairing_code'] ) ) {
			$code = Signer::pairing_code( (string) $form['pairing_code'] );
			return $code && Keys::add( $code ) ? 'paired' : 'bad_code';
		}
		$new = isset( $form['consent_form'] ) ? self::consent( $form ) : self::visitors( $form );
		update_option( self::OPTION, $new + (array) get_option( self::OPTION, array() ) + self::DEFAULTS, true );
		return 'saved';
	}

	private static function visitors( array $form ): array {
		$basis = sanitize_key( $form['basis'] ?? '' );
		$days  = absint( $form['cart_days'] ?? 0 );
		$basis = in_array( $basis, self::BASES, true ) ? $basis : self::DEFAULTS['basis'];
		$days  = $days >= 1 && $days <= 365 ? $days : self::DEFAULTS['cart_days'];
		return array( 'capture' => ! empty( $form['capture'] ), 'basis' => $basis, 'cart_days' => $days );
	}

	/** A wording that is the default is not kept: it stays translated. */
	private static function consent( array $form ): array {
		$wording = array();
		foreach ( self::ASKABLE as $channel ) {
			$text = mb_substr( sanitize_text_field( (string) ( ( (array) ( $form['wording'] ?? array() ) )[ $channel ] ?? '' ) ), 0, 500 );
			$wording += in_array( $text, array( '', self::default_wording( $channel ) ), true ) ? array() : array( $channel => $text );
		}
		$ask = array_values( array_intersect( self::ASKABLE, array_map( 'sanitize_key', (array) ( $form['ask'] ?? array() ) ) ) );
		return array( 'ask' => $ask, 'wording' => $wording, 'confirm' => ! empty( $form['confirm'] ), 'push' => ! empty( $form['push'] ) );
	}
}
