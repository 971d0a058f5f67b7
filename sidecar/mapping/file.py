"""The owner's `mapping.toml`, edited from a page: read, checked, saved with a backup, never over somebody else's edit."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sidecar import clock, new_file
from sidecar.errors import ConfigError, Conflict, MappingError, Problem
from sidecar.mapping import compile as rules
from sidecar.mapping.compiled import Mapping

BACKUPS = 10
MAX_BYTES = 262_144


class RulesText(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force. `file` is '' while the built-in ones are; `digest` tells whether they changed since."""

    text: str
    file: str
    digest: str


def digest(text: str) -> str:
    """A digest of the text of a rules file."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(file: str) -> RulesText:
    """The text of the rules in `file`, of the built-in ones for ''. Raises MappingError when it cannot be read."""
    if not file:
        text = rules.default_text()
        return RulesText(text=text, file="", digest=digest(text))
    try:
        text = Path(file).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise MappingError(f"cannot read the mapping rules {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{file} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8") from error
    return RulesText(text=text, file=file, digest=digest(text))


def check(text: str, file: str = "mapping.toml") -> list[Problem]:
    """Everything that is wrong with a text, by line; the same that `sidecar mapping check` says."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return [Problem(file, None, "(file)", f"the rules are longer than {MAX_BYTES // 1024} KiB")]
    try:
        rules.compile_text(text, file)
    except MappingError as error:
        return error.problems or [Problem(file, None, "(file)", error.message, error.hint)]
    return []


def save(text: str, base: str, current: str, target: Path) -> RulesText:
    """Write rules to `target`, keeping what was there beside it (`mapping.toml.20261101T120000`, the last 10).

    `base` is the digest of the rules that were edited, `current` the file that is in force ('' for the built-in ones).
    Raises Conflict when the rules are no longer those, MappingError with every problem, ConfigError when the file
    cannot be written.
    """
    text = text.replace("\r\n", "\n")
    problems = check(text, str(target))
    if problems:
        raise MappingError(f"{len(problems)} problems in the mapping rules", problems, hint="nothing was saved")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(target):
            if read(current).digest != base:
                raise Conflict(
                    "the mapping rules have been changed meanwhile", hint="load them again, then make your change"
                )
            if target.exists():
                _back_up(target)
            new_file.write_private(target, text, replace=True)
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}",
            hint="the account that runs the sidecar needs the right to write there; or save the rules over SSH",
        ) from error
    return RulesText(text=text, file=str(target), digest=digest(text))


def _back_up(target: Path) -> None:
    stamp = clock.now().strftime("%Y%m%dT%H%M%S%fZ")
    copy = target.with_name(f"{target.name}.{stamp}")
    new_file.write_private(copy, target.read_text("utf-8-sig"), replace=True)
    old = sorted(target.parent.glob(f"{target.name}.2*Z"))
    for one in old[:-BACKUPS]:
        one.unlink(missing_ok=True)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Between the comparison and the writing nobody else writes."""
    handle = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Rules:
    """The rules of one shop: `file` of the configuration, else one that a page saved in `directory`, else the built-in
    ones. Read again when they change."""

    def __init__(self, file: str, directory: str) -> None:
        self._file = file
        self._saved = Path(directory) / "mapping.toml"
        self._compiled: tuple[tuple[str, int, int], Mapping] | None = None

    @property
    def file(self) -> str:
        """The file in force now, '' for the built-in rules."""
        return self._file or (str(self._saved) if self._saved.is_file() else "")

    def compiled(self) -> Mapping:
        """The rules, compiled. Raises MappingError with every problem."""
        file = self.file
        stamp = _stamp(file)
        if self._compiled is None or self._compiled[0] != stamp:
            self._compiled = (stamp, rules.load(file or None))
        return self._compiled[1]

    def read(self) -> RulesText:
        """Their text. Raises MappingError when it cannot be read."""
        return read(self.file)

    def save(self, text: str, base: str) -> RulesText:
        """Put others in force; see `save`."""
        current = self.file
        return save(text, base, current, Path(current) if current else self._saved)


def _stamp(file: str) -> tuple[str, int, int]:
    """What tells that a file is no longer the one that was read."""
    try:
        stat = Path(file).stat() if file else None
    except OSError:
        stat = None
    return (file, stat.st_mtime_ns, stat.st_ino) if stat else (file, 0, 0)
