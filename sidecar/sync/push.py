"""Web Push in the plugin: it gets our public key, without which it offers no notifications, and strangers are recognised."""

from __future__ import annotations

import logging

from sidecar import clock
from sidecar.automations.channels import settings
from sidecar.config import Config
from sidecar.crm.bridge_client import Bridge
from sidecar.errors import BridgeRefused, BridgeUnreachable, ConfigError
from sidecar.mysql.connection import Reader
from sidecar.state.database import State

log = logging.getLogger(__name__)

_EVERY = 300
_LOOKED = "push.looked"


def look(config: Config, state: State, reader: Reader, bridge: Bridge | None) -> None:
    """Where Web Push is set up, every five minutes: tell the plugin the key if it has another one (`bridge`: None while it
    does not answer), and recognise strangers. Raises StoreUnavailable; what else is wrong here stops nothing."""
    now = int(clock.now().timestamp())
    if not settings.push(config.channels) or 0 <= now - int(state.get(_LOOKED) or 0) < _EVERY:
        return
    from sidecar.automations import browsers
    from sidecar.automations.channels import push

    state.set(_LOOKED, str(now))
    browsers.recognised(reader, state)
    try:
        key = push.public_key(state.directory)
        if bridge is not None and reader.value("automation_push_key") != key:
            bridge.push([{"key": key}])
    except (BridgeUnreachable, BridgeRefused, ConfigError) as error:
        # A plugin of an earlier version does not know the call, which says nothing of the bridge.
        log.warning("the plugin has not got the key for notifications", extra={"why": error.message})
