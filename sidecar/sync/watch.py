"""Whether something is wrong with the running sidecar, looked at now and then, and told."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sidecar import alerts, clock
from sidecar.alerts import Told
from sidecar.config import Config
from sidecar.state.database import State
from sidecar.sync import health as figures
from sidecar.sync import site as sites
from sidecar.sync.health import Health

log = logging.getLogger(__name__)
_CHECKED, _EVERY = "alerts.checked", 60


def watch(config: Config, state: State, health: Callable[[], Health], *, force: bool = False) -> list[Told]:
    """Look at most once a minute, unless `force`; tell what began and what is over. Never raises: watching must not stop
    the work."""
    now = int(clock.now().timestamp())
    if not force and 0 <= now - int(state.get(_CHECKED) or 0) < _EVERY:
        return []
    try:
        state.set(_CHECKED, str(now))
        return alerts.check(state, config.alerts, figures.conditions(health(), config), sites.address(state))
    except Exception:
        log.exception("the alerts could not be looked at")
        return []
