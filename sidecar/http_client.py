"""Asking other servers by HTTP, for everything that leaves this machine. On http.client: `requests` would keep five more MiB
in a process that mostly idles.

No proxy of the environment is used, no redirect is followed, certificates are checked, every wait and every answer has a
limit, and each request has a connection of its own: a kept one that the other side has closed would lose a POST.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

CONNECT_SECONDS = 5.0
MOST_ANSWER = 1 << 20
_URL = re.compile(r"[!-~]{1,8000}")
_HEADER = re.compile(r"[ -~]*")
# any: whoever is configured. own: servers of the internet and this machine. public: servers of the internet, by https only.
Reach = Literal["any", "own", "public"]


class Private(OSError):
    """The server is one of the private network, and may not be asked. Nothing was sent."""


class Failed(OSError):
    """There is no answer. `sent`: the request may have arrived, so that asking again may do a thing twice. `kind` is the
    type of the error; the text of it may name what is nobody's business."""

    def __init__(self, kind: str, *, sent: bool) -> None:
        super().__init__(kind)
        self.kind = kind
        self.sent = sent


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Names of headers are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as plain data, None when it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def retry_after(self) -> float:
        """Seconds of the header Retry-After, at most a day; 0 without (a date is not read)."""
        text = self.headers.get("retry-after", "").strip()
        return min(86_400.0, float(text)) if text.isascii() and text.isdigit() else 0.0


class _Shared(threading.local):
    depth = 0
    context: ssl.SSLContext | None = None


_shared = _Shared()


@contextmanager
def sharing() -> Iterator[None]:
    """Within it all requests of this thread use the same trusted certificates: reading them takes 40 ms, keeping them 3 MiB."""
    _shared.depth += 1
    try:
        yield
    finally:
        _shared.depth -= 1
        if not _shared.depth:
            _shared.context = None


def _secure() -> ssl.SSLContext:
    if not _shared.depth:
        return ssl.create_default_context()
    if _shared.context is None:
        _shared.context = ssl.create_default_context()
    return _shared.context


def ask(
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = 15.0,
    most: int = MOST_ANSWER,
    reach: Reach = "any",
) -> Answer:
    """One request. Raises Failed without an answer, or with one that is longer than `most` bytes or was cut off."""
    sent = False
    try:
        if not _URL.fullmatch(url) or any(not _HEADER.fullmatch(text) for text in (headers or {}).values()):
            raise ValueError("an address or a header with characters that may not be there")
        with closing(_connection(url, timeout, reach)) as connection:
            connection.connect()
            _near(connection, reach)
            connection.sock.settimeout(timeout)
            sent = True
            place = urlsplit(url)
            target = (place.path or "/") + (f"?{place.query}" if place.query else "")
            connection.request(method, target, body or None, {"Connection": "close", **(headers or {})})
            with connection.getresponse() as answer:
                data = answer.read(most + 1)
                if len(data) > most or answer.length:
                    raise HTTPException("the answer was cut off")
                known = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(status=answer.status, headers=known, body=data)
    except (HTTPException, OSError, ValueError) as error:
        raise Failed(type(error).__name__, sent=sent) from error


def _connection(url: str, timeout: float, reach: Reach) -> HTTPConnection:
    place = urlsplit(url)
    schemes = ("https",) if reach == "public" else ("http", "https")
    if place.scheme not in schemes or not place.hostname or place.username is not None:
        raise ValueError("no address that may be asked")
    seconds = min(CONNECT_SECONDS, timeout)
    if place.scheme == "http":
        return HTTPConnection(place.hostname, place.port, timeout=seconds)
    return HTTPSConnection(place.hostname, place.port, timeout=seconds, context=_secure())


def _near(connection: HTTPConnection, reach: Reach) -> None:
    """Refuse a server of the private network, by the address that answers: a name may lead anywhere. Nothing was asked yet."""
    if reach == "any":
        return
    address = ipaddress.ip_address(connection.sock.getpeername()[0].partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if not address.is_global and not (reach == "own" and address.is_loopback):
        raise Private("an address of the private network")
