<?php
// A link of kind c: the saved cart again, in whatever browser it is opened.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** It fills the cart of the visitor's own session and nothing else; scanners that open it early do no harm. */
final class CartLink {
	public static function serve( array $link ) {
		global $wpdb;
		$row = ! $link['expired'] && function_exists( 'WC' ) && WC()->cart ? $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM %i WHERE id = %d', Tables::name( 'carts' ), $link['id'] ), ARRAY_A ) : null;
		if ( ! $row ) {
			Links::go( Links::shop(), __( 'This link is not valid, or no longer valid.', 'fluentcrm-sidecar' ) );
		}
		Links::clicked( $link, $row['visitor'] );
		if ( 'ordered' === $row['status'] ) {
			Links::go( is_user_logged_in() ? wc_get_account_endpoint_url( 'orders' ) : Links::shop(), __( 'You have ordered what was in this cart.', 'fluentcrm-sidecar' ) );
		}
		WC()->session->set_customer_session_cookie( true );
		$missing = self::fill( (array) json_decode( $row['items'], true ) );
		self::coupons( $row, (string) substr( (string) strstr( $link['extra'], '~' ), 1 ) );
		self::adopt( $row['visitor'], 'refused' !== $row['consent'] );
		Beacon::ignored() || Outbox::add( 'cart.restored', (int) $row['id'], Links::message( $link ), '', get_current_user_id(), $row['visitor'] );
		Links::go( WC()->cart->is_empty() ? Links::shop() : wc_get_checkout_url(), $missing ? __( 'Some of what was in your cart is no longer available.', 'fluentcrm-sidecar' ) : '' );
	}

	/** What is in the cart already stays, and is not doubled. Returns how many lines are not there as they were. */
	private static function fill( array $items ): int {
		$missing = 0;
		$notices = wc_get_notices();
		foreach ( array_filter( $items, 'is_array' ) as $item ) {
			list( $id, $variation ) = array( absint( $item['product_id'] ?? 0 ), absint( $item['variation_id'] ?? 0 ) );
			$product = wc_get_product( $variation ? $variation : $id );
			$there   = array_filter( WC()->cart->get_cart(), fn( $line ) => $id === (int) $line['product_id'] && $variation === (int) $line['variation_id'] );
			$has     = array_sum( array_column( $there, 'quantity' ) );
			$wanted  = (float) ( $item['quantity'] ?? 0 ) - $has;
			$open    = $product && $product->managing_stock() && ! $product->backorders_allowed() ? min( $wanted, $product->get_stock_quantity() - $has ) : $wanted;
			$given   = array( $id, $open, $variation, (array) ( $item['variation'] ?? array() ) );
			if ( $wanted > 0 ) {
				$may      = $open > 0 && $product && $product->is_purchasable() && $product->is_in_stock() && apply_filters( 'woocommerce_add_to_cart_validation', true, ...$given );
				$missing += $may && WC()->cart->add_to_cart( ...$given ) && $open >= $wanted ? 0 : 1;
			}
		}
		wc_set_notices( $notices ); // one notice of ours instead of WooCommerce's for each
		return $missing;
	}

	/** The shopper's own coupons, then the message's: one that is bound to an address needs the address first. */
	private static function coupons( array $row, string $code ) {
		$notices = wc_get_notices();
		foreach ( array_filter( explode( ',', $row['coupons'] ) ) as $own ) {
			$own !== $code && ! WC()->cart->has_discount( $own ) && WC()->cart->apply_coupon( $own );
		}
		wc_set_notices( $notices );
		if ( '' === $code || WC()->cart->has_discount( $code ) || WC()->cart->is_empty() ) {
			return;
		}
		$coupon = new \WC_Coupon( $code );
		if ( $coupon->get_email_restrictions() && '' !== $row['email'] && 'refused' !== $row['consent'] && '' === (string) WC()->customer->get_billing_email() ) {
			WC()->customer->set_billing_email( $row['email'] );
			WC()->customer->save();
		}
		WC()->cart->apply_coupon( $code ); // a coupon that is over says so itself
	}

	/** This browser is the cart's now: so it is the same cart to the sidecar, and none that was left in between. */
	private static function adopt( string $visitor, bool $willing ) {
		global $wpdb;
		$mine = Beacon::visitor();
		if ( $mine === $visitor || ! $willing || 'none' === Beacon::allowed() || Beacon::ignored() ) {
			return;
		}
		$id = '' === $mine ? 0 : (int) $wpdb->get_var( $wpdb->prepare( "SELECT id FROM %i WHERE visitor = %s AND status IN ('open', 'checkout')", Tables::name( 'carts' ), $mine ) );
		if ( $id ) { // what was in it is in this one
			$wpdb->update( Tables::name( 'carts' ), array( 'status' => 'emptied', 'updated_gmt' => gmdate( 'Y-m-d H:i:s' ) ), array( 'id' => $id ) );
			Outbox::add( 'cart.emptied', $id, 0, '', get_current_user_id(), $mine );
		}
		Beacon::remember( $visitor );
	}
}
