"""Outgoing webhooks: signed, tried again, and never to where nobody wanted them."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from outgoing import authority
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sidecar import http_client
from sidecar.automations.channels.gate import Gate, standing
from sidecar.automations.channels.hooks import Hooks
from sidecar.automations.effects import HookWish
from sidecar.config_channels import Webhook
from sidecar.state.database import State

SECRET = "wh00k-geheim"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state") as opened:
        yield opened


def hooks(state: State, **changes: Any) -> Hooks:
    return Hooks(Webhook(**({"secret": SECRET} | changes)), Gate(state))


def wish(url: str, **data: Any) -> HookWish:
    return HookWish(key="key-1", url=url, data=data or {"event": "cart", "name": "سارا"})


def test_a_webhook_is_signed(httpserver: HTTPServer, state: State) -> None:
    heard: list[Any] = []

    def take(request: Request) -> Response:
        body = request.get_data()
        stamp = request.headers["X-FCSC-Timestamp"]
        wanted = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert request.headers["X-FCSC-Signature"] == f"sha256={wanted}"
        assert (stamp, request.headers["X-FCSC-Delivery"]) == ("1793534400", "key-1")
        assert request.headers["Content-Type"] == "application/json"
        heard.append(json.loads(body))
        return Response("", 204)

    httpserver.expect_request("/n8n", method="POST").respond_with_handler(take)
    found = hooks(state).send(wish(httpserver.url_for("/n8n")))
    assert (found.key, found.state) == ("key-1", "done")
    assert heard == [{"event": "cart", "name": "سارا"}]
    assert SECRET not in repr(found) + repr(Webhook(secret=SECRET))


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(200, "done"), (202, "done"), (400, "refused"), (401, "refused"), (404, "refused"), (410, "refused"), (302, "refused"),
     (308, "refused"), (408, "again"), (425, "again"), (429, "again"), (500, "again"), (503, "again")],
)  # fmt: skip
def test_what_answers_mean(httpserver: HTTPServer, state: State, status: int, wanted: str) -> None:
    httpserver.expect_request("/in").respond_with_data(
        "", status=status, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    assert hooks(state).send(wish(httpserver.url_for("/in"))).state == wanted
    assert [request.path for request, _ in httpserver.log] == ["/in"]


def test_a_server_in_trouble_is_left_alone_for_longer_each_time(
    httpserver: HTTPServer, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/in").respond_with_data("", status=503)
    us, asked = hooks(state), []
    for second in range(0, 121, 5):
        monkeypatch.setenv("SIDECAR_NOW", f"2026-11-01T12:{second // 60:02}:{second % 60:02}Z")
        before = len(httpserver.log)
        assert us.send(wish(httpserver.url_for("/in"))).state == "again"
        if len(httpserver.log) > before:
            asked.append(second)
    assert asked == [0, 10, 30, 70]
    httpserver.clear()
    httpserver.expect_request("/in").respond_with_data("")
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:03:00Z")
    assert us.send(wish(httpserver.url_for("/in"))).state == "done"
    assert [(one.name, one.failures, one.retry_at) for one in standing(state)] == [("hook:localhost", 0, 0)]


@pytest.mark.parametrize(
    "url",
    ["", "nowhere", "file:///etc/passwd", "ftp://x.example/", "http://", "https://user:pass@localhost/", "http://localhost:99999/",
     "http://x/\r\nHost: y", "http://[::1", "http://x y/", "http://münchen.example\u2028/"],
)  # fmt: skip
def test_what_is_no_address(state: State, url: str) -> None:
    assert hooks(state).send(wish(url)).state in ("again", "refused")


def test_private_addresses_are_not_asked_unless_the_owner_says_so(
    monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer, state: State
) -> None:
    """The address that answers counts, not the name: a name may lead to 127.0.0.1 once and elsewhere the next time."""
    httpserver.expect_request("/in").respond_with_data("")
    url = httpserver.url_for("/in")
    real = http_client.HTTPConnection.connect

    class Elsewhere:
        """A socket of this machine that says it is another's."""

        def __init__(self, sock: Any, address: str) -> None:
            self._sock, self._address = sock, address

        def getpeername(self) -> tuple[str, int]:
            return self._address, 80

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sock, name)

    for address, wanted in (
        ("10.0.0.7", "refused"), ("192.168.1.1", "refused"), ("169.254.169.254", "refused"), ("fd00::1", "refused"),
        ("fe80::1%eth0", "refused"), ("::ffff:10.0.0.7", "refused"), ("0.0.0.0", "refused"), ("100.64.0.1", "refused"),
        ("127.0.0.1", "done"), ("::1", "done"), ("::ffff:127.0.0.1", "done"), ("93.184.216.34", "done"),
    ):  # fmt: skip

        def connect(self: Any, address: str = address) -> None:
            real(self)
            self.sock = Elsewhere(self.sock, address)

        monkeypatch.setattr(http_client.HTTPConnection, "connect", connect)
        before = len(httpserver.log)
        found = hooks(state).send(wish(url))
        assert found.state == wanted, address
        assert len(httpserver.log) - before == (1 if wanted == "done" else 0)
        assert hooks(state, private=True).send(wish(url)).state == "done", address


