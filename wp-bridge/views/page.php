<?php
// The frame of every view. Has $view, $content, $missing from AdminPage::render(). The sidecar's HTML has its own heading and tabs.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;
?>
<div class="wrap fcsc">
	<?php foreach ( $missing as $fcsc_name ) : ?>
		<?php /* translators: %s: a plugin's name */ ?>
		<div class="notice notice-warning"><p><?php echo esc_html( sprintf( __( '%s is not active. Until it is, the sidecar has only half of its work.', 'fluentcrm-sidecar' ), $fcsc_name ) ); ?></p></div>
	<?php endforeach; ?>
	<?php if ( Roles::may( 'settings' ) ) : ?>
		<p class="fcsc-switch"><a href="<?php echo esc_url( AdminPage::url( 'settings' === $view ? 'status' : 'settings' ) ); ?>"><?php 'settings' === $view ? esc_html_e( 'Status', 'fluentcrm-sidecar' ) : esc_html_e( 'Connection and settings', 'fluentcrm-sidecar' ); ?></a></p>
	<?php endif; ?>
	<?php if ( 'settings' === $view || is_wp_error( $content ) ) : ?>
		<h1><?php esc_html_e( 'FluentCRM Sidecar', 'fluentcrm-sidecar' ); ?></h1>
	<?php endif; ?>
	<?php if ( 'settings' === $view ) : ?>
		<?php require __DIR__ . '/settings.php'; ?>
	<?php elseif ( is_wp_error( $content ) ) : ?>
		<div class="notice notice-error"><p><?php echo esc_html( $content->get_error_message() ); ?></p></div>
	<?php else : ?>
		<?php echo $content; // phpcs:ignore WordPress.Security.EscapeOutput -- HTML of the site's own sidecar, its signature checked ?>
	<?php endif; ?>
</div>
