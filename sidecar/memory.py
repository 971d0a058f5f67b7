"""Keeping memory small, in a process that works beside a shop."""

from __future__ import annotations

import ctypes
import gc
import threading

# Set by who took memory for a while: the service gives it back when there is nothing to do. Of the process, as its memory is.
used = threading.Event()

_M_ARENA_MAX = -8  # malloc.h of glibc; see mallopt(3)


def one_heap() -> None:
    """Let all threads take memory from one heap; glibc gives each its own, and each keeps what it once took. Call it
    before there are threads. They wait for one interpreter lock anyway: no slower."""
    _libc("mallopt", _M_ARENA_MAX, 1)


def give_back() -> None:
    """Free what nothing refers to, and let the C library return free pages to the system (glibc keeps them else)."""
    gc.collect()
    _libc("malloc_trim", 0)


def _libc(name: str, *numbers: int) -> None:
    try:
        getattr(ctypes.CDLL(None), name)(*numbers)
    except (AttributeError, OSError):
        return  # another C library: musl has one heap and returns pages by itself