def test_without_a_secret_nothing_goes_out(httpserver: HTTPServer, state: State) -> None:
    found = hooks(state, secret="").send(wish(httpserver.url_for("/in")))
    assert (found.state, httpserver.log) == ("refused", [])
    assert "secret" in found.reason


def test_what_is_too_long_or_no_json(httpserver: HTTPServer, state: State) -> None:
    assert hooks(state).send(wish(httpserver.url_for("/in"), text="x" * 1_100_000)).state == "refused"
    assert hooks(state).send(wish(httpserver.url_for("/in"), thing=object())).state == "refused"
    assert hooks(state).send(wish(httpserver.url_for("/in"), text="half \ud83d")).state == "refused"
    assert httpserver.log == []


def test_answers_have_a_limit_and_no_proxy_is_used(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    httpserver.expect_request("/long").respond_with_data("x" * 5000)
    assert len(http_client.ask("GET", httpserver.url_for("/long")).body) == 5000
    with pytest.raises(http_client.Failed) as caught:
        http_client.ask("GET", httpserver.url_for("/long"), most=4999)
    assert caught.value.sent


def test_a_request_that_cannot_be_built_was_not_sent(httpserver: HTTPServer) -> None:
    for url, headers in (
        (httpserver.url_for("/a b"), {}),
        (httpserver.url_for("/x"), {"X-A": "a\r\nX-B: b"}),
        (httpserver.url_for("/x"), {"X-A": "سارا"}),
    ):
        with pytest.raises(http_client.Failed) as caught:
            http_client.ask("GET", url, headers=headers)
        assert not caught.value.sent
    assert httpserver.log == []


def test_certificates_are_checked_and_read_once_for_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, context = authority(tmp_path)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/in").respond_with_data("ok")
        url = server.url_for("/in")
        assert url.startswith("https://")
        with pytest.raises(http_client.Failed) as caught:
            http_client.ask("GET", url)
        assert (caught.value.kind, caught.value.sent) == ("SSLCertVerificationError", False)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        made: list[int] = []
        real = http_client.ssl.create_default_context
        monkeypatch.setattr(http_client.ssl, "create_default_context", lambda: (made.append(1), real())[1])
        with http_client.sharing():
            with http_client.sharing():
                assert http_client.ask("GET", url).body == b"ok"
            assert http_client.ask("GET", url).body == b"ok"
        assert len(made) == 1
        assert http_client._shared.context is None
        assert http_client.ask("GET", url).status == 200
        assert len(made) == 2
        assert len(server.log) == 3


@pytest.mark.parametrize("part", ["handshake", "headers", "body"])
def test_a_server_that_drips_does_not_hold_us(part: str) -> None:
    """A socket's own limit would begin anew with every byte."""
    stop = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            # The first bytes of a TLS record that is 16,000 bytes long, of headers, of a body.
            begin = {
                "handshake": b"\x16\x03\x03\x3e\x80",
                "headers": b"HTTP/1.1 200 OK\r\nX-A: ",
                "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
            }
            connection.sendall(begin[part])
            while not stop.wait(0.05):
                connection.sendall(b"\x02")

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    scheme = "https" if part == "handshake" else "http"
    try:
        with pytest.raises(http_client.Failed) as caught:
            http_client.ask("GET", f"{scheme}://127.0.0.1:{server.getsockname()[1]}/", timeout=0.4)
    finally:
        stop.set()
        thread.join()
        server.close()
    assert time.monotonic() - began < 3
    assert (caught.value.kind, caught.value.sent) == ("TimeoutError", part != "handshake")


def test_a_host_of_other_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nobody(self: Any) -> None:
        asked.append(self.host)
        raise OSError

    monkeypatch.setattr(http_client.HTTPConnection, "connect", nobody)
    with pytest.raises(http_client.Failed):
        http_client.ask("GET", "http://bücher.example/x")
    assert asked == ["xn--bcher-kva.example"]
    for url in ("http://\u2028.example/", "http://x/\u2028"):
        with pytest.raises(http_client.Failed) as caught:
            http_client.ask("GET", url)
        assert not caught.value.sent
