<?php
// The few models and the little of a query builder that the plugin uses.
namespace FluentCrm\App\Models;

class Query {
	private $model;
	private $where = array( '1=1' );
	private $order = '';
	public function __construct( string $model ) { $this->model = $model; }
	public function where( $column, $operator, $value = null ) {
		global $wpdb;
		list( $operator, $value ) = 3 === func_num_args() ? array( $operator, $value ) : array( '=', $operator );
		$this->where[]            = $wpdb->prepare( "`$column` $operator %s", $value );
		return $this;
	}
	public function whereIn( $column, array $values ) {
		global $wpdb;
		$this->where[] = "`$column` IN (" . implode( ',', array_map( fn( $value ) => $wpdb->prepare( '%s', $value ), $values ) ) . ')';
		return $this;
	}
	public function orderBy( $column ) {
		$this->order = " ORDER BY `$column`";
		return $this;
	}
	public function first() {
		global $wpdb;
		$row = $wpdb->get_row( "SELECT * FROM {$this->from()}{$this->order} LIMIT 1", ARRAY_A );
		return $row ? $this->model::made( $row ) : null;
	}
	public function get( array $columns = array() ) {
		global $wpdb;
		return new Found( array_map( array( $this->model, 'made' ), $wpdb->get_results( "SELECT * FROM {$this->from()}{$this->order}", ARRAY_A ) ) );
	}
	public function count() {
		global $wpdb;
		return (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$this->from()}" );
	}
	public function update( array $values ) {
		global $wpdb;
		$set = implode( ',', array_map( fn( $name ) => $wpdb->prepare( "`$name` = %s", $values[ $name ] ), array_keys( $values ) ) );
		return $wpdb->query( $wpdb->prepare( 'UPDATE %i', $wpdb->prefix . $this->model::TABLE ) . " SET $set WHERE " . implode( ' AND ', $this->where ) );
	}
	public function increment( $column, $by ) {
		global $wpdb;
		return $wpdb->query( $wpdb->prepare( 'UPDATE %i SET %i = %i + %d', $wpdb->prefix . $this->model::TABLE, $column, $column, $by ) . ' WHERE ' . implode( ' AND ', $this->where ) );
	}
	public function delete() {
		global $wpdb;
		return $wpdb->query( "DELETE FROM {$this->from()}" );
	}
	private function from() {
		global $wpdb;
		return $wpdb->prefix . $this->model::TABLE . ' WHERE ' . implode( ' AND ', $this->where );
	}
}

class Found implements \IteratorAggregate {
	private $all;
	#[\ReturnTypeWillChange]
	public function getIterator() { return new \ArrayIterator( $this->all ); }
	public function pluck( $value, $key ) { return array_combine( array_map( fn( $one ) => $one->$key, $this->all ), array_map( fn( $one ) => $one->$value, $this->all ) ); }
	public function __construct( array $all ) { $this->all = $all; }
	public function all() { return $this->all; }
}

abstract class Model {
	protected $is  = array();
	protected $was = array();
	public $wasRecentlyCreated = false;
	public function __construct( array $values = array() ) { $this->fill( $values ); }
	public static function made( array $row ) {
		$model     = new static();
		$model->is = $model->was = $row;
		return $model;
	}
	public static function where( ...$given ) { return ( new Query( static::class ) )->where( ...$given ); }
	public static function whereIn( ...$given ) { return ( new Query( static::class ) )->whereIn( ...$given ); }
	public static function find( $id ) { return static::where( 'id', $id )->first(); }
	public static function create( array $values ) {
		$model = new static( $values );
		$model->save();
		return $model;
	}
	public function fill( array $values ) {
		foreach ( $values as $name => $value ) { $this->$name = $value; }
		return $this;
	}
	public function __get( $name ) { return $this->is[ $name ] ?? null; }
	public function __isset( $name ) { return isset( $this->is[ $name ] ); }
	public function __set( $name, $value ) { $this->is[ $name ] = $value; }
	public function getAttributes() { return $this->is; }
	public function getDirty() {
		return array_filter( $this->is, fn( $value, $name ) => ! array_key_exists( $name, $this->was ) || (string) $this->was[ $name ] !== (string) $value, ARRAY_FILTER_USE_BOTH );
	}
	public function save() {
		global $wpdb;
		$table = $wpdb->prefix . static::TABLE;
		$now   = current_time( 'mysql' );
		$this->is['updated_at'] = $now;
		if ( empty( $this->is['id'] ) ) {
			$this->is += array( 'created_at' => $now );
			$done      = $wpdb->insert( $table, $this->is );
			if ( $done ) { $this->is['id'] = $wpdb->insert_id; }
		} else {
			$done = false !== $wpdb->update( $table, $this->getDirty(), array( 'id' => $this->is['id'] ) );
		}
		$this->was = $this->is;
		return (bool) $done;
	}
}

