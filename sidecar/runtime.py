"""The composition root: `build(config)` puts the parts together. The command line, and later the web and the
background tasks, ask it and nothing below it for the main job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sidecar.config import Config
from sidecar.errors import Problem
from sidecar.mapping import compile as rules
from sidecar.mapping import file as rules_file
from sidecar.mapping.compiled import Mapping
from sidecar.mapping.file import RulesText
from sidecar.mysql.connection import Reader
from sidecar.state import dead_letters
from sidecar.state.database import State
from sidecar.state.dead_letters import DeadLetter
from sidecar.state.jobs import Job
from sidecar.store import meta, names
from sidecar.sync import engine, job, preview, retry, survey, undo, verify
from sidecar.sync import status as standing
from sidecar.sync.engine import Report
from sidecar.sync.preview import Preview
from sidecar.sync.session import Choices, Progress
from sidecar.sync.status import Status
from sidecar.sync.survey import Explored
from sidecar.sync.undo import Undoable, Undone
from sidecar.sync.verify import Verdict


class Runtime:
    """One shop. The state is opened and the rules are compiled when they are first needed. Use it with `with`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._state: State | None = None
        self._mapping: tuple[tuple[str, int, int], Mapping] | None = None

    @property
    def state(self) -> State:
        """The sidecar's own database. Raises ConfigError when its directory cannot be used."""
        if self._state is None:
            self._state = State(self.config.state.dir)
        return self._state

    @property
    def mapping(self) -> Mapping:
        """The owner's rules, else the built-in ones; read again when the file changes. Raises MappingError with every problem."""
        file = self._rules_file
        stamp = _stamp(file)
        if self._mapping is None or self._mapping[0] != stamp:
            self._mapping = (stamp, rules.load(file or None))
        return self._mapping[1]

    def sync(self, choices: Choices | None = None, progress: Progress | None = None) -> Report:
        """The main job; see `sync.engine.sync`."""
        return engine.sync(self.config, self.state, self.mapping, choices or Choices(), progress)

    def verify(self, progress: Progress | None = None) -> Verdict:
        """The ledger; see `sync.verify.verify`."""
        return verify.verify(self.config, self.state, self.mapping, progress)

    def undoable(self, run_id: int) -> Undoable:
        """What there is to undo of a run; raises NotFound."""
        return undo.undoable(self.config, run_id)

    def undo(self, run_id: int) -> Undone:
        """Take a run back; see `sync.undo.undo`."""
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
        return job.work(self.config, self.state, self.mapping, job_id, stopping)

    def undo_runs(self) -> dict[int, int]:
        """{run: things to undo} of the runs that can be taken back."""
        return undo.runs_there(self.config)

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

    def rules_text(self) -> RulesText:
        """The text of the mapping rules in force."""
        return rules_file.read(self._rules_file)

    def preview(self, text: str, contacts: Sequence[int] = (), count: int = 5, *, show: bool = False) -> list[Preview]:
        """What these rules would make of real people. Raises MappingError with every problem."""
        mapping = rules.compile_text(text, "mapping.toml")
        return preview.preview(self.config, self.state, mapping, contacts=contacts, count=count, show=show)

    def check_rules(self, text: str) -> list[Problem]:
        """Everything that is wrong with a text of rules."""
        return rules_file.check(text)

    def save_rules(self, text: str, base: str) -> RulesText:
        """Put rules in force; see `mapping.file.save`."""
        current = self._rules_file
        target = Path(current) if current else Path(self.config.state.dir) / "mapping.toml"
        return rules_file.save(text, base, current, target)

    @property
    def _rules_file(self) -> str:
        """The owner's file, '' while there is none: one that a page has saved since this process began is found too."""
        if self.config.mapping.file:
            return self.config.mapping.file
        saved = Path(self.config.state.dir) / "mapping.toml"
        return str(saved) if saved.is_file() else ""

    def close(self) -> None:
        """Close the state."""
        if self._state is not None:
            self._state.close()
            self._state = None

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _stamp(file: str) -> tuple[str, int, int]:
    """What tells that a file is no longer the one that was read."""
    try:
        stat = Path(file).stat() if file else None
    except OSError:
        stat = None
    return (file, stat.st_mtime_ns, stat.st_ino) if stat else (file, 0, 0)


def build(config: Config) -> Runtime:
    """The parts of one shop, ready to be asked."""
    return Runtime(config)
