"""A sidecar that answers what a test says: to see what the bridge asks, and what it makes of the answer."""

from __future__ import annotations

import hashlib
import hmac
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from wordpress_site import SECRET


@dataclass
class Asked:
    """One request. `good`: its signature was right."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    good: bool


@dataclass
class Answer:
    """`signature` None signs rightly."""

    body: str = "<p>hello</p>"
    status: int = 200
    type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    signature: str | None = None


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


class FakeSidecar:
    """Use it as a context manager. `asked` are the requests, newest last; `answer` decides what they get."""

    def __init__(self, path: str = "") -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Answer] = lambda _: Answer()
        handler = self._handler()
        self.server: Any = _Unix(path, handler) if path else _Tcp(("127.0.0.1", 0), handler)
        self.endpoint = f"unix:{path}" if path else f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> FakeSidecar:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = {name.lower(): value for name, value in self.headers.items()}
                text = "\n".join(
                    ("FCSC1", self.command, self.path, said.get("x-fcsc-timestamp", ""), said.get("x-fcsc-nonce", ""),
                     said.get("x-fcsc-actor", ""), hashlib.sha256(body).hexdigest())
                )  # fmt: skip
                asked = Asked(self.command, self.path, said, body, _mac(text) == said.get("x-fcsc-signature"))
                fake.asked.append(asked)
                answer = fake.answer(asked)
                data = answer.body.encode()
                right = _mac(f"FCSC1R\n{answer.status}\n{said.get('x-fcsc-nonce')}\n{hashlib.sha256(data).hexdigest()}")
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.type)
                self.send_header("Content-Length", str(len(data)))
                signature = right if answer.signature is None else answer.signature
                for name, value in (answer.headers | ({"X-FCSC-Signature": signature} if signature else {})).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 -- the base class' names

            def address_string(self) -> str:
                return "test"

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _mac(text: str) -> str:
    return hmac.new(bytes.fromhex(SECRET), text.encode(), "sha256").hexdigest()
