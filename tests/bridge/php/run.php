<?php
// Unit tests of the bridge's pure parts, without WordPress: `php tests/bridge/php/run.php [vectors folder]`. TAP on stdout, exit 1 on failure.
namespace {
	error_reporting( E_ALL );
	set_error_handler( function ( $level, $message, $file, $line ) {
		throw new ErrorException( $message, 0, $level, $file, $line );
	} );
	define( 'ABSPATH', __DIR__ . '/' );
	define( 'DAY_IN_SECONDS', 86400 );

	// The little of WordPress that the classes under test call.
	$GLOBALS['hooks'] = array();
	$GLOBALS['caps']  = array();
	$GLOBALS['done']  = array();
	function add_action( $hook, $callback, $priority = 10 ) { $GLOBALS['hooks'][] = array( $hook, $priority ); }
	function add_filter( $hook, $callback, $priority = 10 ) { $GLOBALS['filters'][ $hook ] = $callback; }
	function remove_filter( $hook, $callback, $priority = 10 ) { unset( $GLOBALS['filters'][ $hook ] ); }
	function get_current_blog_id() { return $GLOBALS['blog'] ?? 1; }
	function current_user_can( $cap ) { return in_array( $cap, $GLOBALS['caps'], true ); }
	function is_user_logged_in() { return true; }
	function get_current_user_id() { return 12; }
	function get_user_locale() { return $GLOBALS['locale'] ?? 'en_US'; }
	function is_rtl() { return 'fa_IR' === ( $GLOBALS['locale'] ?? '' ); }
	function did_action( $name ) { return in_array( $name, $GLOBALS['done'], true ) ? 1 : 0; }
	class Wpdb {
		public $sql = array();
		public $errors = false;
		public $fail = false;
		public function prepare( $sql, $values ) { return vsprintf( str_replace( '%s', "'%s'", $sql ), array_map( fn( $value ) => is_string( $value ) ? addslashes( $value ) : $value, $values ) ); }
		public function query( $sql ) { $this->sql[] = $sql; if ( $this->fail ) { throw new RuntimeException( 'gone' ); } return 1; }
		public function suppress_errors( $on ) { $before = $this->errors; $this->errors = $on; return $before; }
		public function get_blog_prefix( $blog ) { return 1 === $blog ? 'wp_' : "wp_{$blog}_"; }
	}
	$GLOBALS['wpdb'] = new Wpdb();
	spl_autoload_register( function ( $name ) {
		$file = dirname( __DIR__, 3 ) . '/wp-bridge/src/' . basename( str_replace( '\\', '/', $name ) ) . '.php';
		if ( is_file( $file ) ) { require $file; }
	} );
}

namespace FluentCrmSidecar\Tests {
	use FluentCrmSidecar\Links;
	use FluentCrmSidecar\Outbox;
	use FluentCrmSidecar\Proxy;
	use FluentCrmSidecar\Roles;
	use FluentCrmSidecar\Signer;

	function same( $expected, $got, string $what = '' ) {
		if ( $expected !== $got ) {
			throw new \Exception( "$what: expected " . var_export( $expected, true ) . ', got ' . var_export( $got, true ) );
		}
	}

	/** What the outbox wrote: one statement each, as (topic, object, sub, detail). */
	function written(): array {
		Outbox::flush();
		$all = array();
		foreach ( $GLOBALS['wpdb']->sql as $sql ) {
			preg_match_all( "/\\('([^']*)',(\\d+),(\\d+),'([^']*)'/", $sql, $found, PREG_SET_ORDER );
			$all[] = array_map( fn( $row ) => array( $row[1], (int) $row[2], (int) $row[3], $row[4] ), $found );
		}
		$GLOBALS['wpdb']->sql = array();
		return $all;
	}

