<?php
// How the bridge and the sidecar know each other: HMAC-SHA256 over what is said. The same vectors run in Python.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Pure: text in, text out; no WordPress. Secrets and signatures are hex. */
final class Signer {
	const SECONDS  = 300;
	const ROLES    = 'administrator|shop_manager|crm_manager|support';
	const ENDPOINT = '#^(?:unix:/[^\x00-\x20"\']{1,180}|http://(?:127\.0\.0\.1|localhost|\[::1\]):\d{1,5})$#D';

	public static function canonical( string $method, string $target, string $time, string $nonce, string $actor, string $body ): string {
		return implode( "\n", array( 'FCSC1', $method, $target, $time, $nonce, $actor, hash( 'sha256', $body ) ) );
	}

	public static function sign( string $secret, string $method, string $target, string $time, string $nonce, string $actor, string $body ): string {
		return self::mac( $secret, self::canonical( $method, $target, $time, $nonce, $actor, $body ) );
	}

	/** `$nonce` is the request's: an old answer cannot be given again. */
	public static function response( string $secret, int $status, string $nonce, string $body ): string {
		return self::mac( $secret, "FCSC1R\n$status\n$nonce\n" . hash( 'sha256', $body ) );
	}

	/** Whether the headers have the only form that is accepted, and the time is near enough. */
	public static function acceptable( string $key, string $time, string $nonce, string $actor, int $now ): bool {
		return preg_match( '/^[0-9a-z]{16}$/D', $key ) && preg_match( '/^[1-9]\d{0,11}$/D', $time ) && preg_match( '/^[0-9a-f]{32}$/D', $nonce )
			&& ( '-' === $actor || preg_match( '/^[1-9]\d{0,18};(?:' . self::ROLES . ');[A-Za-z]{2,3}[\w@-]{0,17};(?:ltr|rtl)$/D', $actor ) )
			&& abs( (int) $time - $now ) <= self::SECONDS;
	}

	/** The REST route and its query, sorted by name: the same on plain permalinks, in sub-folders and behind rewrites. */
	public static function target( string $route, array $query ): string {
		ksort( $query, SORT_STRING );
		return $route . ( $query ? '?' . http_build_query( $query, '', '&', PHP_QUERY_RFC3986 ) : '' );
	}

	/** @return array{k:string,s:string,e:string}|null What a pairing code says, null for anything else. */
	public static function pairing_code( string $code ) {
		$code = trim( $code );
		$data = 0 === strpos( $code, 'fcsc1.' ) ? json_decode( (string) base64_decode( strtr( substr( $code, 6 ), '-_', '+/' ), true ), true ) : null; // phpcs:ignore
		$good = is_array( $data ) && isset( $data['k'], $data['s'], $data['e'] ) && is_string( $data['k'] ) && is_string( $data['s'] ) && is_string( $data['e'] )
			&& preg_match( '/^[0-9a-z]{16}$/D', $data['k'] ) && preg_match( '/^[0-9a-f]{64}$/D', $data['s'] ) && preg_match( self::ENDPOINT, $data['e'] );
		return $good ? $data : null;
	}

	/** What stays of an erased person. */
	public static function suppression( string $key, string $email ): string {
		return self::mac( $key, self::identity( $email ) );
	}

	/** As sidecar/values/email.py: trimmed and lower-cased in Unicode. */
	public static function identity( string $email ): string {
		$text = (string) preg_replace( '/^[\s\p{Z}\p{Cf}]+|[\s\p{Z}\p{Cf}]+$/u', '', $email );
		return function_exists( 'mb_strtolower' ) ? mb_strtolower( $text, 'UTF-8' ) : strtolower( $text ); // WordPress takes ASCII addresses only
	}

	private static function mac( string $secret, string $message ): string {
		return hash_hmac( 'sha256', $message, (string) hex2bin( $secret ) );
	}
}
