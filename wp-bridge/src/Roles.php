<?php
// Who may do what.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** The table of docs/bridge.md; sidecar/web/roles.py has it again and checks again. */
final class Roles {
	const MAY = array(
		'see'      => array( 'administrator', 'shop_manager', 'crm_manager', 'support' ),
		'contact'  => array( 'administrator', 'shop_manager', 'crm_manager', 'support' ),
		'sync'     => array( 'administrator', 'shop_manager', 'crm_manager' ),
		'undo'     => array( 'administrator', 'shop_manager' ),
		'mapping'  => array( 'administrator', 'crm_manager' ),
		'settings' => array( 'administrator' ),
	);

	/** The current user's role for the sidecar, '' for nobody's. The first that fits counts. */
	public static function current(): string {
		if ( current_user_can( 'manage_options' ) || current_user_can( 'manage_woocommerce' ) ) {
			return current_user_can( 'manage_options' ) ? 'administrator' : 'shop_manager';
		}
		if ( current_user_can( 'fcsc_crm_manager' ) || self::fluentcrm( 'fcrm_manage_settings' ) ) {
			return 'crm_manager';
		}
		return current_user_can( 'fcsc_support' ) || self::fluentcrm( 'fcrm_read_contacts' ) ? 'support' : '';
	}

	public static function may( string $permission ): bool {
		return in_array( self::current(), self::MAY[ $permission ], true );
	}

	/** FluentCRM 3 keeps its permissions in its own table: current_user_can() does not know them. */
	public static function fluentcrm( string $permission ): bool {
		return is_user_logged_in() && class_exists( '\FluentCrm\App\Services\PermissionManager' )
			&& (bool) \FluentCrm\App\Services\PermissionManager::currentUserCan( $permission );
	}

	/** The user as the signature names them: `12;shop_manager;fa_IR;rtl`. '' for who has no role: the sidecar refuses that. */
	public static function actor(): string {
		$role   = self::current();
		$locale = (string) preg_replace( '/[^\w@-]/', '', get_user_locale() );
		return '' === $role ? '' : implode( ';', array( get_current_user_id(), $role, substr( $locale, 0, 20 ), is_rtl() ? 'rtl' : 'ltr' ) );
	}

	public static function add() {
		add_role( 'fcsc_crm_manager', __( 'CRM manager', 'fluentcrm-sidecar' ), array( 'read' => true, 'fcsc_crm_manager' => true ) );
		add_role( 'fcsc_support', __( 'Support', 'fluentcrm-sidecar' ), array( 'read' => true, 'fcsc_support' => true ) );
	}

	/** WooCommerce keeps those who cannot edit posts out of wp-admin. */
	public static function prevent_admin_access( $prevent ) {
		return $prevent && ! current_user_can( 'fcsc_crm_manager' ) && ! current_user_can( 'fcsc_support' );
	}
}
