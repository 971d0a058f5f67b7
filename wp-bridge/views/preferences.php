<?php
// The page of Preferences: $page has title, text, notice, token, stop, channels, names.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;
?>
<!doctype html>
<html <?php language_attributes(); ?>>
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title><?php echo esc_html( $page['title'] . ' – ' . get_bloginfo( 'name' ) ); ?></title>
<style>
:root { color-scheme: light dark; } body { font: 1.05rem/1.6 system-ui, sans-serif; margin: 0; padding: 2rem 1rem; }
main { max-width: 34rem; margin: 0 auto; } h1 { font-size: 1.4rem; } label { display: block; padding: .4rem 0; }
button { font: inherit; padding: .6rem 1.2rem; margin-block: 1rem .5rem; margin-inline-end: .5rem; cursor: pointer; }
.notice { border-inline-start: .3rem solid #1a7f37; padding-inline-start: .8rem; }
</style>
</head>
<body><main>
<p><a href="<?php echo esc_url( home_url( '/' ) ); ?>"><?php echo esc_html( get_bloginfo( 'name' ) ); ?></a></p>
<h1><?php echo esc_html( $page['title'] ); ?></h1>
<?php if ( '' !== $page['notice'] ) : ?><p class="notice" role="status"><?php echo esc_html( $page['notice'] ); ?></p><?php endif; ?>
<p><bdi><?php echo esc_html( $page['text'] ); ?></bdi></p>
<?php if ( '' !== $page['token'] ) : ?>
<form method="post" action="<?php echo esc_url( home_url( '/' ) ); ?>">
	<input type="hidden" name="<?php echo esc_attr( Links::PARAMETER ); ?>" value="<?php echo esc_attr( $page['token'] ); ?>">
	<?php foreach ( $page['channels'] as $fcsc_channel => $fcsc_state ) : ?>
		<?php if ( 'given' === $fcsc_state ) : ?><input type="hidden" name="shown[]" value="<?php echo esc_attr( $fcsc_channel ); ?>"><?php endif; ?>
		<label><input type="checkbox" name="channels[]" value="<?php echo esc_attr( $fcsc_channel ); ?>" <?php checked( 'given' === $fcsc_state ); ?>> <?php echo esc_html( $page['names'][ $fcsc_channel ] ); ?>
		<?php if ( 'pending' === $fcsc_state ) : ?><small>(<?php esc_html_e( 'waits for your confirmation', 'fluentcrm-sidecar' ); ?>)</small><?php endif; ?></label>
	<?php endforeach; ?>
	<?php if ( $page['channels'] ) : ?><button name="save" value="1"><?php esc_html_e( 'Save', 'fluentcrm-sidecar' ); ?></button><?php endif; ?>
	<button name="stop" value="1"><?php echo esc_html( $page['stop'] ); ?></button>
</form>
<?php endif; ?>
</main></body></html>
