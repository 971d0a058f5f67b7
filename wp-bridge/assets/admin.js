/* FluentCRM Sidecar in wp-admin: what carries data-fcsc-refresh="seconds" is fetched again and swapped; a form with
 * data-fcsc-live="id" is tried while one types (its button "preview"), and what came of it is shown there. Works without it.
 * A button with data-fcsc-campaign="tag" makes a draft of a FluentCRM campaign to that segment, by FluentCRM's own API. */
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
	function url() {
		return page.root + path + ( String( view ) ? ( page.root.indexOf( '?' ) < 0 ? '?' : '&' ) + view : '' );
	}
	function refresh( node ) {
		// Nothing is swapped under the reader's hands, or for nobody.
		if ( document.hidden || node.contains( document.activeElement ) || ! node.isConnected ) {
			return arm( node );
		}
		fetch( url(), {
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
	function live( form ) {
		var id = form.getAttribute( 'data-fcsc-live' ), asked = 0, timer;

		function ask() {
			var mine = ++asked, body = new URLSearchParams( new FormData( form ) ), box = document.getElementById( id );
			// The form's own nonce is for the page; WordPress would take it for the one of the request.
			body.delete( '_wpnonce' );
			body.delete( '_wp_http_referer' );
			body.set( 'action', 'preview' );
			box.setAttribute( 'aria-busy', 'true' );
			fetch( url(), {
				method: 'POST',
				body: body,
				headers: { 'X-WP-Nonce': page.nonce },
				credentials: 'same-origin'
			} ).then( function ( answer ) {
				return answer.ok ? answer.text() : Promise.reject();
			} ).then( function ( html ) {
				var fresh = new DOMParser().parseFromString( html, 'text/html' ).getElementById( id );
				if ( fresh && mine === asked ) {
					box.replaceChildren.apply( box, Array.prototype.slice.call( document.importNode( fresh, true ).childNodes ) );
				}
			} ).catch( function () {} ).then( function () {
				if ( mine === asked ) {
					box.removeAttribute( 'aria-busy' );
				}
			} );
		}
		form.addEventListener( 'input', function () {
			clearTimeout( timer );
			timer = setTimeout( ask, 500 );
		} );
	}
	function campaign( button ) {
		var root = page.root.replace( 'fluentcrm-sidecar/v1/proxy/ui/', 'fluent-crm/v2/' ), tag = button.getAttribute( 'data-fcsc-campaign' );

		function post( path, fields ) {
			return fetch( root + path, {
				method: 'POST',
				body: new URLSearchParams( fields ),
				headers: { 'X-WP-Nonce': page.nonce },
				credentials: 'same-origin'
			} ).then( function ( answer ) {
				return answer.json().then( function ( data ) {
					return answer.ok ? data : Promise.reject( data );
				} );
			} );
		}
		button.hidden = false;
		button.addEventListener( 'click', function () {
			var now = new Date(), id;
			button.disabled = true;
			now.setMinutes( now.getMinutes() - now.getTimezoneOffset() );
			// A title must be its own.
			post( 'campaigns', {
				title: button.getAttribute( 'data-fcsc-title' ) + ' ' + now.toISOString().slice( 0, 19 ).replace( 'T', ' ' )
			} ).then( function ( made ) {
				id = made.id;
				return post( 'campaigns/' + id + '/draft-recipients', {
					sending_filter: 'dynamic_segment',
					'subscribers[0][list]': 'all',
					'subscribers[0][tag]': 'all',
					advanced_filters: '[[]]',
					'dynamic_segment[uid]': 'fcsc_segment_' + tag,
					'dynamic_segment[slug]': 'fcsc_segment',
					'dynamic_segment[id]': tag
				} );
			} ).then( function () {
				location.href = location.pathname + '?page=fluentcrm-admin#/email/campaigns/' + id;
			} ).catch( function ( why ) {
				var box = button.nextElementSibling;
				button.disabled = false;
				box.hidden = false;
				if ( why && 'string' === typeof why.message ) {
					box.textContent = why.message;
				}
				return id && fetch( root + 'campaigns/' + id, {
					method: 'DELETE',
					headers: { 'X-WP-Nonce': page.nonce },
					credentials: 'same-origin'
				} );
			} );
		} );
	}
	document.querySelectorAll( '.fcsc [data-fcsc-campaign]' ).forEach( campaign );
	document.querySelectorAll( '.fcsc [data-fcsc-live]' ).forEach( live );
	document.querySelectorAll( '.fcsc [data-fcsc-refresh]' ).forEach( arm );
} )( window.fcscAdmin || {} );
