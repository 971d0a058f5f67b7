<?php
// The keys of the pairing, and the nonces that were seen.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** The tables fcsc_keys (the sidecar may write it itself) and fcsc_nonces. A missing table means: not paired. */
final class Keys {
	/** After a rotation the old key still verifies for so long. */
	const OVERLAP = 900;

	/** @return array|null key_id, secret, endpoint, state, created_gmt of the key to sign with. */
	public static function current() {
		return self::rows()[0] ?? null;
	}

	/** The key of that id while it is valid. */
	public static function find( string $id ) {
		return array_column( self::rows(), null, 'key_id' )[ $id ] ?? null;
	}

	/** Whether nobody has used it before: the INSERT decides, also between two processes. */
	public static function unused( string $nonce ): bool {
		global $wpdb;
		$table = Tables::name( 'nonces' );
		if ( 0 === random_int( 0, 99 ) ) {
			$wpdb->query( $wpdb->prepare( 'DELETE FROM %i WHERE seen < %d', $table, time() - 2 * Signer::SECONDS ) );
		}
		return 1 === Tables::quietly( fn() => $wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO %i (nonce, seen) VALUES (%s, %d)', $table, $nonce, time() ) ) );
	}

	/** From the settings page: the new key becomes the current one, the one before it stays valid for a while. */
	public static function add( array $code ): bool {
		global $wpdb;
		$table = Tables::name( 'keys' );
		$wpdb->query( $wpdb->prepare( "UPDATE %i SET state = 'previous' WHERE state = 'current' AND key_id <> %s", $table, $code['k'] ) );
		$row = array( 'key_id' => $code['k'], 'secret' => $code['s'], 'endpoint' => $code['e'], 'state' => 'current', 'created_gmt' => gmdate( 'Y-m-d H:i:s' ) );
		return (bool) $wpdb->replace( $table, $row );
	}

	/** Those that are valid now, the current one first; one that is past its time is deleted. */
	private static function rows(): array {
		global $wpdb;
		$table = Tables::name( 'keys' );
		$rows  = Tables::quietly( fn() => (array) $wpdb->get_results( $wpdb->prepare( 'SELECT * FROM %i ORDER BY created_gmt DESC, state LIMIT 20', $table ), ARRAY_A ) );
		$now   = array_slice( array_filter( $rows, fn( $row ) => 'current' === $row['state'] ), 0, 1 );
		$old   = array_filter( $rows, fn( $row ) => $now && 'previous' === $row['state'] );
		if ( $old && time() - (int) strtotime( $now[0]['created_gmt'] . ' UTC' ) > self::OVERLAP ) {
			array_map( fn( $row ) => $wpdb->delete( $table, array( 'key_id' => $row['key_id'] ) ), $old );
			$old = array();
		}
		return array_merge( $now, $old );
	}
}
