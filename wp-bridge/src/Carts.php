<?php
// The snapshot of a cart: it outlives WooCommerce's session, which a guest loses after 48 hours.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Runs only in the request that beacon.js makes, never in a page's. */
final class Carts {
	/** Save what is in the cart now, if it is something else than what is saved, and say so. `$email` '' leaves the saved one; `$placed`: an order, or 0. */
	public static function save( string $visitor, bool $checkout, string $email, int $placed ) {
		global $wpdb;
		$old   = $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM %i WHERE visitor = %s', Tables::name( 'carts' ), $visitor ), ARRAY_A );
		$items = self::items();
		if ( ! $old && ! $items && '' === $email ) {
			return;
		}
		$open   = $old && in_array( $old['status'], array( 'open', 'checkout' ), true );
		$status = $checkout || ( $open && 'checkout' === $old['status'] ) ? 'checkout' : 'open';
		if ( ! $items ) {
			$status = $placed ? 'ordered' : ( $open || ! $old ? 'emptied' : $old['status'] );
		}
		$new = array(
			'user_id'  => get_current_user_id(),
			'email'    => '' !== $email ? $email : ( $old ? $old['email'] : '' ),
			'consent'  => function_exists( 'wp_has_consent' ) ? 'marketing' : ( $old ? $old['consent'] : '' ),
			'status'   => $status,
			'order_id' => $items ? 0 : ( $placed ? $placed : (int) ( $old['order_id'] ?? 0 ) ),
			'currency' => get_woocommerce_currency(),
			// An emptied cart keeps what was in it last: the reports want to know what was left or bought.
			'total'    => $items || ! $old ? wc_format_decimal( WC()->cart->get_total( 'edit' ), 4 ) : $old['total'],
			'items'    => $items || ! $old ? wp_json_encode( $items ) : $old['items'],
			'coupons'  => $items || ! $old ? mb_substr( implode( ',', WC()->cart->get_applied_coupons() ), 0, 255 ) : $old['coupons'],
			'language' => substr( determine_locale(), 0, 20 ),
		);
		$same    = fn( $name ) => 'total' === $name ? (float) $new[ $name ] === (float) $old[ $name ] : (string) $new[ $name ] === (string) $old[ $name ];
		$changed = array_filter( array_keys( $new ), fn( $name ) => ! $old || ! $same( $name ) );
		$id      = $changed ? self::write( $visitor, $new, ! $old || ( $items && ! $open ) ) : 0;
		$old || Tables::bound_now_and_then( 'carts' );
		if ( ! $id ) {
			return;
		}
		$news = fn( string $topic, string $detail = '' ) => Outbox::add( $topic, $id, 0, $detail, $new['user_id'], $visitor );
		if ( $items && ( ! $open || array_intersect( array( 'items', 'coupons', 'total' ), $changed ) ) ) {
			$news( 'cart.changed', (string) array_sum( array_column( $items, 'quantity' ) ) );
		} elseif ( ! $items && $open ) {
			$news( 'cart.emptied' );
		}
		if ( $items && 'checkout' === $status && ( ! $open || 'checkout' !== $old['status'] ) ) {
			$news( 'checkout.started' );
		}
		if ( '' !== $new['email'] && array_intersect( array( 'email', 'consent' ), $changed ) ) {
			$news( 'cart.email' );
		}
	}

	/** "No, thanks": the row stays, so that the address is left alone, and only as long as other carts do. */
	public static function refuse( string $visitor ) {
		global $wpdb;
		$id = (int) $wpdb->get_var( $wpdb->prepare( 'SELECT id FROM %i WHERE visitor = %s AND consent <> %s', Tables::name( 'carts' ), $visitor, 'refused' ) );
		if ( $id ) {
			$wpdb->update( Tables::name( 'carts' ), array( 'consent' => 'refused', 'updated_gmt' => gmdate( 'Y-m-d H:i:s' ) ), array( 'id' => $id ) );
			Outbox::add( 'cart.email', $id, 0, 'refused', 0, $visitor );
		}
	}

	/** What recovery needs, and nothing that a buyer typed into an add-on's field. */
	private static function items(): array {
		return array_map( static function ( $line ) {
			// Which colour, where the variation leaves it open ("any colour").
			$open = $line['variation_id'] ? array_intersect_key( (array) ( $line['variation'] ?? array() ), array_filter( wc_get_product_variation_attributes( $line['variation_id'] ), fn( $value ) => '' === $value ) ) : array();
			return array(
				'product_id' => (int) $line['product_id'], 'variation_id' => (int) $line['variation_id'], 'quantity' => 0 + $line['quantity'],
				'total'      => wc_format_decimal( ( $line['line_total'] ?? 0 ) + ( $line['line_tax'] ?? 0 ), 4 ),
			) + ( $open ? array( 'variation' => $open ) : array() );
		}, array_values( WC()->cart ? WC()->cart->get_cart() : array() ) );
	}

	/** One statement, so that two tabs at once cannot make two rows. Returns the row's id, 0 when it failed. */
	private static function write( string $visitor, array $new, bool $fresh ): int {
		global $wpdb;
		$now    = gmdate( 'Y-m-d H:i:s' );
		$new   += array( 'updated_gmt' => $now );
		$update = implode( ',', array_map( fn( $name ) => "$name=VALUES($name)", array_keys( $fresh ? $new + array( 'created_gmt' => $now ) : $new ) ) );
		$row    = array( 'visitor' => $visitor, 'created_gmt' => $now ) + $new;
		$sql    = 'INSERT INTO %i (' . implode( ',', array_keys( $row ) ) . ') VALUES (' . implode( ',', array_fill( 0, count( $row ), '%s' ) ) . ')';
		$done   = Tables::write( $wpdb->prepare( "$sql ON DUPLICATE KEY UPDATE id=LAST_INSERT_ID(id),$update", array_merge( array( Tables::name( 'carts' ) ), array_values( $row ) ) ) ); // phpcs:ignore WordPress.DB -- the names are those above
		return false === $done ? 0 : (int) $wpdb->insert_id;
	}
}
