<?php
// wp sidecar …
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Asks the running FluentCRM Sidecar of this shop. */
final class Cli {
	/** Whether the sidecar is well: lag, queue, last sync, errors. */
	public function status() {
		$this->show( $this->ask( 'GET', 'status' ) );
	}

	/** The sync: how it stands, or `start`, `pause`, `resume`, `cancel`. */
	public function sync( $args ) {
		if ( isset( $args[0] ) && ! in_array( $args[0], array( 'start', 'pause', 'resume', 'cancel' ), true ) ) {
			\WP_CLI::error( 'There is `start`, `pause`, `resume` and `cancel`; `sidecar sync` on the server can do more.' );
		}
		$this->show( isset( $args[0] ) ? $this->ask( 'POST', 'sync/' . sanitize_key( $args[0] ) ) : $this->ask( 'GET', 'sync' ) );
	}

	/** Check the installation. */
	public function doctor() {
		$this->show( $this->ask( 'GET', 'doctor' ) );
	}

	/** What happened in the shop, and what became of it. Takes --type=order, --limit=20, --after=ID. */
	public function events( $args, $options ) {
		$query = array_intersect_key( $options, array( 'type' => 1, 'limit' => 1, 'after' => 1 ) );
		$this->show( $this->ask( 'GET', 'events', array_map( 'strval', $query + array( 'limit' => 20 ) ) ) );
	}

	/** Why a contact's fields and tags are what they are: `wp sidecar explain 17`, FluentCRM's id. */
	public function explain( $args ) {
		if ( ! ctype_digit( $args[0] ?? '' ) ) {
			\WP_CLI::error( "Give FluentCRM's id of the contact: `wp sidecar explain 17`." );
		}
		$this->show( $this->ask( 'GET', 'explain/' . absint( $args[0] ) ) );
	}

	/** Try again what failed: all, or the letters with these numbers. */
	public function retry( $args ) {
		if ( array_filter( $args, fn( $number ) => absint( $number ) < 1 ) ) {
			\WP_CLI::error( 'Give the numbers of letters as `sidecar sync letters` shows them, or none for all.' );
		}
		$this->show( $this->ask( 'POST', 'letters/retry', array(), array( 'letters' => array_map( 'absint', $args ) ) ) );
	}

	/** Pair by the code that `sidecar pair --print-code` prints, read from standard input: `sidecar pair --print-code | wp sidecar pair`. */
	public function pair() {
		$code = Signer::pairing_code( (string) stream_get_contents( STDIN ) );
		if ( ! $code || ! Keys::add( $code ) ) {
			\WP_CLI::error( 'This is not a pairing code.' );
		}
		\WP_CLI::success( "Paired, key {$code['k']}." );
	}

	/** WordPress' part of one pass, for a crontab on a host without services; `sidecar tick` is the other part. May overlap. */
	public function cron() {
		Tables::cleanup();
		do_action( 'fluentcrm_scheduled_minute_tasks' ); // sends FluentCRM's due e-mails; it has its own lock
		$answer = Sidecar::ask( 'GET', '/api/v1/status', '-' );
		\WP_CLI::success( is_wp_error( $answer ) ? 'Done here. No sidecar is running: put `sidecar tick` into the crontab too.' : 'Done here; the sidecar is running.' );
	}

	/** @return mixed The answer's data; ends with a message where there is none. */
	private function ask( string $method, string $path, array $query = array(), array $body = array() ) {
		$post   = 'POST' === $method;
		$answer = Sidecar::ask( $method, Signer::target( "/api/v1/$path", $query ), '-', $post ? (string) wp_json_encode( (object) $body ) : '', $post ? 'application/json' : '' );
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
		$cell = fn( $value ) => is_array( $value ) ? wp_json_encode( $value ) : $value;
		$rows = is_array( $data ) && is_array( $data[0] ?? null ) ? array_map( fn( $row ) => array_map( $cell, $row ), $data ) : array();
		$rows ? \WP_CLI\Utils\format_items( 'table', $rows, array_keys( $rows[0] ) )
			: \WP_CLI::line( (string) wp_json_encode( $data, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ) );
	}
}
