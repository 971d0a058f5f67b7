<?php
// The record of consent: what people said, when, where and to which words. No address, no IP.
namespace FluentCrmSidecar;

use FluentCrm\App\Models\Subscriber;

defined( 'ABSPATH' ) || exit;

/** A row is an explicit act and is never changed, but for the contact that it turns out to be of. An unticked box is no act. */
final class Consents {
	const CHANNELS = array( 'email', 'sms', 'phone', 'messaging', 'push' );
	/** For the questions that FluentCRM's double opt-in mails at once. */
	const SECONDS  = 8;
	/** Statuses by which FluentCRM says that nothing may be sent. */
	const LOWERED  = array( 'unsubscribed', 'bounced', 'complained', 'spammed' );
	/** Where somebody ticked a box of ours: nothing else moves a status up. */
	const BOXES    = array( 'checkout', 'block-checkout', 'register' );

	/** @var bool Whether we ourselves are changing a status: the row of that is written already. */
	private static $own = false;

	/** One act: channel, state (given, withdrawn), source, wording, and whose it is as far as known. Returns the row's id, 0 when it failed. */
	public static function add( array $row ): int {
		global $wpdb;
		$row['wording'] = mb_substr( $row['wording'] ?? '', 0, 500 );
		$row           += array( 'contact_id' => 0, 'user_id' => 0, 'order_id' => 0, 'created_gmt' => gmdate( 'Y-m-d H:i:s' ) );
		$id             = Tables::quietly( fn() => $wpdb->insert( Tables::name( 'consents' ), $row ) ) ? (int) $wpdb->insert_id : 0;
		if ( $id ) {
			Outbox::add( 'consent.changed', $id, (int) $row['contact_id'], "{$row['channel']} {$row['state']}", (int) $row['user_id'] );
		}
		return $id;
	}

	/** FluentCRM's own links, its forms, its staff, a provider that says "bounced". */
	public static function lowered( string $topic, $contact, $old = '', $new = '' ) {
		if ( ! self::$own && $old !== $new && in_array( $new, self::LOWERED, true ) ) {
			self::of_fluentcrm( $contact, 'withdrawn', 'fluentcrm', "status $new" );
		}
	}

	public static function confirmed( string $topic, $contact ) {
		self::of_fluentcrm( $contact, 'given', 'double-opt-in', '' );
	}

	private static function of_fluentcrm( $contact, string $state, string $source, string $wording ) {
		if ( is_object( $contact ) && (int) $contact->id > 0 ) {
			self::add( array( 'channel' => 'email', 'contact_id' => (int) $contact->id, 'user_id' => (int) $contact->user_id ) + compact( 'state', 'source', 'wording' ) );
		}
	}

	/** @return array<string,string> channel => state, by the last word on each. E-mail is as FluentCRM has it. */
	public static function of( Subscriber $contact ): array {
		return array( 'email' => 'subscribed' === $contact->status ? 'given' : ( 'pending' === $contact->status ? 'pending' : 'withdrawn' ) )
			+ wp_list_pluck( self::rows( (int) $contact->id, (int) $contact->user_id ), 'state', 'channel' );
	}

	/** All rows of a contact, an account and orders, the oldest first. */
	public static function rows( int $contact, int $user, array $orders = array() ): array {
		global $wpdb;
		$orders = implode( ',', array_map( 'intval', $orders ) );
		$sql    = 'SELECT * FROM %i WHERE (contact_id > 0 AND contact_id = %d) OR (user_id > 0 AND user_id = %d)' . ( '' === $orders ? '' : " OR order_id IN ($orders)" ) . ' ORDER BY created_gmt, id';
		return (array) Tables::quietly( fn() => $wpdb->get_results( $wpdb->prepare( $sql, Tables::name( 'consents' ), $contact, $user ), ARRAY_A ) ); // phpcs:ignore WordPress.DB -- whole numbers
	}

