<?php
/**
 * Removes what the plugin made, on every blog. The hashes of erased people and their key stay, so that a sidecar that
 * goes on working, or a later new installation, cannot import these people again; FCSC_REMOVE_ALL removes them too.
 *
 * @package FluentCrmSidecar
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/src/Tables.php';
require_once __DIR__ . '/src/Roles.php';

$fcsc_blogs = is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( get_current_blog_id() );
foreach ( $fcsc_blogs as $fcsc_blog ) {
	if ( is_multisite() ) {
		switch_to_blog( $fcsc_blog );
	}
	FluentCrmSidecar\Tables::remove( defined( 'FCSC_REMOVE_ALL' ) && FCSC_REMOVE_ALL );
	FluentCrmSidecar\Roles::remove();
	if ( is_multisite() ) {
		restore_current_blog();
	}
}
