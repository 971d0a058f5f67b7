<?php
// What the owner sets in WordPress itself.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

if ( ! Roles::may( 'settings' ) ) { return; }
$fcsc_key     = Keys::current();
$fcsc_notice  = isset( $_GET['notice'] ) ? sanitize_key( $_GET['notice'] ) : ''; // phpcs:ignore WordPress.Security.NonceVerification
$fcsc_notices = array( 'saved' => __( 'Saved.', 'fluentcrm-sidecar' ), 'paired' => __( 'Paired. The status page shows whether the sidecar answers.', 'fluentcrm-sidecar' ),
	'bad_code' => __( 'This is not a pairing code. `sidecar pair --print-code` prints one, beginning with fcsc1.', 'fluentcrm-sidecar' ) );
$fcsc_bases   = array( 'none' => __( 'Nothing', 'fluentcrm-sidecar' ), 'carts' => __( 'Viewed products and carts, without the typed e-mail address', 'fluentcrm-sidecar' ),
	'email' => __( 'Viewed products, carts and the e-mail address typed at the checkout', 'fluentcrm-sidecar' ) );
?>
<?php if ( isset( $fcsc_notices[ $fcsc_notice ] ) ) : ?>
	<div class="notice notice-<?php echo 'bad_code' === $fcsc_notice ? 'error' : 'success'; ?>"><p><?php echo esc_html( $fcsc_notices[ $fcsc_notice ] ); ?></p></div>
<?php endif; ?>
<h2><?php esc_html_e( 'Connection', 'fluentcrm-sidecar' ); ?></h2>
<?php /* translators: 1: key id, 2: address, 3: date */ ?>
<p><?php echo esc_html( $fcsc_key ? sprintf( __( 'Paired with key %1$s; the sidecar’s address is %2$s; since %3$s UTC.', 'fluentcrm-sidecar' ), $fcsc_key['key_id'], $fcsc_key['endpoint'], $fcsc_key['created_gmt'] ) : __( 'Not paired. Run `sidecar pair` on the server; where it cannot write the database, paste the code that it prints:', 'fluentcrm-sidecar' ) ); ?></p>
<form method="post" action="<?php echo esc_url( AdminPage::url( 'settings' ) ); ?>">
	<?php wp_nonce_field( 'fcsc_admin' ); ?>
	<p><label for="fcsc-code"><?php esc_html_e( 'Pairing code', 'fluentcrm-sidecar' ); ?></label>
	<input type="password" id="fcsc-code" name="pairing_code" class="regular-text" autocomplete="off" required dir="ltr">
	<?php submit_button( __( 'Pair', 'fluentcrm-sidecar' ), 'secondary', 'pair', false ); ?></p>
</form>
<h2><?php esc_html_e( 'Visitors', 'fluentcrm-sidecar' ); ?></h2>
<form method="post" action="<?php echo esc_url( AdminPage::url( 'settings' ) ); ?>">
	<?php wp_nonce_field( 'fcsc_admin' ); ?>
	<p><label><input type="checkbox" name="capture" value="1" <?php checked( Settings::get( 'capture' ) ); ?>> <?php esc_html_e( 'Note viewed products and carts of visitors who agree (a consent plugin with the WP Consent API asks them; category: marketing)', 'fluentcrm-sidecar' ); ?></label></p>
	<fieldset><legend><?php esc_html_e( 'Where no such plugin is active, the law of your country and your privacy policy may allow to note without asking:', 'fluentcrm-sidecar' ); ?></legend>
	<?php foreach ( $fcsc_bases as $fcsc_value => $fcsc_title ) : ?>
		<p><label><input type="radio" name="basis" value="<?php echo esc_attr( $fcsc_value ); ?>" <?php checked( Settings::get( 'basis' ), $fcsc_value ); ?>> <?php echo esc_html( $fcsc_title ); ?></label></p>
	<?php endforeach; ?>
	</fieldset>
	<p><label for="fcsc-days"><?php esc_html_e( 'Keep carts for (days)', 'fluentcrm-sidecar' ); ?></label>
	<input type="number" id="fcsc-days" name="cart_days" min="1" max="365" value="<?php echo esc_attr( Settings::get( 'cart_days' ) ); ?>"></p>
	<?php submit_button(); ?>
</form>
<h2><?php esc_html_e( 'Consent to messages', 'fluentcrm-sidecar' ); ?></h2>
<form method="post" action="<?php echo esc_url( AdminPage::url( 'settings' ) ); ?>">
	<?php wp_nonce_field( 'fcsc_admin' ); ?>
	<input type="hidden" name="consent_form" value="1">
	<p><?php esc_html_e( 'A box at the checkout and in the form of a new account. It is unticked, and nobody needs to tick it. What was ticked is recorded with these words.', 'fluentcrm-sidecar' ); ?></p>
	<?php foreach ( array( 'email' => __( 'Ask for news by e-mail', 'fluentcrm-sidecar' ), 'sms' => __( 'Ask for news by text message (SMS)', 'fluentcrm-sidecar' ) ) as $fcsc_value => $fcsc_title ) : ?>
		<p><label><input type="checkbox" name="ask[]" value="<?php echo esc_attr( $fcsc_value ); ?>" <?php checked( in_array( $fcsc_value, (array) Settings::get( 'ask' ), true ) ); ?>> <?php echo esc_html( $fcsc_title ); ?></label><br>
		<label for="fcsc-wording-<?php echo esc_attr( $fcsc_value ); ?>"><?php esc_html_e( 'Words beside the box', 'fluentcrm-sidecar' ); ?></label>
		<input type="text" class="large-text" maxlength="500" id="fcsc-wording-<?php echo esc_attr( $fcsc_value ); ?>" name="wording[<?php echo esc_attr( $fcsc_value ); ?>]" value="<?php echo esc_attr( Settings::wording( $fcsc_value ) ); ?>"></p>
	<?php endforeach; ?>
	<p><label><input type="checkbox" name="push" value="1" <?php checked( Settings::get( 'push' ) ); ?>> <?php esc_html_e( 'Offer notifications in the browser (Web Push) on the page that thanks for an order and in My account. The shortcode [fcsc_push] shows the same button anywhere. The sidecar sends them: its [channels.push] must be set up.', 'fluentcrm-sidecar' ); ?></label></p>
	<p><label><input type="checkbox" name="confirm" value="1" <?php checked( Settings::get( 'confirm' ) ); ?>> <?php esc_html_e( 'Have them confirm it by e-mail (FluentCRM’s double opt-in). Until they do, FluentCRM sends them nothing else.', 'fluentcrm-sidecar' ); ?></label></p>
	<?php submit_button(); ?>
</form>
