<?php
// Asking the sidecar.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Never in a shopper's request: only for staff, WP-CLI and erase requests. */
final class Sidecar {
	const SECONDS   = 10;
	const MAX_BYTES = 4194304;

	// One signed request. What the sidecar did not sign is not returned: on a shared host anybody can sit on the port.
	/** @return array{status:int,type:string,location:string,body:string}|\WP_Error fcsc_unpaired, fcsc_unreachable, fcsc_unsigned. */
	public static function ask( string $method, string $target, string $actor, string $body = '', string $type = '' ) {
		$key = Keys::current();
		if ( ! $key || ! preg_match( Signer::ENDPOINT, $key['endpoint'] ) ) {
			return new \WP_Error( 'fcsc_unpaired', __( 'This site is not paired with a sidecar yet.', 'fluentcrm-sidecar' ) );
		}
		$time    = (string) time();
		$nonce   = bin2hex( random_bytes( 16 ) );
		$mac     = Signer::sign( $key['secret'], $method, $target, $time, $nonce, $actor, $body );
		$headers = array( 'X-FCSC-Key' => $key['key_id'], 'X-FCSC-Timestamp' => $time, 'X-FCSC-Nonce' => $nonce, 'X-FCSC-Actor' => $actor, 'X-FCSC-Signature' => $mac ) + ( '' === $type ? array() : array( 'Content-Type' => $type ) );
		$answer  = self::send( $key['endpoint'], $target, compact( 'method', 'headers', 'body' ) );
		if ( is_wp_error( $answer ) ) {
			return new \WP_Error( 'fcsc_unreachable', __( 'The sidecar does not answer. Start it on the server with `systemctl start fluentcrm-sidecar` or `sidecar serve`; on a host without services put `sidecar tick` into the crontab. The shop works on without it: what happens meanwhile is kept and worked off later.', 'fluentcrm-sidecar' ), $answer->get_error_message() );
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		$said   = (string) wp_remote_retrieve_body( $answer );
		$mac    = wp_remote_retrieve_header( $answer, 'x-fcsc-signature' );
		if ( ! is_string( $mac ) || ! hash_equals( Signer::response( $key['secret'], $status, $nonce, $said ), $mac ) ) {
			return new \WP_Error( 'fcsc_unsigned', __( 'Something answered at the sidecar’s address, but it did not prove that it is the sidecar of this site. If the pairing was renewed, run `sidecar pair` again.', 'fluentcrm-sidecar' ) );
		}
		$header = fn( $name ) => (string) wp_remote_retrieve_header( $answer, $name );
		return array( 'status' => $status, 'type' => $header( 'content-type' ), 'location' => $header( 'location' ), 'body' => $said );
	}

	/** WordPress' HTTP API knows no Unix sockets, and WP_HTTP_BLOCK_EXTERNAL counts 127.0.0.1 as outside: curl gets the address. */
	private static function send( string $endpoint, string $target, array $request ) {
		$unix = 0 === strpos( $endpoint, 'unix:' ) ? substr( $endpoint, 5 ) : '';
		$port = (int) wp_parse_url( $endpoint, PHP_URL_PORT );
		$tune = static function ( $handle ) use ( $unix, $port ) {
			// phpcs:ignore WordPress.WP.AlternativeFunctions -- the HTTP API hands us its handle for this.
			curl_setopt_array( $handle, array( CURLOPT_PROXY => '' ) + ( '' !== $unix ? array( CURLOPT_UNIX_SOCKET_PATH => $unix ) : array( CURLOPT_CONNECT_TO => array( "localhost:$port:127.0.0.1:$port" ) ) ) );
		};
		$ipv4 = '' === $unix && 0 === strpos( $endpoint, 'http://127.0.0.1:' );
		if ( '' !== $unix || $ipv4 ) {
			add_action( 'http_api_curl', $tune );
		}
		add_filter( 'block_local_requests', '__return_false', 99 );
		try {
			$url = ( '' !== $unix ? 'http://localhost' : ( $ipv4 ? "http://localhost:$port" : $endpoint ) ) . $target;
			return wp_remote_request( $url, $request + array( 'timeout' => self::SECONDS, 'redirection' => 0, 'limit_response_size' => self::MAX_BYTES, 'user-agent' => 'fluentcrm-sidecar/' . VERSION ) );
		} finally {
			remove_action( 'http_api_curl', $tune );
			remove_filter( 'block_local_requests', '__return_false', 99 );
		}
	}
}
