/* FluentCRM Sidecar: tells the shop's own server that a product was looked at, that the cart may have changed and, where
 * the visitor's consent or the owner's setting allows it, which e-mail address was typed at the checkout. Nothing is sent
 * to anybody else. No cookie is set here: the answer sets one. */
( function ( page, store ) {
	if ( ! page || navigator.webdriver || document.prerendering ) {
		return;
	}
	var said = {}, timer, cart, email, variation;

	function allowed() {
		return page.basis === 'ask' ? !! window.wp_has_consent && window.wp_has_consent( 'marketing' ) : true;
	}
	function cookie( name ) {
		return ( document.cookie.match( '(?:^|; )' + name + '=([^;]*)' ) || [ 0, '' ] )[ 1 ];
	}
	function send() {
		clearTimeout( timer );
		timer = 0;
		if ( Object.keys( said ).length ) {
			window.fetch( page.url, { method: 'POST', body: JSON.stringify( said ), keepalive: true, credentials: 'same-origin' } ).catch( function () {} );
		}
		said = {};
	}
	function say( name, value, wait ) {
		if ( allowed() ) {
			said[ name ] = value;
			clearTimeout( timer );
			timer = setTimeout( send, wait || 300 );
		}
	}
	function look() {
		var hash = cookie( 'woocommerce_cart_hash' ), input = document.querySelector( 'input.variation_id' ), chosen = input ? +input.value : 0;
		if ( hash !== cart ) {
			cart = hash;
			if ( allowed() ) {
				store.setItem( 'fcsc', hash );
			}
			say( 'cart', 1 );
		}
		if ( page.view && chosen && chosen !== variation ) {
			variation = chosen;
			say( 'variation', chosen );
			say( 'view', page.view );
		}
	}
	function typed( event ) {
		var input = event.target, value = ( input.value || '' ).trim();
		if ( page.basis !== 'carts' && input.matches && input.matches( '#billing_email, .wc-block-checkout #email' ) && value !== email && /^[^@\s]+@[^@\s]+\.[^@\s]{2,}$/.test( value ) ) {
			email = value;
			say( 'email', value );
		}
	}
	function start() {
		cart = store.getItem( 'fcsc' ) || '';
		if ( page.view ) {
			say( 'view', page.view );
		}
		if ( page.checkout ) {
			say( 'checkout', 1 );
			typed( { target: document.querySelector( '#billing_email' ) || {} } );
		}
		if ( page.order ) {
			say( 'key', new URLSearchParams( location.search ).get( 'key' ) || '' );
			say( 'order', page.order );
		}
		look();
	}

	document.addEventListener( 'focusout', typed );
	document.addEventListener( 'change', typed );
	[ 'wc-blocks_added_to_cart', 'wc-blocks_removed_from_cart' ].forEach( function ( name ) {
		document.body.addEventListener( name, function () {
			say( 'cart', 1, 1500 );
		} );
	} );
	document.addEventListener( 'click', function ( event ) {
		if ( event.target.closest && event.target.closest( '.wc-block-cart, .wc-block-mini-cart, .wc-block-checkout' ) ) {
			say( 'cart', 1, 1500 );
		}
	} );
	document.addEventListener( 'wp_listen_for_consent_change', function ( event ) {
		var change = ( event.detail || {} ).marketing;
		if ( change === 'allow' ) {
			setTimeout( start );
		} else if ( change === 'deny' ) {
			store.removeItem( 'fcsc' );
			said = { refused: 1 };
			send();
		}
	} );
	window.addEventListener( 'pagehide', function () {
		look();
		send();
	} );
	setInterval( look, 2000 );
	start();
} )( window.fcscPage, window.sessionStorage );
