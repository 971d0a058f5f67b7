"""How the bridge is: whether the plugin is there, whether it answers, and so which writer is used now.

Two things are told apart. *Hints*: the plugin's outbox is there and the plugin is active, so changes are told within a
second. *Answers*: WordPress answers our signed calls, so contacts can be written live. Either may be missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.crm.bridge_client import Bridge, BridgeStatus
from sidecar.errors import BridgeRefused, BridgeUnreachable
from sidecar.state import pairing
from sidecar.state.database import State

log = logging.getLogger(__name__)

PLUGIN = "fluentcrm-sidecar"
_SEEN, _SILENT, _WHY, _ASKED = "bridge.seen", "bridge.silent", "bridge.why", "bridge.asked"
_HINT_AT = "bridge.hint_at"
_STATUS = "bridge.status"
_REFUSED = "bridge.refused"
# "listed": among the site's active plugins when last looked; "gone": it was, and is no more.
_PLACE = "bridge.place"
LIVE_FROM = "live.from"
# How often WordPress is asked for a sign of life when there is nothing else to tell it.
_ASK_SECONDS = 60
_ASK_SILENT_SECONDS = 15


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """`mode`: unpaired, live (it answers), waiting (silent, but not for long), silent. Times are Unix seconds."""

    mode: Literal["unpaired", "live", "waiting", "silent"]
    seen: int | None = None
    silent_since: int | None = None
    why: str = ""


class Link:
    """The bridge of one site, with what is remembered of it."""

    def __init__(self, config: Config, state: State) -> None:
        self._config = config
        self._state = state
        self._keeper = pairing.Keeper(state.directory)
        self._bridge: Bridge | None = None
        self._url = ""

    def bridge(self, home: str) -> Bridge:
        """The client; `home` is where the site says it is, unless [bridge] site_url says otherwise."""
        url = self._config.bridge.site_url or home
        if self._bridge is None or url != self._url:
            self._bridge, self._url = Bridge(url, self._keeper.get, self._config.bridge.timeout), url
        return self._bridge

    @property
    def paired(self) -> bool:
        """Whether there is a pairing at all."""
        return self._keeper.get() is not None

    def state(self) -> LinkState:
        """How it is, as the last call found it. Nobody is asked."""
        if not self.paired:
            return LinkState(mode="unpaired")
        seen, silent = self._number(_SEEN), self._number(_SILENT)
        if silent is None:
            return LinkState(mode="live" if seen else "silent", seen=seen, why="" if seen else "it has never answered")
        patient = _now() - silent < self._config.bridge.patience_seconds and seen is not None
        # Who refuses us will do so in a minute as well.
        patient = patient and not self._state.get(_REFUSED) and self._state.get(_PLACE) != "gone"
        return LinkState(
            mode="waiting" if patient else "silent", seen=seen, silent_since=silent, why=self._state.get(_WHY)
        )

    def ask(self, home: str, *, listed: bool | None = None, force: bool = False) -> LinkState:
        """A sign of life, when the last one is long ago. `listed`: whether the site's options name the plugin as active;
        one that was named and is no more has been switched off, and nobody waits for it."""
        if not self.paired:
            return LinkState(mode="unpaired")
        if listed is not None and self._gone(listed):
            return self.state()
        pause = _ASK_SILENT_SECONDS if self._number(_SILENT) is not None else _ASK_SECONDS
        last = max(self._number(_ASKED) or 0, self._number(_SEEN) or 0)
        if force or not 0 <= _now() - last < pause:
            self._state.set(_ASKED, str(_now()))
            self.call(lambda: self.bridge(home).status())
        return self.state()

    def _gone(self, listed: bool) -> bool:
        place = self._state.get(_PLACE)
        if listed or not place:
            if listed and place != "listed":
                self._state.set(_PLACE, "listed")
            return False
        if place != "gone":
            with self._state.transaction():
                self._state.set(_PLACE, "gone")
                self._state.set(_WHY, "the plugin is switched off")
                if self._number(_SILENT) is None:
                    self._state.set(_SILENT, str(_now()))
        return True

    def call(self, what: Callable[[], BridgeStatus]) -> BridgeStatus | None:
        """Make a call and remember how it went; None when the bridge did not answer or refused."""
        try:
            found = what()
        except (BridgeUnreachable, BridgeRefused) as error:
            self.failed(error)
            return None
        self.answered()
        # For the status page: what the site consists of, without asking WordPress from within its own request.
        self._state.set(_STATUS, msgspec.json.encode(found).decode())
        return found

    def answered(self) -> None:
        """It answered just now."""
        with self._state.transaction():
            self._state.set(_SEEN, str(_now()))
            self._state.set(_SILENT, "")

    def failed(self, error: BridgeUnreachable | BridgeRefused) -> None:
        """It did not."""
        self._state.set(_REFUSED, "1" if isinstance(error, BridgeRefused) else "")
        if self._number(_SILENT) is None:
            log.warning("the bridge does not answer", extra={"why": error.message})
            self._state.set(_SILENT, str(_now()))
        self._state.set(_WHY, error.message)

    def status(self) -> BridgeStatus | None:
        """What the plugin said of the site when it was last asked; None before that. Nobody is asked."""
        text = self._state.get(_STATUS)
        try:
            return msgspec.json.decode(text, type=BridgeStatus) if text else None
        except msgspec.MsgspecError:  # kept by an earlier version
            return None

    def live_from(self) -> int:
        """Since when things are written live (Unix ms): the moment of the first pass that could. Set once."""
        known = self._state.get(LIVE_FROM)
        if not known:
            known = str(int(clock.now().timestamp() * 1000))
            self._state.set(LIVE_FROM, known)
        return int(known)

    def heard(self, at_ms: int) -> None:
        """A hint came."""
        self._state.set(_HINT_AT, str(at_ms))

    def last_hint(self) -> int | None:
        """When the newest hint was made (Unix ms)."""
        return self._number(_HINT_AT)

    def _number(self, key: str) -> int | None:
        text = self._state.get(key)
        return int(text) if text else None


def _now() -> int:
    return int(clock.now().timestamp())


def listed(plugins: Iterable[str]) -> bool:
    """Whether the plugin is among the site's active ones (one that is active for a whole network is not)."""
    return any(name.startswith(f"{PLUGIN}/") for name in plugins)
