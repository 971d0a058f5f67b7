"""What steps do in the running sidecar: messages by the channels, coupons, notes and changes of contacts by the plugin, webhooks
by HTTP. `effects.Effects` is the interface."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from sidecar import http_client
from sidecar.automations.channels.fluentcrm import handed
from sidecar.automations.channels.gate import Gate
from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.channels.registry import Channels
from sidecar.automations.effects import ContactWish, CouponWish, HookWish, NoteWish, Outcome
from sidecar.automations.plugin import Items, Made, Plugin
from sidecar.config import Config
from sidecar.crm.bridge_client import MOST_BYTES, MOST_ITEMS
from sidecar.errors import BridgeRefused, BridgeUnreachable
from sidecar.state.database import State

Wish = TypeVar("Wish", CouponWish, ContactWish, NoteWish)
# Seconds that webhooks of one batch take together: orders wait meanwhile.
_LONGEST = 20
# Seconds until the plugin is asked again what became of a message.
_ASK_AGAIN = 60


class Doing:
    """The real effects. `plugin` is None when there is none that answers: then what needs it is to be tried again."""

    def __init__(self, config: Config, state: State, plugin: Plugin | None, channels: Channels) -> None:
        self._channels = channels
        self._plugin = plugin
        self._config = config
        self._gate = Gate(state)

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Messages, by the channel that each names."""
        return self._channels.send(batch)

    def asked(self, keys: Sequence[str]) -> dict[str, Handed]:
        """What became of messages whose handing over was cut off: those that the plugin knows. As long as it cannot be asked nobody
        knows, and the question stands: `again` with a wait. Raises BridgeUnreachable, BridgeRefused."""
        if self._plugin is None:
            return {
                key: Handed(key=key, state="again", reason="the plugin does not answer", wait=_ASK_AGAIN)
                for key in self._channels.asks_plugin(keys)
            }
        found: dict[str, Handed] = {}
        for start in range(0, len(keys), MOST_ITEMS):
            found |= {one.key: handed(one.key, one) for one in self._plugin.sent(keys[start : start + MOST_ITEMS])}
        return found

    def coupons(self, wishes: Sequence[CouponWish]) -> list[Outcome]:
        """Coupons, made by WooCommerce."""
        return self._made(wishes, lambda plugin, items: plugin.coupons(items))

    def contacts(self, wishes: Sequence[ContactWish]) -> list[Outcome]:
        """Changes of contacts, by FluentCRM's own code."""
        return self._made(wishes, lambda plugin, items: plugin.automation_contacts(items))

    def notes(self, wishes: Sequence[NoteWish]) -> list[Outcome]:
        """Notes and tickets."""
        return self._made(wishes, lambda plugin, items: plugin.notes(items))

    def hooks(self, wishes: Sequence[HookWish]) -> list[Outcome]:
        """Webhooks, one after another, as many as there is time for."""
        from sidecar.automations.channels.hooks import Hooks

        hooks = Hooks(self._config.channels.webhook, self._gate)
        until = time.monotonic() + _LONGEST
        done: list[Outcome] = []
        with http_client.sharing():
            for wish in wishes:
                if time.monotonic() > until:
                    done.append(Outcome(key=wish.key, state="again", reason="there was no time for it", wait=1))
                else:
                    done.append(hooks.send(wish))
        return done

    def _made(self, wishes: Sequence[Wish], call: Callable[[Plugin, Items], Sequence[Made]]) -> list[Outcome]:
        plugin = self._plugin
        if plugin is None:
            # While it is silent what it is to do waits for it, like e-mails; where there is none it is given up sooner.
            wait = _ASK_AGAIN if self._channels.paired else 0
            why = "there is no plugin that answers"
            return [Outcome(key=one.key, state="again", reason=why, wait=wait) for one in wishes]
        done: list[Outcome] = []
        why = "the plugin had no time for it"
        for items in _parts(wishes):
            try:
                done += [_outcome(one) for one in call(plugin, items)]
            except BridgeUnreachable:
                why = "the plugin does not answer"
                break
            except BridgeRefused:
                why = "the plugin refuses the call"
                break
        said = {one.key for one in done}
        return done + [Outcome(key=one.key, state="again", reason=why) for one in wishes if one.key not in said]


def _outcome(made: Made) -> Outcome:
    if made.state in ("refused", "again"):
        return Outcome(key=made.key, state="refused" if made.state == "refused" else "again", reason=made.reason[:200])
    return Outcome(key=made.key, state="done", value=made.code, id=made.id)


def _parts(wishes: Sequence[Wish]) -> Iterator[list[dict[str, Any]]]:
    """Wishes as items, as many as one call takes."""
    items: list[dict[str, Any]] = []
    size = 0
    for wish in wishes:
        item: dict[str, Any] = msgspec.to_builtins(wish)
        weight = len(msgspec.json.encode(item)) + 1
        if items and (len(items) == MOST_ITEMS or size + weight > MOST_BYTES):
            yield items
            items, size = [], 0
        items.append(item)
        size += weight
    if items:
        yield items