class Tag extends Model { const TABLE = 'fc_tags'; }
class Lists extends Model { const TABLE = 'fc_lists'; }
class SubscriberNote extends Model { const TABLE = 'fc_subscriber_notes'; }
class CustomEmailCampaign extends Model {
	const TABLE = 'fc_campaigns';
	public static function create( array $values ) {
		return parent::create( array( 'type' => 'custom_email_campaign', 'slug' => sanitize_title( $values['title'] ), 'email_body' => '', 'settings' => maybe_serialize( $values['settings'] ) ) + $values );
	}
}
class CampaignEmail extends Model {
	const TABLE = 'fc_campaign_emails';
	public static function insert( array $rows ) { array_map( fn( $row ) => static::create( $row ), $rows ); }
}
class SubscriberMeta extends Model {
	const TABLE = 'fc_subscriber_meta';
	public function save() {
		$this->is['value'] = maybe_serialize( $this->is['value'] );
		return parent::save();
	}
}

class Subscriber extends Model {
	const TABLE = 'fc_subscribers';
	public function save() {
		$this->is['hash'] = md5( $this->is['email'] );
		return parent::save();
	}
	public function updateStatus( $status ) {
		$old                = $this->is['status'];
		$this->is['status'] = $status;
		$this->save();
		do_action( "fluentcrm_subscriber_status_to_$status", $this, $old );
		do_action( 'fluent_crm/subscriber_status_changed', $this, $old, $status );
	}
	public function attachTags( $ids ) { $this->attach( $ids, 'tags', Tag::class ); }
	public function attachLists( $ids ) { $this->attach( $ids, 'lists', Lists::class ); }
	public function detachTags( $ids ) { $this->detach( $ids, 'tags', Tag::class ); }
	public function detachLists( $ids ) { $this->detach( $ids, 'lists', Lists::class ); }
	private function attach( array $ids, string $noun, string $type ) {
		global $wpdb;
		$new = array();
		foreach ( $ids as $id ) {
			$row = array( 'subscriber_id' => $this->id, 'object_id' => $id, 'object_type' => $type );
			if ( ! $wpdb->get_var( $wpdb->prepare( "SELECT id FROM {$wpdb->prefix}fc_subscriber_pivot WHERE subscriber_id = %d AND object_id = %d AND object_type = %s", $row ) ) ) {
				$wpdb->insert( "{$wpdb->prefix}fc_subscriber_pivot", $row + array( 'created_at' => current_time( 'mysql' ) ) );
				$new[] = $id;
			}
		}
		$new && $this->tell( "added_to_$noun", $new );
	}
	private function detach( array $ids, string $noun, string $type ) {
		global $wpdb;
		$gone = array_filter( $ids, fn( $id ) => $wpdb->delete( "{$wpdb->prefix}fc_subscriber_pivot", array( 'subscriber_id' => $this->id, 'object_id' => $id, 'object_type' => $type ) ) );
		$gone && $this->tell( "removed_from_$noun", array_values( $gone ) );
	}
	private function tell( string $what, array $ids ) {
		do_action( "fluentcrm_contact_$what", $ids, $this ); // the old name has its arguments the other way round
		do_action( "fluent_crm/contact_$what", $this, $ids );
	}
}