	$folder = $argv[1] ?? dirname( __DIR__, 2 ) . '/vectors';
	$tests  = array(
		'the signature vectors' => function () use ( $folder ) {
			$vectors = json_decode( file_get_contents( "$folder/signatures.json" ), true, 16, JSON_THROW_ON_ERROR );
			same( true, count( $vectors ) > 0, 'vectors' );
			foreach ( $vectors as $number => $v ) {
				if ( ! empty( $v['response'] ) ) {
					same( $v['signature'], Signer::response( $v['secret'], $v['status'], $v['nonce'], $v['body'] ), "response $number" );
					continue;
				}
				$said = array( $v['method'], $v['target'], $v['timestamp'], $v['nonce'], $v['actor'], $v['body'] );
				same( $v['canonical'], Signer::canonical( ...$said ), "canonical $number" );
				same( $v['signature'], Signer::sign( $v['secret'], ...$said ), "signature $number" );
			}
		},
		'the suppression vectors' => function () use ( $folder ) {
			if ( ! is_file( "$folder/suppression.json" ) ) { return; }
			foreach ( json_decode( file_get_contents( "$folder/suppression.json" ), true, 16, JSON_THROW_ON_ERROR ) as $v ) {
				same( $v['identity'], Signer::identity( $v['raw'] ), 'identity' );
				same( $v['hash'], Signer::suppression( $v['key'], $v['raw'] ), 'hash' );
			}
		},
		'only one form of headers is accepted' => function () {
			$good = array( 'key' => '0123456789abcdef', 'time' => '1793534400', 'nonce' => str_repeat( 'a', 32 ), 'actor' => '-' );
			$is   = fn( $more ) => Signer::acceptable( ...array_values( $more + $good + array( 'x' => 1 ) ? array( ( $more + $good )['key'], ( $more + $good )['time'], ( $more + $good )['nonce'], ( $more + $good )['actor'], 1793534400 ) : array() ) );
			same( true, $is( array() ), 'good' );
			foreach ( array( '1793534100', '1793534700' ) as $time ) { same( true, $is( array( 'time' => $time ) ), $time ); }
			foreach ( array( '12;administrator;en_US;ltr', '1;support;fa_IR;rtl', '9;crm_manager;de_DE_formal;ltr', '9;shop_manager;ckb;rtl' ) as $actor ) { same( true, $is( array( 'actor' => $actor ) ), $actor ); }
			$bad = array(
				'key'   => array( '', '0123456789abcdeg' . '0', '0123456789ABCDEF', "0123456789abcde\n", "0123456789abcdef\n" ),
				'time'  => array( '', '0', '1793534099', '1793534701', '-1793534400', '1793534400.0', "1793534400\n", ' 1793534400', '0x6ae6' ),
				'nonce' => array( '', str_repeat( 'a', 31 ), str_repeat( 'A', 32 ), str_repeat( 'a', 32 ) . "\n" ),
				'actor' => array( '', '0;administrator;en_US;ltr', '1;root;en_US;ltr', '1;administrator;en_US;up', '1;administrator;;ltr', "1;administrator;en_US;ltr\n", '1;administrator;en_US;ltr;x', '--' ),
			);
			foreach ( $bad as $name => $values ) {
				foreach ( $values as $value ) { same( false, $is( array( $name => $value ) ), "$name " . json_encode( $value ) ); }
			}
		},
		'links in messages, vector by vector' => function () use ( $folder ) {
			if ( ! is_file( "$folder/links.json" ) ) { return; }
			$cases = json_decode( file_get_contents( "$folder/links.json" ), true, 16, JSON_THROW_ON_ERROR );
			same( true, count( $cases ) > 20 );
			foreach ( $cases as $case ) { same( $case['read'], Links::read( $case['key'], $case['token'], 1793534400 ), $case['token'] ); }
			foreach ( array( '', 'xyz', str_repeat( 'g', 64 ) ) as $key ) { same( null, Links::read( $key, $cases[0]['token'], 1793534400 ), 'no key' ); }
			same( array( 12, 12, 0, 0, 0 ), array_map( fn( $extra ) => Links::message( array( 'extra' => $extra ) ), array( 'm12', 'm12~back', '', 'm012', 'x12' ) ) );
		},
		'the target is the route and the sorted query' => function () {
			same( '/fluentcrm-sidecar/v1/status', Signer::target( '/fluentcrm-sidecar/v1/status', array() ) );
			same( '/x?a=x%20y&b=%D9%82~&c=1', Signer::target( '/x', array( 'c' => '1', 'b' => 'ق~', 'a' => 'x y' ) ) );
		},
		'pairing codes' => function () {
			$make = fn( $data ) => 'fcsc1.' . rtrim( strtr( base64_encode( json_encode( $data ) ), '+/', '-_' ), '=' );
			$good = array( 'k' => '0123456789abcdef', 's' => str_repeat( '5e', 32 ), 'e' => 'http://127.0.0.1:8765' );
			same( $good, Signer::pairing_code( ' ' . $make( $good ) . "\n" ) );
			foreach ( array( 'unix:/run/sidecar/http.sock', 'http://localhost:1', 'http://[::1]:80' ) as $endpoint ) { same( $endpoint, Signer::pairing_code( $make( array( 'e' => $endpoint ) + $good ) )['e'] ); }
			foreach ( array( 'http://evil.example:80', 'http://127.0.0.1.evil.example:80', 'http://127.0.0.1:80/path', 'http://user@127.0.0.1:80', 'https://127.0.0.1', 'unix:relative', "unix:/a\nb", 'file:///etc/passwd', 'http://127.0.0.1:8765 ', '' ) as $endpoint ) {
				same( null, Signer::pairing_code( $make( array( 'e' => $endpoint ) + $good ) ), $endpoint );
			}
			foreach ( array( array( 'k' => 'x' ), array( 's' => 'zz' ), array( 's' => 5 ), array( 'k' => array() ) ) as $wrong ) { same( null, Signer::pairing_code( $make( $wrong + $good ) ) ); }
			foreach ( array( '', 'fcsc1.', 'fcsc1.!!', 'fcsc2.' . substr( $make( $good ), 6 ), 'nonsense' ) as $code ) { same( null, Signer::pairing_code( $code ), $code ); }
		},
		'one INSERT, no doubles, at shutdown after the session' => function () {
			$GLOBALS['hooks'] = array();
			for ( $i = 0; $i < 11; $i++ ) { Outbox::add( 'order.updated', 7 ); }
			Outbox::add( 'customer.login', 3, 0, '', 3 );
			same( array( array( 'shutdown', 30 ) ), $GLOBALS['hooks'] );
			same( array(), $GLOBALS['wpdb']->sql, 'nothing before the end' );
			same( array( array( array( 'order.updated', 7, 0, '' ), array( 'customer.login', 3, 0, '' ) ) ), written() );
			same( array(), written(), 'nothing when nothing changed' );
		},
		'echoes are dropped' => function () {
			Outbox::add( 'order.updated', 7 );
			Outbox::add( 'order.status', 7, 0, 'pending>processing' );
			Outbox::add( 'order.updated', 8 );
			Outbox::add( 'customer.created', 3 );
			Outbox::add( 'customer.updated', 3 );
			Outbox::add( 'customer.login', 4 );
			Outbox::add( 'customer.updated', 4 );
			Outbox::add( 'contact.updated', 5 );
			Outbox::add( 'contact.status', 5, 0, 'pending>subscribed' );
			Outbox::add( 'product.viewed', 9 );
			Outbox::add( 'product.updated', 9 );
			same( array( 'order.status7', 'order.updated8', 'customer.created3', 'customer.login4', 'customer.updated4', 'contact.updated5', 'contact.status5', 'product.viewed9', 'product.updated9' ), array_map( fn( $row ) => $row[0] . $row[1], written()[0] ) );
		},
		'a product that was only sold is no changed product' => function () {
			foreach ( array( array( array(), 2 ), array( array( 'woocommerce_reduce_order_stock' ), 1 ) ) as list( $GLOBALS['done'], $rows ) ) {
				Outbox::add( 'stock.changed', 9, 0, 'instock' );
				Outbox::add( 'product.updated', 9 );
				same( $rows, count( written()[0] ) );
			}
			$GLOBALS['done'] = array();
		},
		'muted are contacts only, also after an exception' => function () {
			Outbox::muted( function () { Outbox::add( 'contact.tags', 1, 2, 'added' ); Outbox::add( 'order.created', 1 ); } );
			try { Outbox::muted( function () { throw new \Exception( 'x' ); } ); } catch ( \Exception $error ) { unset( $error ); }
			Outbox::add( 'contact.updated', 1 );
			same( array( array( array( 'order.created', 1, 0, '' ), array( 'contact.updated', 1, 0, '' ) ) ), written() );
		},
		'each blog has its own table' => function () {
			Outbox::add( 'order.created', 1 );
			$GLOBALS['blog'] = 3;
			Outbox::add( 'order.created', 1 );
			$GLOBALS['blog'] = 1;
			Outbox::flush();
			same( array( 1, 1 ), array( substr_count( implode( $GLOBALS['wpdb']->sql ), '`wp_fcsc_outbox`' ), substr_count( implode( $GLOBALS['wpdb']->sql ), '`wp_3_fcsc_outbox`' ) ) );
			$GLOBALS['wpdb']->sql = array();
		},
		'a database that throws breaks nothing' => function () {
			$GLOBALS['wpdb']->fail = true;
			Outbox::add( 'order.created', 1 );
			Outbox::flush();
			$GLOBALS['wpdb']->fail = false;
			same( false, $GLOBALS['wpdb']->errors, 'errors are shown again' );
			same( array(), $GLOBALS['filters'], 'the table is as it was to everybody else' );
			$GLOBALS['wpdb']->sql = array();
		},
		'detail is cut to the column' => function () {
			Outbox::add( 'order.status', 1, 0, str_repeat( 'x', 150 ) );
			same( 100, strlen( written()[0][0][3] ) );
			Outbox::add( 'order.status', 1, 0, str_repeat( 'я', 150 ) );
			same( str_repeat( 'я', 100 ), written()[0][0][3] );
		},
		'who is who' => function () {
			foreach ( array( 'administrator' => array( 'manage_options', 'manage_woocommerce' ), 'shop_manager' => array( 'manage_woocommerce', 'fcsc_support' ), 'crm_manager' => array( 'fcsc_crm_manager', 'fcsc_support' ), 'support' => array( 'fcsc_support' ), '' => array( 'read', 'edit_posts' ) ) as $role => $GLOBALS['caps'] ) {
				same( $role, Roles::current() );
			}
			$GLOBALS['caps'] = array( 'manage_options' );
			same( '12;administrator;en_US;ltr', Roles::actor() );
			$GLOBALS['locale'] = 'fa_IR';
			same( '12;administrator;fa_IR;rtl', Roles::actor() );
			$GLOBALS['locale'] = "x\n;support";
			same( true, 1 === substr_count( Roles::actor(), 'administrator' ) && false === strpos( Roles::actor(), "\n" ) && 3 === substr_count( Roles::actor(), ';' ) );
			$GLOBALS['locale'] = 'en_US';
			$GLOBALS['caps'] = array();
			same( '', Roles::actor(), 'never the machine' );
		},
		'the table of permissions' => function () {
			$may = array(
				array( 'GET', 'ui/status', 'asck' ), array( 'GET', 'ui/events', 'asck' ), array( 'GET', 'ui/sync', 'asck' ), array( 'GET', 'ui/contact/7', 'asck' ), array( 'GET', 'ui/mapping', 'ac' ),
				array( 'POST', 'ui/sync', 'asc' ), array( 'POST', 'ui/status', 'asc' ), array( 'POST', 'ui/mapping', 'ac' ), array( 'POST', 'api/v1/sync/start', 'asc' ), array( 'POST', 'api/v1/sync/undo', 'as' ),
				array( 'POST', 'api/v1/letters/retry', 'asc' ), array( 'POST', 'api/v1/mapping/save', 'ac' ), array( 'POST', 'api/v1/site/confirm', 'a' ), array( 'POST', 'api/v1/privacy/erase', 'a' ), array( 'GET', 'api/v1/contacts/9', 'asck' ),
			);
			$caps = array( 'a' => 'manage_options', 's' => 'manage_woocommerce', 'c' => 'fcsc_crm_manager', 'k' => 'fcsc_support', 'n' => 'edit_posts' );
			foreach ( $may as list( $method, $path, $who ) ) {
				foreach ( $caps as $letter => $cap ) {
					$GLOBALS['caps'] = array( $cap );
					same( false !== strpos( $who, $letter ), Proxy::allowed( $method, $path ), "$letter $method $path" );
				}
			}
		},
		'tricks with paths' => function () {
			$GLOBALS['caps'] = array( 'manage_options' );
			foreach ( array( '', 'ui', 'ui/', 'ui/status/', 'ui//status', '/ui/status', 'ui/status/../mapping', '../healthz', 'healthz', 'metrics', 'ui/contact/0', 'ui/contact/7/x', 'ui/contact/-1', 'ui/contact/7e1', "ui/status\n", 'ui/status%00', 'api/v1/openapi.json', 'api/v2/status', 'api/v1/contacts', 'api/v1/contacts/99999999999999999999', 'UI/status', 'ui\\status' ) as $path ) {
				same( false, Proxy::allowed( 'GET', $path ), json_encode( $path ) );
			}
			foreach ( array( 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'get', 'PATCH' ) as $method ) { same( false, Proxy::allowed( $method, 'ui/status' ), $method ); }
			same( array( 'type' => 'order' ), Proxy::plain( array( 'page' => 'x', 'view' => 'y', 'rest_route' => 'z', '_wpnonce' => '1', 'type' => 'order', 'list' => array( 'a' ) ) ) );
		},
	);

	$failed = 0;
	echo '1..' . count( $tests ) . "\n";
	foreach ( $tests as $name => $test ) {
		try {
			$test();
			echo "ok - $name\n";
		} catch ( \Throwable $error ) {
			++$failed;
			echo "not ok - $name\n# " . str_replace( "\n", "\n# ", $error->getMessage() . ' at ' . $error->getFile() . ':' . $error->getLine() ) . "\n";
		}
	}
	exit( $failed ? 1 : 0 );
}
