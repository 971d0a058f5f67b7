"""Giving memory back after big work, in a process that lives for months beside a shop."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Free what nothing refers to, and let the C library return free pages to the system (glibc keeps them else)."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return  # another C library: musl returns pages by itself
