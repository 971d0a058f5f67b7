<?php
// Contacts, written by FluentCRM's own models so that the owner's automations fire.
namespace FluentCrmSidecar;

use FluentCrm\App\Models\Lists;
use FluentCrm\App\Models\Subscriber;
use FluentCrm\App\Models\SubscriberMeta;
use FluentCrm\App\Models\Tag;

defined( 'ABSPATH' ) || exit;

/**
 * One batch. Not by createOrUpdate: it drops 0 and '', cannot empty a field, takes the tag "2024" for an id, decides
 * about the status differently in 2.9 and 3, and swallows exceptions. The hooks are fired in its order.
 */
final class ContactWriter {
	const SECONDS = 20;
	const COLUMNS = array( 'prefix', 'first_name', 'last_name', 'phone', 'address_line_1', 'address_line_2', 'postal_code', 'city', 'state', 'country', 'timezone',
		'ip', 'source', 'contact_type', 'date_of_birth', 'life_time_value', 'total_points', 'latitude', 'longitude', 'avatar', 'user_id' );
	/** '' is no value for these, and WordPress' loose SQL mode would make 0 or 0000-00-00 of it. */
	const NULLABLE = array( 'date_of_birth', 'latitude', 'longitude', 'user_id', 'avatar' );

	/** @return array<int,array{person:int,state:string,contact_id:int,reason:string}> One outcome per item, in their order. */
	public function write( array $items ): array {
		$done = Batch::each( $items, self::SECONDS, array( 'raced', 0, 'out_of_time' ), fn( $item ) => Outbox::muted( fn() => $this->one( $item ) ) ); // late: look again, come again
		return array_map( fn( $pair ) => array( 'person' => (int) ( $pair[0]['person'] ?? 0 ), 'state' => $pair[1][0], 'contact_id' => (int) $pair[1][1], 'reason' => $pair[1][2] ?? '' ), $done );
	}

	/** The wishes of automations: tags by title, and fields; doing it twice is doing it once. The sidecar is told of it, as of anybody's change. */
	public function automate( array $items ): array {
		return Batch::outcomes( $items, function ( $item ) {
			$fields = (array) ( $item['fields'] ?? array() );
			$known  = array_merge( array_diff( self::COLUMNS, array( 'user_id', 'ip' ) ), function_exists( 'fluentcrm_get_custom_contact_fields' ) ? array_column( (array) fluentcrm_get_custom_contact_fields(), 'slug' ) : array() );
			$wrong  = array_diff( array_map( 'strval', array_keys( $fields ) ), $known );
			if ( $wrong || ! class_exists( Tag::class ) ) {
				return array( $wrong ? 'refused' : 'again', 0, $wrong ? 'unknown field: ' . implode( ', ', $wrong ) : 'fluentcrm_missing' );
			}
			$columns = array_intersect_key( $fields, array_flip( self::COLUMNS ) );
			$tags    = array( 'tags_add' => $this->titled( (array) ( $item['add'] ?? array() ), true ), 'tags_remove' => $this->titled( (array) ( $item['remove'] ?? array() ), false ) );
			$done    = $this->one( array( 'op' => 'update', 'contact_id' => $item['contact_id'] ?? 0, 'columns' => $columns, 'fields' => array_diff_key( $fields, $columns ) ) + $tags );
			return 'raced' === $done[0] ? array( 'gone' === ( $done[2] ?? '' ) ? 'refused' : 'again' ) + $done : $done;
		} );
	}

	/** Ids of the tags of these titles, made where asked for. A title is never taken for an id or a slug, as FluentCRM would. */
	private function titled( array $titles, bool $make ): array {
		$ids = array();
		foreach ( array_filter( array_map( fn( $title ) => mb_substr( trim( (string) $title ), 0, 190 ), $titles ), 'strlen' ) as $title ) {
			// To the database José is jose.
			$same = array_filter( Tag::where( 'title', $title )->orderBy( 'id' )->get()->all(), fn( $one ) => Signer::identity( $one->title ) === Signer::identity( $title ) );
			$tag  = reset( $same );
			if ( ! $tag && $make ) {
				$tag = Tag::create( array( 'title' => $title, 'slug' => substr( sanitize_title( $title ), 0, 190 ) ) );
				do_action( 'fluent_crm/tag_created', $tag );
			}
			$ids[] = $tag ? (int) $tag->id : 0;
		}
		return array_filter( $ids );
	}

