<?php
// Boxes at both checkouts and in the form of a new account: unticked, never required.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Nothing is asked unless the owner wants it. An unticked box writes nothing: it takes nothing back. */
final class ConsentBoxes {
	const FIELD = 'fluentcrm-sidecar/consent-';

	/** In a classic form. The value names the words that are shown, so that these are recorded whatever the owner makes of them meanwhile. */
	public static function show() {
		$known = (array) get_option( 'fcsc_wordings', array() );
		$new   = array();
		foreach ( Settings::asked() as $channel => $wording ) {
			$mark         = substr( md5( $wording ), 0, 12 );
			$new[ $mark ] = $wording;
			printf(
				'<p class="form-row form-row-wide fcsc-consent"><label class="woocommerce-form__label woocommerce-form__label-for-checkbox checkbox"><input type="checkbox" class="woocommerce-form__input woocommerce-form__input-checkbox input-checkbox" name="fcsc_consent[%s]" value="%s"> <span>%s</span></label></p>',
				esc_attr( $channel ), esc_attr( $mark ), esc_html( $wording )
			);
		}
		if ( array_diff_key( $new, $known ) ) {
			update_option( 'fcsc_wordings', $known + $new, true );
		}
	}

	/** In the block checkout: WooCommerce's own additional fields, since 8.9. Kept with the order, not with the customer, so the next time it is unticked again. */
	public static function fields() {
		foreach ( function_exists( 'woocommerce_register_additional_checkout_field' ) ? Settings::asked() : array() as $channel => $wording ) {
			woocommerce_register_additional_checkout_field( array( 'id' => self::FIELD . $channel, 'label' => $wording, 'optionalLabel' => $wording, 'location' => 'order', 'type' => 'checkbox', 'required' => false, 'show_in_order_confirmation' => false ) );
		}
	}

	/** The classic checkout; WooCommerce has checked its nonce. */
	public static function classic( string $topic, $id, $posted = array(), $order = null ) {
		$order = $order instanceof \WC_Order ? $order : wc_get_order( $id );
		self::ticked( 'checkout', $order ? (int) $order->get_customer_id() : 0, (int) $id );
	}

	public static function block( string $topic, $order ) {
		foreach ( Settings::asked() as $channel => $wording ) {
			if ( '1' === (string) $order->get_meta( '_wc_other/' . self::FIELD . $channel ) ) {
				Consents::add( array( 'state' => 'given', 'source' => 'block-checkout', 'user_id' => (int) $order->get_customer_id(), 'order_id' => $order->get_id() ) + compact( 'channel', 'wording' ) );
			}
			WC()->customer && WC()->customer->delete_meta_data( '_wc_other/' . self::FIELD . $channel ); // the session's: the next order would begin with a ticked box
		}
	}

	/** An account made in My account; one that is made at the checkout comes with its order. */
	public static function registered( string $topic, $user ) {
		if ( isset( $_POST['woocommerce-register-nonce'] ) ) { // phpcs:ignore WordPress.Security.NonceVerification -- WooCommerce has checked it
			self::ticked( 'register', (int) $user, 0 );
		}
	}

	private static function ticked( string $source, int $user_id, int $order_id ) {
		$said  = isset( $_POST['fcsc_consent'] ) && is_array( $_POST['fcsc_consent'] ) ? array_map( 'sanitize_key', wp_unslash( $_POST['fcsc_consent'] ) ) : array(); // phpcs:ignore WordPress.Security.NonceVerification
		$known = $said ? (array) get_option( 'fcsc_wordings', array() ) : array();
		foreach ( array_intersect_key( $said, Settings::asked() ) as $channel => $mark ) {
			$wording = (string) ( $known[ $mark ] ?? '' );
			if ( '' !== $wording ) { // else it is no box of ours
				Consents::add( array( 'state' => 'given' ) + compact( 'channel', 'source', 'wording', 'user_id', 'order_id' ) );
			}
		}
	}
}
