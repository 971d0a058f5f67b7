/* FluentCRM Sidecar: the button by which a visitor gets notifications of this shop, or no more of them. The browser is asked for
 * its permission after a click only. Who has none of what this needs sees no button. */
( function () {
	var boxes = document.querySelectorAll( '.fcsc-push' ), page, current;
	if ( ! boxes.length || ! navigator.serviceWorker || ! window.PushManager || ! window.Notification ) {
		return;
	}
	page = JSON.parse( boxes[ 0 ].getAttribute( 'data-page' ) );
	[].forEach.call( boxes, function ( box ) {
		var own = JSON.parse( box.getAttribute( 'data-page' ) );
		page.order = page.order || own.order;
	} );

	function bytes( text ) {
		return Uint8Array.from( atob( text.replace( /-/g, '+' ).replace( /_/g, '/' ) ), function ( c ) {
			return c.charCodeAt( 0 );
		} );
	}
	function tell( said ) {
		return window.fetch( page.url, { method: 'POST', body: JSON.stringify( said ), keepalive: true, credentials: 'same-origin' } );
	}
	function said( subscription, more ) {
		var json = subscription.toJSON();
		more.endpoint = json.endpoint;
		more.p256dh = json.keys.p256dh;
		more.auth = json.keys.auth;
		if ( page.order ) {
			more.order = page.order;
			more.key = new URLSearchParams( location.search ).get( 'key' ) || '';
		}
		return more;
	}
	function show( text ) {
		[].forEach.call( boxes, function ( box ) {
			var button = box.querySelector( 'button' );
			button.textContent = box.getAttribute( current ? 'data-off' : 'data-on' );
			button.setAttribute( 'aria-pressed', current ? 'true' : 'false' );
			button.disabled = false;
			box.querySelector( '[role=status]' ).textContent = text ? box.getAttribute( 'data-' + text ) : '';
			box.hidden = false;
		} );
	}
	function ours() {
		return navigator.serviceWorker.getRegistration( page.scope ).then( function ( found ) {
			return found && found.scope === page.scope ? found : null;
		} );
	}
	function active( registration ) {
		var worker = registration.installing || registration.waiting;
		return registration.active || ! worker ? registration : new Promise( function ( done, failed ) {
			worker.addEventListener( 'statechange', function () {
				if ( worker.state === 'activated' ) {
					done( registration );
				} else if ( worker.state === 'redundant' ) {
					failed();
				}
			} );
		} );
	}
	function subscribe( registration ) {
		return registration.pushManager.subscribe( { userVisibleOnly: true, applicationServerKey: bytes( page.key ) } ).then( function ( made ) {
			current = made;
			return made;
		} );
	}
	function on() {
		return window.Notification.requestPermission().then( function ( answer ) {
			if ( answer !== 'granted' ) {
				return answer === 'denied' ? 'blocked' : '';
			}
			return navigator.serviceWorker.register( page.worker, { scope: page.scope } ).then( active ).then( subscribe ).then( function ( made ) {
				return tell( said( made, { click: 1, mark: page.mark } ) );
			} ).then( function () {
				return '';
			} );
		} );
	}
	function off() {
		var endpoint = current.endpoint;
		return tell( { endpoint: endpoint, stop: 1 } ).then( function () {
			return current.unsubscribe();
		} ).then( function () {
			current = null;
			return '';
		} );
	}
	/* The shop has another key: what was subscribed for the old one gets nothing any more. */
	function renewed( registration, old ) {
		var key = old.options && old.options.applicationServerKey;
		if ( ! key || String( new Uint8Array( key ) ) === String( bytes( page.key ) ) ) {
			return old;
		}
		return old.unsubscribe().then( function () {
			return subscribe( registration );
		} ).then( function ( made ) {
			tell( said( made, { old: old.endpoint } ) );
			return made;
		} );
	}
	/* Who clicked as a stranger is known by now. */
	function link() {
		var owner = String( page.order || page.user );
		if ( owner !== '0' && sessionStorage.getItem( 'fcscPush' ) !== owner ) {
			sessionStorage.setItem( 'fcscPush', owner );
			tell( said( current, {} ) );
		}
	}

	[].forEach.call( boxes, function ( box ) {
		box.querySelector( 'button' ).addEventListener( 'click', function () {
			this.disabled = true;
			( current ? off() : on() ).then( show, function () {
				show( 'failed' );
			} );
		} );
	} );
	ours().then( function ( registration ) {
		return registration && registration.pushManager.getSubscription().then( function ( found ) {
			return found && renewed( registration, found );
		} );
	} ).then( function ( found ) {
		current = found;
		show( window.Notification.permission === 'denied' ? 'blocked' : '' );
		if ( current ) {
			link();
		}
	} ).catch( function () {
		show();
	} );
} )();
