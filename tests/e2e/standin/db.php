<?php
// WordPress below 6.2 (Debian bookworm has 6.1) does not know the placeholder %i of prepare(), which the plugin uses all over and
// which is why it asks for 6.5. This drop-in gives it to such a WordPress for the tests; a newer one is left as it is.
if ( version_compare( $GLOBALS['wp_version'], '6.2', '<' ) ) {
	// phpcs:ignore -- a class of the tests
	class Fcsc_Wpdb extends wpdb {
		public function prepare( $query, ...$args ) {
			$args = isset( $args[0] ) && is_array( $args[0] ) && 1 === count( $args ) ? array_values( $args[0] ) : $args;
			if ( null === $query || ! preg_match( '/%[isdfF]/', $query ) ) {
				return parent::prepare( $query, ...$args );
			}
			$position = 0;
			$query    = preg_replace_callback( '/%%|%[isdfF]/', static function ( $found ) use ( &$args, &$position ) {
				if ( '%i' === $found[0] ) {
					$name = '`' . str_replace( '`', '``', $args[ $position ] ) . '`';
					array_splice( $args, $position, 1 );
					return $name;
				}
				$position += '%%' === $found[0] ? 0 : 1;
				return $found[0];
			}, $query );
			return $args ? parent::prepare( $query, ...$args ) : $query;
		}
	}
	$wpdb = new Fcsc_Wpdb( DB_USER, DB_PASSWORD, DB_NAME, DB_HOST );
}
