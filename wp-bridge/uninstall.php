<?php
/**
 * Removes what the plugin made, on every blog. The hashes of erased people and their key stay, so that a sidecar that
 * goes on working, or a later new installation, cannot import these people again, and so does the record of consent, the
 * owner's proof; FCSC_REMOVE_ALL removes them too.
 *
 * @package FluentCrmSidecar
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/src/Tables.php';

FluentCrmSidecar\Tables::each( true, fn() => FluentCrmSidecar\Tables::remove( defined( 'FCSC_REMOVE_ALL' ) && FCSC_REMOVE_ALL ) );
