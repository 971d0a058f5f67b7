"""Writing a private file whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def write_private(file: Path, text: str, *, replace: bool = False) -> None:
    """Write a file that only its owner may read (0600), atomically.

    Raises FileExistsError when it is there, unless `replace`.
    """
    with private(file, replace=replace) as stream:
        stream.write(text)


@contextmanager
def private(file: Path, *, replace: bool = False) -> Iterator[TextIO]:
    """The same for a long text that is written bit by bit: the file is there when the block ends well, and only then."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
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
