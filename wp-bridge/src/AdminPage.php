<?php
// The page in wp-admin, and the tab on FluentCRM's contact: what the sidecar renders, in WordPress' frame.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** `admin.php?page=fluentcrm-sidecar&view=…`. Only "settings" is made here: it must work without a sidecar. */
final class AdminPage {
	const SLUG = 'fluentcrm-sidecar';

	/** @var string|\WP_Error What the page shows: HTML that the sidecar signed, or why there is none. */
	private static $content = '';
	/** @var bool Whether the page is in a menu. */
	private static $added = false;

	/** Under `$parent`; without one (FluentCRM's menu is absent, or this user has none) in WooCommerce's, else one of its own. */
	public static function menu( string $parent = '' ) {
		$parent = '' === $parent && current_user_can( 'manage_woocommerce' ) && class_exists( 'WooCommerce' ) ? 'woocommerce' : $parent;
		if ( self::$added || '' === Roles::current() ) {
			return;
		}
		self::$added = true;
		$page        = array( __( 'FluentCRM Sidecar', 'fluentcrm-sidecar' ), __( 'Sidecar', 'fluentcrm-sidecar' ), 'read', self::SLUG, array( self::class, 'render' ) );
		$hook        = '' === $parent ? add_menu_page( ...array_merge( $page, array( 'dashicons-groups' ) ) ) : add_submenu_page( $parent, ...$page );
		add_action( "load-$hook", array( self::class, 'load' ) );
	}

	public static function view(): string {
		$view = isset( $_GET['view'] ) ? sanitize_text_field( wp_unslash( $_GET['view'] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification
		return preg_match( '#^(?:status|events|sync|segments|automations|mapping|settings|contact/[1-9]\d{0,15})$#D', $view ) ? $view : 'status';
	}

	public static function url( string $view, array $query = array() ): string {
		return add_query_arg( array_map( 'rawurlencode', array( 'page' => self::SLUG, 'view' => $view ) + $query ), admin_url( 'admin.php' ) );
	}

	/** Before anything is printed: a form may end in a redirect. */
	public static function load() {
		$view = self::view();
		$post = 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' );
		nocache_headers();
		self::style();
		wp_enqueue_script( 'fcsc-admin', plugins_url( 'assets/admin.js', FILE ), array(), VERSION, array( 'in_footer' => true ) );
		wp_add_inline_script( 'fcsc-admin', 'window.fcscAdmin=' . wp_json_encode( array( 'root' => rest_url( Rest::SPACE . '/proxy/ui/' ), 'nonce' => wp_create_nonce( 'wp_rest' ) ) ) . ';', 'before' );
		if ( $post ) {
			check_admin_referer( 'fcsc_admin' );
		}
		if ( 'settings' === $view && $post && Roles::may( 'settings' ) ) {
			wp_safe_redirect( self::url( 'settings', array( 'notice' => Settings::post( wp_unslash( $_POST ) ) ) ), 303 );
			exit;
		} elseif ( 'settings' === $view ) {
			return;
		}
		// The form goes on as the browser sent it (a name may come twice), without WordPress' own fields.
		$raw    = $post ? (string) file_get_contents( 'php://input', false, null, 0, Rest::MAX_BYTES ) : '';
		$raw    = implode( '&', preg_grep( '/^(?:_wpnonce|_wp_http_referer)(?:=|$)/', explode( '&', $raw ), PREG_GREP_INVERT ) );
		$answer = Proxy::ask( $post ? 'POST' : 'GET', "ui/$view", wp_unslash( $_GET ), $raw, $post ? 'application/x-www-form-urlencoded' : '' );
		if ( ! is_wp_error( $answer ) && 303 === $answer['status'] && preg_match( '#^/ui/([a-z0-9/]+)(?:\?(.*))?$#D', $answer['location'], $to ) ) {
			parse_str( $to[2] ?? '', $query );
			wp_safe_redirect( self::url( $to[1], Proxy::plain( $query ) ), 303 );
			exit;
		}
		self::$content = self::fragment( $answer );
	}

	/** @return string|\WP_Error The sidecar's HTML. */
	private static function fragment( $answer ) {
		if ( is_wp_error( $answer ) || 0 === strpos( $answer['type'], 'text/html' ) ) {
			return is_wp_error( $answer ) ? $answer : self::with_nonce( $answer['body'] );
		}
		/* translators: %d: HTTP status */
		return new \WP_Error( 'fcsc_failed', sprintf( __( 'The sidecar answered with an error (%d).', 'fluentcrm-sidecar' ), $answer['status'] ) );
	}

	public static function with_nonce( string $html ): string {
		return str_replace( '<!--fcsc:nonce-->', wp_nonce_field( 'fcsc_admin', '_wpnonce', false, false ), $html );
	}

	public static function render() {
		$view    = self::view();
		$content = self::$content;
		$missing = array_keys( array_filter( array( 'WooCommerce' => ! class_exists( 'WooCommerce' ), 'FluentCRM' => ! defined( 'FLUENTCRM' ) ) ) );
		require dirname( __DIR__ ) . '/views/page.php';
	}

	/** The tab on the contact, for those whose FluentCRM permissions allow to see contacts. */
	public static function contact_tab() {
		if ( function_exists( 'FluentCrmApi' ) && Roles::may( 'contact' ) && Roles::fluentcrm( 'fcrm_read_contacts' ) ) {
			FluentCrmApi( 'extender' )->addProfileSection( 'fcsc', __( 'Sidecar', 'fluentcrm-sidecar' ), array( self::class, 'contact_section' ) );
		}
	}

	/** For our page, and for FluentCRM's, where the tab is. */
	public static function style() {
		wp_enqueue_style( 'fcsc-admin', plugins_url( 'assets/admin.css', FILE ), array(), VERSION );
	}

	public static function contact_section( $content, $contact ) {
		$html = self::fragment( Proxy::ask( 'GET', 'ui/contact/' . (int) $contact->id, array( 'bare' => '1' ) ) );
		$html = is_wp_error( $html ) ? '<p>' . esc_html( $html->get_error_message() ) . '</p>' : "<div class=\"fcsc\">$html</div>";
		return array( 'heading' => __( 'Sidecar', 'fluentcrm-sidecar' ), 'content_html' => $html );
	}
}
