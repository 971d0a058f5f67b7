/* FluentCRM Sidecar: shows what the shop sends to browsers that have asked for it, and opens its page. It touches no page and no request. */
self.addEventListener( 'push', function ( event ) {
	var said = {};
	try {
		said = event.data.json() || {};
	} catch ( error ) {} // a browser wants something shown for each message
	event.waitUntil( self.registration.showNotification( said.title || self.fcsc.name, {
		body: said.body || '', tag: said.tag || undefined, icon: self.fcsc.icon || undefined, data: said.url || ''
	} ) );
} );

self.addEventListener( 'notificationclick', function ( event ) {
	var url = new URL( event.notification.data || './', self.location );
	event.notification.close();
	if ( url.protocol === 'https:' || url.protocol === 'http:' ) {
		event.waitUntil( self.clients.openWindow( url.href ) );
	}
} );

/* The browser has given itself another address. */
self.addEventListener( 'pushsubscriptionchange', function ( event ) {
	var old = event.oldSubscription;
	if ( ! old ) {
		return;
	}
	event.waitUntil( Promise.resolve( event.newSubscription || self.registration.pushManager.subscribe( old.options ) ).then( function ( made ) {
		var json = made.toJSON();
		return self.fetch( new URL( './?wc-ajax=fcsc_push', self.location ), { method: 'POST', credentials: 'same-origin', body: JSON.stringify( {
			endpoint: json.endpoint, p256dh: json.keys.p256dh, auth: json.keys.auth, old: old.endpoint
		} ) } );
	} ) );
} );
