"""Where the engine works: one shop, its state, what does things to the world, and what is at hand to decide by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import tzinfo
from typing import Protocol

import msgspec

from sidecar import clock
from sidecar.automations.effects import Effects
from sidecar.automations.enrolments import Data, Entry
from sidecar.automations.model import ChannelName, Send
from sidecar.config import Config
from sidecar.mysql.connection import Reader
from sidecar.segments.evaluate import Moment
from sidecar.state.database import State
from sidecar.store.schema import ShopInfo


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a text is for. `id`: the enrolment; `message`: the row of the message, 0 for a text that is none."""

    id: int
    person_id: int
    contact_id: int
    subject: str
    data: Data
    message: int = 0


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A message in words. `problems`: why it must not go out (a broken merge tag, no way to unsubscribe); then the rest is ''."""

    language: str = ""
    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    template: str = ""
    parameters: tuple[str, ...] = ()
    link: str = ""
    unsubscribe: str = ""
    problems: tuple[str, ...] = ()


class Writer(Protocol):
    """Puts steps into words (`messages`). Never raises for one text."""

    def messages(self, wanted: Sequence[tuple[Item, Send, ChannelName]]) -> list[Written]:
        """Each message by its channel, in the order asked."""
        ...

    def texts(self, wanted: Sequence[tuple[Item, str]]) -> list[str | None]:
        """Single templates; None for one that is broken."""
        ...


class Reach(Protocol):
    """The ways that lead to people (`channels`)."""

    def providers(self) -> Mapping[ChannelName, str]:
        """The name of the provider of each channel that can send now; channels without one are missing."""
        ...

    def off(self) -> Collection[ChannelName]:
        """The channels whose provider takes nothing until the owner has mended it: who can be reached by another one should be."""
        ...

    def knows(self, provider: str) -> bool:
        """Whether handing the same key over to that provider twice is one message."""
        ...

    def addresses(self, channel: ChannelName, people: Sequence[int]) -> dict[int, str]:
        """Chat ids and push subscriptions by person: what is not in FluentCRM's columns."""
        ...


class Place(msgspec.Struct, kw_only=True):
    """One shop at work. `now` is Unix seconds and moves on with `clock` between batches. `at`: what rules of segments go by.
    `held`: nothing may go out (a clone; a pause). `until` (`time.monotonic`): take nothing new after it. `start` enrols
    somebody in another automation by its name and answers why not ('' done)."""

    config: Config
    state: State
    reader: Reader
    info: ShopInfo
    now: int
    effects: Effects
    writer: Writer
    reach: Reach
    at: Moment
    held: bool = False
    until: float = 0.0
    batch: int = 150
    start: Callable[[str, Entry], str] | None = None
    clock: Callable[[], float] = lambda: clock.now().timestamp()

    @property
    def zone(self) -> tzinfo:
        """The shop's."""
        return self.info.zone

    def tick(self) -> int:
        """Look at the clock; the present moment in Unix ms."""
        moment = self.clock()
        self.now = int(moment)
        if self.at.now != self.now:
            self.at = msgspec.structs.replace(self.at, now=self.now)
        return int(moment * 1000)
