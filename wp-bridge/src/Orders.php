<?php
// Orders, refunds and coupons → outbox.
namespace FluentCrmSidecar;

use Automattic\WooCommerce\Utilities\OrderUtil;

defined( 'ABSPATH' ) || exit;

/** Only orders of type shop_order: subscriptions and refunds come as objects of their own to the same hooks. */
final class Orders {
	/** What is no order yet, or none any more. */
	const NO_STATUS = array( '', 'checkout-draft', 'auto-draft', 'draft', 'new', 'trash' );

	/** @var int The order that was saved last: the coupon hook does not say whose use it counts. */
	private static $last = 0;

	/**
	 * created (in the classic checkout before the items are saved: the row is written at shutdown, when all is there), updated
	 * (up to eleven times in one checkout), paid, anonymised: `$it` is an id or an order.
	 */
	public static function order( string $topic, $it, $order = null, int $sub = 0, string $detail = '' ) {
		$order = $order instanceof \WC_Order ? $order : ( $it instanceof \WC_Order ? $it : wc_get_order( $it ) );
		if ( ! $order instanceof \WC_Order || 'shop_order' !== $order->get_type() || in_array( $order->get_status(), self::NO_STATUS, true ) ) {
			return;
		}
		self::$last = $order->get_id();
		// The cookie is the shopper's only where the shopper is: not when staff makes the order.
		$visitor = 'order.created' === $topic && ! Beacon::ignored() ? Beacon::visitor() : '';
		Outbox::add( $topic, $order->get_id(), $sub, $detail, (int) $order->get_customer_id(), $visitor );
	}

	public static function status( string $topic, $id, $from, $to, $order = null ) {
		if ( in_array( $from, self::NO_STATUS, true ) || in_array( $to, self::NO_STATUS, true ) ) {
			return;
		}
		self::order( $topic, $id, $order, 0, "$from>$to" );
		$paid = wc_get_is_paid_statuses();
		if ( in_array( $to, $paid, true ) && ! in_array( $from, $paid, true ) ) {
			self::order( 'order.paid', $id, $order ); // cash on delivery and bank transfer never complete a "payment"
		} elseif ( 'failed' === $to ) {
			self::order( 'order.failed', $id, $order );
		}
	}

	public static function refunded( string $topic, $id, $refund ) {
		self::order( $topic, $id, null, (int) $refund );
	}

	public static function refund_deleted( string $topic, $refund, $id ) {
		Outbox::add( $topic, (int) $id, (int) $refund );
	}

	/** With the order tables a refund that code deletes fires nothing but this filter. */
	public static function before_refund_delete( $check, $refund ) {
		if ( $refund instanceof \WC_Order_Refund ) {
			self::refund_deleted( 'order.refund_deleted', $refund->get_id(), $refund->get_parent_id() );
		}
		return $check;
	}

	/** trashed, restored. */
	public static function gone( string $topic, $id ) {
		if ( 'shop_order' === OrderUtil::get_order_type( $id ) ) {
			Outbox::add( $topic, (int) $id );
		}
	}

	public static function deleted( string $topic, $id, $order = null ) {
		$order = $order instanceof \WC_Order ? $order : wc_get_order( $id );
		if ( $order instanceof \WC_Order && 'shop_order' === $order->get_type() && self::was( $order->get_status() ) ) {
			Outbox::add( $topic, (int) $id );
		}
	}

	public static function coupon( string $topic, $coupon ) {
		if ( self::$last && $coupon instanceof \WC_Coupon ) {
			Outbox::add( $topic, self::$last, $coupon->get_id() );
		}
	}

	/** Trash, restore and delete of an order that is a post (legacy storage): the list in wp-admin uses WordPress' own. */
	public static function post( string $hook, \WP_Post $post ) {
		if ( OrderUtil::custom_orders_table_usage_is_enabled() ) {
			return; // the post is a copy or a place holder
		}
		if ( 'shop_order_refund' === $post->post_type && 'before_delete_post' === $hook ) {
			self::refund_deleted( 'order.refund_deleted', $post->ID, $post->post_parent );
		} elseif ( 'shop_order' === $post->post_type && ( 'before_delete_post' !== $hook || self::was( preg_replace( '/^wc-/', '', $post->post_status ) ) ) ) {
			$topics = array( 'trashed_post' => 'order.trashed', 'untrashed_post' => 'order.restored', 'before_delete_post' => 'order.deleted' );
			Outbox::add( $topics[ $hook ], $post->ID );
		}
	}

	/** Whether what is deleted in this status had ever been an order. */
	private static function was( string $status ): bool {
		return 'trash' === $status || ! in_array( $status, self::NO_STATUS, true );
	}
}
