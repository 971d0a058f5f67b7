<?php
// What changes in FluentCRM → outbox. Outbox itself leaves out what the sidecar has written.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** A contact comes as a model, in old versions now and then empty: without an id there is nothing to tell. */
final class Contacts {
	/** `$it`: the contact; for custom data the values, and then the contact. */
	public static function contact( string $topic, $it, $then = null ) {
		self::add( $topic, is_array( $it ) ? $then : $it );
	}

	/** 2.9 fires it from createOrUpdate with an empty model and without a change. */
	public static function status( string $topic, $contact, $old = '', $new = '' ) {
		if ( $old !== $new ) {
			self::add( $topic, $contact, 0, "$old>$new" );
		}
	}

	public static function unsubscribed( string $topic, $contact, $email = null ) {
		self::add( $topic, $contact, is_object( $email ) ? (int) $email->id : 0 );
	}

	public static function added( string $topic, $contact, $ids = array(), $what = 'added' ) {
		foreach ( (array) $ids as $id ) {
			self::add( $topic, $contact, (int) $id, $what );
		}
	}

	public static function removed( string $topic, $contact, $ids = array() ) {
		self::added( $topic, $contact, $ids, 'removed' );
	}

	public static function deleted( string $topic, $ids ) {
		foreach ( array_filter( array_map( 'intval', (array) $ids ) ) as $id ) {
			Outbox::add( $topic, $id );
		}
	}

	public static function email( string $topic, $email ) {
		if ( is_object( $email ) && (int) $email->subscriber_id > 0 ) {
			Outbox::add( $topic, (int) $email->subscriber_id, (int) $email->id );
		}
	}

	private static function add( string $topic, $contact, int $sub = 0, string $detail = '' ) {
		if ( is_object( $contact ) && (int) $contact->id > 0 ) {
			Outbox::add( $topic, (int) $contact->id, $sub, $detail, (int) $contact->user_id );
		}
	}
}
