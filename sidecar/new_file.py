"""Writing a private file whole or not at all, files to lock, and directories; and whose they are."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from sidecar.errors import ConfigError


def write_private(file: Path, text: str, *, replace: bool = False, given: bool = False) -> None:
    """Write a file that only its owner may read (0600), atomically. `given`: see `give`.

    Raises FileExistsError when it is there, unless `replace`.
    """
    with private(file, replace=replace, given=given) as stream:
        stream.write(text)


def lock_file(file: Path) -> int:
    """A descriptor of a file to lock, which is made where it is not there. Raises ConfigError when it is another account's."""
    try:
        # Only what we make ourselves is given away: what is there already could be a link to anything.
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        try:
            return os.open(file, os.O_RDWR)
        except PermissionError as error:
            raise ConfigError(
                f"{file} belongs to another account",
                hint=f"run the sidecar as one account only; as root: chown -R --reference={file.parent} {file.parent}",
            ) from error
    give(handle, file.parent)
    return handle


def give(handle: int, directory: Path) -> None:
    """What root makes in somebody's directory is theirs: one `sudo sidecar …` must not shut the service out of its state."""
    if os.geteuid() == 0:
        owner = directory.stat()
        with suppress(OSError):  # a container's root may not, and need not
            os.fchown(handle, owner.st_uid, owner.st_gid)


def directory(path: Path, mode: int = 0o700) -> None:
    """Make a directory, by itself a private one, and what is missing above it. What root makes below somebody's is theirs: see `give`."""
    if path.is_dir():
        return
    directory(path.parent, 0o777)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        if not path.is_dir():
            raise
        return  # somebody else has just made it
    if os.geteuid() == 0:
        # By what was made, not by its name: that could be a link to anything by now.
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            give(handle, path.parent)
        finally:
            os.close(handle)


@contextmanager
def private(file: Path, *, replace: bool = False, given: bool = False) -> Iterator[TextIO]:
    """The same for a long text that is written bit by bit: the file is there when the block ends well, and only then."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if given:
            give(handle, file.parent)
        # Line ends stay as they are given.
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            draft.replace(file)
        else:
            file.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
