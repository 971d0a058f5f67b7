<?php
// The sidecar's e-mails, put into FluentCRM's own queue: its sender, its unsubscribe link, its tracking, its limits.
namespace FluentCrmSidecar;

use FluentCrm\App\Models\CampaignEmail;
use FluentCrm\App\Models\CustomEmailCampaign;
use FluentCrm\App\Models\Subscriber;
use FluentCrm\App\Services\Helper;

defined( 'ABSPATH' ) || exit;

/** Each step of an automation has a campaign of a type that FluentCRM's list does not show; each message is a row of its queue with its own body. */
final class Messages {
	/** Who may get what; looked at in the moment of queueing, and by FluentCRM again in the moment of sending. */
	const MAY = array( 'marketing' => array( 'subscribed' ), 'service' => array( 'subscribed', 'transactional' ) );

	/** So many in one transaction. */
	const CHUNK = 20;

	/** Nothing is sent here. */
	public static function queue( array $items ): array {
		list( $until, $boxes, $letters ) = array( microtime( true ) + Batch::SECONDS, array(), array() );
		function_exists( 'wc_set_time_limit' ) && wc_set_time_limit( 120 );
		foreach ( $items as $item ) {
			if ( '' === self::wrong( $item ) && ! isset( $letters[ $item['key'] ] ) ) {
				$letters[ $item['key'] ] = $item;
			}
		}
		$done = array_map( fn( $row ) => array( 'known', $row['id'] ), array_column( Batch::known( array_keys( $letters ) ), null, 'key' ) );
		foreach ( array_chunk( array_diff_key( $letters, $done ), self::CHUNK, true ) as $chunk ) {
			$late  = microtime( true ) > $until;
			$done += $late ? array_fill_keys( array_keys( $chunk ), array( 'again', 0, 'out_of_time' ) ) : self::chunk( $chunk, $boxes );
		}
		in_array( 'queued', array_column( $done, 0 ), true ) && add_action( 'shutdown', array( self::class, 'kick' ), 40 );
		return Batch::outcomes( $items, static function ( array $item ) use ( &$done ) {
			$wrong = self::wrong( $item );
			$one   = '' === $wrong ? $done[ $item['key'] ] : array( 'refused', 0, $wrong );
			if ( 'queued' === $one[0] ) {
				$done[ $item['key'] ] = array( 'known', $one[1] ); // the same key again in this call
			}
			return $one;
		} );
	}

	private static function text( $item, string $name ): string {
		$text = is_array( $item ) && is_string( $item[ $name ] ?? null ) ? trim( $item[ $name ] ) : '';
		return 'subject' === $name ? (string) preg_replace( '/\s+/u', ' ', $text ) : $text;
	}

	/** Why an item can be no message; '' when it can. */
	private static function wrong( $item ): string {
		$subject = self::text( $item, 'subject' );
		$right   = isset( self::MAY[ self::text( $item, 'purpose' ) ] ) && '' !== $subject && mb_strlen( $subject ) <= 192 && '' !== self::text( $item, 'html' ) && '' !== self::text( $item, 'container' );
		return ! $right ? 'purpose, subject, html or container' : ( Batch::is_key( $item['key'] ?? '' ) ? '' : 'key' );
	}

