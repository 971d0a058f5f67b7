<?php
// wp sidecar …
namespace FluentCrmSidecar;

defined( 'ABSPATH' ) || exit;

/**
 * Asks the running FluentCRM Sidecar of this shop.
 */
final class Cli {
	/** Whether the sidecar is well: lag, queue, last sync, errors. */
	public function status( $args, $options ) {
		$this->show( $this->ask( 'GET', 'status' ) );
	}

	/**
	 * Show the sync, or start, pause or resume it.
	 *
	 * [<action>]
	 * : start, pause or resume
	 */
	public function sync( $args, $options ) {
		$this->show( isset( $args[0] ) ? $this->ask( 'POST', 'sync/' . sanitize_key( $args[0] ) ) : $this->ask( 'GET', 'sync' ) );
	}

	/** Check the installation. */
	public function doctor( $args, $options ) {
		$this->show( $this->ask( 'GET', 'doctor' ) );
	}

	/**
	 * What happened in the shop, and what became of it.
	 *
	 * [--type=<type>]
	 * : such as order
	 *
	 * [--limit=<number>]
	 * : 20
	 */
	public function events( $args, $options ) {
		$this->show( $this->ask( 'GET', 'events', array_intersect_key( $options, array( 'type' => 1, 'limit' => 1 ) ) + array( 'limit' => '20' ) ) );
	}

	/**
	 * Why a contact's fields and tags are what they are.
	 *
	 * <contact>
	 * : FluentCRM's id
	 */
	public function explain( $args, $options ) {
		$this->show( $this->ask( 'GET', 'explain/' . absint( $args[0] ) ) );
	}

	/**
	 * Try again what failed.
	 *
	 * [<letter>]
	 * : its number; without it, all
	 */
	public function retry( $args, $options ) {
		$this->show( $this->ask( 'POST', isset( $args[0] ) ? 'letters/' . absint( $args[0] ) . '/retry' : 'letters/retry' ) );
	}

	/**
	 * Pair with a sidecar by the code that `sidecar pair --print-code` prints, read from standard input.
	 */
	public function pair( $args, $options ) {
		$code = Signer::pairing_code( (string) stream_get_contents( STDIN ) );
		if ( ! $code || ! Keys::add( $code ) ) {
			\WP_CLI::error( 'This is not a pairing code. Usage: sidecar pair --print-code | wp sidecar pair' );
		}
		\WP_CLI::success( "Paired, key {$code['k']}." );
	}

	/** WordPress' part of one pass, for a crontab without daemons; `sidecar tick` is the other. May overlap. */
	public function cron( $args, $options ) {
		Tables::cleanup();
		do_action( 'fluentcrm_scheduled_minute_tasks' ); // sends FluentCRM's due e-mails; it has its own lock
		$answer = Sidecar::ask( 'GET', '/api/v1/status', '-' );
		\WP_CLI::success( is_wp_error( $answer ) ? 'Done here. No sidecar is running: put `sidecar tick` into the crontab too.' : 'Done here; the sidecar is running.' );
	}

	/** @return mixed The answer's data; ends with a message where there is none. */
	private function ask( string $method, string $path, array $query = array() ) {
		$answer = Sidecar::ask( $method, Signer::target( "/api/v1/$path", $query ), '-', 'POST' === $method ? '{}' : '', 'POST' === $method ? 'application/json' : '' );
		if ( is_wp_error( $answer ) ) {
			\WP_CLI::error( 'fcsc_unpaired' === $answer->get_error_code() ? 'Not paired yet: run `sidecar pair` on this server.' : $answer->get_error_message() );
		}
		$said = json_decode( $answer['body'], true );
		if ( $answer['status'] >= 300 || ! is_array( $said ) ) {
			\WP_CLI::error( trim( ( $said['error']['message'] ?? "HTTP {$answer['status']}" ) . "\n" . ( $said['error']['hint'] ?? '' ) ) );
		}
		return $said['data'] ?? null;
	}

	private function show( $data ) {
		if ( is_array( $data ) && isset( $data[0] ) && is_array( $data[0] ) ) {
			$rows = array_map( static function ( $row ) {
				return array_map( static function ( $cell ) {
					return is_array( $cell ) ? wp_json_encode( $cell ) : $cell;
				}, $row );
			}, $data );
			\WP_CLI\Utils\format_items( 'table', $rows, array_keys( $rows[0] ) );
			return;
		}
		\WP_CLI::line( (string) wp_json_encode( $data, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ) );
	}
}
