"""The automations of the shop as pages and API ask for them. What only they need is imported when they are asked for."""

from __future__ import annotations

from datetime import tzinfo
from functools import cached_property
from typing import TYPE_CHECKING

from sidecar import clock
from sidecar.automations import versions
from sidecar.automations.overview import Figures, Line
from sidecar.edited_file import RulesText
from sidecar.errors import AutomationError, NotFound, Problem
from sidecar.mysql.connection import Reader
from sidecar.runtime import Runtime

if TYPE_CHECKING:
    from sidecar.automations.channels.gate import ProviderState
    from sidecar.automations.desk import Desk as Owner
    from sidecar.automations.inside import Inside, Logged, Way
    from sidecar.automations.library import Library, Shelf
    from sidecar.automations.messages.model import Rendered
    from sidecar.automations.model import Automation
    from sidecar.automations.preflight import Finding
    from sidecar.automations.trial import Tried as Sent
    from sidecar.automations.why import Why

WHOLE = "*"


class Desk:
    """Make one for each question."""

    def __init__(self, runtime: Runtime, shelf: Shelf) -> None:
        self._runtime = runtime
        self._state = runtime.state
        self._book = runtime.segments
        self._shelf = shelf

    @cached_property
    def library(self) -> Library:
        """The files. Raises StoreUnavailable; SegmentError when the segments have a fault: automations may name any."""
        return self._shelf.library(self._runtime.config, self._book.zone, self._book.segments)

    @property
    def zone(self) -> tzinfo:
        """The shop's time zone. Raises StoreUnavailable."""
        return self._book.zone

    # --- what there is -----------------------------------------------------------------------------------

    def lines(self) -> list[Line]:
        """Every automation in a line, also those whose file has a fault."""
        from sidecar.automations import overview

        return overview.everything(self._state, self.library)

    def line(self, name: str) -> Line:
        """How one stands, without its figures. Raises NotFound."""
        from sidecar.automations import overview

        return overview.line(self._state, self.library, name)

    def figures(self, automation: Automation) -> Figures:
        """One of them in figures."""
        from sidecar.automations import overview

        now = int(clock.now().timestamp())
        return overview.one(self._state, self.library, automation, now)

    def automation(self, name: str) -> Automation:
        """One as its file has it. Raises NotFound, AutomationError with every problem."""
        return self.library.get(name)

    def providers(self) -> list[tuple[str, str, ProviderState | None]]:
        """(channel, provider, how it is or None: never used) of what is set up."""
        from sidecar.automations.channels import gate, settings

        of = self._runtime.config.channels
        known = {one.name: one for one in gate.standing(self._state)}
        by = settings.email(of, self._runtime.health().bridge in ("live", "waiting"))
        there = {"email": by, "sms": of.sms.preset or "gateway" if settings.sms(of) else "",
                 "telegram": "telegram" if settings.telegram(of) else "", "whatsapp": "whatsapp" if settings.whatsapp(of) else "",
                 "push": "push" if settings.push(of) else ""}  # fmt: skip
        return [(channel, name, known.get(name)) for channel, name in there.items() if name]

    def enable(self, provider: str) -> None:
        """Switch a provider on again. Raises NotFound."""
        from sidecar.automations.channels.gate import Gate

        if not Gate(self._state).enable(provider):
            raise NotFound(f"there is no provider {provider!r}")

    def ready(self) -> tuple[str, ...]:
        """The names of the ready-made ones."""
        from sidecar.automations import library

        return library.ready()

    def people(self, name: str, after: int = 0, limit: int = 50, only: str = "") -> list[Inside]:
        """A page of the people inside, masked. Raises NotFound."""
        from sidecar.automations import inside

        row = self._row(name)
        if row is None:
            return []
        with Reader(self._runtime.config) as reader:
            return inside.page(self._state, reader, row, after, limit, only)

    def way(self, name: str, enrolment: int) -> Way:
        """The way of somebody through it. Raises NotFound."""
        from sidecar.automations import inside

        row = self._row(name)
        if row is None:
            raise NotFound(f"nobody was ever in {name}")
        with Reader(self._runtime.config) as reader:
            return inside.way(self._state, reader, row, enrolment)

    def log(self, name: str, after: int = 0, limit: int = 50, step: str = "") -> list[Logged]:
        """A page of its messages. Raises NotFound."""
        from sidecar.automations import inside

        row = self._row(name)
        if row is None:
            return []
        with Reader(self._runtime.config) as reader:
            return inside.log(self._state, reader, row, after, limit, step)

    def _row(self, name: str) -> versions.Row | None:
        row = versions.named(self._state, name)
        if row is None and name not in self.library.names():
            raise NotFound(f"there is no automation {name}")
        return row

    # --- switching ---------------------------------------------------------------------------------------

    @cached_property
    def _own(self) -> Owner:
        """The same automations as the command line has them, with the files that were read already."""
        found = self._runtime.automations
        found.__dict__["library"] = self.library
        return found

    def preflight(self, name: str) -> list[Finding]:
        """What there is to know before it is switched on. Raises NotFound, AutomationError."""
        return self._own.preflight(name)

    def on(self, name: str, rollout: int, holdout: int, anyway: bool) -> list[Finding]:
        """Switch it on, or change its shares. Raises Conflict with who else sends the same, UsageError, NotFound, AutomationError."""
        return self._own.on(name, rollout=rollout, holdout=holdout, anyway=anyway)

    def off(self, name: str) -> bool:
        """Switch it off. Whether it was on. Raises NotFound."""
        return self._own.off(name)

    def why(self, name: str, email: str) -> Why:
        """Why somebody got it or not. Raises NotFound, also when nobody has the address."""
        return self._own.why(name, email)

    def test(self, name: str, to: str, language: str = "") -> list[Sent]:
        """Send each of its messages to an address, marked as a test. Raises NotFound, AutomationError, UsageError, ConfigError."""
        return self._own.test(name, to, language)

    # --- editing -----------------------------------------------------------------------------------------

    def text(self, name: str) -> RulesText:
        """How it is written. Raises NotFound."""
        return self.library.text(name)

    def check(self, name: str, text: str) -> Automation:
        """What a text would be as that automation. Raises AutomationError with every problem, NotFound."""
        return self.library.check(name, text)

    def save(self, name: str, text: str, base: str) -> RulesText:
        """Put a text in force. Raises what `check` does, Conflict when it was changed meanwhile."""
        return self.library.save(name, text, base)

    def reset(self, name: str) -> RulesText:
        """Back to the ready-made one. Raises NotFound."""
        return self.library.reset(name)

    def preview(self, automation: Automation, step: str, language: str, contact: int | None) -> Rendered:
        """A message as somebody (or an example) would get it now. Raises NotFound, StoreUnavailable."""
        from sidecar.automations.messages.preview import preview

        return preview(self._runtime.config, self._state, automation, step, language, contact)


def problems(error: AutomationError) -> list[Problem]:
    """Everything that is wrong; the error itself when it names nothing in particular."""
    return error.problems or [Problem("(file)", None, "(file)", error.message, error.hint)]