	/** @return array{0:string,1:int,2?:string} state, contact id, reason. */
	private function one( array $item ): array {
		if ( ! class_exists( Subscriber::class ) ) {
			return array( 'refused', 0, 'fluentcrm_missing' );
		}
		$op    = $item['op'] ?? '';
		$given = array_diff( array_keys( (array) ( $item['columns'] ?? array() ) ), self::COLUMNS );
		if ( ! in_array( $op, array( 'create', 'update', 'erase' ), true ) || $given ) {
			return array( 'refused', 0, $given ? 'unknown column: ' . implode( ', ', $given ) : 'unknown op' );
		}
		foreach ( array( 'tags_add' => Tag::class, 'lists_add' => Lists::class ) as $name => $model ) {
			$ids = array_unique( array_map( 'intval', (array) ( $item[ $name ] ?? array() ) ) );
			if ( $ids && $model::whereIn( 'id', $ids )->count() !== count( $ids ) ) {
				return array( 'refused', 0, "$name: no such id" ); // FluentCRM would attach it all the same
			}
		}
		return 'create' === $op ? $this->create( $item ) : $this->change( $item, 'erase' === $op );
	}

	private function create( array $item ): array {
		$email = (string) ( $item['email'] ?? '' );
		$why   = ! is_email( $email ) || strlen( $email ) > 190 ? 'email' : ( Privacy::suppressed( $email ) ? 'suppressed' : '' );
		if ( '' !== $why || ! in_array( $item['status'] ?? '', array( 'transactional', 'subscribed' ), true ) ) {
			return array( 'refused', 0, $why ? $why : 'status' );
		}
		$there = Subscriber::where( 'email', $email )->first(); // equal for the unique key: accents and case do not count there
		if ( $there ) {
			return array( 'raced', $there->id, 'exists' );
		}
		$user    = get_user_by( 'email', $email );
		$since   = preg_match( '/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/D', (string) ( $item['created'] ?? '' ) ) ? $item['created'] : current_time( 'mysql' );
		$row     = array( 'email' => $email, 'status' => $item['status'], 'created_at' => $since ) + $this->columns( $item ) + array( 'user_id' => $user ? $user->ID : null );
		$contact = Subscriber::find( Subscriber::create( $row )->id );
		if ( ! $contact ) {
			return array( 'raced', 0, 'exists' ); // another process was faster: the unique key let it in
		}
		$contact->wasRecentlyCreated = true;
		$this->fields( $contact, (array) ( $item['fields'] ?? array() ) );
		$this->terms( $contact, $item );
		do_action( 'fluentcrm_contact_created', $contact );
		do_action( 'fluent_crm/contact_created', $contact );
		if ( 'subscribed' === $item['status'] ) {
			do_action( 'fluentcrm_subscriber_status_to_subscribed', $contact, '' );
		}
		return array( 'done', $contact->id );
	}

	private function change( array $item, bool $erase ): array {
		$contact = Subscriber::find( (int) ( $item['contact_id'] ?? 0 ) );
		if ( ! $contact ) {
			return array( $erase ? 'done' : 'raced', (int) ( $item['contact_id'] ?? 0 ), $erase ? '' : 'gone' );
		}
		$email = (string) ( $item['email'] ?? '' );
		if ( '' !== $email && Signer::identity( $email ) !== Signer::identity( $contact->email ) ) {
			return array( 'raced', $contact->id, 'email' );
		}
		if ( $erase ) {
			Privacy::forget( $contact->id );
			return array( 'done', $contact->id );
		}
		$is  = $contact->getAttributes();
		$had = $this->stored( $contact->id, array_keys( (array) ( $item['old_fields'] ?? array() ) ) );
		foreach ( array( array( 'old_columns', $is ), array( 'old_fields', $had ) ) as list( $name, $now ) ) {
			foreach ( (array) ( $item[ $name ] ?? array() ) as $key => $value ) {
				if ( (string) ( $now[ $key ] ?? '' ) !== (string) $value ) {
					return array( 'raced', $contact->id, "$name.$key" );
				}
			}
		}
		$old = $contact->email;
		$new = (string) ( $item['move_to'] ?? '' );
		$other = '' === $new ? null : Subscriber::where( 'email', $new )->where( 'id', '!=', $contact->id )->first();
		if ( '' !== $new && ( $other || ! is_email( $new ) || strlen( $new ) > 190 || Privacy::suppressed( $new ) ) ) {
			return array( $other ? 'raced' : 'refused', $contact->id, 'move_to' );
		}
		foreach ( $this->columns( $item ) + ( '' === $new ? array() : array( 'email' => $new ) ) as $name => $value ) {
			$contact->$name = $value;
		}
		$dirty = $contact->getDirty();
		if ( $dirty && ! $contact->save() ) {
			return array( 'raced', $contact->id, 'save' );
		}
		if ( isset( $dirty['email'] ) ) {
			do_action( 'fluent_crm/contact_email_changed', $contact, $old );
		}
		$fields = $this->fields( $contact, (array) ( $item['fields'] ?? array() ) );
		$this->terms( $contact, $item );
		if ( $dirty || $fields ) {
			do_action( 'fluentcrm_contact_updated', $contact, $dirty );
			do_action( 'fluent_crm/contact_updated', $contact, $dirty );
		}
		return array( 'done', $contact->id );
	}

