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
	public static function fault( \Throwable $error ): string {
		return 'failed: ' . get_class( $error ) . ' at ' . basename( $error->getFile() ) . ':' . $error->getLine();
	}

	/** `$one( $item )` is array( state, id, reason, code ), as of once(). @return array<int,array{key:string,state:string,id:int,reason:string,code:string}> */
	public static function outcomes( array $items, callable $one ): array {
		$done = self::each( $items, self::SECONDS, array( 'again', 0, 'out_of_time' ), $one );
		return array_map( fn( $pair ) => array( 'key' => (string) ( $pair[0]['key'] ?? '' ), 'state' => $pair[1][0], 'id' => (int) $pair[1][1], 'reason' => (string) ( $pair[1][2] ?? '' ), 'code' => (string) ( $pair[1][3] ?? '' ) ), $done );
	}

	public static function is_key( $key ): bool {
		return is_string( $key ) && (bool) preg_match( '/^[\w.:-]{1,64}$/D', $key );
	}

	/** `$work()` is array( state, id, reason ); refused and again leave nothing behind. 'known': done before, with that id. */
	public static function once( $key, string $kind, callable $work ): array {
		return self::is_key( $key ) ? self::together( array( $key => null ), $kind, fn() => array( $key => $work() ) )[ $key ] : array( 'refused', 0, 'key' );
	}

	/** Items by their keys in one transaction, which is quicker than one for each. `$work( $items )` is key => what once() wants. If anything is odd, then one by one. */
	public static function together( array $items, string $kind, callable $work ): array {
		global $wpdb;
		list( $table, $answer ) = array( Tables::name( 'sent' ), fn( ...$said ) => array_fill_keys( array_keys( $items ), $said ) );
		$run = static function ( string $sql, array $keys, array $ids ) use ( $wpdb, $table, $kind ) {
			$values = implode( ',', array_map( fn( $key ) => $wpdb->prepare( '(%s,%s,%d,UTC_TIMESTAMP())', $key, $kind, $ids[ $key ] ?? 0 ), $keys ) );
			return Tables::quietly( fn() => $wpdb->query( sprintf( $sql, "INTO `$table` (sent_key,kind,object_id,created_gmt) VALUES $values" ) ) ); // phpcs:ignore WordPress.DB -- prepared above
		};
		ksort( $items, SORT_STRING ); // of two processes with the same keys one waits for the other, not each for each
		$wpdb->query( 'START TRANSACTION' );
		try {
			// Another process with one of these keys waits here, until the first has committed.
			$new = $run( 'INSERT IGNORE %s', array_keys( $items ), array() );
			if ( count( $items ) === $new ) {
				$done = $work( $items );
				$kept = array_map( fn( $one ) => $one[1], array_filter( $done, fn( $one ) => ! in_array( $one[0], array( 'refused', 'again' ), true ) ) );
				foreach ( array_diff_key( $done, $kept ) as $key => $one ) {
					if ( false === $wpdb->delete( $table, array( 'sent_key' => (string) $key ) ) ) {
						throw new \RuntimeException(); // a deadlock has taken back all of it: a key must not come back alone
					}
				}
				// WordPress opens a lost connection anew without a word: the rows may have gone with the old one, and the COMMIT too.
				$kept && $run( 'INSERT %s ON DUPLICATE KEY UPDATE object_id = VALUES(object_id)', array_keys( $kept ), $kept );
				$wpdb->query( 'COMMIT' );
				return count( $kept ) === count( self::known( array_keys( $kept ) ) ) ? $done : $answer( 'again', 0, 'database' );
			} elseif ( 1 === count( $items ) ) {
				return false === $new ? $answer( 'again', 0, 'database' ) : $answer( 'known', self::known( array_keys( $items ) )[0]['id'] ?? 0 );
			}
		} catch ( \Throwable $error ) {
			if ( 1 === count( $items ) ) {
				return $answer( 'again', 0, self::fault( $error ) );
			}
		} finally {
			$wpdb->query( 'ROLLBACK' ); // after a COMMIT it does nothing
		}
		$all = array();
		foreach ( $items as $key => $item ) {
			$all += self::together( array( $key => $item ), $kind, $work );
		}
		return $all;
	}

	/** Outcomes of those keys that are done already: for a caller that was cut off. */
	public static function known( array $keys ): array {
		global $wpdb;
		$keys = array_merge( array( '' ), array_map( 'strval', array_filter( $keys, 'is_scalar' ) ) );
		$sql  = "SELECT sent_key AS `key`, 'known' AS state, object_id AS id, '' AS reason, '' AS code FROM %i WHERE sent_key IN (" . implode( ',', array_fill( 0, count( $keys ), '%s' ) ) . ')';
		$rows = (array) Tables::quietly( fn() => $wpdb->get_results( $wpdb->prepare( $sql, array_merge( array( Tables::name( 'sent' ) ), $keys ) ), ARRAY_A ) ); // phpcs:ignore WordPress.DB
		return array_map( fn( $row ) => array( 'id' => (int) $row['id'] ) + $row, $rows );
	}
}
