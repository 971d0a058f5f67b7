"""What a channel takes and says. A provider is a small module beside this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from sidecar import http_client
from sidecar.automations.model import ChannelName, Purpose

# No person has read a message so soon after it was sent: who clicks then is a program.
ROBOT_SECONDS = 10
# Why an e-mail was refused whose address nobody has; for so many days nothing more goes there.
NOBODY, NOBODY_DAYS = "the mail server says that nobody has this address (550)", 90


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is ready to go, with the decision made. `key` stays the same however often handing over is tried. `to`: the
    address, E.164 number, chat id or push subscription. `container`: automation and step, as "cart-recovery/first"; `title`:
    the same for people. `template`: WhatsApp's approved one, `parameters` its values. `link`: where a tap on a push leads.
    `unsubscribe`: the one-click link of a marketing e-mail (RFC 8058); FluentCRM's queue has its own."""

    key: str
    channel: ChannelName
    person_id: int
    contact_id: int
    to: str
    language: str
    purpose: Purpose
    container: str
    title: str
    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    template: str = ""
    parameters: tuple[str, ...] = ()
    link: str = ""
    unsubscribe: str = ""


# queued: somebody else sends it soon; sent: the provider has it; refused: never (reason); again: not now, try later; unsure: it may
# have gone out and nobody can tell, so it is not tried again.
HandedState = Literal["queued", "sent", "refused", "again", "unsure"]


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of handing one over. `ref`: the provider's name for it. `reason` holds no address and no text. `fatal`: nothing
    more will get through until the owner mends it (wrong key, no credit): the provider is switched off and that is told.
    `down`: it takes nothing at all for the moment, so it is left alone for a while. `wait`: seconds that the provider asks for
    (with `again`). `gone`: nobody is at this address any more, and whoever keeps it may forget it."""

    key: str
    state: HandedState
    ref: str = ""
    reason: str = ""
    fatal: bool = False
    down: bool = False
    wait: float = 0.0
    gone: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of a message later. `at` is Unix seconds UTC. Opened never earns credit."""

    ref: str
    state: Literal["sent", "delivered", "failed", "bounced", "opened", "clicked"]
    at: int
    reason: str = ""


class Provider(Protocol):
    """One way of one channel. `knows_keys`: handing over the same key twice is one message, so a crash in between is harmless.
    `most`: messages a call takes. `tells`: of how many it can be asked at once what became of
    them; 0: it tells nothing."""

    name: str
    channel: ChannelName
    knows_keys: bool
    most: int
    tells: int

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Hand over; one outcome for each. Never raises for what one message or the provider did."""
        ...

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """What became of these (some at most), and what is new since; [] where a provider tells nothing."""
        ...


def each(batch: Sequence[Outgoing], one: Callable[[Outgoing], Handed]) -> list[Handed]:
    """Hand over one after another. When the provider is down, or switched off, the rest need not be tried."""
    done: list[Handed] = []
    with http_client.sharing():
        for message in batch:
            done.append(one(message))
            last = done[-1]
            if last.down or last.fatal:
                rest = batch[len(done) :]
                done += [Handed(key=item.key, state="again", reason=last.reason, wait=last.wait) for item in rest]
                break
    return done
