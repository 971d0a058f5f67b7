<?php
// What the sidecar wishes in batches, each item once: also when it is asked for twice, or cut off in between.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** An item's key is written in the same transaction as what the item makes; so a process that is killed leaves both, or neither. */
final class Batch {
	const LIMIT   = 200;
	const SECONDS = 12;

	/** @return array<int,array{0:array,1:array}> Each item, and what `$one( $item )` said of it; `$late` after so many seconds. */
	public static function each( array $items, int $seconds, array $late, callable $one ): array {
		$until = microtime( true ) + $seconds;
		function_exists( 'wc_set_time_limit' ) && wc_set_time_limit( 120 );
		return array_map( static function ( $item ) use ( $until, $late, $one ) {
			$item = is_array( $item ) ? $item : array();
			try {
				return array( $item, microtime( true ) > $until ? $late : $one( $item ) );
			} catch ( \Throwable $error ) { // the owner's automation or another plugin's listener
				return array( $item, array( 'refused', 0, self::fault( $error ) ) );
			}
		}, array_values( $items ) );
	}

	/** Where it happened; the message may name people. */
	private static function fault( \Throwable $error ): string {
		return 'failed: ' . get_class( $error ) . ' at ' . basename( $error->getFile() ) . ':' . $error->getLine();
	}

	/** `$one( $item )` is array( state, id, reason, code ), as of once(). @return array<int,array{key:string,state:string,id:int,reason:string,code:string}> */
	public static function outcomes( array $items, callable $one ): array {
		$done = self::each( $items, self::SECONDS, array( 'again', 0, 'out_of_time' ), $one );
		return array_map( fn( $pair ) => array( 'key' => (string) ( $pair[0]['key'] ?? '' ), 'state' => $pair[1][0], 'id' => (int) $pair[1][1], 'reason' => (string) ( $pair[1][2] ?? '' ), 'code' => (string) ( $pair[1][3] ?? '' ) ), $done );
	}

	/** `$work()` is array( state, id, reason ); refused and again leave nothing behind. 'known': done before, with that id. */
	public static function once( $key, string $kind, callable $work ): array {
		global $wpdb;
		if ( ! is_string( $key ) || ! preg_match( '/^[\w.:-]{1,64}$/D', $key ) ) {
			return array( 'refused', 0, 'key' );
		}
		$table = Tables::name( 'sent' );
		$wpdb->query( 'START TRANSACTION' );
		try {
			// Another process with the same key waits here, until the first has committed.
			$new = Tables::quietly( fn() => $wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO %i (sent_key, kind, created_gmt) VALUES (%s, %s, UTC_TIMESTAMP())', $table, $key, $kind ) ) );
			if ( 1 !== $new ) {
				return false === $new ? array( 'again', 0, 'database' ) : array( 'known', (int) $wpdb->get_var( $wpdb->prepare( 'SELECT object_id FROM %i WHERE sent_key = %s', $table, $key ) ) );
			}
			$done = $work();
			if ( in_array( $done[0], array( 'refused', 'again' ), true ) ) {
				return $done;
			}
			// WordPress opens a lost connection anew without a word: the row may have gone with the old one, and the COMMIT too.
			$wpdb->query( $wpdb->prepare( 'INSERT INTO %i (sent_key, kind, object_id, created_gmt) VALUES (%s, %s, %d, UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE object_id = VALUES(object_id)', $table, $key, $kind, $done[1] ) );
			$wpdb->query( 'COMMIT' );
			return $wpdb->get_var( $wpdb->prepare( 'SELECT 1 FROM %i WHERE sent_key = %s', $table, $key ) ) ? $done : array( 'again', 0, 'database' );
		} catch ( \Throwable $error ) {
			return array( 'again', 0, self::fault( $error ) );
		} finally {
			$wpdb->query( 'ROLLBACK' ); // after a COMMIT it does nothing
		}
	}

	/** Outcomes of those keys that are done already: for a caller that was cut off. */
	public static function known( array $keys ): array {
		global $wpdb;
		$keys = array_merge( array( '' ), array_values( array_filter( $keys, 'is_string' ) ) );
		$sql  = "SELECT sent_key AS `key`, 'known' AS state, object_id AS id, '' AS reason, '' AS code FROM %i WHERE sent_key IN (" . implode( ',', array_fill( 0, count( $keys ), '%s' ) ) . ')';
		$rows = (array) $wpdb->get_results( $wpdb->prepare( $sql, array_merge( array( Tables::name( 'sent' ) ), $keys ) ), ARRAY_A ); // phpcs:ignore WordPress.DB
		return array_map( fn( $row ) => array( 'id' => (int) $row['id'] ) + $row, $rows );
	}
}
