<?php
// Export and erasure of personal data: WordPress' tools ask here. FluentCRM itself erases nothing.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Erasing leaves a hash of the address, so that no import of old orders brings the person back. */
final class Privacy {
	public static function exporters( $all ) {
		return $all + array( 'fluentcrm-sidecar' => array( 'exporter_friendly_name' => __( 'Saved carts and consent', 'fluentcrm-sidecar' ), 'callback' => array( self::class, 'export' ) ) );
	}

	public static function erasers( $all ) {
		$name = __( 'FluentCRM contact, saved carts and the sidecar’s data', 'fluentcrm-sidecar' );
		return $all + array( 'fluentcrm-sidecar' => array( 'eraser_friendly_name' => $name, 'callback' => array( self::class, 'erase' ) ) );
	}

	public static function policy() {
		wp_add_privacy_policy_content( __( 'FluentCRM Sidecar', 'fluentcrm-sidecar' ), wp_kses_post( '<p>' . __( 'If you agree, we note which products you look at, what is in your cart and, at the checkout, your e-mail address, to remind you of a cart that you left. A first-party cookie (fcsc_visitor, 180 days) connects these. Carts are deleted after 30 days. The data stays on our own server.', 'fluentcrm-sidecar' ) . '</p><p>' . __( 'If you tick a box to get news and offers, or take that back, we record when and where you did so and with which words, without your IP address. Each of these messages has a link to take it back.', 'fluentcrm-sidecar' ) . '</p><p>' . __( 'If you switch notifications on, we keep the address at which your browser’s maker takes them for you, until you switch them off.', 'fluentcrm-sidecar' ) . '</p>' ) );
	}

	public static function export( $email, $page = 1 ) {
		$data = array();
		foreach ( self::carts( (string) $email ) as $cart ) {
			$names  = array( 'email', 'consent', 'status', 'currency', 'total', 'items', 'coupons', 'language', 'created_gmt', 'updated_gmt' );
			$values = array_map( fn( $name ) => array( 'name' => $name, 'value' => $cart[ $name ] ), $names );
			$data[] = array( 'group_id' => 'fcsc-carts', 'group_label' => __( 'Saved carts', 'fluentcrm-sidecar' ), 'item_id' => 'fcsc-cart-' . $cart['id'], 'data' => $values );
		}
		foreach ( self::consents( (string) $email ) as $row ) {
			$values = array_map( fn( $name ) => array( 'name' => $name, 'value' => $row[ $name ] ), array( 'channel', 'state', 'source', 'wording', 'order_id', 'created_gmt' ) );
			$data[] = array( 'group_id' => 'fcsc-consents', 'group_label' => __( 'Consent to messages', 'fluentcrm-sidecar' ), 'item_id' => 'fcsc-consent-' . $row['id'], 'data' => $values );
		}
		foreach ( self::push( (string) $email ) as $row ) {
			$data[] = array( 'group_id' => 'fcsc-push', 'group_label' => __( 'Browsers that get notifications', 'fluentcrm-sidecar' ), 'item_id' => 'fcsc-push-' . $row['id'], 'data' => array_map( fn( $name ) => array( 'name' => $name, 'value' => $row[ $name ] ), array( 'endpoint', 'order_id', 'created_gmt' ) ) );
		}
		return array( 'data' => $data, 'done' => true );
	}

	public static function erase( $email, $page = 1 ) {
		global $wpdb;
		$user = get_user_by( 'email', $email );
		$hash = self::hash( (string) $email );
		$wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO %i (hash, created_gmt) VALUES (%s, UTC_TIMESTAMP())', Tables::name( 'suppressed' ), $hash ) );
		$browsers = self::push( (string) $email ); // before the carts, which say whose they are
		array_map( fn( $row ) => $wpdb->delete( Tables::name( 'push' ), array( 'id' => $row['id'] ) ), $browsers );
		foreach ( $carts = self::carts( (string) $email ) as $cart ) {
			$wpdb->delete( Tables::name( 'carts' ), array( 'id' => $cart['id'] ) );
			$wpdb->query( $wpdb->prepare( "DELETE FROM %i WHERE visitor = %s AND topic <> 'order.created'", Tables::name( 'outbox' ), $cart['visitor'] ) );
		}
		foreach ( $words = self::consents( (string) $email ) as $row ) {
			$wpdb->delete( Tables::name( 'consents' ), array( 'id' => $row['id'] ) );
		}
		Coupons::forget( (string) $email );
		$contact = self::contact( (string) $email );
		$contact && self::forget( $contact );
		// The row works when the sidecar is down; asking at once is only faster. WordPress has checked who may.
		Outbox::add( 'person.erased', $contact, 0, $hash, $user ? $user->ID : 0 );
		$answer   = Sidecar::ask( 'POST', '/api/v1/privacy/erase', '-', (string) wp_json_encode( array( 'email' => (string) $email ) ), 'application/json' );
		$messages = is_wp_error( $answer ) || $answer['status'] >= 300 ? array( __( 'The sidecar will erase its own data as soon as it runs.', 'fluentcrm-sidecar' ) ) : array();
		return array( 'items_removed' => $contact || $carts || $words || $browsers ? true : ! $messages, 'items_retained' => false, 'messages' => $messages, 'done' => true );
	}

