"""What a person may ask the shop for about themselves, and the owner about whom was erased."""

from __future__ import annotations

from collections.abc import Callable

from sidecar.config import Config
from sidecar.mapping.compiled import Mapping
from sidecar.state.database import State
from sidecar.sync import kept, privacy
from sidecar.sync.kept import Kept
from sidecar.sync.link import Link
from sidecar.sync.privacy import Erased, Suppressed


class Rights:
    """Of one shop. `mapping` and `link` are made when something asks for them."""

    def __init__(self, config: Config, state: State, mapping: Callable[[], Mapping], link: Callable[[], Link]) -> None:
        self._config, self._state, self._mapping, self._link = config, state, mapping, link

    def erase(self, email: str) -> Erased:
        """Erase a person on request; see `privacy.erase`."""
        return privacy.erase(self._config, self._state, self._mapping(), self._link(), email)

    def export(self, email: str) -> Kept:
        """What the sidecar itself keeps of a person."""
        return kept.of_person(self._state, email)

    def lift(self, email: str) -> bool:
        """Let an erased person in again."""
        return privacy.lift(self._config, self._state, self._mapping(), email)

    def suppressed(self) -> list[Suppressed]:
        """Who is suppressed: hashes and dates."""
        return privacy.listed(self._config, self._state, self._mapping())