	/** POST /consents: the sidecar has found out whose rows these are. @return array<int,array{id:int,state:string,status:string,reason:string}> In their order. */
	public static function settle( array $items ): array {
		$until = microtime( true ) + self::SECONDS;
		return array_map( static function ( $item ) use ( $until ) {
			$item = is_array( $item ) ? $item : array();
			if ( microtime( true ) > $until ) {
				return array( 'id' => (int) ( $item['id'] ?? 0 ), 'state' => 'refused', 'status' => '', 'reason' => 'out_of_time' ); // come again
			}
			try {
				$done = class_exists( Subscriber::class ) ? self::one( (int) ( $item['id'] ?? 0 ), (int) ( $item['contact_id'] ?? 0 ), ! empty( $item['raise'] ) ) : array( 'refused', '', 'fluentcrm_missing' );
			} catch ( \Throwable $error ) { // an automation of the owner's may throw; its message may name people
				$done = array( 'refused', '', 'failed: ' . get_class( $error ) . ' at ' . basename( $error->getFile() ) . ':' . $error->getLine() );
			}
			return array( 'id' => (int) ( $item['id'] ?? 0 ), 'state' => $done[0], 'status' => $done[1], 'reason' => $done[2] ?? '' );
		}, array_values( $items ) );
	}

	/** The row is the proof: what the sidecar asks for is done only as far as the row says so. @return array{0:string,1:string,2?:string} state, status now, reason. */
	private static function one( int $id, int $contact, bool $raise ): array {
		global $wpdb;
		$row     = $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM %i WHERE id = %d', Tables::name( 'consents' ), $id ), ARRAY_A );
		$contact = $row ? Subscriber::find( $contact ) : null;
		if ( ! $contact || ! self::theirs( $row, $contact ) || Privacy::suppressed( $contact->email ) ) {
			return array( 'refused', '', ! $row ? 'no_row' : ( ! $contact ? 'no_contact' : 'not_theirs' ) );
		}
		if ( ! (int) $row['contact_id'] ) {
			$wpdb->update( Tables::name( 'consents' ), array( 'contact_id' => (int) $contact->id ), array( 'id' => $id ) );
		}
		// "bounced", "complained" and "spammed" are not words of the person: a box that anybody can tick with any address does not lift them, nor
		// "unsubscribed" without an answer from that address.
		$open = in_array( $contact->status, array( 'transactional', 'unsubscribed', 'pending' ), true );
		if ( ! $raise || ! $open || 'email' !== $row['channel'] || 'given' !== $row['state'] || ! in_array( $row['source'], self::BOXES, true ) ) {
			return array( 'kept', $contact->status );
		}
		foreach ( self::rows( (int) $contact->id, (int) $contact->user_id ) as $other ) {
			if ( 'email' === $other['channel'] && 'withdrawn' === $other['state'] && array( $other['created_gmt'], (int) $other['id'] ) > array( $row['created_gmt'], $id ) ) {
				return array( 'kept', $contact->status, 'withdrawn_later' );
			}
		}
		self::subscribe( $contact, Settings::get( 'confirm' ) || 'transactional' !== $contact->status );
		return array( 'raised', $contact->status );
	}

	/** With `$confirm` by FluentCRM's double opt-in: nothing is sent but that question until it is answered. */
	public static function subscribe( Subscriber $contact, bool $confirm ) {
		self::status( $contact, $confirm ? 'pending' : 'subscribed' );
		if ( $confirm ) {
			$contact->sendDoubleOptinEmail();
		}
	}

	/** FluentCRM's own way: its hooks fire, and what is queued for somebody who leaves is cancelled. */
	public static function status( Subscriber $contact, string $status ) {
		self::$own = true;
		try {
			$contact->updateStatus( $status );
		} finally {
			self::$own = false;
		}
	}

	/** As orders belong to people everywhere: to the account, else to the billing address. */
	private static function theirs( array $row, Subscriber $contact ): bool {
		$user  = (int) $row['user_id'] ? get_userdata( (int) $row['user_id'] ) : null;
		$order = (int) $row['order_id'] ? wc_get_order( (int) $row['order_id'] ) : null;
		$email = $user ? $user->user_email : ( $order instanceof \WC_Order ? $order->get_billing_email() : '' );
		return (int) $row['contact_id'] ? (int) $row['contact_id'] === (int) $contact->id : '' !== $email && Signer::identity( $email ) === Signer::identity( $contact->email );
	}
}
