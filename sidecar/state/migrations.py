"""The schema of the state database: `sql/NNNN_….sql`, one file a version (`PRAGMA user_version`). Released files are never edited.

No name, e-mail, phone or address stands there in the clear: a person is the HMAC of an e-mail address.
"""

from __future__ import annotations

from importlib import resources
from typing import Final

_FILES: Final = sorted(
    (item for item in (resources.files("sidecar.state") / "sql").iterdir() if item.name.endswith(".sql")),
    key=lambda item: item.name,
)
MIGRATIONS: Final = tuple(item.read_text(encoding="utf-8") for item in _FILES)
