"""Somebody who signs requests as the plugin does, and what tests of the service share."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sidecar import signing
from sidecar.state import pairing

ADMIN = "1;administrator;en_US;ltr"
ACTORS = {
    "administrator": ADMIN,
    "shop_manager": "2;shop_manager;en_US;ltr",
    "crm_manager": "3;crm_manager;en_US;ltr",
    "support": "4;support;en_US;ltr",
}
TOKEN = "metrics-of-the-test"


class Signer:
    """The bridge: signs what it asks, and believes only signed answers."""

    def __init__(self, client: FlaskClient, key: pairing.Key) -> None:
        self.client = client
        self.key = key

    def headers(self, method: str, target: str, body: bytes, who: str, **over: Any) -> dict[str, str]:
        parts: dict[str, Any] = {"now": time.time(), "who": who} | over
        return signing.headers(self.key.key_id, self.key.secret, method, target, body, **parts)

    def ask(
        self, method: str, target: str, body: bytes = b"", *, who: str = ADMIN, content_type: str = "", **over: Any
    ) -> TestResponse:
        headers = self.headers(method, target, body, who, **over)
        if content_type:
            headers["Content-Type"] = content_type
        answer = self.client.open(target, method=method, data=body, headers=headers)
        if answer.status_code not in (401, 413):
            assert signing.verify_response(
                self.key.secret, answer.headers.get("X-FCSC-Signature", ""), answer.status_code,
                headers["X-FCSC-Nonce"], answer.data,
            ), "an answer that is not signed"  # fmt: skip
        return answer

    def get(self, target: str, *, who: str = ADMIN) -> TestResponse:
        return self.ask("GET", target, who=who)

    def page(self, view: str, *, who: str = ADMIN) -> str:
        answer = self.get(f"/ui/{view}", who=who)
        assert answer.status_code == 200, answer.text
        assert answer.content_type == "text/html; charset=utf-8"
        return answer.text

    def form(self, view: str, *, who: str = ADMIN, **fields: str) -> TestResponse:
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", f"/ui/{view}", urlencode(fields).encode(), who=who, content_type=kind)

    def post(self, target: str, data: Any = None, *, who: str = ADMIN) -> TestResponse:
        body = b"" if data is None else msgspec.json.encode(data)
        return self.ask("POST", target, body, who=who, content_type="application/json")

    def data(self, target: str, *, who: str = ADMIN) -> Any:
        answer = self.get(target, who=who)
        assert answer.status_code == 200, answer.text
        return answer.json["data"] if answer.json else None
