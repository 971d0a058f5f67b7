"""Who is asking? Nothing but `/healthz` (and `/metrics`, which has a token of its own) answers an unsigned request.

On a shared host every tenant reaches 127.0.0.1. All that is wrong gets the same 401, which does not say what it was.
"""

from __future__ import annotations

import hmac
import logging
import time

from flask import Request, Response, g
from werkzeug.exceptions import RequestEntityTooLarge

from sidecar import signing
from sidecar.errors import ConfigError
from sidecar.runtime import Runtime
from sidecar.state import nonces
from sidecar.state.pairing import Keeper

log = logging.getLogger(__name__)

OPEN = frozenset({"/healthz"})
METRICS = "/metrics"


class Gate:
    """Checks requests and signs answers, with the keys of one shop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._keeper = Keeper(runtime.config.state.dir)

    def admit(self, request: Request) -> int:
        """0 when the request may go on, else the status to refuse it with. Sets `g.key`, `g.nonce` and `g.actor`."""
        g.key, g.nonce, g.actor = None, "", None
        path = target(request).partition("?")[0]
        if path in OPEN and request.method == "GET":
            return 0
        if path == METRICS and request.method == "GET":
            return self._metrics(request)
        if (request.content_length or 0) > signing.MAX_BODY:
            return 413
        try:
            body = request.get_data(cache=True)
        except RequestEntityTooLarge:
            return 413
        return 0 if self._signed(request, body) else 401

    def _signed(self, request: Request, body: bytes) -> bool:
        get = request.headers.get
        key_id, timestamp = get(signing.KEY_HEADER, ""), get(signing.TIMESTAMP_HEADER, "")
        nonce, who = get(signing.NONCE_HEADER, ""), get(signing.ACTOR_HEADER, "")
        if not signing.well_formed(key_id, timestamp, nonce, who):
            return False
        try:
            pairing, now = self._keeper.get(), time.time()
        except ConfigError as error:
            log.error("nobody can be let in: %s", error.message)
            return False
        key = pairing.key(key_id, now) if pairing is not None else None
        # A key that nobody has is tried all the same: the time taken tells nothing about which keys there are.
        secret = key.secret if key is not None else "0" * 64
        signature = get(signing.SIGNATURE_HEADER, "")
        good = signing.verify(secret, signature, request.method, target(request), timestamp, nonce, who, body)
        if not good or key is None or not signing.fresh(timestamp, now):
            return False
        # The bridge has proven itself. So it gets a signed answer also when the state fails here (a full disk): it would
        # take an unsigned one for a stranger's, and tell the owner to pair again.
        g.key, g.nonce, g.actor = key, nonce, signing.actor(who)
        if not nonces.spend(self._runtime.state, nonce, now):
            g.key, g.nonce, g.actor = None, "", None
            return False
        self._keeper.used(key)
        return True

    def _metrics(self, request: Request) -> int:
        token = self._runtime.config.service.metrics_token
        if not token:
            return 404
        given = request.headers.get("Authorization", "")
        return 0 if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode()) else 401

    def sign(self, response: Response) -> Response:
        """Sign the answer to a signed request: the bridge shows nothing that could be a neighbour's."""
        if g.get("key") is not None:
            body = response.get_data()
            signature = signing.sign_response(g.key.secret, response.status_code, g.nonce, body)
            response.headers[signing.SIGNATURE_HEADER] = signature
        return response


def target(request: Request) -> str:
    """Path and query exactly as they were sent, from the endpoint on (an application server may mount us below)."""
    raw = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or "")
    if "://" in raw.partition("?")[0]:
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    mounted = str(request.environ.get("SCRIPT_NAME") or "")
    return raw.removeprefix(mounted) if mounted and raw.startswith(f"{mounted}/") else raw
