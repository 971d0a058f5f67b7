<?php
// The page where people say what they want to get, and the one-click unsubscribe of their mail program (RFC 8058).
namespace FluentCrmSidecar;

use FluentCrm\App\Models\Subscriber;

defined( 'ABSPATH' ) || exit;

/** `?fcsc=TOKEN`, kinds p (all channels) and u (one of them, in EXTRA). The token is the proof, so there is no nonce; GET changes nothing, whoever follows the link. */
final class Preferences {
	public static function serve() {
		$form  = 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' ) ? wp_unslash( $_POST ) : array(); // phpcs:ignore WordPress.Security -- the token is signed
		$token = $form[ Links::PARAMETER ] ?? ( $_GET[ Links::PARAMETER ] ?? '' ); // phpcs:ignore WordPress.Security -- read() lets one form through
		if ( ! is_string( $token ) || ! preg_match( '/^[pu]\./', $token ) || is_admin() ) {
			return;
		}
		defined( 'DONOTCACHEPAGE' ) || define( 'DONOTCACHEPAGE', true );
		nocache_headers();
		foreach ( array( 'Cache-Control: no-store, private', 'X-Robots-Tag: noindex, nofollow', 'Referrer-Policy: no-referrer', 'X-Frame-Options: DENY', 'Content-Type: text/html; charset=UTF-8' ) as $header ) {
			header( $header );
		}
		$link    = Links::read( (string) get_option( Links::KEY ), $token, time() );
		$contact = $link && ! $link['expired'] && class_exists( Subscriber::class ) ? Subscriber::find( $link['id'] ) : null;
		$channel = $link && 'u' === $link['kind'] ? ( '' === $link['extra'] ? 'email' : $link['extra'] ) : '';
		if ( ! $contact || ( '' !== $channel && ! in_array( $channel, Consents::CHANNELS, true ) ) ) {
			status_header( 404 );
			self::page( array( 'title' => __( 'This link is not valid, or no longer valid.', 'fluentcrm-sidecar' ), 'text' => __( 'Please use the link in a newer message, or write to us.', 'fluentcrm-sidecar' ) ) );
		} elseif ( '' !== $channel ) {
			self::one( $contact, $channel, $token, $form );
		} else {
			self::all( $contact, $token, $form );
		}
		exit;
	}

	/** One channel: asked to confirm, or done when a mail program or the form says so. */
	private static function one( Subscriber $contact, string $channel, string $token, array $form ) {
		$name = self::names()[ $channel ];
		if ( 'One-Click' === ( $form['List-Unsubscribe'] ?? '' ) || isset( $form['stop'] ) ) {
			self::withdraw( $contact, $channel, isset( $form['stop'] ) ? 'preferences' : 'one-click' );
			self::page( array( 'title' => __( 'Done: you will get no more of these messages.', 'fluentcrm-sidecar' ), 'text' => $name ) );
			return;
		}
		self::page( array( 'title' => __( 'Do you want no more of these messages?', 'fluentcrm-sidecar' ), 'text' => $name . ' · ' . self::masked( $contact ), 'token' => $token, 'stop' => __( 'Stop them', 'fluentcrm-sidecar' ) ) );
	}

	private static function all( Subscriber $contact, string $token, array $form ) {
		$notice = '';
		if ( isset( $form['save'] ) || isset( $form['stop'] ) ) {
			self::save( $contact, isset( $form['stop'] ) ? array() : (array) ( $form['channels'] ?? array() ), isset( $form['stop'] ) ? array_keys( self::offered( $contact ) ) : (array) ( $form['shown'] ?? array() ) );
			$notice = 'pending' === $contact->status && ! isset( $form['stop'] ) ? __( 'Saved. We have sent you an e-mail: please confirm in it that you want news by e-mail.', 'fluentcrm-sidecar' ) : __( 'Saved.', 'fluentcrm-sidecar' );
		}
		self::page( array( 'title' => __( 'What may we send you?', 'fluentcrm-sidecar' ), 'text' => self::masked( $contact ), 'token' => $token, 'notice' => $notice, 'channels' => self::offered( $contact ), 'stop' => __( 'Stop all of it', 'fluentcrm-sidecar' ) ) );
	}

	/** What differs from what the page showed (`$shown` were ticked) is an explicit act; the rest is none. */
	private static function save( Subscriber $contact, array $ticked, array $shown ) {
		foreach ( Consents::CHANNELS as $channel ) {
			$now = in_array( $channel, $ticked, true );
			if ( $now && ! in_array( $channel, $shown, true ) && isset( self::offered( $contact )[ $channel ] ) ) {
				self::say( $contact, $channel, 'given', 'preferences' );
				if ( 'email' === $channel && 'subscribed' !== $contact->status ) {
					Consents::subscribe( $contact, Settings::get( 'confirm' ) || in_array( $contact->status, array( 'bounced', 'complained', 'spammed' ), true ) );
				}
			} elseif ( ! $now && in_array( $channel, $shown, true ) ) {
				self::withdraw( $contact, $channel, 'preferences' );
			}
		}
	}

	/** Said again (mail programs do) it is no news. */
	private static function withdraw( Subscriber $contact, string $channel, string $source ) {
		$last = wp_list_pluck( Consents::rows( (int) $contact->id, (int) $contact->user_id ), 'state', 'channel' )[ $channel ] ?? '';
		if ( 'withdrawn' === $last && ( 'email' !== $channel || in_array( $contact->status, Consents::LOWERED, true ) ) ) {
			return;
		}
		self::say( $contact, $channel, 'withdrawn', $source );
		if ( 'email' === $channel && ! in_array( $contact->status, Consents::LOWERED, true ) ) {
			Consents::status( $contact, 'unsubscribed' );
		}
	}

	private static function say( Subscriber $contact, string $channel, string $state, string $source ) {
		Consents::add( array( 'contact_id' => (int) $contact->id, 'user_id' => (int) $contact->user_id, 'wording' => self::names()[ $channel ] ) + compact( 'channel', 'state', 'source' ) );
	}

	/** @return array<string,string> channel => state: e-mail, what the shop asks for, and what was ever said. */
	private static function offered( Subscriber $contact ): array {
		return array_intersect_key( Consents::of( $contact ) + array_fill_keys( array_keys( Settings::asked() ), '' ), self::names() );
	}

	private static function names(): array {
		return array(
			'email' => __( 'News and offers by e-mail', 'fluentcrm-sidecar' ), 'sms' => __( 'News and offers by text message (SMS)', 'fluentcrm-sidecar' ), 'phone' => __( 'Calls about news and offers', 'fluentcrm-sidecar' ),
			'messaging' => __( 'News and offers by WhatsApp or Telegram', 'fluentcrm-sidecar' ), 'push' => __( 'News and offers as notifications of this shop', 'fluentcrm-sidecar' ),
		);
	}

	/** Enough to know it by, too little for whom the link was forwarded to. */
	private static function masked( Subscriber $contact ): string {
		list( $name, $host ) = explode( '@', $contact->email . '@' );
		return mb_substr( $name, 0, 1 ) . '…@' . $host;
	}

	/** Independent of the theme. `$page`: title, text, and where there is something to do token, stop, channels, notice. */
	private static function page( array $page ) {
		$page += array( 'notice' => '', 'token' => '', 'stop' => '', 'channels' => array(), 'names' => self::names() );
		require dirname( __DIR__ ) . '/views/preferences.php';
	}
}
