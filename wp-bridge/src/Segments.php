<?php
// The sidecar's segments in FluentCRM: whom a campaign goes to, as with the dynamic segments of FluentCRM Pro.
namespace FluentCrmSidecar;
defined( 'ABSPATH' ) || exit;

/** A segment is a tag that the sidecar keeps (kind "segment" in fcsc_owned); FluentCRM knows it by this slug and the tag's id. */
final class Segments {
	const SLUG = 'fcsc_segment';

	/** For the chooser. Without counts: neither version shows them there, and they would cost seconds in a big shop. */
	public static function listed( $segments ) {
		return array_merge( (array) $segments, array_values( self::all() ) );
	}

	/** One of them, with what is asked for. Its people are of any status: FluentCRM narrows them. What is not there is nobody's. */
	public static function details( $segment, $id, $asked = array() ) {
		$one = self::all()[ (int) $id ] ?? null;
		if ( ! $one || ! class_exists( '\FluentCrm\App\Models\Subscriber' ) ) {
			return $segment;
		}
		$people = \FluentCrm\App\Models\Subscriber::filterByTags( array( $one['id'] ) );
		$people = version_compare( FLUENTCRM_PLUGIN_VERSION, '3', '<' ) ? $people->orderBy( 'id' ) : $people; // 2.9 goes through them by offset
		$one   += empty( $asked['contact_count'] ) ? array() : array( 'contact_count' => $people->count() );
		$one   += empty( $asked['subscribers'] ) ? array() : array( 'subscribers' => empty( $asked['paginate'] ) ? ( clone $people )->get() : ( clone $people )->paginate() );
		return $one + ( empty( $asked['model'] ) ? array() : array( 'model' => $people ) );
	}

	/** @return array<int,array> By the tag's id. A tag that the owner has deleted is none; before the first sync there is no table. */
	private static function all(): array {
		global $wpdb;
		$sql   = "SELECT DISTINCT t.id, t.title FROM %i o JOIN %i t ON t.id = o.object_id WHERE o.kind = 'segment' ORDER BY t.title, t.id";
		$rows  = Tables::quietly( fn() => (array) $wpdb->get_results( $wpdb->prepare( $sql, Tables::name( 'owned' ), $wpdb->prefix . 'fc_tags' ) ) ); // phpcs:ignore WordPress.DB
		$about = __( 'Everyone who has the tag of this name now. FluentCRM Sidecar gives and takes the tag.', 'fluentcrm-sidecar' );
		$all   = array();
		foreach ( $rows as $row ) {
			$all[ (int) $row->id ] = array( 'id' => (int) $row->id, 'slug' => self::SLUG, 'is_system' => true, 'title' => $row->title, 'subtitle' => $about, 'description' => $about );
		}
		return $all;
	}
}
