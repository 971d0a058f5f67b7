<?php
// Orders and refunds over WooCommerce's own tables, with the hooks in WooCommerce's order.

class WC_Order {
	const TYPE = 'shop_order';
	public $billing = array();
	protected $row  = array( 'id' => 0, 'status' => 'wc-pending', 'total_amount' => 0, 'customer_id' => 0, 'parent_order_id' => 0, 'payment_method' => '' );

	public function __construct( array $row = array() ) { $this->row = array_merge( $this->row, $row ); }
	public function set( array $values ) { $this->row = array_merge( $this->row, $values ); }
	public function get_id() { return (int) $this->row['id']; }
	public function get_type() { return static::TYPE; }
	public function get_status() { return preg_replace( '/^wc-/', '', $this->row['status'] ); }
	public function get_customer_id() { return (int) $this->row['customer_id']; }
	public function get_parent_id() { return (int) $this->row['parent_order_id']; }
	public function get_total() { return (float) $this->row['total_amount']; }
	public function get_order_key() { return 'wc_order_' . $this->get_id(); }
	public function set_billing_email( $email ) { $this->billing['email'] = $email; }
	public function get_billing_email() { return (string) ( $this->billing['email'] ?? $this->row['billing_email'] ?? '' ); }
	public function total_of( WC_Product $product, int $quantity ) { $this->row['total_amount'] = $product->get_price() * $quantity; }
	public function calculate_totals() {}

	public function add_product( WC_Product $product, $quantity = 1 ) {
		global $wpdb;
		$this->total_of( $product, $quantity );
		$this->get_id() || $this->save();
		$wpdb->insert( "{$wpdb->prefix}woocommerce_order_items", array( 'order_item_name' => $product->get_name(), 'order_item_type' => 'line_item', 'order_id' => $this->get_id() ) );
		$item  = $wpdb->insert_id;
		$total = $this->get_total();
		foreach ( array( '_product_id' => $product->get_id(), '_variation_id' => 0, '_qty' => $quantity, '_line_subtotal' => $total, '_line_total' => $total, '_line_tax' => 0 ) as $key => $value ) {
			$wpdb->insert( "{$wpdb->prefix}woocommerce_order_itemmeta", array( 'order_item_id' => $item, 'meta_key' => $key, 'meta_value' => $value ) );
		}
	}

	public function save() {
		global $wpdb;
		$now   = gmdate( 'Y-m-d H:i:s' );
		$new   = ! $this->row['id'];
		if ( $new ) {
			// The id comes from a place holder among the posts, as with the real order tables.
			$this->row['id'] = wp_insert_post( array( 'post_type' => 'shop_order_placehold', 'post_status' => 'draft', 'post_title' => 'order' ) );
			$this->row      += array( 'type' => static::TYPE, 'currency' => 'USD', 'date_created_gmt' => $now, 'tax_amount' => 0 );
		}
		$this->row['date_updated_gmt'] = $now;
		if ( isset( $this->billing['email'] ) ) { $this->row['billing_email'] = $this->billing['email']; }
		$wpdb->replace( "{$wpdb->prefix}wc_orders", $this->row );
		if ( $this->billing ) {
			$address = array_intersect_key( $this->billing, array_flip( array( 'first_name', 'last_name', 'company', 'address_1', 'address_2', 'city', 'state', 'postcode', 'country', 'email', 'phone' ) ) );
			$wpdb->replace( "{$wpdb->prefix}wc_order_addresses", array( 'order_id' => $this->get_id(), 'address_type' => 'billing' ) + $address );
		}
		if ( $new ) {
			$wpdb->replace( "{$wpdb->prefix}wc_order_operational_data", array( 'order_id' => $this->get_id(), 'created_via' => 'checkout', 'order_key' => $this->get_order_key(), 'woocommerce_version' => WC_VERSION ) );
		}
		if ( 'shop_order' === static::TYPE ) {
			do_action( $new ? 'woocommerce_new_order' : 'woocommerce_update_order', $this->get_id(), $this );
		}
		return $this->get_id();
	}

	public function update_status( $to ) {
		$from                = $this->get_status();
		$this->row['status'] = "wc-$to";
		$this->save();
		do_action( "woocommerce_order_status_{$from}_to_{$to}", $this->get_id(), $this );
		do_action( 'woocommerce_order_status_changed', $this->get_id(), $from, $to, $this );
	}

	public function delete( $force = false ) {
		global $wpdb;
		$id = $this->get_id();
		if ( $force ) {
			do_action( 'woocommerce_before_delete_order', $id, $this );
			foreach ( array( 'wc_orders' => 'id', 'wc_order_addresses' => 'order_id', 'wc_order_operational_data' => 'order_id', 'wc_orders_meta' => 'order_id' ) as $table => $column ) {
				$wpdb->delete( $wpdb->prefix . $table, array( $column => $id ) );
			}
			wp_delete_post( $id, true );
			do_action( 'woocommerce_delete_order', $id );
			return true;
		}
		$wpdb->insert( "{$wpdb->prefix}wc_orders_meta", array( 'order_id' => $id, 'meta_key' => '_wp_trash_meta_status', 'meta_value' => $this->row['status'] ) );
		$this->status_only( 'trash' );
		do_action( 'woocommerce_trash_order', $id );
		return true;
	}

	public function untrash() {
		global $wpdb;
		$was = $wpdb->get_var( $wpdb->prepare( "SELECT meta_value FROM {$wpdb->prefix}wc_orders_meta WHERE order_id = %d AND meta_key = '_wp_trash_meta_status'", $this->get_id() ) );
		$this->status_only( $was );
		do_action( 'woocommerce_untrash_order', $this->get_id(), $was );
		return true;
	}

	private function status_only( $status ) {
		global $wpdb;
		$this->row['status'] = $status;
		$wpdb->update( "{$wpdb->prefix}wc_orders", array( 'status' => $status, 'date_updated_gmt' => gmdate( 'Y-m-d H:i:s' ) ), array( 'id' => $this->get_id() ) );
	}
}

class WC_Order_Refund extends WC_Order {
	const TYPE = 'shop_order_refund';
}

function wc_get_order( $id ) {
	global $wpdb;
	$row = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}wc_orders WHERE id = %d", is_object( $id ) ? $id->get_id() : $id ), ARRAY_A );
	return ! $row ? false : ( 'shop_order_refund' === $row['type'] ? new WC_Order_Refund( $row ) : new WC_Order( $row ) );
}

function wc_create_order( $given = array() ) {
	$order = new WC_Order( array( 'status' => 'wc-' . ( $given['status'] ?? 'pending' ), 'customer_id' => $given['customer_id'] ?? 0 ) );
	$order->save();
	return $order;
}

function wc_create_refund( $given ) {
	$refund = new WC_Order_Refund( array( 'status' => 'wc-completed', 'parent_order_id' => $given['order_id'], 'total_amount' => -1 * $given['amount'] ) );
	$id     = $refund->save();
	do_action( 'woocommerce_refund_created', $id, $given );
	do_action( 'woocommerce_order_refunded', $given['order_id'], $id );
	wc_get_order( $given['order_id'] )->save();
	return $refund;
}

function wc_get_is_paid_statuses() { return array( 'processing', 'completed' ); }

function wc_get_order_statuses() {
	return array( 'wc-pending' => 'Pending payment', 'wc-processing' => 'Processing', 'wc-on-hold' => 'On hold', 'wc-completed' => 'Completed', 'wc-cancelled' => 'Cancelled', 'wc-refunded' => 'Refunded', 'wc-failed' => 'Failed' );
}
