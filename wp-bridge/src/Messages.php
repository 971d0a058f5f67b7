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

	/** Nothing is sent here. */
	public static function queue( array $items ): array {
		$boxes = array();
		$done  = Batch::outcomes( $items, static function ( array $item ) use ( &$boxes ) {
			$text    = fn( string $name ) => is_string( $item[ $name ] ?? null ) ? trim( $item[ $name ] ) : '';
			$subject = (string) preg_replace( '/\s+/u', ' ', $text( 'subject' ) );
			if ( ! isset( self::MAY[ $text( 'purpose' ) ] ) || '' === $subject || mb_strlen( $subject ) > 192 || '' === $text( 'html' ) || '' === $text( 'container' ) ) {
				return array( 'refused', 0, 'purpose, subject, html or container' );
			}
			list( $service, $page ) = array( 'service' === $text( 'purpose' ), false !== stripos( $text( 'html' ), '</body>' ) );

			$name = 'box:' . md5( "{$text( 'container' )}|$service|$page" );
			$box  = $boxes[ $name ] = $boxes[ $name ] ?? self::box( $name, '' === $text( 'title' ) ? $text( 'container' ) : $text( 'title' ), $service, $page );
			$work = fn() => self::one( (int) ( $item['contact_id'] ?? 0 ), self::MAY[ $text( 'purpose' ) ], $box, $subject, self::body( $text( 'html' ), $text( 'preheader' ), $box, $service, $page ) );
			return $box ? Batch::once( $item['key'] ?? '', 'message', $work ) : array( 'again', 0, 'no campaign' );
		} );
		in_array( 'queued', array_column( $done, 'state' ), true ) && add_action( 'shutdown', array( self::class, 'kick' ), 40 );
		return $done;
	}

	/** FluentCRM's sender, in a request of its own. It has its own lock, and is asked by everybody who wants to. */
	public static function kick() {
		foreach ( array( 'fastcgi_finish_request', 'litespeed_finish_request' ) as $finish ) {
			function_exists( $finish ) && $finish(); // the sidecar need not wait
		}
		wp_remote_post( admin_url( 'admin-ajax.php?action=fluentcrm-post-campaigns-send-now' ), array( 'timeout' => 0.5, 'blocking' => false, 'sslverify' => false ) );
	}

	/** @return array{0:string,1:int,2?:string} */
	private static function one( int $id, array $may, CustomEmailCampaign $box, string $subject, string $body ): array {
		$contact = Subscriber::find( $id );
		if ( ! $contact || ! in_array( $contact->status, $may, true ) || Privacy::suppressed( $contact->email ) ) {
			return array( 'refused', 0, ! $contact ? 'gone' : ( in_array( $contact->status, $may, true ) ? 'suppressed' : "status: $contact->status" ) );
		}
		$ids = $box->subscribe( array( $id ), array( 'status' => 'scheduled', 'scheduled_at' => current_time( 'mysql' ), 'email_type' => 'custom_email_campaign', 'email_subject' => $subject, 'email_body' => $body, 'is_parsed' => 1 ) );
		$row = $ids ? CampaignEmail::find( $ids[0] ) : null;
		// A click on a link of ours to give or withdraw consent must reach us as it is.
		$urls = $row ? $row->getCampaignUrls( (string) preg_replace( '/href=(["\'])[^"\']*[?&;]fcsc=[pu]\.[^"\']*\1/', '', $body ) ) : array();
		if ( $urls ) {
			$row->email_body = 'anonymous' === fluentcrmTrackClicking() ? Helper::attachAnonymousUrls( $body, $urls, $row->id, $row->email_hash ) : Helper::attachUrls( $body, $urls, $row->id, $row->email_hash );
			$row->save();
		}
		return $row ? array( 'queued', $row->id ) : array( 'again', 0, 'not queued' );
	}

	/** The campaign of one step, found again by a row of ours: its title is the owner's to change. Null where there is none to be had. */
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
		return $box;
	}

	/** A whole page keeps its own design and gets FluentCRM's footer at its end; a piece is put into FluentCRM's template. No smartcode of a shop's text is run. */
	private static function body( string $html, string $preheader, CustomEmailCampaign $box, bool $service, bool $page ): string {
		$html   = str_replace( array( '{{', '##' ), array( '{&#8288;{', '#&#8288;#' ), $html ); // an invisible joiner: entities would become braces again
		$footer = method_exists( Helper::class, 'getFooterConfig' ) ? (string) ( Helper::getFooterConfig( $box )['footer_content'] ?? '' ) : (string) Helper::getEmailFooterContent( $box );
		$below  = $page && ! $service ? '<div style="padding:16px;text-align:center;font-size:12px;color:#666">{{crm_global_email_footer}}</div>' : '';
		if ( ! $service && ( false === strpos( $footer, 'unsubscribe' ) || 'yes' === ( $box->settings['template_config']['disable_footer'] ?? '' ) ) ) {
			$below .= '<p style="text-align:center;font-size:12px"><a href="##crm.unsubscribe_url##">' . esc_html__( 'Unsubscribe', 'fluentcrm-sidecar' ) . '</a></p>';
		}
		if ( $page ) {
			$end = strripos( $html, '</body>' );
			return substr( $html, 0, $end ) . $below . substr( $html, $end );
		}
		$before = str_replace( array( '{{', '##' ), '', $preheader );
		return ( '' === $before ? '' : '<div style="display:none;max-height:0;overflow:hidden">' . esc_html( $before ) . '</div>' ) . $html . $below;
	}
}
