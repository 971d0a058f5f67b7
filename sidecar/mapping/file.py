"""The owner's `mapping.toml`, edited from a page: read, checked, saved with a backup, never over somebody else's edit."""

from __future__ import annotations

from pathlib import Path

from sidecar import edited_file
from sidecar.edited_file import RulesText as RulesText
from sidecar.errors import MappingError, Problem
from sidecar.mapping import compile as rules
from sidecar.mapping.compiled import Mapping

MAX_BYTES = 262_144
_WHAT = "mapping rules"


def read(file: str) -> RulesText:
    """The text of the rules in `file`, of the built-in ones for ''. Raises MappingError when it cannot be read."""
    return edited_file.read(file, "" if file else rules.default_text(), what=_WHAT, raise_as=MappingError)


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
    with edited_file.alone(target, "rules"):
        edited_file.unchanged(read(current), base, _WHAT)
        return edited_file.write(target, text)


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
