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
		foreach ( self::rows() as $row ) {
			if ( 'current' === $row['state'] ) {
				return $row;
			}
		}
		return null;
	}

	/** The key of that id while it is valid. */
	public static function find( string $id ) {
		foreach ( self::rows() as $row ) {
			if ( hash_equals( $row['key_id'], $id ) ) {
				return $row;
			}
		}
		return null;
	}

	/** Whether nobody has used it before: the INSERT decides, also between two processes. */
	public static function unused( string $nonce ): bool {
		global $wpdb;
		$table = Tables::name( 'nonces' );
		if ( 0 === random_int( 0, 99 ) ) {
			$wpdb->query( $wpdb->prepare( 'DELETE FROM %i WHERE seen < %d', $table, time() - 2 * Signer::SECONDS ) );
		}
		$quiet = $wpdb->suppress_errors( true );
		$rows  = $wpdb->query( $wpdb->prepare( 'INSERT IGNORE INTO %i (nonce, seen) VALUES (%s, %d)', $table, $nonce, time() ) );
		$wpdb->suppress_errors( $quiet );
		return 1 === $rows;
	}

	/** From the settings page: the new key becomes the current one, the one before it stays valid for a while. */
	public static function add( array $code ): bool {
		global $wpdb;
		$table = Tables::name( 'keys' );
		$wpdb->query( $wpdb->prepare( "UPDATE %i SET state = 'previous' WHERE state = 'current' AND key_id <> %s", $table, $code['k'] ) );
		return (bool) $wpdb->replace(
			$table,
			array(
				'key_id'      => $code['k'],
				'secret'      => $code['s'],
				'endpoint'    => $code['e'],
				'state'       => 'current',
				'created_gmt' => gmdate( 'Y-m-d H:i:s' ),
			)
		);
	}

	/** Those that are valid now, the current one first; one that is past its time is deleted. */
	private static function rows(): array {
		global $wpdb;
		$table = Tables::name( 'keys' );
		$quiet = $wpdb->suppress_errors( true );
		$rows  = (array) $wpdb->get_results( $wpdb->prepare( 'SELECT * FROM %i ORDER BY created_gmt DESC, state LIMIT 20', $table ), ARRAY_A );
		$wpdb->suppress_errors( $quiet );
		$since = 0;
		$valid = array();
		foreach ( $rows as $row ) {
			if ( 'current' === $row['state'] && ! $since ) {
				$since   = (int) strtotime( $row['created_gmt'] . ' UTC' );
				$valid[] = $row;
			} elseif ( 'previous' === $row['state'] && $since && time() - $since <= self::OVERLAP ) {
				$valid[] = $row;
			} elseif ( 'previous' === $row['state'] && $since ) {
				$wpdb->delete( $table, array( 'key_id' => $row['key_id'] ) );
			}
		}
		return $valid;
	}
}
