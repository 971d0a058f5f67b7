<?php
// What happened, as rows of ids for the sidecar: collected in memory, written by one INSERT at shutdown.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** A row is only a hint: the sidecar looks at the tables themselves. So a lost row costs time, not truth. */
final class Outbox {
	/** More than a request ever has; a long import writes in between, but keeps the newest: they may be half built. */
	const LIMIT = 600;
	const KEEP  = 100;

	/** @var array<int,array<string,array>> blog id => key => row */
	private static $rows = array();
	/** @var bool Whether our own writes to FluentCRM go on: they are no news to the sidecar. */
	private static $muted = false;

	/** Note a row, once for all that say the same. `$detail`: at most 100 characters, never personal. */
	public static function add( string $topic, int $object, int $sub = 0, string $detail = '', int $user = 0, string $visitor = '' ) {
		if ( self::$muted && preg_match( '/^(contact|email)\./', $topic ) ) {
			return;
		}
		if ( ! self::$rows ) {
			// After WooCommerce has saved the session (20). Runs after exit, wp_die and fatal errors too.
			add_action( 'shutdown', array( self::class, 'flush' ), 30 );
		}
		$blog = get_current_blog_id();
		$key  = "$topic|$object|$sub|$detail";
		if ( ! isset( self::$rows[ $blog ][ $key ] ) ) {
			self::$rows[ $blog ][ $key ] = array( $topic, $object, $sub, mb_substr( $detail, 0, 100 ), $user, $visitor, (int) ( microtime( true ) * 1000 ) );
			if ( count( self::$rows[ $blog ] ) >= self::LIMIT ) {
				$newest = array_splice( self::$rows[ $blog ], -self::KEEP );
				self::write( $blog, self::$rows[ $blog ] );
				self::$rows[ $blog ] = $newest;
			}
		} elseif ( '' !== $visitor ) {
			self::$rows[ $blog ][ $key ][5] = $visitor;
		}
	}

	/** Run `$work`; what it changes in FluentCRM makes no rows, whatever it throws. */
	public static function muted( callable $work ) {
		$before      = self::$muted;
		self::$muted = true;
		try {
			return $work();
		} finally {
			self::$muted = $before;
		}
	}

	public static function flush() {
		$all        = self::$rows;
		self::$rows = array();
		foreach ( $all as $blog => $rows ) {
			self::write( $blog, $rows );
		}
	}

	/** Drop the "updated" of an order or customer of which a row says more, of a new contact, of a product that an order only took from the shelf. */
	private static function without_echoes( array $rows ): array {
		$told = array();
		foreach ( $rows as $row ) {
			list( $noun, $verb ) = explode( '.', $row[0] );
			if ( ! in_array( $verb, array( 'updated', 'viewed', 'login' ), true ) && ( 'contact' !== $noun || 'created' === $verb ) ) {
				$told[ ( 'stock' === $noun ? 'product' : $noun ) . $row[1] ] = true;
			}
		}
		$sold = did_action( 'woocommerce_reduce_order_stock' ) || did_action( 'woocommerce_restore_order_stock' );
		return array_filter( $rows, static function ( $row ) use ( $told, $sold ) {
			list( $noun, $verb ) = explode( '.', $row[0] );
			return 'updated' !== $verb || ! isset( $told[ $noun . $row[1] ] ) || ( 'product' === $noun && ! $sold );
		} );
	}

	private static function write( int $blog, array $rows ) {
		global $wpdb;
		$values = implode( ',', array_map( fn( $row ) => $wpdb->prepare( '(%s,%d,%d,%s,%d,%s,%d)', $row ), self::without_echoes( $rows ) ) );
		try {
			Tables::write( 'INSERT INTO `' . $wpdb->get_blog_prefix( $blog ) . "fcsc_outbox` (topic,object_id,sub_id,detail,user_id,visitor,created_ms) VALUES $values" );
		} catch ( \Throwable $error ) { // phpcs:ignore -- the shop goes before our news.
			unset( $error );
		}
	}
}
