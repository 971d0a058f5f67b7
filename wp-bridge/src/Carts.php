<?php
// The snapshot of a cart: it outlives WooCommerce's session, which a guest loses after 48 hours.
namespace FluentCrmSidecar;

defined( 'ABSPATH' ) || exit;

/** Runs only in the request that beacon.js makes, never in a page's. */
final class Carts {
	/** @return array|null The visitor's row. */
	public static function row( string $visitor ) {
		global $wpdb;
		return $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM %i WHERE visitor = %s', Tables::name( 'carts' ), $visitor ), ARRAY_A );
	}

	/**
	 * Save what is in the cart now, if that is something else than what is saved, and say so in the outbox.
	 *
	 * @param array{visitor:string,checkout:bool,email:string,order:int} $seen Email '' leaves the saved one.
	 */
	public static function save( array $seen ) {
		$old   = self::row( $seen['visitor'] );
		$items = self::items();
		if ( ! $old && ! $items && '' === $seen['email'] ) {
			return;
		}
		$open   = $old && in_array( $old['status'], array( 'open', 'checkout' ), true );
		$status = $seen['checkout'] || ( $open && 'checkout' === $old['status'] ) ? 'checkout' : 'open';
		if ( ! $items ) {
			$status = $seen['order'] ? 'ordered' : ( $open || ! $old ? 'emptied' : $old['status'] );
		}
		$new = array(
			'user_id'  => get_current_user_id(),
			'email'    => '' !== $seen['email'] ? $seen['email'] : ( $old ? $old['email'] : '' ),
			'consent'  => function_exists( 'wp_has_consent' ) ? 'marketing' : ( $old && 'refused' !== $old['consent'] ? $old['consent'] : '' ),
			'status'   => $status,
			'order_id' => $items ? 0 : ( $seen['order'] ? $seen['order'] : (int) ( $old['order_id'] ?? 0 ) ),
			'currency' => get_woocommerce_currency(),
			// An emptied cart keeps what was in it last: the reports want to know what was left or bought.
			'total'    => $items || ! $old ? wc_format_decimal( WC()->cart->get_total( 'edit' ), 4 ) : $old['total'],
			'items'    => $items || ! $old ? wp_json_encode( $items ) : $old['items'],
			'coupons'  => $items || ! $old ? substr( implode( ',', WC()->cart->get_applied_coupons() ), 0, 255 ) : $old['coupons'],
			'language' => substr( determine_locale(), 0, 20 ),
		);
		$changed = ! $old;
		foreach ( $new as $name => $value ) {
			$changed = $changed || ( 'total' === $name ? (float) $value !== (float) $old[ $name ] : (string) $value !== (string) $old[ $name ] );
		}
		if ( ! $changed ) {
			return;
		}
		$id = self::write( $seen['visitor'], $new, ! $old || ( $items && ! $open ) );
		if ( ! $id ) {
			return;
		}
		$news = static function ( string $topic, string $detail = '' ) use ( $id, $seen, $new ) {
			Outbox::add( $topic, $id, 0, $detail, $new['user_id'], $seen['visitor'] );
		};
		if ( $items && ( ! $open || $old['items'] !== $new['items'] || $old['coupons'] !== $new['coupons'] || (float) $old['total'] !== (float) $new['total'] ) ) {
			$news( 'cart.changed', (string) array_sum( array_column( $items, 'quantity' ) ) );
		} elseif ( ! $items && $open ) {
			$news( 'cart.emptied' );
		}
		if ( $items && 'checkout' === $status && ( ! $open || 'checkout' !== $old['status'] ) ) {
			$news( 'checkout.started' );
		}
		if ( '' !== $new['email'] && ( ! $old || $old['email'] !== $new['email'] || $old['consent'] !== $new['consent'] ) ) {
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
		$items = array();
		foreach ( WC()->cart ? WC()->cart->get_cart() : array() as $line ) {
			$items[] = array(
				'product_id'   => (int) $line['product_id'],
				'variation_id' => (int) $line['variation_id'],
				'quantity'     => (float) $line['quantity'] == (int) $line['quantity'] ? (int) $line['quantity'] : (float) $line['quantity'], // phpcs:ignore -- 2.0 is 2
				'total'        => wc_format_decimal( ( $line['line_total'] ?? 0 ) + ( $line['line_tax'] ?? 0 ), 4 ),
			);
		}
		return $items;
	}

	/** One statement, so that two tabs at once cannot make two rows. Returns the row's id, 0 when it failed. */
	private static function write( string $visitor, array $new, bool $fresh ): int {
		global $wpdb;
		$now    = gmdate( 'Y-m-d H:i:s' );
		$new   += array( 'updated_gmt' => $now );
		$update = implode( ',', array_map( static function ( $name ) {
			return "$name=VALUES($name)";
		}, array_keys( $fresh ? $new + array( 'created_gmt' => $now ) : $new ) ) );
		$row    = array( 'visitor' => $visitor, 'created_gmt' => $now ) + $new;
		$quiet  = $wpdb->suppress_errors( true );
		// phpcs:ignore WordPress.DB -- names are the constants above.
		$done = $wpdb->query( $wpdb->prepare(
			'INSERT INTO %i (' . implode( ',', array_keys( $row ) ) . ') VALUES (' . implode( ',', array_fill( 0, count( $row ), '%s' ) )
			. ") ON DUPLICATE KEY UPDATE id=LAST_INSERT_ID(id),$update",
			array_merge( array( Tables::name( 'carts' ) ), array_values( $row ) )
		) );
		$id = false === $done ? 0 : (int) $wpdb->insert_id;
		$wpdb->suppress_errors( $quiet );
		return $id;
	}
}
