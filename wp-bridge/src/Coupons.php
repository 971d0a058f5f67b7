<?php
// Coupons of the sidecar's automations, made and cleared away by WooCommerce's own code.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** One use, one moment of expiry, the code of its own; `_fcsc_key` marks what is ours. */
final class Coupons {
	const KEPT_DAYS = 7;
	const BITE      = 100;

	public static function make( array $items ): array {
		return Batch::outcomes( $items, static function ( array $item ) {
			$done = class_exists( 'WC_Coupon' ) ? Batch::once( $item['key'] ?? '', 'coupon', fn() => self::one( $item ) ) : array( 'again', 0, 'woocommerce_missing' );
			$code = $done[1] ? (string) wc_get_coupon_code_by_id( $done[1] ) : '';
			return 'known' === $done[0] && '' === $code ? array( 'refused', 0, 'gone' ) : array( $done[0], $done[1], $done[2] ?? '', $code );
		} );
	}

	/** @return array{0:string,1:int,2?:string} */
	private static function one( array $item ): array {
		$text   = fn( string $name ) => (string) ( $item[ $name ] ?? '' );
		$number = fn( string $value ) => (bool) preg_match( '/^\d{1,12}(?:\.\d{1,6})?$/D', $value );
		$base   = trim( substr( (string) preg_replace( '/[^a-z0-9-]+/', '-', strtolower( $text( 'code' ) ) ), 0, 40 ), '-' );
		$asked    = (array) ( $item['products'] ?? array() );
		$products = array_filter( array_map( 'intval', $asked ), fn( $id ) => $id > 0 );
		$right    = array( // of products that are none, none would be left, and the coupon be one for everything
			'products' => count( $products ) === count( $asked ),
			'code'    => '' !== $base, 'kind' => in_array( $text( 'kind' ), array( 'percent', 'fixed_cart' ), true ),
			'amount'  => $number( $text( 'amount' ) ) && ( $text( 'amount' ) > 0 || ! empty( $item['free_shipping'] ) ) && ( 'percent' !== $text( 'kind' ) || $text( 'amount' ) <= 100 ),
			'expires' => (int) $text( 'expires' ) > time(), 'minimum' => '' === $text( 'minimum' ) || $number( $text( 'minimum' ) ), 'email' => '' === $text( 'email' ) || (bool) is_email( $text( 'email' ) ),
		);
		if ( in_array( false, $right, true ) ) {
			return array( 'refused', 0, 'wrong: ' . implode( ', ', array_keys( $right, false, true ) ) );
		}
		for ( $code = $base; wc_get_coupon_id_by_code( $code ); ) {
			$code = "$base-" . strtolower( wp_generate_password( 5, false ) );
		}
		$coupon = new \WC_Coupon();
		$coupon->set_props( array(
			'code'           => $code, 'description' => 'FluentCRM Sidecar: ' . sanitize_text_field( $text( 'automation' ) ), 'discount_type' => $text( 'kind' ), 'amount' => $text( 'amount' ),
			'date_expires'   => (int) $text( 'expires' ), 'usage_limit' => 1, 'usage_limit_per_user' => 1, 'individual_use' => true, 'free_shipping' => ! empty( $item['free_shipping'] ),
			'minimum_amount' => $text( 'minimum' ), 'product_ids' => $products, 'email_restrictions' => array_filter( array( $text( 'email' ) ) ),
		) );
		$coupon->update_meta_data( '_fcsc_key', $text( 'key' ) );
		return $coupon->save() ? array( 'done', $coupon->get_id() ) : array( 'again', 0, 'not saved' );
	}

	/** Of a person who is erased: ours that are bound to the address. Who has used one has an order that says so. */
	public static function forget( string $email ) {
		global $wpdb;
		$sql = $wpdb->prepare( "SELECT k.post_id FROM %i e JOIN %i k ON k.post_id = e.post_id AND k.meta_key = '_fcsc_key' WHERE e.meta_key = 'customer_email' AND e.meta_value LIKE %s", $wpdb->postmeta, $wpdb->postmeta, '%"' . $wpdb->esc_like( strtolower( $email ) ) . '"%' );
		foreach ( class_exists( 'WC_Coupon' ) ? (array) Tables::quietly( fn() => $wpdb->get_col( $sql ) ) : array() as $id ) { // phpcs:ignore WordPress.DB
			$coupon = new \WC_Coupon( (int) $id );
			in_array( Signer::identity( $email ), array_map( array( Signer::class, 'identity' ), $coupon->get_email_restrictions() ), true ) && $coupon->delete( true );
		}
	}

	/** Daily: ours that nobody has used and that are over for a week. In bites, as many as a cron request may take. */
	public static function cleanup() {
		global $wpdb;
		$sql   = "SELECT p.ID FROM %i k JOIN %i p ON p.ID = k.post_id AND p.post_type = 'shop_coupon' JOIN %i e ON e.post_id = p.ID AND e.meta_key = 'date_expires' LEFT JOIN %i u ON u.post_id = p.ID AND u.meta_key = 'usage_count'"
			. " WHERE k.meta_key = '_fcsc_key' AND CAST(e.meta_value AS UNSIGNED) BETWEEN 1 AND %d AND COALESCE(CAST(u.meta_value AS UNSIGNED), 0) = 0 LIMIT %d";
		$sql   = $wpdb->prepare( $sql, $wpdb->postmeta, $wpdb->posts, $wpdb->postmeta, $wpdb->postmeta, time() - self::KEPT_DAYS * DAY_IN_SECONDS, self::BITE ); // phpcs:ignore WordPress.DB
		$until = time() + 20;
		do {
			$ids = class_exists( 'WC_Coupon' ) ? $wpdb->get_col( $sql ) : array(); // phpcs:ignore WordPress.DB
			array_map( fn( $id ) => ( new \WC_Coupon( (int) $id ) )->delete( true ), $ids );
		} while ( self::BITE === count( $ids ) && time() < $until );
	}
}
