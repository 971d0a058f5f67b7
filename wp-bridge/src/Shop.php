<?php
// Customers, products, stock and reviews → outbox.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Listeners of one kind: they turn a hook's arguments into ids. */
final class Shop {
	/** `$it`: the id; at a login the name, and then the user. */
	public static function customer( string $topic, $it, $then = null ) {
		$id = 'customer.login' === $topic && $then instanceof \WP_User ? $then->ID : (int) $it;
		if ( $id > 0 ) {
			Outbox::add( $topic, $id, 0, '', $id );
		}
	}

	/** A variation's change is its product's: terms and titles belong to the parent. */
	public static function product( string $topic, $id, $product = null ) {
		$parent = $product instanceof \WC_Product ? (int) $product->get_parent_id() : 0;
		Outbox::add( $topic, $parent ? $parent : (int) $id );
	}

	/** `…_set_stock( $product )` fires for each order's reduction, `…_set_stock_status( $id, $status, $product )` for the rest. */
	public static function stock( string $topic, $it, $status = '', $product = null ) {
		$product = $it instanceof \WC_Product ? $it : ( $product instanceof \WC_Product ? $product : wc_get_product( $it ) );
		if ( $product ) {
			$parent = (int) $product->get_parent_id();
			Outbox::add( $topic, $parent ? $parent : $product->get_id(), $parent ? $product->get_id() : 0, (string) ( $status ? $status : $product->get_stock_status() ) );
		}
	}

	/** A review counts when it can be read: at once, or when it is approved. */
	public static function comment( string $topic, $id, $comment = null ) {
		if ( $comment instanceof \WP_Comment && 'review' === $comment->comment_type && '1' === (string) $comment->comment_approved ) {
			Outbox::add( $topic, (int) $comment->comment_post_ID, (int) $comment->comment_ID, '', (int) $comment->user_id );
		}
	}

	public static function comment_status( string $topic, $new, $old, $comment ) {
		if ( 'approved' === $new && $old !== $new && $comment instanceof \WP_Comment ) {
			$comment->comment_approved = '1';
			self::comment( $topic, $comment->comment_ID, $comment );
		}
	}

	/** Trash, restore and delete of what is a post. Fires for every post type: the type is looked at first. */
	public static function post( string $hook, $id ) {
		$post = get_post( $id );
		$type = $post ? $post->post_type : '';
		if ( 'product' === $type ) {
			Outbox::add( 'untrashed_post' === $hook ? 'product.updated' : 'product.deleted', $post->ID );
		} elseif ( 'product_variation' === $type ) {
			Outbox::add( 'product.updated', (int) $post->post_parent );
		} elseif ( ( 'shop_order' === $type || 'shop_order_refund' === $type ) && class_exists( '\Automattic\WooCommerce\Utilities\OrderUtil' ) ) {
			Orders::post( $hook, $post );
		}
	}
}
