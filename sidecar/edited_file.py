"""A file of rules that a person edits in a page: read, saved with a backup, never over somebody else's edit."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sidecar import clock, new_file
from sidecar.errors import ConfigError, Conflict

BACKUPS = 10


class RulesText(msgspec.Struct, frozen=True, kw_only=True):
    """Rules in force. `file` is '' while the built-in ones are; `digest` tells whether they changed since."""

    text: str
    file: str
    digest: str


def of(text: str, file: str) -> RulesText:
    """A text with its digest."""
    return RulesText(text=text, file=file, digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def read(file: str, built_in: str, *, what: str, raise_as: type[ConfigError]) -> RulesText:
    """The text of `file`, `built_in` for ''. `what` it is, for the error."""
    if not file:
        return of(built_in, "")
    try:
        return of(Path(file).read_bytes().decode("utf-8-sig"), file)
    except OSError as error:
        raise raise_as(f"cannot read the {what} {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise raise_as(f"{file} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8") from error


@contextmanager
def alone(target: Path, what: str) -> Iterator[None]:
    """Between reading and writing nobody else writes. Raises ConfigError when the place cannot be written."""
    try:
        new_file.directory(target.parent)
        handle = new_file.lock_file(target.with_name(f".{target.name}.lock"))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}",
            hint=f"the account that runs the sidecar needs the right to write there; or save the {what} over SSH",
        ) from error


def unchanged(now: RulesText, base: str, what: str) -> None:
    """Raises Conflict unless the rules are still those with the digest `base`."""
    if now.digest != base:
        raise Conflict(f"the {what} have been changed meanwhile", hint="load them again, then make your change")


def write(target: Path, text: str) -> RulesText:
    """Put `text` there (0600, whole or not at all), keeping what was there beside it: `mapping.toml.20261101T120000…Z`,
    the last 10. Within `alone`."""
    if target.exists():
        _back_up(target)
    new_file.write_private(target, text, replace=True, given=True)
    return of(text, str(target))


def remove(target: Path) -> None:
    """Take the file away, keeping what was there beside it as `write` does. Within `alone`."""
    if target.exists():
        _back_up(target)
        target.unlink()


def _back_up(target: Path) -> None:
    stamp = clock.now().strftime("%Y%m%dT%H%M%S%fZ")
    copy = target.with_name(f"{target.name}.{stamp}")
    new_file.write_private(copy, target.read_bytes().decode("utf-8-sig"), replace=True, given=True)
    old = sorted(target.parent.glob(f"{target.name}.2*Z"))
    for one in old[:-BACKUPS]:
        one.unlink(missing_ok=True)
