<?php
/**
 * Plugin Name: WooCommerce (stand-in of the tests)
 * Description: What the Sidecar's plugin uses of WooCommerce, over WooCommerce's own tables: an order, a refund, a checkout. Nothing is rounded, taxed or shipped.
 * Version: 10.9.1
 */

namespace Automattic\WooCommerce\Utilities {
	class OrderUtil {
		public static function get_order_type( $id ) {
			global $wpdb;
			return (string) $wpdb->get_var( $wpdb->prepare( "SELECT type FROM {$wpdb->prefix}wc_orders WHERE id = %d", is_object( $id ) ? $id->get_id() : $id ) );
		}
		public static function custom_orders_table_usage_is_enabled() {
			return true;
		}
	}
}

namespace {
	define( 'WC_VERSION', '10.9.1' );
	require __DIR__ . '/orders.php';

	class WooCommerce {}
	class WC_Coupon {
		private $is = array();
		public function set_props( array $props ) { $this->is = $props; }
		public function update_meta_data( $name, $value ) { $this->is[ $name ] = $value; }
		public function get_id() { return $this->is['id']; }
		public function save() {
			$meta = array( 'coupon_amount' => $this->is['amount'], 'date_expires' => $this->is['date_expires'], '_fcsc_key' => $this->is['_fcsc_key'], 'usage_count' => 0 );
			return $this->is['id'] = wp_insert_post( array( 'post_type' => 'shop_coupon', 'post_status' => 'publish', 'post_title' => $this->is['code'], 'meta_input' => $meta ) );
		}
	}
	function wc_get_coupon_id_by_code( $code ) {
		global $wpdb;
		return (int) $wpdb->get_var( $wpdb->prepare( "SELECT ID FROM $wpdb->posts WHERE post_type = 'shop_coupon' AND post_title = %s", $code ) );
	}
	function wc_get_coupon_code_by_id( $id ) { return get_post_field( 'post_title', $id ); }
	class WC_Product {
		private $post;
		public function __construct( WP_Post $post ) { $this->post = $post; }
		public function get_id() { return $this->post->ID; }
		public function get_parent_id() { return 0; }
		public function get_name() { return $this->post->post_title; }
		public function get_price() { return (float) get_post_meta( $this->post->ID, '_price', true ); }
		public function get_stock_status() { return 'instock'; }
		public function get_permalink() { return get_permalink( $this->post ); }
	}
	function wc_get_product( $id ) {
		$post = get_post( $id );
		return $post && 'product' === $post->post_type ? new WC_Product( $post ) : false;
	}

	add_action( 'init', function () {
		register_post_type( 'product', array( 'public' => true ) );
		foreach ( array( 'completed', 'processing', 'pending', 'on-hold', 'cancelled', 'refunded', 'failed' ) as $status ) {
			register_post_status( "wc-$status" );
		}
	} );
	add_action( 'plugins_loaded', function () { do_action( 'before_woocommerce_init' ); } );

	// ?wc-ajax=…, as WooCommerce: the endpoints are actions.
	add_action( 'template_redirect', function () {
		if ( ! empty( $_GET['wc-ajax'] ) ) {
			do_action( 'wc_ajax_' . sanitize_key( $_GET['wc-ajax'] ) );
			wp_die( -1, '', array( 'response' => 400 ) );
		}
	}, 0 );
	add_action( 'wc_ajax_add_to_cart', function () {
		setcookie( 'standin_cart', absint( $_POST['product_id'] ) . ':' . absint( $_POST['quantity'] ), 0, '/' );
		wp_send_json( array( 'cart_hash' => 'x' ) );
	} );
	// The form of the shortcode, with the fields that a browser would send.
	add_shortcode( 'woocommerce_checkout', function () {
		ob_start();
		do_action( 'woocommerce_after_checkout_billing_form' );
		return '<form>' . ob_get_clean() . '<input type="radio" name="shipping_method[0]" value="flat_rate:1">' . wp_nonce_field( 'woocommerce-process_checkout', 'woocommerce-process-checkout-nonce', true, false ) . '</form>';
	} );
	// The classic checkout: the order is saved (and told) before its items are, then paid.
	add_action( 'wc_ajax_checkout', function () {
		check_ajax_referer( 'woocommerce-process_checkout', 'woocommerce-process-checkout-nonce' );
		list( $product, $quantity ) = explode( ':', $_COOKIE['standin_cart'] );
		$order = new WC_Order();
		$order->set( array( 'customer_id' => get_current_user_id(), 'payment_method' => sanitize_key( $_POST['payment_method'] ) ) );
		foreach ( $_POST as $name => $value ) {
			if ( 0 === strpos( $name, 'billing_' ) ) { $order->billing[ substr( $name, 8 ) ] = sanitize_text_field( wp_unslash( $value ) ); }
		}
		$items = function () use ( $order, $product, $quantity ) { $order->add_product( wc_get_product( $product ), (int) $quantity ); };
		$order->total_of( wc_get_product( $product ), (int) $quantity );
		$order->save();
		$items();
		do_action( 'woocommerce_checkout_order_processed', $order->get_id(), $_POST, $order );
		$order->update_status( 'processing' );
		wp_send_json( array( 'result' => 'success', 'order_id' => $order->get_id(), 'redirect' => home_url() ) );
	} );
}
