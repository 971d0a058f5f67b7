/* FluentCRM Sidecar in wp-admin: what carries data-fcsc-refresh="seconds" is fetched again and swapped. Works without it. */
( function ( page ) {
	var view = new URLSearchParams( location.search );
	var path = view.get( 'view' ) || 'status';
	view.delete( 'page' );
	view.delete( 'view' );
	view.delete( 'notice' );

	function arm( node ) {
		var seconds = Math.max( 2, parseInt( node.getAttribute( 'data-fcsc-refresh' ), 10 ) || 0 );
		if ( node.id && node.hasAttribute( 'data-fcsc-refresh' ) ) {
			setTimeout( function () {
				refresh( node );
			}, seconds * 1000 );
		}
	}
	function refresh( node ) {
		// Nothing is swapped under the reader's hands, or for nobody.
		if ( document.hidden || node.contains( document.activeElement ) || ! node.isConnected ) {
			return arm( node );
		}
		fetch( page.root + path + ( String( view ) ? ( page.root.indexOf( '?' ) < 0 ? '?' : '&' ) + view : '' ), {
			headers: { 'X-WP-Nonce': page.nonce },
			credentials: 'same-origin'
		} ).then( function ( answer ) {
			return answer.ok ? answer.text() : Promise.reject();
		} ).then( function ( html ) {
			var fresh = new DOMParser().parseFromString( html, 'text/html' ).getElementById( node.id );
			if ( ! fresh ) {
				return arm( node );
			}
			fresh = document.importNode( fresh, true );
			node.replaceWith( fresh );
			arm( fresh );
		} ).catch( function () {
			arm( node );
		} );
	}
	document.querySelectorAll( '.fcsc [data-fcsc-refresh]' ).forEach( arm );
} )( window.fcscAdmin || {} );
