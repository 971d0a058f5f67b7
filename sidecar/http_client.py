"""Asking other servers by HTTP, for everything that leaves this machine. On http.client: `requests` would keep five more MiB
in a process that mostly idles.

No proxy of the environment is used, no redirect is followed, certificates are checked, every wait and every answer has a
limit, and each request has a connection of its own: a kept one that the other side has closed would lose a POST.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

CONNECT_SECONDS = 5.0
MOST_ANSWER = 1 << 20
_TARGET = re.compile(r"/[!-~]{0,8000}")
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
    """One request, all of which may take `timeout` seconds and the time to connect. Raises Failed without an answer, or with one
    that is longer than `most` bytes or was cut off."""
    sent = False
    try:
        place = urlsplit(url)
        target = (place.path or "/") + (f"?{place.query}" if place.query else "")
        if not _TARGET.fullmatch(target) or any(not _HEADER.fullmatch(text) for text in (headers or {}).values()):
            raise ValueError("an address or a header with characters that may not be there")
        with closing(_connection(place, timeout, reach)) as connection:
            connection.connect()
            # Before anything is said.
            _near(connection, reach)
            secure = _secured(connection)
            with _ending(connection.sock, timeout):
                connection.sock.settimeout(timeout)
                if secure is not None:
                    secure.do_handshake()
                sent = True
                connection.request(method, target, body or None, {"Connection": "close", **(headers or {})})
                with connection.getresponse() as answer:
                    data = answer.read(most + 1)
                    if len(data) > most or answer.length:
                        raise HTTPException("the answer was cut off")
                    known = {name.lower(): value for name, value in answer.getheaders()}
                    return Answer(status=answer.status, headers=known, body=data)
    except (HTTPException, OSError, ValueError) as error:
        raise Failed(type(error).__name__, sent=sent) from error


def _connection(place: SplitResult, timeout: float, reach: Reach) -> HTTPConnection:
    schemes = ("https",) if reach == "public" else ("http", "https")
    if place.scheme not in schemes or not place.hostname or place.username is not None:
        raise ValueError("no address that may be asked")
    host = place.hostname if place.hostname.isascii() else place.hostname.encode("idna").decode("ascii")
    kind = _Https if place.scheme == "https" else HTTPConnection
    return kind(host, place.port, timeout=min(CONNECT_SECONDS, timeout))


class _Https(HTTPConnection):
    """HTTPS whose `connect` stops before TLS: the handshake has a limit too, which HTTPSConnection's has not."""

    default_port = 443


def _secured(connection: HTTPConnection) -> ssl.SSLSocket | None:
    """TLS on an open connection, without the handshake; None for plain HTTP."""
    if not isinstance(connection, _Https):
        return None
    secure = _secure().wrap_socket(connection.sock, server_hostname=connection.host, do_handshake_on_connect=False)
    connection.sock = secure
    return secure


@contextmanager
def _ending(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection after so long, and raise TimeoutError. A socket's own limit begins anew with each byte, and a server may
    send them one by one."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():
            # What came until then may look whole.
            raise TimeoutError("the answer took too long")


def _near(connection: HTTPConnection, reach: Reach) -> None:
    """Refuse a server of the private network, by the address that answers: a name may lead anywhere. Nothing was asked yet."""
    if reach == "any":
        return
    address = ipaddress.ip_address(connection.sock.getpeername()[0].partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if not address.is_global and not (reach == "own" and address.is_loopback):
        raise Private("an address of the private network")