	/** Items by their keys. @return array<string,array{0:string,1:int,2?:string}> */
	private static function chunk( array $items, array &$boxes ): array {
		global $wpdb;
		$letters = $done = array();
		$try     = static function ( $key, callable $work ) use ( &$letters, &$done ) {
			try {
				$letters[ $key ] = $work();
			} catch ( \Throwable $error ) {
				$done[ $key ] = array( 'again', 0, Batch::fault( $error ) );
			}
		};
		foreach ( $items as $key => $item ) {
			$try( $key, static function () use ( $item, &$boxes ) {
				list( $service, $page, $step ) = array( 'service' === self::text( $item, 'purpose' ), false !== stripos( $item['html'], '</body>' ), self::text( $item, 'container' ) );
				$name = 'box:' . md5( "$step|$service|$page" );
				$box  = $boxes[ $name ] = $boxes[ $name ] ?? self::box( $name, '' === self::text( $item, 'title' ) ? $step : self::text( $item, 'title' ), $service, $page );
				return $item + ( $box ? array( 'box' => $box, 'body' => self::body( self::text( $item, 'html' ), self::text( $item, 'preheader' ), $box['below'], $page ) ) : array() );
			} );
		}
		$done += array_map( fn() => array( 'again', 0, 'no campaign' ), array_filter( $letters, fn( $letter ) => ! isset( $letter['box'] ) ) );
		// Apart from the messages: FluentCRM remembers a link that it has numbered, also when the number was taken back with a message that failed.
		$wpdb->query( 'START TRANSACTION' );
		foreach ( array_diff_key( $letters, $done ) as $key => $letter ) { // A click on a link of ours to give or withdraw consent must reach us as it is.
			$try( $key, fn() => array( 'urls' => fluentcrmTrackClicking() ? Helper::urlReplaces( (string) preg_replace( '/href=(["\'])[^"\']*[?&;]fcsc=[pu]\.[^"\']*\1/', '', $letter['body'] ) ) : array() ) + $letter );
		}
		$wpdb->query( 'COMMIT' );
		$letters = array_diff_key( $letters, $done );
		return $done + ( $letters ? Batch::together( $letters, 'message', fn( $some ) => self::insert( $some ) ) : array() );
	}

	/** FluentCRM's sender, in a request of its own. It has its own lock, and is asked by everybody who wants to. */
	public static function kick() {
		foreach ( array( 'fastcgi_finish_request', 'litespeed_finish_request' ) as $finish ) {
			function_exists( $finish ) && $finish(); // the sidecar need not wait
		}
		wp_remote_post( admin_url( 'admin-ajax.php?action=fluentcrm-post-campaigns-send-now' ), array( 'timeout' => 0.5, 'blocking' => false, 'sslverify' => false ) );
	}

	/** As FluentCRM's Campaign::subscribe() does it, for many with a text of their own. */
	private static function insert( array $letters ): array {
		$rows  = $done = $contacts = array();
		$whose = fn( $letter ) => (int) ( $letter['contact_id'] ?? 0 );
		foreach ( Subscriber::whereIn( 'id', array_map( $whose, array_values( $letters ) ) )->get() as $contact ) {
			$contacts[ (int) $contact->id ] = $contact;
		}
		$erased = Privacy::suppressed( array_map( fn( $contact ) => (string) $contact->email, $contacts ) );
		$now    = array_fill_keys( array( 'scheduled_at', 'created_at', 'updated_at' ), current_time( 'mysql' ) );
		foreach ( $letters as $key => $letter ) {
			$contact = $contacts[ $whose( $letter ) ] ?? null;
			if ( ! $contact || ! in_array( $contact->status, self::MAY[ self::text( $letter, 'purpose' ) ], true ) || isset( $erased[ (int) $contact->id ] ) ) {
				$done[ $key ] = array( 'refused', 0, ! $contact ? 'gone' : ( isset( $erased[ (int) $contact->id ] ) ? 'suppressed' : "status: $contact->status" ) );
				continue;
			}
			$rows[ $key ] = array(
				'campaign_id' => $letter['box']['id'], 'email_headers' => $letter['box']['headers'], 'email_type' => 'custom_email_campaign', 'status' => 'scheduled', 'is_parsed' => 1, 'email_hash' => wp_generate_uuid4(),
				'subscriber_id' => (int) $contact->id, 'email_address' => $contact->email, 'email_subject' => self::text( $letter, 'subject' ), 'email_body' => $letter['body'],
			) + $now;
		}
		$rows && CampaignEmail::insert( array_values( $rows ) );
		$ids = $rows ? CampaignEmail::whereIn( 'email_hash', array_column( $rows, 'email_hash' ) )->get( array( 'id', 'email_hash' ) )->pluck( 'id', 'email_hash' ) : array();
		foreach ( $rows as $key => $row ) {
			$id   = (int) ( $ids[ $row['email_hash'] ] ?? 0 );
			$urls = $letters[ $key ]['urls'];
			if ( $id && $urls ) {
				$attach = 'anonymous' === fluentcrmTrackClicking() ? 'attachAnonymousUrls' : 'attachUrls';
				CampaignEmail::where( 'id', $id )->update( array( 'email_body' => Helper::$attach( $row['email_body'], $urls, $id, $row['email_hash'] ) ) );
			}
			$done[ $key ] = $id ? array( 'queued', $id ) : array( 'again', 0, 'not queued' );
		}
		foreach ( array_count_values( array_column( $rows, 'campaign_id' ) ) as $box => $count ) {
			fluentCrmDb()->table( 'fc_campaigns' )->where( 'id', $box )->increment( 'recipients_count', $count );
		}
		return $done;
	}

