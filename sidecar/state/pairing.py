"""The secret shared with the bridge: `pairing.json` (0600) in the state directory.

Rotation loses no request: a new key is first accepted (`next`), then made known to the bridge, then used
(`current`), while the old one (`previous`) is accepted for another quarter of an hour.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, Literal

import msgspec

from sidecar import new_file, signing
from sidecar.errors import ConfigError

PREVIOUS_SECONDS: Final = 900
"""How long an old key is still accepted."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key. `secret` is 64 hex digits; `since` is Unix seconds UTC, when it came into its state."""

    key_id: str
    secret: str
    state: Literal["next", "current", "previous"]
    since: int

    def __repr__(self) -> str:
        return f"Key({self.key_id}, {self.state})"


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """Who the bridge is: `endpoint` is where it reaches us (`http://127.0.0.1:8765` or `unix:/path`)."""

    endpoint: str
    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key that our own requests are signed with."""
        return next(key for key in self.keys if key.state == "current")

    def key(self, key_id: str, now: float) -> Key | None:
        """The key of that id, if it is still accepted at `now` (Unix seconds)."""
        for key in self.keys:
            if key.key_id == key_id:
                return None if key.state == "previous" and now - key.since > PREVIOUS_SECONDS else key
        return None


def path(directory: str | Path) -> Path:
    """Where the pairing of a state directory is."""
    return Path(directory) / "pairing.json"


def read(directory: str | Path) -> Pairing | None:
    """The pairing, None when there is none yet. Raises ConfigError when the file cannot be used."""
    file = path(directory)
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", hint="it belongs to the account that runs the sidecar"
        ) from error
    try:
        found = msgspec.json.decode(raw, type=Pairing)
        good = sum(key.state == "current" for key in found.keys) == 1
        good = good and all(signing.well_formed(key.key_id, "1", "0" * 32, signing.MACHINE) for key in found.keys)
        good = good and all(len(bytes.fromhex(key.secret)) == 32 for key in found.keys)
    except (msgspec.MsgspecError, ValueError):
        good = False
    if not good:
        raise ConfigError(f"{file} is damaged", hint="remove it and run `sidecar pair`")
    return found


def write(directory: str | Path, pairing: Pairing) -> None:
    """Keep a pairing, whole or not at all."""
    new_file.write_private(path(directory), msgspec.json.encode(pairing).decode(), replace=True, given=True)


def first(endpoint: str, now: float | None = None) -> Pairing:
    """A pairing with one new key."""
    key_id, secret = signing.new_key()
    return Pairing(endpoint=endpoint, keys=(Key(key_id=key_id, secret=secret, state="current", since=_at(now)),))


def with_next(pairing: Pairing, endpoint: str, now: float | None = None) -> Pairing:
    """With one more new key that is accepted, but not used yet. An earlier one that never was used goes."""
    key_id, secret = signing.new_key()
    new = Key(key_id=key_id, secret=secret, state="next", since=_at(now))
    return Pairing(endpoint=endpoint, keys=(*(key for key in pairing.keys if key.state != "next"), new))


def promoted(pairing: Pairing, now: float | None = None) -> Pairing:
    """The next key is the current one, the current one the previous, and what was previous is gone."""
    new = next((key for key in pairing.keys if key.state == "next"), None)
    if new is None:
        return pairing
    at = _at(now)
    return Pairing(
        endpoint=pairing.endpoint,
        keys=(
            msgspec.structs.replace(new, state="current", since=at),
            msgspec.structs.replace(pairing.current, state="previous", since=at),
        ),
    )


def _at(now: float | None) -> int:
    return int(time.time() if now is None else now)


class Keeper:
    """The pairing as the file has it now: read again when it changes, so that a running service follows a rotation."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = directory
        self._stamp: tuple[int, int, int] | None = None
        self._found: Pairing | None = None

    def get(self) -> Pairing | None:
        """The pairing, None when there is none. Raises ConfigError for a damaged file."""
        try:
            stat = path(self._directory).stat()
            stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        except OSError:
            self._stamp, self._found = None, None
            return None
        if stamp != self._stamp:
            self._found = read(self._directory)
            self._stamp = stamp
        return self._found

    def used(self, key: Key) -> None:
        """A request came that was signed with this key: if it is the next one, the bridge has it, and it is current."""
        if key.state == "next":
            pairing = read(self._directory)
            if pairing is not None and any(one.key_id == key.key_id and one.state == "next" for one in pairing.keys):
                write(self._directory, promoted(pairing))