	/** The columns as they are to be stored: 0 and '' stay what they are. */
	private function columns( array $item ): array {
		$columns = (array) ( $item['columns'] ?? array() );
		foreach ( $columns as $name => $value ) {
			$empty            = null === $value || '' === $value || ( 'user_id' === $name && ! (int) $value );
			$columns[ $name ] = $empty ? ( in_array( $name, self::NULLABLE, true ) ? null : '' ) : (string) $value;
		}
		return $columns;
	}

	/** What is stored of these custom fields, as it is stored: slug => text. */
	private function stored( int $id, array $slugs ): array {
		global $wpdb;
		if ( ! $slugs ) {
			return array();
		}
		$sql  = "SELECT `key`, value FROM %i WHERE subscriber_id = %d AND object_type = 'custom_field' AND `key` IN (" . implode( ',', array_fill( 0, count( $slugs ), '%s' ) ) . ')';
		$rows = $wpdb->get_results( $wpdb->prepare( "$sql ORDER BY id DESC", array_merge( array( $wpdb->prefix . 'fc_subscriber_meta', $id ), $slugs ) ) ); // phpcs:ignore WordPress.DB
		return wp_list_pluck( $rows, 'value', 'key' ); // of two rows the first counts, as for FluentCRM
	}

	/** Set, change or ('') remove. The model serializes lists itself. 2.9's own method would overwrite internal meta of the same name. */
	private function fields( Subscriber $contact, array $fields ): array {
		$stored  = $this->stored( $contact->id, array_map( 'strval', array_keys( $fields ) ) );
		$changed = array_filter( array_map( 'strval', $fields ), fn( $value, $slug ) => $value !== ( $stored[ $slug ] ?? '' ), ARRAY_FILTER_USE_BOTH );
		foreach ( $changed as $slug => $value ) {
			$rows  = SubscriberMeta::where( 'subscriber_id', $contact->id )->where( 'object_type', 'custom_field' )->where( 'key', (string) $slug );
			$plain = preg_match( '/^[as]:\d+:/', $value ) && is_serialized( $value ) ? unserialize( $value, array( 'allowed_classes' => false ) ) : false; // phpcs:ignore
			$plain = false === $plain ? $value : $plain;
			$row   = '' === $value ? $rows->delete() : $rows->orderBy( 'id' )->first();
			if ( '' !== $value ) {
				$row = $row ? $row : new SubscriberMeta();
				$row->fill( array( 'subscriber_id' => $contact->id, 'object_type' => 'custom_field', 'key' => (string) $slug, 'value' => $plain, 'created_by' => (int) $row->created_by ) )->save();
			}
			$changed[ $slug ] = $plain;
		}
		if ( $changed ) {
			$set = array_filter( $changed, fn( $value ) => '' !== $value );
			do_action( 'fluentcrm_contact_custom_data_updated', $set, $contact, $changed );
			do_action( 'fluent_crm/contact_custom_data_updated', $set, $contact, $changed );
		}
		return $changed;
	}

	/** FluentCRM's methods fire their hooks for what really changed, and do nothing for an empty list. */
	private function terms( Subscriber $contact, array $item ) {
		foreach ( array( 'lists_add' => 'attachLists', 'tags_add' => 'attachTags', 'tags_remove' => 'detachTags', 'lists_remove' => 'detachLists' ) as $name => $method ) {
			$contact->$method( array_values( array_filter( array_map( 'intval', (array) ( $item[ $name ] ?? array() ) ) ) ) );
		}
	}
}