	/** The campaign of one step, found again by a row of ours: its title is the owner's to change. Null where there is none to be had. @return array{id:int,headers:string,below:string}|null */
	private static function box( string $name, string $title, bool $service, bool $page ) {
		global $wpdb;
		$box = null;
		for ( $try = 0; ! $box && $try < 2 && class_exists( CustomEmailCampaign::class ); ++$try ) {
			$try && $wpdb->delete( Tables::name( 'sent' ), array( 'sent_key' => $name ) ); // the owner has deleted the campaign
			$design = $page ? 'raw_html' : Helper::getDefaultEmailTemplate();
			$made   = Batch::once( $name, 'box', fn() => array( 'done', (int) CustomEmailCampaign::create( array(
				'title'    => mb_substr( $title, 0, 190 ), 'status' => 'published', 'email_subject' => mb_substr( $title, 0, 190 ), 'design_template' => $design,
				'settings' => array( 'mailer_settings' => array( 'is_custom' => 'no' ), 'template_config' => Helper::getTemplateConfig( $design ), 'is_transactional' => $service ? 'yes' : 'no' ),
			) )->id ) );
			if ( 'again' === $made[0] ) {
				return null;
			}
			$box = CustomEmailCampaign::find( $made[1] );
		}
		return $box ? array( 'id' => (int) $box->id, 'headers' => maybe_serialize( Helper::getMailHeadersFromSettings( $box->settings['mailer_settings'] ?? array() ) ), 'below' => $service ? '' : self::below( $box, $page ) ) : null;
	}

	/** The footer of a whole page, and a way out where the owner's footer has none. */
	private static function below( CustomEmailCampaign $box, bool $page ): string {
		$footer = method_exists( Helper::class, 'getFooterConfig' ) ? (string) ( Helper::getFooterConfig( $box )['footer_content'] ?? '' ) : (string) Helper::getEmailFooterContent( $box );
		$below  = $page ? '<div style="padding:16px;text-align:center;font-size:12px;color:#666">{{crm_global_email_footer}}</div>' : '';
		$hidden = false === strpos( $footer, 'unsubscribe' ) || 'yes' === ( $box->settings['template_config']['disable_footer'] ?? '' );
		return $below . ( $hidden ? '<p style="text-align:center;font-size:12px"><a href="##crm.unsubscribe_url##">' . esc_html__( 'Unsubscribe', 'fluentcrm-sidecar' ) . '</a></p>' : '' );
	}

	/** A whole page keeps its own design and gets FluentCRM's footer at its end; a piece is put into FluentCRM's template. No smartcode of a shop's text is run. */
	private static function body( string $html, string $preheader, string $below, bool $page ): string {
		$html = ( $page || '' === $preheader ? '' : '<div style="display:none;max-height:0;overflow:hidden">' . esc_html( $preheader ) . '</div>' ) . $html;
		$html = (string) preg_replace( '/([{#])(?=\1)/', '$1&#8288;', $html ); // an invisible joiner, also within {{{: entities would become braces again
		$end  = $page ? (int) strripos( $html, '</body>' ) : strlen( $html );
		return substr( $html, 0, $end ) . $below . substr( $html, $end );
	}
}
