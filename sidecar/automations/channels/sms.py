"""SMS by an HTTP gateway that a file describes (`gateway.py`)."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar import clock, http_client
from sidecar.automations.channels import gateway as gateways
from sidecar.automations.channels.gate import OFF_SECONDS
from sidecar.automations.channels.gateway import Gateway
from sidecar.automations.channels.model import Handed, Outgoing, Report, each
from sidecar.automations.channels.settings import MUTE
from sidecar.automations.channels.texts import whole
from sidecar.automations.model import ChannelName
from sidecar.config_channels import Sms as Config
from sidecar.http_client import Failed

_TIMEOUT = 15.0
# Requests that one question for reports makes at most, where each asks for few.
_QUESTIONS = 10


class Mute:
    """A gateway that is set up, but whose description has a fault: its messages wait for the owner, as for a switched-off one."""

    name = MUTE
    channel: ChannelName = "sms"
    knows_keys = False
    most = 20
    tells = 0

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Nobody is asked."""
        why = "the description of the gateway has a fault"
        return [Handed(key=one.key, state="again", reason=why, wait=OFF_SECONDS) for one in batch]

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """It has taken nothing."""
        return []


class Sms:
    """One gateway; its name is that of the provider, so that another gateway is never asked for its messages."""

    channel: ChannelName = "sms"
    most = 20

    def __init__(self, gateway: Gateway, config: Config) -> None:
        self.name = gateway.name
        self.knows_keys = gateway.knows_keys
        self.tells = gateway.reports.most * _QUESTIONS if gateway.reports else 0
        self._gateway = gateway
        self._own = {
            "sender": config.sender, "account": config.account, "secret": config.secret,
            "basic": gateways.basic(config.account, config.secret),
        }  # fmt: skip

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Hand over one after another."""
        return each(batch, self._one)

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """What became of them, as of now: gateways tell in many ways when."""
        with http_client.sharing():
            return self._reports(refs)

    def _reports(self, refs: Sequence[str]) -> list[Report]:
        asked = self._gateway.reports
        if asked is None:
            return []
        now, found = int(clock.now().timestamp()), []
        parts = [refs[start : start + asked.most] for start in range(0, len(refs), asked.most)]
        for part in parts:
            values = self._own | {"id": part[0], "ids": ",".join(part)}
            url, body, headers = gateways.built(asked.request, values)
            try:
                answer = http_client.ask(asked.request.method, url, body, headers, timeout=_TIMEOUT)
            except Failed:
                break
            for item in gateways.listed(answer.json(), asked.list) if answer.status < 300 else ():
                ref, word = gateways.at(item, asked.id), gateways.at(item, asked.status)
                if ref not in part:
                    continue
                if word in asked.delivered:
                    found.append(Report(ref=ref, state="delivered", at=now))
                elif word in asked.failed:
                    found.append(Report(ref=ref, state="failed", at=now, reason=f"{self.name} says {word[:40]}"))
                elif word in asked.sent:
                    found.append(Report(ref=ref, state="sent", at=now))
        return found

    def _one(self, message: Outgoing) -> Handed:
        text = whole(message.text)
        if not text.strip():
            return Handed(key=message.key, state="refused", reason="there is no text for SMS")
        values = self._own | {"to": gateways.number(self._gateway, message.to), "text": text, "key": message.key}
        url, body, headers = gateways.built(self._gateway.send, values)
        try:
            answer = http_client.ask(self._gateway.send.method, url, body, headers, timeout=_TIMEOUT)
        except Failed as error:
            if error.sent and not self.knows_keys:
                return Handed(key=message.key, state="unsure", reason=f"no answer ({error.kind})", down=True)
            return Handed(key=message.key, state="again", reason=f"it cannot be reached ({error.kind})", down=True)
        answers, data = self._gateway.answers, answer.json()
        state, code = gateways.verdict(answers, self.knows_keys, answer.status, data)
        if state == "sent":
            return Handed(key=message.key, state="sent", ref=gateways.at(data, answers.id)[:100] if answers.id else "")
        fatal = code in answers.fatal
        # An own code says which message is wrong; without one the gateway itself is.
        down = not fatal and (
            code in answers.down or (answer.status in (429, *range(500, 600)) and code == str(answer.status))
        )
        return Handed(
            key=message.key, state=state, reason=f"{self.name} says {code[:40] or 'something else'}", fatal=fatal, down=down,
            wait=answer.retry_after, gone=code in answers.gone,
        )  # fmt: skip
