<?php
// Notes on contacts, and tickets for the staff.
namespace FluentCrmSidecar;

use FluentCrm\App\Models\Subscriber;
use FluentCrm\App\Models\SubscriberNote;

defined( 'ABSPATH' ) || exit;

/** A ticket goes to Fluent Support where that is active, else by e-mail to the shop's own address. */
final class Notes {
	public static function write( array $items ): array {
		return Batch::outcomes( $items, fn( $item ) => class_exists( Subscriber::class ) ? Batch::once( $item['key'] ?? '', 'note', fn() => self::one( $item ) ) : array( 'again', 0, 'fluentcrm_missing' ) );
	}

	/** @return array{0:string,1:int,2?:string} */
	private static function one( array $item ): array {
		$title   = mb_substr( sanitize_text_field( (string) ( $item['title'] ?? '' ) ), 0, 190 );
		$body    = nl2br( esc_html( trim( (string) ( $item['body'] ?? '' ) ) ) );
		$contact = Subscriber::find( (int) ( $item['contact_id'] ?? 0 ) );
		if ( ! $contact || '' === $title ) {
			return array( 'refused', 0, $contact ? 'title' : 'gone' );
		}
		if ( ! empty( $item['ticket'] ) ) {
			$priority = in_array( $item['priority'] ?? '', array( 'medium', 'critical' ), true ) ? $item['priority'] : 'normal';
			return self::ticket( $contact, $title, $body . self::links( $contact, (int) ( $item['order_id'] ?? 0 ) ), $priority );
		}
		$note = array( 'subscriber_id' => $contact->id, 'type' => 'note', 'title' => $title, 'description' => $body );
		$made = SubscriberNote::create( $note );
		do_action( 'fluent_crm/note_added', $made, $contact, $note );
		return array( 'done', $made->id );
	}

	private static function ticket( Subscriber $contact, string $title, string $html, string $priority ): array {
		if ( function_exists( 'FluentSupportApi' ) && method_exists( '\FluentSupport\App\Models\Customer', 'maybeCreateCustomer' ) ) {
			$customer = \FluentSupport\App\Models\Customer::maybeCreateCustomer( array( 'email' => $contact->email, 'first_name' => $contact->first_name, 'last_name' => $contact->last_name ) );
			$ticket   = $customer ? FluentSupportApi( 'tickets' )->createTicket( array( 'customer_id' => $customer->id, 'mailbox_id' => 0, 'title' => $title, 'content' => $html, 'priority' => $priority, 'client_priority' => $priority ) ) : null;
			return $ticket ? array( 'done', (int) $ticket->id ) : array( 'again', 0, 'fluent_support' );
		}
		// Before the transaction is over: an e-mail that comes twice after a crash is better than none.
		$sent = wp_mail( apply_filters( 'fcsc_ticket_recipient', get_option( 'admin_email' ) ), ( 'critical' === $priority ? '[!] ' : '' ) . $title, $html, array( 'Content-Type: text/html; charset=UTF-8', "Reply-To: <{$contact->email}>" ) );
		return $sent ? array( 'done', 0 ) : array( 'again', 0, 'mail' );
	}

	/** Where the staff finds the person and the order. */
	private static function links( Subscriber $contact, int $id ): string {
		$order = $id && function_exists( 'wc_get_order' ) ? wc_get_order( $id ) : null;
		$urls  = array_filter( array( admin_url( "admin.php?page=fluentcrm-admin#/subscribers/{$contact->id}" ), $order instanceof \WC_Order ? $order->get_edit_order_url() : '' ) );
		return '<p>' . implode( '<br>', array_map( fn( $url ) => '<a href="' . esc_url( $url ) . '">' . esc_html( $url ) . '</a>', $urls ) ) . '</p>';
	}
}
