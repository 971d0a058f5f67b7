"""The composition root: `build(config)` puts the parts together. The command line, and later the web and the
background tasks, ask it and nothing below it for the main job."""

from __future__ import annotations

from functools import cached_property

from sidecar.config import Config
from sidecar.mapping import compile as rules
from sidecar.mapping.compiled import Mapping
from sidecar.state import dead_letters
from sidecar.state.database import State
from sidecar.state.dead_letters import DeadLetter
from sidecar.sync import engine, retry, undo, verify
from sidecar.sync import status as standing
from sidecar.sync.engine import Report
from sidecar.sync.session import Choices, Progress
from sidecar.sync.status import Status
from sidecar.sync.undo import Undoable, Undone
from sidecar.sync.verify import Verdict


class Runtime:
    """One shop. The state is opened and the rules are compiled when they are first needed. Use it with `with`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._state: State | None = None

    @property
    def state(self) -> State:
        """The sidecar's own database. Raises ConfigError when its directory cannot be used."""
        if self._state is None:
            self._state = State(self.config.state.dir)
        return self._state

    @cached_property
    def mapping(self) -> Mapping:
        """The owner's rules, else the built-in ones. Raises MappingError with every problem."""
        return rules.load(self.config.mapping.file or None)

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

    def close(self) -> None:
        """Close the state."""
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
