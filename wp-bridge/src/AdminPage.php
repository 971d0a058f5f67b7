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

	public static function in_fluentcrm() {
		self::add( 'fluentcrm-admin' );
	}

	/** FluentCRM's menu is absent, or this user has none. */
	public static function elsewhere() {
		if ( ! self::$added ) {
			self::add( current_user_can( 'manage_woocommerce' ) && class_exists( 'WooCommerce' ) ? 'woocommerce' : '' );
		}
	}

	private static function add( string $parent ) {
		if ( '' === Roles::current() ) {
			return;
		}
		self::$added = true;
		$page        = array( __( 'FluentCRM Sidecar', 'fluentcrm-sidecar' ), __( 'Sidecar', 'fluentcrm-sidecar' ), 'read', self::SLUG, array( self::class, 'render' ) );
		$hook        = '' === $parent ? add_menu_page( ...array_merge( $page, array( 'dashicons-groups' ) ) ) : add_submenu_page( $parent, ...$page );
		add_action( "load-$hook", array( self::class, 'load' ) );
	}

	public static function view(): string {
		$view = isset( $_GET['view'] ) ? sanitize_text_field( wp_unslash( $_GET['view'] ) ) : 'status'; // phpcs:ignore WordPress.Security.NonceVerification
		return preg_match( '#^(?:status|events|sync|mapping|settings|contact/[1-9]\d{0,18})$#D', $view ) ? $view : 'status';
	}

	public static function url( string $view, array $query = array() ): string {
		return add_query_arg( array_map( 'rawurlencode', array( 'page' => self::SLUG, 'view' => $view ) + $query ), admin_url( 'admin.php' ) );
	}

	/** Before anything is printed: a form may end in a redirect. */
	public static function load() {
		$view = self::view();
		$post = 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' );
		nocache_headers();
		wp_enqueue_style( 'fcsc-admin', plugins_url( 'assets/admin.css', FILE ), array(), VERSION );
		wp_enqueue_script( 'fcsc-admin', plugins_url( 'assets/admin.js', FILE ), array(), VERSION, array( 'in_footer' => true ) );
		$page = array( 'root' => rest_url( Rest::SPACE . '/proxy/ui/' ), 'nonce' => wp_create_nonce( 'wp_rest' ), 'formNonce' => self::nonce() );
		wp_add_inline_script( 'fcsc-admin', 'window.fcscAdmin=' . wp_json_encode( $page ) . ';', 'before' );
		if ( $post ) {
			check_admin_referer( 'fcsc_admin' );
		}
		if ( 'settings' === $view ) {
			if ( $post && Roles::may( 'settings' ) ) {
				self::save_settings( wp_unslash( $_POST ) );
			}
			return;
		}
		$body   = $post ? self::form( (string) file_get_contents( 'php://input', false, null, 0, Rest::MAX_BYTES ) ) : '';
		$answer = Proxy::ask( $post ? 'POST' : 'GET', "ui/$view", wp_unslash( $_GET ), $body, $post ? 'application/x-www-form-urlencoded' : '' );
		if ( ! is_wp_error( $answer ) && 303 === $answer['status'] && preg_match( '#^/ui/([a-z0-9/]+)(?:\?(.*))?$#D', $answer['location'], $to ) ) {
			parse_str( $to[2] ?? '', $query );
			wp_safe_redirect( self::url( $to[1], Proxy::plain( $query ) ), 303 );
			exit;
		}
		self::$content = self::fragment( $answer );
	}

	/** The form as the browser sent it (a name may come twice), without WordPress' own fields. */
	private static function form( string $raw ): string {
		return implode( '&', preg_grep( '/^(?:_wpnonce|_wp_http_referer)(?:=|$)/', explode( '&', $raw ), PREG_GREP_INVERT ) );
	}

	/** @return string|\WP_Error HTML with our nonce in its forms. */
	private static function fragment( $answer ) {
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		return 0 === strpos( $answer['type'], 'text/html' ) ? str_replace( '<!--fcsc:nonce-->', self::nonce(), $answer['body'] )
			/* translators: %d: HTTP status */
			: new \WP_Error( 'fcsc_failed', sprintf( __( 'The sidecar answered with an error (%d).', 'fluentcrm-sidecar' ), $answer['status'] ) );
	}

	private static function nonce(): string {
		return wp_nonce_field( 'fcsc_admin', '_wpnonce', false, false );
	}

	private static function save_settings( array $form ) {
		$notice = 'saved';
		if ( isset( $form['pairing_code'] ) ) {
			$code   = Signer::pairing_code( (string) $form['pairing_code'] );
			$notice = $code && Keys::add( $code ) ? 'paired' : 'bad_code';
		} else {
			Settings::save( $form );
		}
		wp_safe_redirect( self::url( 'settings', array( 'notice' => $notice ) ), 303 );
		exit;
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

	public static function contact_section( $content, $contact ) {
		$html = self::fragment( Proxy::ask( 'GET', 'ui/contact/' . (int) $contact->id, array() ) );
		return array(
			'heading'      => __( 'Sidecar', 'fluentcrm-sidecar' ),
			'content_html' => is_wp_error( $html ) ? '<p>' . esc_html( $html->get_error_message() ) . '</p>' : '<div class="fcsc">' . $html . '</div>',
		);
	}
}
