"""The automations of one shop, as its owner asks for them: the files in force, the switches, what they did, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sidecar import clock
from sidecar.automations import crediting, describe, enter, inside, library, overview, switching, versions
from sidecar.automations import figures as reports
from sidecar.automations import preflight as before
from sidecar.automations import why as reasons
from sidecar.automations.channels import gate, settings
from sidecar.automations.channels.gate import ProviderState
from sidecar.automations.channels.registry import Channels
from sidecar.automations.figures import Figures
from sidecar.automations.inside import Inside, Logged, Way
from sidecar.automations.library import Library, Shelf
from sidecar.automations.messages.writer import MessageWriter
from sidecar.automations.model import Automation
from sidecar.automations.overview import Figures as Overview
from sidecar.automations.overview import Line
from sidecar.automations.place import Place
from sidecar.automations.plugin import Plugin
from sidecar.automations.preflight import Finding
from sidecar.automations.quiet import Quiet
from sidecar.automations.versions import Row
from sidecar.automations.why import Why
from sidecar.config import Config
from sidecar.edited_file import RulesText
from sidecar.errors import AutomationError, Conflict, NotFound
from sidecar.mysql.connection import Reader
from sidecar.people.identity import Registry
from sidecar.segments import file as segments_file
from sidecar.segments import membership, rules
from sidecar.segments.model import Segment
from sidecar.state.database import State
from sidecar.store import schema
from sidecar.values import email as emails

if TYPE_CHECKING:
    from sidecar.automations.backtest import Backtest
    from sidecar.automations.messages.model import Rendered
    from sidecar.automations.simulate import Simulated
    from sidecar.automations.trial import Tried


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An automation on one line. `own`: the owner's file is in force; `fault`: why it cannot be used, or why it starts nobody."""

    name: str
    title: str = ""
    group: str = ""
    about: str = ""
    on: bool = False
    own: bool = False
    rollout: int = 100
    holdout: int = 0
    live_from: int = 0
    waiting: int = 0
    fault: str = ""


