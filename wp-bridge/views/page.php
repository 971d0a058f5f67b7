<?php
// The frame of every view. Has $view, $content, $missing from AdminPage::render().
namespace FluentCrmSidecar;

defined( 'ABSPATH' ) || exit;

$fcsc_tabs = array(
	'status'  => __( 'Status', 'fluentcrm-sidecar' ),
	'events'  => __( 'Events', 'fluentcrm-sidecar' ),
	'sync'    => __( 'Sync', 'fluentcrm-sidecar' ),
	'mapping' => __( 'Mapping', 'fluentcrm-sidecar' ),
) + ( Roles::may( 'settings' ) ? array( 'settings' => __( 'Settings', 'fluentcrm-sidecar' ) ) : array() );
?>
<div class="wrap fcsc">
	<h1><?php esc_html_e( 'FluentCRM Sidecar', 'fluentcrm-sidecar' ); ?></h1>
	<hr class="wp-header-end">
	<nav class="nav-tab-wrapper" aria-label="<?php esc_attr_e( 'Views', 'fluentcrm-sidecar' ); ?>">
		<?php foreach ( $fcsc_tabs as $fcsc_name => $fcsc_title ) : ?>
			<a href="<?php echo esc_url( AdminPage::url( $fcsc_name ) ); ?>" class="nav-tab<?php echo $fcsc_name === $view ? ' nav-tab-active" aria-current="page' : ''; ?>"><?php echo esc_html( $fcsc_title ); ?></a>
		<?php endforeach; ?>
	</nav>
	<?php foreach ( $missing as $fcsc_name ) : ?>
		<?php /* translators: %s: a plugin's name */ ?>
		<div class="notice notice-warning"><p><?php echo esc_html( sprintf( __( '%s is not active. Until it is, the sidecar has only half of its work.', 'fluentcrm-sidecar' ), $fcsc_name ) ); ?></p></div>
	<?php endforeach; ?>
	<?php if ( 'settings' === $view ) : ?>
		<?php require __DIR__ . '/settings.php'; ?>
	<?php elseif ( is_wp_error( $content ) ) : ?>
		<div class="notice notice-error"><p><?php echo esc_html( $content->get_error_message() ); ?></p></div>
	<?php else : ?>
		<?php echo $content; // phpcs:ignore WordPress.Security.EscapeOutput -- HTML of the site's own sidecar, its signature checked ?>
	<?php endif; ?>
</div>
