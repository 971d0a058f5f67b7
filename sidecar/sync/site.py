"""The clone guard: a copy of a shop (staging, a restored backup) must not write to anybody's contacts by itself.

The first site that the state sees is the known one. When the address, the database or its server are others, all
outgoing effects are on hold until the owner says that it is theirs (`sidecar site confirm`). A site that is again as
it was needs no confirmation.
"""

from __future__ import annotations

import re

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.errors import OnHold
from sidecar.mysql.connection import Reader
from sidecar.state.database import State

_KNOWN, _SINCE = "site.known", "site.hold_since"
# A container's host name is made up anew each time it is made: it says nothing.
_CONTAINER = re.compile(r"[0-9a-f]{12}")
_WORDS = {
    "siteurl": "the site's address (option siteurl)",
    "home": "the site's address (option home)",
    "database": "the name of the database",
    "server": "the database server",
}


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """Which site this is. Addresses without scheme and `www.`: http → https is no other site."""

    siteurl: str
    home: str
    database: str
    server: str


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The site now and as it is known; `changed` are sentences, empty when nothing is on hold. `since`: Unix seconds."""

    now: Fingerprint
    known: Fingerprint
    changed: list[str] = []
    since: int | None = None

    @property
    def held(self) -> bool:
        return bool(self.changed)


def home(config: Config) -> str:
    """Where the site is: as the configuration says, else its option `home`. Raises StoreUnavailable."""
    if config.bridge.site_url:
        return config.bridge.site_url
    with Reader(config) as reader:
        return {str(name): str(value) for name, value in reader.rows("site_options")}.get("home", "")


def address(state: State) -> str:
    """The known site's address, without asking the shop; '' before anybody has looked."""
    text = state.get(_KNOWN)
    return msgspec.json.decode(text, type=Fingerprint).home if text else ""


def look(reader: Reader, state: State) -> Site:
    """Compare the site with the known one; the first one becomes the known one."""
    now = fingerprint(reader)
    text = state.get(_KNOWN)
    if not text:
        _keep(state, now)
        return Site(now=now, known=now)
    known = msgspec.json.decode(text, type=Fingerprint)
    changed = [
        f"{words} was {getattr(known, name) or '(none)'}, now it is {getattr(now, name) or '(none)'}"
        for name, words in _WORDS.items()
        if getattr(known, name) != getattr(now, name)
    ]
    since = state.get(_SINCE)
    if changed and not since:
        since = str(int(clock.now().timestamp()))
        state.set(_SINCE, since)
    elif not changed and since:
        state.set(_SINCE, "")
    return Site(now=now, known=known, changed=changed, since=int(since) if changed else None)


def guard(reader: Reader, state: State) -> None:
    """Raises OnHold when the site is not the known one."""
    found = look(reader, state)
    if found.held:
        raise OnHold(
            "this is not the site that the sidecar knows: nothing is written before you confirm it",
            hint="a staging copy: leave it so. The shop moved: `sidecar site confirm`",
            details=found.changed,
        )


def confirm(reader: Reader, state: State) -> Fingerprint:
    """The owner says that the site as it is now is theirs."""
    now = fingerprint(reader)
    _keep(state, now)
    return now


def on_hold(state: State) -> int | None:
    """Since when things are on hold (Unix seconds), as the last look found it. The shop is not asked."""
    since = state.get(_SINCE)
    return int(since) if since else None


def fingerprint(reader: Reader) -> Fingerprint:
    """Which site answers now."""
    options = {str(row[0]): str(row[1]) for row in reader.rows("site_options")}
    server = {str(row[0]): str(row[1]) for row in reader.rows("site_server")}
    host = server.get("hostname", "")
    place = f"{'' if _CONTAINER.fullmatch(host) else host}:{server.get('datadir', '')}"
    return Fingerprint(
        siteurl=_address(options.get("siteurl", "")),
        home=_address(options.get("home", "")),
        database=reader.database,
        server=server.get("server_uuid") or place,
    )


def _address(url: str) -> str:
    return re.sub(r"^[a-z]+://(?:www\.)?", "", url.strip().lower()).rstrip("/")


def _keep(state: State, now: Fingerprint) -> None:
    with state.transaction():
        state.set(_KNOWN, msgspec.json.encode(now).decode())
        state.set(_SINCE, "")
