"""The composition root: `build(config)` puts the parts together. The command line, the web and the background tasks
ask it and nothing below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sidecar import alerts
from sidecar.alerts import Open, Told
from sidecar.config import Config
from sidecar.crm.bridge_client import Bridge, BridgeStatus
from sidecar.errors import Paused
from sidecar.events import monitor
from sidecar.events.monitor import Event
from sidecar.mapping import compile as rules_compiler
from sidecar.mapping.compiled import Mapping
from sidecar.mapping.file import Rules
from sidecar.mysql.connection import Reader
from sidecar.people.model import Facts
from sidecar.segments.book import Book
from sidecar.state import dead_letters, jobs
from sidecar.state import pause as pauses
from sidecar.state.database import State
from sidecar.state.dead_letters import DeadLetter
from sidecar.state.jobs import Job
from sidecar.state.pause import Pause
from sidecar.state.runs import Run
from sidecar.store import meta, names
from sidecar.sync import contact, engine, job, known, preview, retry, survey, undo, verify, watch
from sidecar.sync import health as figures
from sidecar.sync import segments as groups
from sidecar.sync import site as sites
from sidecar.sync import status as standing
from sidecar.sync.contact import Contact360
from sidecar.sync.cycle import Passes
from sidecar.sync.engine import Report
from sidecar.sync.explain import Explanation
from sidecar.sync.health import Health
from sidecar.sync.preview import Preview
from sidecar.sync.rights import Rights
from sidecar.sync.segments import Looked
from sidecar.sync.session import Choices, Progress
from sidecar.sync.site import Fingerprint, Site
from sidecar.sync.status import Status
from sidecar.sync.survey import Explored
from sidecar.sync.undo import Undoable, Undone
from sidecar.sync.verify import Verdict
from sidecar.sync.work import PassReport

if TYPE_CHECKING:
    from sidecar.automations.desk import Desk
    from sidecar.automations.library import Shelf


class Runtime:
    """One shop. The state is opened and the rules are compiled when they are first needed. Use it with `with`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._state: State | None = None
        self.rules = Rules(config.mapping.file, config.state.dir)

    @property
    def state(self) -> State:
        """The sidecar's own database. Raises ConfigError when its directory cannot be used."""
        if self._state is None:
            self._state = State(self.config.state.dir)
        return self._state

    @property
    def mapping(self) -> Mapping:
        """The owner's rules, else the built-in ones; read again when they change. Raises MappingError with every problem."""
        return self.rules.compiled()

    def sync(self, choices: Choices | None = None, progress: Progress | None = None) -> Report:
        """The main job; see `sync.engine.sync`. Raises Paused while the owner has paused it (a dry run may go)."""
        self._not_paused(choices)
        return engine.sync(self.config, self.state, self.mapping, choices or Choices(), progress)

    def _not_paused(self, choices: Choices | None) -> None:
        pause = pauses.current(self.state)
        if pause is not None and not (choices and choices.dry_run):
            until = datetime.fromtimestamp(pause.until, UTC).strftime("%H:%M")
            raise Paused(f"the sidecar is paused until {until} UTC", hint="`sidecar sync resume` ends the pause")

    def verify(self, progress: Progress | None = None) -> Verdict:
        """The ledger; see `sync.verify.verify`."""
        return verify.verify(self.config, self.state, self.mapping, progress)

    def undoable(self, run_id: int) -> Undoable:
        """What there is to undo of a run; raises NotFound."""
        return undo.undoable(self.config, run_id)

    def undo(self, run_id: int) -> Undone:
        """Take a run back; see `sync.undo.undo`. Raises OnHold on another site than the known one."""
        with Reader(self.config) as reader:
            sites.guard(reader, self.state)
        return undo.undo(self.config, self.state, run_id)

    def status(self, limit: int = 10) -> Status:
        """How the main job stands."""
        return standing.status(self.state, limit)

    def letters(self, limit: int = 1000) -> list[DeadLetter]:
        """Dead letters, the newest first."""
        return dead_letters.all_(self.state, limit)

    def retry(self, letters: tuple[int, ...] = (), progress: Progress | None = None) -> tuple[retry.Marked, Report]:
        """Another look at what dead letters are about, and a run of changes only."""
        marked = retry.mark(self.state, letters)
        return marked, self.sync(Choices(), progress)

    def letters_page(self, after: int, limit: int) -> list[DeadLetter]:
        """Dead letters by id, the highest first, below `after`."""
        return dead_letters.page(self.state, after, limit)

    # --- what pages and background tasks ask ------------------------------------------------------------

    def work(self, job_id: int, stopping: Callable[[], bool]) -> Job | None:
        """Work on a job; see `sync.job.work`."""
        return job.work(self, job_id, stopping)

    def work_waiting(self) -> None:
        """Do here and now what pages have asked for, where no service does it: for cron."""
        waiting = jobs.waiting(self.state)
        if waiting is not None:
            self.work(waiting.id, lambda: False)
        for kind in survey.wanted(self.state):
            self.explore(kind)

    def undo_runs(self) -> dict[int, int]:
        """{run: things to undo} of the runs that can be taken back."""
        return undo.runs_there(self.config)

    def facts(self, contact_id: int) -> Facts | None:
        """What the last sync knew of a contact's person; None when it knows nobody behind it."""
        return known.facts(self.state, contact_id)

    def people(self) -> known.People:
        """How many people there are, by what became of them."""
        return known.people(self.state)

    def runs(self, limit: int) -> list[Run]:
        """The newest runs; one that a dead process left behind is shown as interrupted."""
        return standing.latest(self.state, limit)

    def options(self, *wanted: str) -> dict[str, str]:
        """Options of WordPress by name; those that are not there are missing."""
        with Reader(self.config) as reader:
            return {str(row[0]): str(row[1] or "") for row in reader.rows("schema_options", names=list(wanted))}

    def names(self, refs: Iterable[names.Ref]) -> dict[names.Ref, str]:
        """What things are called in the shop, now."""
        with Reader(self.config) as reader:
            return names.names(reader, refs)

    def explored(self, kind: meta.Kind) -> Explored:
        """The explorer's last survey; see `sync.survey`."""
        return survey.kept(self.state, kind)

    def explore(self, kind: meta.Kind) -> Explored:
        """The explorer's survey, taken now: seconds to minutes on a big shop."""
        return survey.take(self.config, self.state, self.mapping, kind)

    def preview(self, text: str, contacts: Sequence[int] = (), count: int = 5, *, show: bool = False) -> list[Preview]:
        """What these rules would make of real people. Raises MappingError with every problem."""
        mapping = rules_compiler.compile_text(text, "mapping.toml")
        return preview.preview(self.config, self.state, mapping, contacts=contacts, count=count, show=show)

    @property
    def segments(self) -> Book:
        """The segments, as the file and the shop are now."""
        return Book(self.config, self.state)

    @property
    def automations(self) -> Desk:
        """The automations, as their files and the shop are now."""
        from sidecar.automations.desk import Desk

        return Desk(self.config, self.state, lambda: self.bridge if self._passes.link.paired else None, self.shelf)

    @cached_property
    def shelf(self) -> Shelf:
        """The files of automations as they were read last."""
        from sidecar.automations.library import Shelf

        return Shelf()

    def refresh_segments(self, *, full: bool = False, tagged: bool = True) -> Looked:
        """Bring segments and their tags up to date; see `sync.segments.refresh`. Raises Paused, MappingError."""
        self._not_paused(None)
        taken = self.mapping.custom if tagged else ()
        return groups.refresh(self.config, self.state, full=full, tagged=tagged, taken=taken)

    # --- the running sidecar ---------------------------------------------------------------------------

    @cached_property
    def _passes(self) -> Passes:
        return Passes(self.config, self.state, lambda: self.mapping)

    def pass_(self, seconds: float = 20.0, *, poll: bool = False, reconcile: bool = False) -> PassReport:
        """One bounded pass: events, a poll, a reconciliation when it is due; alerts. Safe to overlap.

        Raises what keeps it from working (StoreUnavailable …), after alerts have been looked at.
        """
        try:
            return self._passes.run(seconds, poll_now=poll, reconcile_now=reconcile)
        finally:
            self.alerts()

    def alerts(self, *, force: bool = False) -> list[Told]:
        """Look whether something is wrong or over, at most once a minute; tell it. Never raises."""
        return watch.watch(self.config, self.state, self.health, force=force)

    def health(self) -> Health:
        """How the running sidecar is; see `sync.health`."""
        return figures.health(self.config, self.state, self._passes.link)

    def troubles(self) -> list[Open]:
        """What is wrong now, as the alerts know it."""
        return alerts.open_(self.state)

    def events(
        self, type_: str = "", after: int = 0, limit: int = 50, person_ids: Sequence[int] | None = None
    ) -> list[Event]:
        """The event monitor, the newest first; see `events.monitor.page`."""
        return monitor.page(self.state, type_=type_, after=after, limit=limit, person_ids=person_ids)

    def pause(self, minutes: int = pauses.DEFAULT_MINUTES) -> Pause:
        """Write nothing for so many minutes; events are kept."""
        return pauses.begin(self.state, minutes)

    def resume(self) -> bool:
        """End the pause. Whether there was one."""
        return pauses.end(self.state)

    @property
    def bridge(self) -> Bridge:
        """The client of the plugin. Raises StoreUnavailable when the site's address must be asked and cannot be."""
        return self._passes.link.bridge(sites.home(self.config))

    def bridge_status(self) -> BridgeStatus | None:
        """What the plugin said of the site when it was last asked; nobody is asked now."""
        return self._passes.link.status()

    def site(self) -> Site:
        """Which site this is, and whether it is on hold."""
        with Reader(self.config) as reader:
            return sites.look(reader, self.state)

    def confirm_site(self) -> Fingerprint:
        """The owner says that the site as it is now is theirs: nothing is on hold any more."""
        with Reader(self.config) as reader:
            return sites.confirm(reader, self.state)

    @property
    def rights(self) -> Rights:
        """What a person may ask for: export, erasure, and its end."""
        return Rights(self.config, self.state, lambda: self.mapping, lambda: self._passes.link)

    def contact(self, contact_id: int) -> Contact360:
        """Everything of one contact: orders, money, consent, events, and why each field has its value.

        Raises NotFound.
        """
        return contact.read(self.config, self.state, self.mapping, contact_id)

    def explain(self, contact_id: int) -> Explanation:
        """Why a contact's fields have their values; raises NotFound."""
        return contact.explain(self.config, self.state, self.mapping, contact_id)

    def prepare(self) -> None:
        """Open what is opened on first use, so that threads that come later find it made."""
        self._passes  # noqa: B018 - made by being asked for
        self.state.close()

    def close(self) -> None:
        """Close connections and the state."""
        if "_passes" in self.__dict__:
            self._passes.close()
            del self.__dict__["_passes"]
        if self._state is not None:
            self._state.close()
            self._state = None

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def build(config: Config) -> Runtime:
    """The parts of one shop, ready to be asked."""
    return Runtime(config)
