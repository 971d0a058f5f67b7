<?php
// From wp-admin to the sidecar: a list of what may be asked, and by whom.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** What is not on the list does not exist. The sidecar checks the role again, and the finer actions inside a form. */
final class Proxy {
	/** Method, path, permission (Roles::MAY). */
	const ALLOWED = array(
		array( 'GET', '#^ui/(?:status|events|sync|segments|automations)$#D', 'see' ),
		array( 'GET', '#^ui/mapping$#D', 'mapping' ),
		array( 'GET', '#^ui/contact/[1-9]\d{0,15}$#D', 'contact' ),
		array( 'POST', '#^ui/(?:status|sync|segments)$#D', 'sync' ),
		array( 'POST', '#^ui/automations$#D', 'see' ),
		array( 'POST', '#^ui/mapping$#D', 'mapping' ),
		array( 'GET', '#^api/v1/(?:status|events|sync|segments(?:/[a-z0-9-]{1,60})?|automations(?:/[a-z0-9-]{1,60}(?:/preflight)?)?|letters|doctor|site)$#D', 'see' ),
		array( 'GET', '#^api/v1/(?:(?:contacts|explain)/[1-9]\d{0,15}|segments/[a-z0-9-]{1,60}/people|automations/[a-z0-9-]{1,60}/(?:people(?:/[1-9]\d{0,15})?|messages))$#D', 'contact' ),
		array( 'POST', '#^api/v1/(?:sync/(?:start|pause|resume|cancel)|letters/retry|segments/refresh|automations/(?:on|off))$#D', 'sync' ),
		array( 'POST', '#^api/v1/automations/why$#D', 'contact' ),
		array( 'POST', '#^api/v1/sync/undo$#D', 'undo' ),
		array( 'GET', '#^api/v1/(?:mapping|segment-rules|automation-texts/[a-z0-9-]{1,60}|explore/[a-z_]{1,40})$#D', 'mapping' ),
		array( 'POST', '#^api/v1/(?:mapping/(?:check|preview|save)|segment-rules/(?:preview|save|remove)|automation-texts/(?:check|preview|save|copy|remove|reset)|explore/[a-z_]{1,40})$#D', 'mapping' ),
		array( 'POST', '#^api/v1/(?:site/confirm|privacy/erase)$#D', 'settings' ),
	);

	public static function allowed( string $method, string $path ): bool {
		foreach ( self::ALLOWED as list( $verb, $pattern, $permission ) ) {
			if ( $verb === $method && preg_match( $pattern, $path ) ) {
				return Roles::may( $permission );
			}
		}
		return false;
	}

	/** For the current user. `$query` and `$form` are what the browser sent, without WordPress' own names. */
	public static function ask( string $method, string $path, array $query, string $body = '', string $type = '' ) {
		if ( ! self::allowed( $method, $path ) ) {
			return new \WP_Error( 'fcsc_forbidden', __( 'You may not do this.', 'fluentcrm-sidecar' ), array( 'status' => 403 ) );
		}
		return Sidecar::ask( $method, Signer::target( "/$path", self::plain( $query ) ), Roles::actor(), $body, $type );
	}

	/** Only texts, and nothing that WordPress added. */
	public static function plain( array $given ): array {
		return array_filter( array_diff_key( $given, array_flip( array( 'page', 'view', 'rest_route', '_wpnonce', '_wp_http_referer', '_locale', 'path' ) ) ), 'is_string' );
	}

	public static function permitted( \WP_REST_Request $request ): bool {
		return self::allowed( $request->get_method(), (string) $request->get_url_params()['path'] );
	}

	public static function rest( \WP_REST_Request $request ) {
		$path   = (string) $request->get_url_params()['path'];
		$post   = 'POST' === $request->get_method();
		$answer = self::ask( $request->get_method(), $path, $request->get_query_params(), (string) $request->get_body(), $post ? (string) $request->get_header( 'content-type' ) : '' );
		if ( is_wp_error( $answer ) ) {
			$answer->add_data( array( 'status' => 'fcsc_forbidden' === $answer->get_error_code() ? 403 : 502 ) );
			return $answer;
		}
		$html = 0 === strpos( $answer['type'], 'text/html' );
		// A redirect is for the page to follow: the browser cannot reach the sidecar.
		$reply = new \WP_REST_Response( $html ? AdminPage::with_nonce( $answer['body'] ) : $answer['body'], 303 === $answer['status'] ? 200 : $answer['status'] );
		$reply->header( 'Content-Type', $html ? 'text/html; charset=UTF-8' : 'application/json; charset=UTF-8' );
		return $reply;
	}
}
