<?php
// Coupons of the sidecar's automations, made and cleared away by WooCommerce's own code.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** One use, one moment of expiry, the code of its own; `_fcsc_key` marks what is ours. */
final class Coupons {
	const KEPT_DAYS = 7;
	const BITE      = 100;
	const BITES     = 20;

	public static function make( array $items ): array {
		return array_map( static function ( array $one ) {
			$code = in_array( $one['state'], array( 'done', 'known' ), true ) ? wc_get_coupon_code_by_id( $one['id'] ) : '';
			$gone = 'known' === $one['state'] && '' === (string) $code;
			return array( 'state' => $gone ? 'refused' : str_replace( 'known', 'done', $one['state'] ), 'reason' => $gone ? 'gone' : $one['reason'], 'code' => (string) $code ) + $one;
		}, Batch::outcomes( $items, fn( $item ) => Batch::once( $item['key'] ?? '', 'coupon', fn() => self::one( $item ) ) ) );
	}

	/** @return array{0:string,1:int,2?:string} */
	private static function one( array $item ): array {
		if ( ! class_exists( 'WC_Coupon' ) ) {
			return array( 'again', 0, 'woocommerce_missing' );
		}
		$text    = fn( string $name ) => (string) ( $item[ $name ] ?? '' );
		$base    = trim( substr( (string) preg_replace( '/[^a-z0-9-]+/', '-', strtolower( $text( 'code' ) ) ), 0, 40 ), '-' );
		$expires = (int) ( $item['expires'] ?? 0 );
		$number  = fn( string $value ) => (bool) preg_match( '/^\d{1,12}(?:\.\d{1,6})?$/D', $value );
		$right   = array(
			'code'    => '' !== $base,
			'kind'    => in_array( $text( 'kind' ), array( 'percent', 'fixed_cart' ), true ),
			'amount'  => $number( $text( 'amount' ) ) && ( $text( 'amount' ) > 0 || ! empty( $item['free_shipping'] ) ) && ( 'percent' !== $text( 'kind' ) || $text( 'amount' ) <= 100 ),
			'expires' => $expires > time(), 'minimum' => '' === $text( 'minimum' ) || $number( $text( 'minimum' ) ), 'email' => '' === $text( 'email' ) || is_email( $text( 'email' ) ),
		);
		if ( in_array( false, array_map( 'boolval', $right ), true ) ) {
			return array( 'refused', 0, 'wrong: ' . implode( ', ', array_keys( array_filter( $right, fn( $good ) => ! $good ) ) ) );
		}
		for ( $code = $base; wc_get_coupon_id_by_code( $code ); ) {
			$code = "$base-" . strtolower( wp_generate_password( 5, false ) );
		}
		$coupon = new \WC_Coupon();
		$coupon->set_code( $code );
		$coupon->set_description( 'FluentCRM Sidecar' . ( '' === $text( 'automation' ) ? '' : ': ' . sanitize_text_field( $text( 'automation' ) ) ) );
		$coupon->set_discount_type( $text( 'kind' ) );
		$coupon->set_amount( $text( 'amount' ) );
		$coupon->set_date_expires( $expires );
		$coupon->set_usage_limit( 1 );
		$coupon->set_usage_limit_per_user( 1 );
		$coupon->set_individual_use( true );
		$coupon->set_minimum_amount( $text( 'minimum' ) );
		$coupon->set_free_shipping( ! empty( $item['free_shipping'] ) );
		$coupon->set_product_ids( array_filter( array_map( 'intval', (array) ( $item['products'] ?? array() ) ) ) );
		$coupon->set_email_restrictions( array_filter( array( $text( 'email' ) ) ) );
		$coupon->update_meta_data( '_fcsc_key', $text( 'key' ) );
		return $coupon->save() ? array( 'done', $coupon->get_id() ) : array( 'again', 0, 'not saved' );
	}

	/** Daily: ours that nobody has used and that are over for a week. In bites, as long as a cron request may take. */
	public static function cleanup() {
		global $wpdb;
		$sql = "SELECT p.ID FROM %i k JOIN %i p ON p.ID = k.post_id AND p.post_type = 'shop_coupon' JOIN %i e ON e.post_id = p.ID AND e.meta_key = 'date_expires' LEFT JOIN %i u ON u.post_id = p.ID AND u.meta_key = 'usage_count'"
			. " WHERE k.meta_key = '_fcsc_key' AND CAST(e.meta_value AS UNSIGNED) BETWEEN 1 AND %d AND COALESCE(CAST(u.meta_value AS UNSIGNED), 0) = 0 LIMIT %d";
		for ( $bite = 0; class_exists( 'WC_Coupon' ) && $bite < self::BITES; ++$bite ) {
			$ids = $wpdb->get_col( $wpdb->prepare( $sql, $wpdb->postmeta, $wpdb->posts, $wpdb->postmeta, $wpdb->postmeta, time() - self::KEPT_DAYS * DAY_IN_SECONDS, self::BITE ) ); // phpcs:ignore WordPress.DB
			foreach ( $ids as $id ) {
				( new \WC_Coupon( (int) $id ) )->delete( true );
			}
			if ( count( $ids ) < self::BITE ) {
				return;
			}
		}
	}
}
