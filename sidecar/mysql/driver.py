"""PyMySQL without `cryptography`, for a process that is to stay small.

PyMySQL imports it for one way to log in (MySQL 8's `caching_sha2_password` over TCP without TLS), which costs ten MiB
that a shop with MariaDB or a socket never uses. So the service loads PyMySQL without it, and the rest when a server asks.
"""

from __future__ import annotations

import importlib
import sys

_LIBRARY = "cryptography"


def light() -> None:
    """Load PyMySQL without that library. Does nothing when either is loaded already: call it before other imports."""
    if "pymysql" in sys.modules or _LIBRARY in sys.modules:
        return
    sys.modules[_LIBRARY] = None  # type: ignore[assignment]  # Python's way to say that there is none
    try:
        importlib.import_module("pymysql")
    finally:
        del sys.modules[_LIBRARY]


def whole() -> bool:
    """Load what `light` left out. Whether that changed anything."""
    auth = importlib.import_module("pymysql._auth")
    if auth._have_cryptography:
        return False
    importlib.reload(auth)
    return bool(auth._have_cryptography)
