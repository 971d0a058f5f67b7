<?php
// The sidecar's e-mails, put into FluentCRM's own queue: its sender, its unsubscribe link, its tracking, its limits.
namespace FluentCrmSidecar;

use FluentCrm\App\Models\CampaignEmail;
use FluentCrm\App\Models\CustomEmailCampaign;
use FluentCrm\App\Models\Subscriber;
use FluentCrm\App\Services\Helper;

defined( 'ABSPATH' ) || exit;

/**
 * Each step of an automation has a campaign of a type that FluentCRM's list does not show; each message is a row of its
 * queue with a body of its own. Nothing is sent here.
 */
final class Messages {
	/** Who may get what; looked at in the moment of queueing, and by FluentCRM again in the moment of sending. */
	const MAY = array( 'marketing' => array( 'subscribed' ), 'service' => array( 'subscribed', 'transactional' ) );

	public static function queue( array $items ): array {
		$boxes = array();
		$done  = Batch::outcomes( $items, static function ( array $item ) use ( &$boxes ) {
			$text    = fn( string $name ) => is_string( $item[ $name ] ?? null ) ? trim( $item[ $name ] ) : '';
			$subject = (string) preg_replace( '/\s+/u', ' ', $text( 'subject' ) );
			if ( ! isset( self::MAY[ $text( 'purpose' ) ] ) || '' === $subject || mb_strlen( $subject ) > 192 || '' === $text( 'html' ) || '' === $text( 'container' ) ) {
				return array( 'refused', 0, 'purpose, subject, html or container' );
			}
			if ( ! class_exists( CustomEmailCampaign::class ) ) {
				return array( 'again', 0, 'fluentcrm_missing' );
			}
			$service = 'service' === $text( 'purpose' );
			$page    = false !== stripos( $text( 'html' ), '</body>' );
			$name    = 'box:' . md5( "{$text( 'container' )}|$service|$page" );
			$box     = $boxes[ $name ] = $boxes[ $name ] ?? self::box( $name, '' === $text( 'title' ) ? $text( 'container' ) : $text( 'title' ), $service, $page );
			return ! $box ? array( 'again', 0, 'database' ) : Batch::once( $item['key'] ?? '', 'message', fn() => self::one( (int) ( $item['contact_id'] ?? 0 ), $subject, self::body( $text( 'html' ), $text( 'preheader' ), $box, $service, $page ), $box, $service ) );
		} );
		in_array( 'done', array_column( $done, 'state' ), true ) && add_action( 'shutdown', array( self::class, 'kick' ), 40 );
		return array_map( fn( $one ) => array( 'key' => $one['key'], 'state' => 'done' === $one['state'] ? 'queued' : $one['state'], 'email_id' => $one['id'], 'reason' => $one['reason'] ), $done );
	}

	/** FluentCRM's sender, in a request of its own. It has its own lock, and is asked by everybody who wants to. */
	public static function kick() {
		foreach ( array( 'fastcgi_finish_request', 'litespeed_finish_request' ) as $finish ) {
			function_exists( $finish ) && $finish(); // the sidecar need not wait
		}
		wp_remote_post( admin_url( 'admin-ajax.php?action=fluentcrm-post-campaigns-send-now' ), array( 'timeout' => 0.5, 'blocking' => false, 'sslverify' => false ) );
	}

	/** @return array{0:string,1:int,2?:string} */
	private static function one( int $id, string $subject, string $body, CustomEmailCampaign $box, bool $service ): array {
		$contact = Subscriber::find( $id );
		$why     = ! $contact ? 'gone' : ( in_array( $contact->status, self::MAY[ $service ? 'service' : 'marketing' ], true ) ? '' : "status: $contact->status" );
		if ( '' !== $why || Privacy::suppressed( $contact->email ) ) {
			return array( 'refused', 0, '' === $why ? 'suppressed' : $why );
		}
		$ids = $box->subscribe( array( $id ), array(
			'status' => 'scheduled', 'scheduled_at' => current_time( 'mysql' ), 'email_type' => 'custom_email_campaign', 'email_subject' => $subject, 'email_body' => $body, 'is_parsed' => 1,
		) );
		$row = $ids ? CampaignEmail::find( $ids[0] ) : null;
		if ( ! $row ) {
			return array( 'again', 0, 'not queued' );
		}
		// A click on a link of ours to give or withdraw consent must reach us as it is.
		$urls = $row->getCampaignUrls( (string) preg_replace( '/href=(["\'])[^"\']*[?&;]fcsc=[pu]\.[^"\']*\1/', '', $body ) );
		if ( $urls ) {
			$row->email_body = 'anonymous' === fluentcrmTrackClicking() ? Helper::attachAnonymousUrls( $body, $urls, $row->id, $row->email_hash ) : Helper::attachUrls( $body, $urls, $row->id, $row->email_hash );
			$row->save();
		}
		return array( 'done', $row->id );
	}

	/** The campaign of one step, found again by our own row: its title is the owner's to change. */
	private static function box( string $name, string $title, bool $service, bool $page ) {
		global $wpdb;
		$design = $page ? 'raw_html' : Helper::getDefaultEmailTemplate();
		$values = array(
			'title'    => mb_substr( $title, 0, 190 ), 'status' => 'published', 'email_subject' => mb_substr( $title, 0, 190 ), 'design_template' => $design,
			'settings' => array( 'mailer_settings' => array( 'is_custom' => 'no' ), 'template_config' => Helper::getTemplateConfig( $design ), 'is_transactional' => $service ? 'yes' : 'no' ),
		);
		for ( $try = 0; $try < 2; ++$try ) {
			$made = Batch::once( $name, 'box', fn() => array( 'done', (int) CustomEmailCampaign::create( $values )->id ) );
			$box  = 'again' === $made[0] ? null : CustomEmailCampaign::find( $made[1] );
			if ( $box || 'again' === $made[0] ) {
				break;
			}
			$wpdb->delete( Tables::name( 'sent' ), array( 'sent_key' => $name ) ); // the owner has deleted the campaign
		}
		return $box;
	}

	/** A whole page keeps its own design and gets FluentCRM's footer at its end; a piece is put into FluentCRM's template. No smartcode of a shop's text is run. */
	private static function body( string $html, string $preheader, CustomEmailCampaign $box, bool $service, bool $page ): string {
		$html   = str_replace( array( '{{', '##' ), array( '{&#8288;{', '#&#8288;#' ), $html ); // an invisible joiner: entities would become braces again
		$footer = method_exists( Helper::class, 'getFooterConfig' ) ? (string) ( Helper::getFooterConfig( $box )['footer_content'] ?? '' ) : (string) Helper::getEmailFooterContent( $box );
		$below  = $page && ! $service ? '<div style="padding:16px;text-align:center;font-size:12px;color:#666">{{crm_global_email_footer}}</div>' : '';
		if ( ! $service && false === strpos( $footer, 'unsubscribe' ) ) {
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
