"""Which channels there are, which provider each has, and handing messages to them within their rates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo

import msgspec
from msgspec import structs

from sidecar import clock
from sidecar.automations import browsers
from sidecar.automations.channels import addresses, reports, settings
from sidecar.automations.channels import gate as gates
from sidecar.automations.channels.fluentcrm import FluentCrm
from sidecar.automations.channels.gate import OFF_SECONDS, Gate
from sidecar.automations.channels.model import Handed, Outgoing, Provider
from sidecar.automations.model import ChannelName
from sidecar.automations.plugin import Plugin
from sidecar.config import Config
from sidecar.crm.bridge_client import MOST_ITEMS
from sidecar.errors import BridgeRefused, BridgeUnreachable, ConfigError
from sidecar.mysql.connection import Reader
from sidecar.state.database import State

log = logging.getLogger(__name__)

_ASKED, _EVERY = "channels.asked", 30


class Channels:
    """The channels of one shop, for one pass. `plugin` is None when there is none that answers (`paired`: there is one, so that its
    messages wait for it); `reader` and the shop's `zone`
    are for addresses and for FluentCRM's reports. `subscriptions` gives the newest push subscription of people, as JSON."""

    def __init__(
        self,
        config: Config,
        state: State,
        plugin: Plugin | None,
        reader: Reader | None = None,
        zone: tzinfo = UTC,
        subscriptions: Callable[[Sequence[int]], dict[int, str]] = lambda people: {},
        paired: bool = False,
    ) -> None:
        self._state = state
        self._reader = reader
        self._plugin = plugin
        self.paired = paired
        self._subscriptions = subscriptions
        self._config = config.channels
        self.gate = Gate(state)
        self._fluentcrm = FluentCrm(plugin, reader, zone)
        self._providers = self._built(config, plugin is not None and plugin.paired, paired)
        of = self._config
        self._rates = {"sms": of.sms.per_second, "telegram": of.telegram.per_second, "push": of.push.per_second,
                       "whatsapp": of.whatsapp.per_second, "email": of.email.per_second}  # fmt: skip

    def _built(self, config: Config, answers: bool, paired: bool) -> dict[ChannelName, Provider]:
        """A provider's module is loaded where it is set up: most shops have one or two."""
        found: dict[ChannelName, Provider] = {}
        of = config.channels
        by = settings.email(of, answers) or settings.email(of, paired)
        if by == "fluentcrm":
            found["email"] = self._fluentcrm
        elif by == "smtp":
            from sidecar.automations.channels.smtp import Smtp

            found["email"] = Smtp(of.email)
        if settings.sms(of):
            from sidecar.automations.channels import gateway
            from sidecar.automations.channels.sms import Mute, Sms

            try:
                found["sms"] = Sms(gateway.load(of.sms.preset, of.sms.gateway), of.sms)
            except ConfigError:
                # The alert `channels_fault` says why. Its messages wait until it is mended.
                found["sms"] = Mute()
        if settings.telegram(of):
            from sidecar.automations.channels.telegram import Telegram

            found["telegram"] = Telegram(of.telegram)
        if settings.whatsapp(of):
            from sidecar.automations.channels.whatsapp import WhatsApp

            found["whatsapp"] = WhatsApp(of.whatsapp)
        if settings.push(of):
            from sidecar.automations.channels.push import Push

            found["push"] = Push(of.push, self._state.directory)
        return found

    def available(self) -> dict[ChannelName, Provider]:
        """The channels that are set up, each with its provider; one that is switched off or paused is among them."""
        return dict(self._providers)

    def providers(self) -> dict[ChannelName, str]:
        """The name of the provider of each channel that is set up. One that is switched off is among them: its messages wait for
        the owner, as long as they may be late."""
        return {channel: provider.name for channel, provider in self._providers.items()}

    def off(self) -> frozenset[ChannelName]:
        """The channels whose provider is switched off now: who can be reached by another one should be."""
        names = {one.name for one in gates.standing(self._state) if one.disabled} | {settings.MUTE}
        return frozenset(channel for channel, provider in self._providers.items() if provider.name in names)

    def knows(self, provider: str) -> bool:
        """Whether handing the same key over to that provider twice is one message."""
        return provider == self._fluentcrm.name or any(
            one.knows_keys for one in self._providers.values() if one.name == provider
        )

    def asks_plugin(self, keys: Sequence[str]) -> list[str]:
        """Those of these messages of which only the plugin can tell what became of them; none where it is gone for good."""
        if not self.paired:
            return []
        rows = self._state.rows(
            "SELECT key FROM message WHERE provider = ? AND key IN (SELECT value FROM json_each(?))",
            (self._fluentcrm.name, msgspec.json.encode(list(keys)).decode()),
        )
        return [key for (key,) in rows]

    def addresses(self, channel: ChannelName, people: Sequence[int]) -> dict[int, str]:
        """Chat ids of Telegram, subscriptions of Web Push, by person. Raises StoreUnavailable."""
        if channel == "telegram" and self._reader is not None:
            return addresses.chats(self._reader, self._state, people, self._config.telegram.chat_field)
        return self._subscriptions(people) if channel == "push" else {}

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Hand them over as far as the rates of their providers allow: one outcome for each. Never raises for what a provider
        does; one that is broken is switched off (`enable`), and `gate.standing` says so for the alerts."""
        done: list[Handed] = []
        groups: dict[ChannelName, list[Outgoing]] = {}
        for message in batch:
            groups.setdefault(message.channel, []).append(message)
        for channel, group in groups.items():
            provider = self._providers.get(channel)
            if provider is None:
                done += [
                    Handed(key=one.key, state="again", reason=f"{channel} is not set up", wait=OFF_SECONDS)
                    for one in group
                ]
            else:
                handed = self._send(provider, group)
                if channel == "push":
                    self._forget(group, handed)
                done += handed
        return done

    def _forget(self, group: Sequence[Outgoing], handed: Sequence[Handed]) -> None:
        """The plugin forgets browsers that are gone. When it does not hear of it, the next message to them says so again."""
        gone = {one.key for one in handed if one.gone}
        hashes = sorted({browsers.digest(one.to) for one in group if one.key in gone} - {""})
        if self._plugin is None or not hashes:
            return
        try:
            for start in range(0, len(hashes), MOST_ITEMS):
                self._plugin.push([{"gone": one} for one in hashes[start : start + MOST_ITEMS]])
        except (BridgeUnreachable, BridgeRefused) as error:
            log.warning("the plugin did not hear of browsers that are gone", extra={"why": error.message})

    def _send(self, provider: Provider, group: list[Outgoing]) -> list[Handed]:
        # FluentCRM's queue has a rate of its own.
        rate = 0.0 if provider is self._fluentcrm else self._rates[provider.channel]
        grant = self.gate.take(provider.name, len(group), rate)
        done: list[Handed] = []
        reason, wait = grant.reason, grant.wait
        stopped = False
        for start in range(0, grant.count, provider.most):
            part = group[start : min(start + provider.most, grant.count)]
            found = self._handed(provider, part)
            done += found
            if any(one.state in ("sent", "queued") for one in found):
                self.gate.worked(provider.name)
            fatal = next((one.reason for one in found if one.fatal), None)
            if fatal is not None:
                log.warning("a provider is switched off", extra={"provider": provider.name, "why": fatal})
                self.gate.disable(provider.name, fatal)
                reason, wait, stopped = "the provider is switched off", OFF_SECONDS, True
            elif any(one.down for one in found):
                wait = self.gate.failed(provider.name, max(one.wait for one in found))
                reason, stopped = "the provider is paused after trouble", True
            if stopped:
                # What a provider cannot do for anybody is no fault of a message: it waits, and that is no attempt of its own.
                done = [structs.replace(one, wait=one.wait or wait) if one.state == "again" else one for one in done]
                break
        rest = group[len(done) :]
        return done + [Handed(key=one.key, state="again", reason=reason, wait=wait) for one in rest]

    def _handed(self, provider: Provider, part: Sequence[Outgoing]) -> list[Handed]:
        """What became of each of the part, whatever the provider did."""
        found: dict[str, Handed] = {}
        why = "the provider said nothing of it"
        try:
            found = {one.key: one for one in provider.send(part)}
        except Exception as error:  # noqa: BLE001 - one message that a provider cannot bear must not stop the others
            why = f"the provider failed ({type(error).__name__})"
            log.error("a provider failed", extra={"provider": provider.name, "error": type(error).__name__})
        if provider.knows_keys:
            lost = [Handed(key=one.key, state="again", reason=why) for one in part if one.key not in found]
        else:
            lost = [Handed(key=one.key, state="unsure", reason=why) for one in part if one.key not in found]
        return [*found.values(), *lost]

    def enable(self, name: str) -> bool:
        """Switch a provider on again that was switched off. False when there is none of that name."""
        return self.gate.enable(name)

    def reports(self) -> int:
        """Ask what became of messages, twice a minute at most; how many rows have changed. May be called with
        every pass."""
        now = int(clock.now().timestamp())
        if 0 <= now - int(self._state.get(_ASKED) or 0) < _EVERY:
            return 0
        self._state.set(_ASKED, str(now))
        tellers: dict[str, Provider] = {one.name: one for one in self._providers.values() if one.tells}
        if self._fluentcrm.tells:
            tellers[self._fluentcrm.name] = self._fluentcrm
        return reports.collect(self._state, tellers)