class Desk:
    """Asks the shop for its time zone once, when it is first needed: make one for each question. `plugin` gives the client of the
    plugin, for what sends; `shelf` is where the files are kept that were read for the question before."""

    def __init__(
        self,
        config: Config,
        state: State,
        plugin: Callable[[], Plugin | None] = lambda: None,
        shelf: Shelf | None = None,
    ) -> None:
        self._config, self._state, self._plugin, self._shelf = config, state, plugin, shelf or Shelf()
        self.now = int(clock.now().timestamp())

    @cached_property
    def info(self) -> schema.ShopInfo:
        """What the shop is. Raises StoreUnavailable."""
        with Reader(self._config) as reader:
            return schema.probe(reader, self._config.people.paid_statuses)

    @cached_property
    def segments(self) -> list[Segment]:
        """Those in force. Raises SegmentError."""
        return segments_file.load(rules.in_force(self._config) or None, self.info.zone)

    @cached_property
    def library(self) -> Library:
        """The files. Raises StoreUnavailable; SegmentError when the segments have a fault: automations may name any."""
        return self._shelf.library(self._config, self.info.zone, self.segments)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Somewhere to ask: nothing done there has an effect on the world."""
        with Reader(self._config) as reader:
            channels = Channels(self._config, self._state, self._plugin(), reader, self.info.zone)
            yield Place(
                config=self._config, state=self._state, reader=reader, info=self.info, now=self.now, effects=Quiet(), reach=channels,
                writer=MessageWriter(self._config, self._state, reader, self.info.zone, channels),
                at=membership.moment(self._state, self.segments, self.now, self.info.zone),
            )  # fmt: skip

    # --- what there is -----------------------------------------------------------------------------------------

    def listed(self) -> list[Listed]:
        """All of them, in the order of the alphabet."""
        shown = set(Listed.__struct_fields__) - {"on"}
        return [
            Listed(on=one.running, **{name: getattr(one, name) for name in shown})
            for one in sorted(self.lines(), key=lambda one: one.name)
        ]

    def lines(self) -> list[Line]:
        """Every automation in a line, also those whose file has a fault."""
        return overview.everything(self._state, self.library)

    def line(self, name: str) -> Line:
        """How one stands, without its figures. Raises NotFound."""
        return overview.line(self._state, self.library, name)

    def overview(self, automation: Automation) -> Overview:
        """One of them in figures, by its steps, as its page shows it."""
        return overview.one(self._state, self.library, automation, self.now)

    def get(self, name: str) -> Automation:
        """One of them. Raises NotFound; AutomationError with everything that is wrong with its file."""
        return self.library.get(name)

    def row(self, name: str) -> Row:
        """Its switch and its shares; one that was never on has those of the start. Raises NotFound."""
        found = versions.named(self._state, name)
        if found is None and name not in self.library.names():
            raise NotFound(f"there is no automation {name}", hint="`sidecar automations list` shows all")
        return found or Row(id=0, name=name)

    def flow(self, name: str) -> list[describe.Line]:
        """Its steps in words. Raises as `get`."""
        return describe.flow(self.get(name), self.info.zone)

    def check(self, file: str = "") -> dict[str, str]:
        """{name: file} of those that are right: of one file, else of all. Raises AutomationError with every problem of all of them,
        NotFound."""
        if file:
            path = Path(file)
            self.library.check(path.stem, library.read(path))
            return {path.stem: file}
        faults = self.library.faults()
        problems = [problem for fault in faults.values() for problem in fault.problems]
        if faults:
            raise AutomationError(f"{len(faults)} of the automations cannot be used: {', '.join(faults)}", problems)
        return {name: self.library.text(name).file for name in self.library.names()}

    def reset(self, name: str) -> RulesText:
        """The ready-made one is in force again; see `library.reset`."""
        return self.library.reset(name)

    def copy(self, source: str, name: str, title: str = "") -> RulesText:
        """A new automation, off, that begins as another one is written; see `library.copy`."""
        return self._written(name, lambda: self.library.copy(source, name, title))

    def save(self, name: str, text: str, base: str) -> RulesText:
        """Put a text in force; see `library.save`."""
        return self._written(name, lambda: self.library.save(name, text, base))

    def _written(self, name: str, write: Callable[[], RulesText]) -> RulesText:
        if name in self.library.names():
            return write()
        switching.off(self._state, name)  # a former one whose file was deleted by hand may be on
        made = write()
        switching.retire(self._state, name, self.now)
        return made

    def remove(self, name: str) -> None:
        """Take an automation of the owner's away, and everybody out of it; see `library.remove`. Raises Conflict also while it is on."""
        if self.row(name).running:
            raise Conflict(f"{name} is on", hint="switch it off first")
        self.library.remove(name)
        switching.retire(self._state, name, self.now)

    def providers(self, answers: bool) -> list[tuple[str, str, ProviderState | None]]:
        """(channel, provider, how it is or None: never used) of what is set up. `answers`: the plugin does."""
        known = {one.name: one for one in gate.standing(self._state)}
        return [(by, name, known.get(name)) for by, name in settings.providers(self._config.channels, answers).items()]

    # --- switches ------------------------------------------------------------------------------------------------

    def preflight(self, name: str) -> list[Finding]:
        """What there is to know before it is switched on. Raises as `get`, StoreUnavailable."""
        with self.place() as place:
            return before.preflight(place, self.get(name), self._running(name))

    def on(self, name: str, *, anyway: bool = False, **shares: int | None) -> list[Finding]:
        """Switch it on, or change its shares (`rollout`, `holdout`); see `switching.on`."""
        automation = self.get(name)
        with self.place() as place:
            return switching.on(place, automation, anyway=anyway, running=self._running(name), **shares)

    def _running(self, but: str) -> list[Automation]:
        """The automations that are on, but one."""
        names = {row.name for row in versions.rows(self._state).values() if row.running} - {but}
        return [one for name, one in self.library.all().items() if name in names]

    def off(self, name: str) -> bool:
        """Switch it off. Whether it was on. Raises NotFound."""
        self.row(name)
        return switching.off(self._state, name)

    # --- what they did ---------------------------------------------------------------------------------------------

    def figures(self, name: str, fresh: int = 0) -> Figures:
        """What it did and earned; counted anew when the kept figures are older than `fresh` seconds. Raises as `get`."""
        automation, row = self.get(name), versions.row(self._state, name)
        if not fresh:
            crediting.refresh(self._state, self.now, self._config.automations.credit_days)
        return reports.figures(self._state, row, automation, self.now, fresh)

    def why(self, name: str, email: str) -> Why:
        """Why somebody got it or not. Raises as `get`, NotFound when nobody has the address."""
        automation, person = self.get(name), self.person(email)
        with self.place() as place:
            return reasons.why(place, versions.named(self._state, name), automation, person)

    def simulate(self, name: str, email: str, *, subject: str = "", buys_after: int | None = None) -> Simulated:
        """Walk somebody through; see `simulate`. Without a `subject` about the newest thing of theirs that it could be about. Raises
        as `why`, UsageError when there is none."""
        from sidecar.automations.messages.preview import newest
        from sidecar.automations.simulate import simulate

        automation, person = self.get(name), self.person(email)
        with self.place() as place:
            subject = subject or newest(self._state, automation, person)
            return simulate(place, automation, person, subject, buys_after=buys_after)

    def backtest(self, name: str, days: int = 90) -> Backtest:
        """What it would have done in the last so many days; see `backtest`. Raises as `get`, StoreUnavailable."""
        from sidecar.automations.backtest import backtest

        automation = self.get(name)
        with self.place() as place:
            enter.fresh(self._state, self.info.zone)
            return backtest(place, automation, days)

    def test(self, name: str, to: str, language: str = "") -> list[Tried]:
        """Send each of its messages to an address by e-mail, marked as a test; see `trial`. Raises as `get`, UsageError, ConfigError."""
        from sidecar.automations.trial import trial

        automation = self.get(name)
        with self.place() as place:
            return trial(place, automation, to, language)

    def people(self, name: str, state: str = "", after: int = 0, limit: int = 50) -> list[Inside]:
        """Who is or was in it, the newest first, below the id `after` (0: from the newest). `state`: only of that one."""
        with Reader(self._config) as reader:
            return inside.page(self._state, reader, self.row(name), after, limit, state)

    def way(self, name: str, enrolment: int) -> Way:
        """The way of somebody through it. Raises NotFound."""
        with Reader(self._config) as reader:
            return inside.way(self._state, reader, self.row(name), enrolment)

    def log(self, name: str, after: int = 0, limit: int = 50, step: str = "") -> list[Logged]:
        """A page of its messages, of one step or all. Raises NotFound."""
        with Reader(self._config) as reader:
            return inside.log(self._state, reader, self.row(name), after, limit, step)

    def messages(self, name: str = "", email: str = "", after: int = 0, limit: int = 50) -> list[Logged]:
        """The log, the newest first; of one automation or of one person, else all. Raises NotFound."""
        if name and not email:
            return self.log(name, after, limit)
        row, person = self.row(name) if name else None, self.person(email) if email else None
        with Reader(self._config) as reader:
            return inside.messages(self._state, reader, row, person, after, limit)

    def preview(self, automation: Automation, step: str, language: str = "", contact: int | None = None) -> Rendered:
        """A message as somebody (or an example) would get it now. Raises NotFound, StoreUnavailable."""
        from sidecar.automations.messages.preview import preview

        return preview(self._config, self._state, automation, step, language, contact)

    def contact(self, email: str) -> int:
        """Whose an address is, by the contact in FluentCRM. Raises NotFound."""
        found = self._state.rows("SELECT contact_id FROM person WHERE id = ?", (self.person(email),))[0][0]
        if found is None:
            raise NotFound("this person is no contact in FluentCRM", hint="`sidecar mapping explain` says why")
        return int(found)

    def person(self, email: str) -> int:
        """Whose an address is. Raises NotFound."""
        key = self._state.key(emails.identity(email) or "")
        person = Registry(self._state).find([key]).get(key)
        if person is None:
            raise NotFound("the sidecar knows nobody with this address", hint="`sidecar sync` brings buyers in")
        return person