	/** Those of the addresses whose people were erased, with their keys; asked of one address, empty or not is the answer. */
	public static function suppressed( $emails ): array {
		global $wpdb;
		$hashes = array_map( fn( $email ) => self::hash( (string) $email ), (array) $emails );
		$sql    = 'SELECT hash FROM %i WHERE hash IN (' . implode( ',', array_fill( 0, count( $hashes ), '%s' ) ) . ')';
		return $hashes ? array_intersect( $hashes, (array) Tables::quietly( fn() => $wpdb->get_col( $wpdb->prepare( $sql, array_merge( array( Tables::name( 'suppressed' ) ), array_values( $hashes ) ) ) ) ) ) : array(); // phpcs:ignore WordPress.DB
	}

	/** WooCommerce's own eraser was over an order: whose it was is not known any more. */
	public static function order_erased( $order ) {
		global $wpdb;
		foreach ( array( 'consents', 'push' ) as $table ) {
			Tables::quietly( fn() => $wpdb->delete( Tables::name( $table ), array( 'order_id' => $order->get_id() ) ) );
		}
	}

	/** The contact with all that hangs on it; FluentCRM leaves the tracked events, the sidecar its undo rows. */
	public static function forget( int $contact ) {
		global $wpdb;
		if ( class_exists( '\FluentCrm\App\Services\Helper' ) ) {
			\FluentCrm\App\Services\Helper::deleteContacts( array( $contact ) );
		}
		Tables::quietly( fn() => $wpdb->delete( $wpdb->prefix . 'fc_event_tracking', array( 'subscriber_id' => $contact ) ) ); // it may be absent, as the next
		Tables::quietly( fn() => $wpdb->query( $wpdb->prepare( "DELETE FROM %i WHERE object_id = %d AND kind LIKE 'contact%%'", Tables::name( 'undo' ), $contact ) ) );
	}

	private static function hash( string $email ): string {
		return Signer::suppression( (string) get_option( 'fcsc_suppression_key' ), $email );
	}

	/** The contact's id. For MySQL josé@ equals jose@: what it finds is compared again. */
	private static function contact( string $email ): int {
		$found = class_exists( '\FluentCrm\App\Models\Subscriber' ) ? \FluentCrm\App\Models\Subscriber::where( 'email', $email )->first() : null;
		return $found && Signer::identity( $found->email ) === Signer::identity( $email ) ? (int) $found->id : 0;
	}

	/** The record of consent of the contact, the account and the orders with this address. */
	private static function consents( string $email ): array {
		$user = get_user_by( 'email', $email );
		return Consents::rows( self::contact( $email ), $user ? $user->ID : 0, self::orders( $email ) );
	}

	/** The browsers of the account, of orders and of saved carts with this address. */
	private static function push( string $email ): array {
		$user = get_user_by( 'email', $email );
		return Push::rows( $user ? $user->ID : 0, self::orders( $email ), array_column( self::carts( $email ), 'visitor' ) );
	}

	private static function orders( string $email ): array {
		$orders = function_exists( 'wc_get_orders' ) ? (array) wc_get_orders( array( 'billing_email' => $email, 'type' => 'shop_order', 'limit' => -1 ) ) : array();
		return array_map( fn( $order ) => $order->get_id(), array_filter( $orders, fn( $order ) => Signer::identity( $order->get_billing_email() ) === Signer::identity( $email ) ) );
	}

	private static function carts( string $email ): array {
		global $wpdb;
		$user = get_user_by( 'email', $email );
		// An error would put the address into the log.
		$rows = (array) Tables::quietly( fn() => $wpdb->get_results( $wpdb->prepare( 'SELECT * FROM %i WHERE email = %s OR (user_id > 0 AND user_id = %d)', Tables::name( 'carts' ), $email, $user ? $user->ID : 0 ), ARRAY_A ) );
		return array_filter( $rows, fn( $row ) => Signer::identity( $row['email'] ) === Signer::identity( $email ) || ( $user && (int) $row['user_id'] === $user->ID ) );
	}
}
