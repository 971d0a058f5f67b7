<?php
// Every hook of the plugin, on one screen.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** Where to begin reading: what happens when. */
final class Plugin {
	public static function register() {
		add_action( 'before_woocommerce_init', array( self::class, 'declare_compatibility' ) );
		add_filter( 'wp_consent_api_registered_' . plugin_basename( FILE ), '__return_true' );
		add_action( 'init', static fn() => load_plugin_textdomain( 'fluentcrm-sidecar', false, dirname( plugin_basename( FILE ) ) . '/languages' ), 0 ); // WordPress before 6.8 does not look where the header says

		// The shop. Hook, listener, topic: a listener only notes ids in Outbox, which writes them once, at shutdown.
		self::note( 'woocommerce_new_order', array( Orders::class, 'order' ), 'order.created' );
		self::note( 'woocommerce_update_order', array( Orders::class, 'order' ), 'order.updated' );
		self::note( 'woocommerce_order_status_changed', array( Orders::class, 'status' ), 'order.status' );
		self::note( 'woocommerce_payment_complete', array( Orders::class, 'order' ), 'order.paid' );
		self::note( 'woocommerce_order_refunded', array( Orders::class, 'refunded' ), 'order.refunded' );
		self::note( 'woocommerce_refund_deleted', array( Orders::class, 'refund_deleted' ), 'order.refund_deleted' );
		self::note( 'woocommerce_trash_order', array( Orders::class, 'gone' ), 'order.trashed' );
		self::note( 'woocommerce_untrash_order', array( Orders::class, 'gone' ), 'order.restored' );
		self::note( 'woocommerce_before_delete_order', array( Orders::class, 'deleted' ), 'order.deleted' );
		self::note( 'woocommerce_privacy_remove_order_personal_data', array( Orders::class, 'order' ), 'order.anonymised' );
		self::note( 'woocommerce_increase_coupon_usage_count', array( Orders::class, 'coupon' ), 'coupon.used' );
		add_filter( 'woocommerce_pre_delete_order_refund', array( Orders::class, 'before_refund_delete' ), 10, 2 );
		self::note( 'user_register', array( Shop::class, 'customer' ), 'customer.created' );
		self::note( array( 'profile_update', 'woocommerce_update_customer', 'woocommerce_checkout_update_user_meta' ), array( Shop::class, 'customer' ), 'customer.updated' );
		self::note( 'woocommerce_customer_save_address', array( Shop::class, 'customer' ), 'customer.address' );
		self::note( 'wp_login', array( Shop::class, 'customer' ), 'customer.login' );
		self::note( array( 'deleted_user', 'remove_user_from_blog' ), array( Shop::class, 'customer' ), 'customer.deleted' );
		foreach ( array( 'product', 'product_variation' ) as $name ) { self::note( array( "woocommerce_new_$name", "woocommerce_update_$name" ), array( Shop::class, 'product' ), 'product.updated' ); }
		foreach ( array( 'product', 'variation' ) as $name ) { self::note( array( "woocommerce_{$name}_set_stock", "woocommerce_{$name}_set_stock_status" ), array( Shop::class, 'stock' ), 'stock.changed' ); }
		foreach ( array( 'trashed_post', 'untrashed_post', 'before_delete_post' ) as $name ) { self::note( $name, array( Shop::class, 'post' ), $name ); }
		self::note( 'wp_insert_comment', array( Shop::class, 'comment' ), 'review.posted' );
		self::note( 'transition_comment_status', array( Shop::class, 'comment_status' ), 'review.posted' );

		// FluentCRM. Only the names with a slash: the old ones have their arguments the other way round.
		self::note( 'fluent_crm/contact_created', array( Contacts::class, 'contact' ), 'contact.created' );
		foreach ( array( 'updated', 'updated_with_changes', 'email_changed', 'custom_data_updated' ) as $name ) { self::note( "fluent_crm/contact_$name", array( Contacts::class, 'contact' ), 'contact.updated' ); }
		self::note( 'fluent_crm/subscriber_status_changed', array( Contacts::class, 'status' ), 'contact.status' );
		self::note( 'fluent_crm/before_contact_unsubscribe_from_email', array( Contacts::class, 'unsubscribed' ), 'contact.unsubscribed' );
		foreach ( array( 'tags', 'lists' ) as $name ) {
			self::note( "fluent_crm/contact_added_to_$name", array( Contacts::class, 'added' ), "contact.$name" );
			self::note( "fluent_crm/contact_removed_from_$name", array( Contacts::class, 'removed' ), "contact.$name" );
		}
		self::note( 'fluentcrm_after_subscribers_deleted', array( Contacts::class, 'deleted' ), 'contact.deleted' );
		self::note( 'fluent_crm/email_opened', array( Contacts::class, 'email' ), 'email.opened' );
		self::note( 'fluent_crm/email_url_clicked', array( Contacts::class, 'email' ), 'email.clicked' );

		// The shopper's browser.
		add_action( 'wp_enqueue_scripts', array( Beacon::class, 'script' ) );
		add_action( 'wc_ajax_fcsc_beacon', array( Beacon::class, 'serve' ) );
		add_action( 'template_redirect', array( Links::class, 'serve' ), 0 );
		add_action( 'wc_ajax_fcsc_push', array( Push::class, 'serve' ) );
		add_action( 'wp_loaded', array( Push::class, 'worker' ), 5 );
		add_action( 'woocommerce_thankyou', array( Push::class, 'offer' ) );
		add_action( 'woocommerce_account_dashboard', array( Push::class, 'offer' ), 10, 0 );
		add_shortcode( 'fcsc_push', static fn() => Push::button() );

		// Consent: what is ticked, said on the page of preferences, or told by FluentCRM.
		add_action( 'woocommerce_after_checkout_billing_form', array( ConsentBoxes::class, 'show' ) );
		add_action( 'woocommerce_register_form', array( ConsentBoxes::class, 'show' ) );
		add_action( 'woocommerce_init', array( ConsentBoxes::class, 'fields' ) );
		self::note( 'woocommerce_checkout_order_processed', array( ConsentBoxes::class, 'classic' ), 'consent.changed' );
		self::note( 'woocommerce_store_api_checkout_order_processed', array( ConsentBoxes::class, 'block' ), 'consent.changed' );
		self::note( 'woocommerce_created_customer', array( ConsentBoxes::class, 'registered' ), 'consent.changed' );
		self::note( 'fluent_crm/subscriber_status_changed', array( Consents::class, 'lowered' ), 'consent.changed' );
		self::note( 'fluent_crm/subscriber_confirmed_via_double_optin', array( Consents::class, 'confirmed' ), 'consent.changed' );
		add_action( 'wp_loaded', array( Preferences::class, 'serve' ), 5 );

		// The sidecar and the staff.
		add_action( 'rest_api_init', array( Rest::class, 'routes' ) );
		add_filter( 'rest_pre_serve_request', array( Rest::class, 'serve' ), 10, 4 );
		add_action( 'fluent_crm/after_core_menu_items', static fn() => AdminPage::menu( 'fluentcrm-admin' ) );
		add_action( 'admin_menu', array( AdminPage::class, 'menu' ), 99 );
		add_action( 'fluent_crm/after_init', array( AdminPage::class, 'contact_tab' ) );
		add_action( 'fluentcrm_loading_app', array( AdminPage::class, 'style' ) );
		add_filter( 'fluentcrm_dynamic_segments', array( Segments::class, 'listed' ) );
		add_filter( 'fluentcrm_dynamic_segment_fcsc_segment', array( Segments::class, 'details' ), 10, 3 ); // Segments::SLUG
		foreach ( array( 'prevent_admin_access', 'disable_admin_bar' ) as $name ) { add_filter( "woocommerce_$name", array( Roles::class, 'prevent_admin_access' ) ); }

		// Privacy, tables, cron.
		add_filter( 'wp_privacy_personal_data_exporters', array( Privacy::class, 'exporters' ) );
		add_filter( 'wp_privacy_personal_data_erasers', array( Privacy::class, 'erasers' ) );
		add_action( 'woocommerce_privacy_remove_order_personal_data', array( Privacy::class, 'order_erased' ) );
		add_action( 'admin_init', array( Privacy::class, 'policy' ) );
		add_action( 'init', array( Tables::class, 'upgrade' ), 1 );
		add_action( 'wp_initialize_site', array( Tables::class, 'new_blog' ), 200 );
		add_filter( 'wpmu_drop_tables', array( Tables::class, 'of_blog' ), 10, 2 );
		add_action( 'fcsc_cleanup', array( Tables::class, 'cleanup' ) );
		add_action( 'fcsc_cleanup', array( Coupons::class, 'cleanup' ) );

		defined( 'WP_CLI' ) && WP_CLI && \WP_CLI::add_command( 'sidecar', Cli::class );
	}

	/** `$listener( $topic, ...the hook's arguments )`. Whatever goes wrong in it, the shop's request goes on. `$hooks`: a name, or some. */
	private static function note( $hooks, array $listener, string $topic ) {
		$run = static function ( ...$arguments ) use ( $listener, $topic ) {
			try {
				$listener( $topic, ...$arguments );
			} catch ( \Throwable $error ) {
				do_action( 'fcsc_listener_failed', $topic, $error ); // for those who want to know
			}
		};
		foreach ( (array) $hooks as $hook ) { add_action( $hook, $run, 10, 9 ); }
	}

	/** Without this, WooCommerce does not let a new shop turn its order tables on. */
	public static function declare_compatibility() {
		if ( class_exists( '\Automattic\WooCommerce\Utilities\FeaturesUtil' ) ) {
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( 'custom_order_tables', FILE, true );
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( 'cart_checkout_blocks', FILE, true );
		}
	}
}
