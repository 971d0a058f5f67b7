"""Who gets in: nobody without a signature, nobody twice, nobody with an old one, and nobody learns why."""

from __future__ import annotations

import concurrent.futures
import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signer import ACTORS, ADMIN, TOKEN, Signer

from sidecar import signing
from sidecar.runtime import Runtime
from sidecar.state import nonces, pairing
from sidecar.web.app import create_app

REFUSED = {"error": {"code": "unauthorized", "message": "the request is not accepted", "hint": ""}}
TARGETS = ["/ui/status", "/ui/contact/5", "/api/v1/status", "/api/v1/openapi.json", "/api/v1/contacts/5", "/", "/nothing",
           "/healthz/", "/ui/../healthz", "//healthz", "/metrics/"]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_unsigned(bridge: Signer, target: str, method: str) -> None:
    answer = bridge.client.open(target, method=method)
    assert answer.status_code == 401
    assert method == "HEAD" or answer.json == REFUSED
    assert "X-FCSC-Signature" not in answer.headers


def test_healthz_says_one_thing_to_anybody(bridge: Signer) -> None:
    answer = bridge.client.get("/healthz")
    assert (answer.status_code, answer.data) == (200, b'{"ok":true}')
    assert bridge.client.post("/healthz").status_code == 401
    assert bridge.client.get("/healthz?x=1").data == b'{"ok":true}'


def _wrong(headers: dict[str, str]) -> list[dict[str, str]]:
    """Headers with one thing wrong each."""
    last = headers["X-FCSC-Signature"]
    other = ("0" if last[0] != "0" else "1") + last[1:]
    return [
        headers | {"X-FCSC-Signature": other},
        headers | {"X-FCSC-Signature": ""},
        headers | {"X-FCSC-Signature": last.upper()},
        headers | {"X-FCSC-Key": "0" * 16},
        headers | {"X-FCSC-Key": headers["X-FCSC-Key"].upper() + " "},
        headers | {"X-FCSC-Nonce": "f" * 32},
        headers | {"X-FCSC-Nonce": headers["X-FCSC-Nonce"][:-1]},
        headers | {"X-FCSC-Timestamp": str(int(headers["X-FCSC-Timestamp"]) + 1)},
        headers | {"X-FCSC-Timestamp": "0"},
        headers | {"X-FCSC-Actor": "1;administrator;fa_IR;ltr"},
        headers | {"X-FCSC-Actor": "1;root;en_US;ltr"},
        {name: value for name, value in headers.items() if name != "X-FCSC-Actor"},
        {name: value for name, value in headers.items() if name != "X-FCSC-Nonce"},
    ]


def test_wrongly_signed(bridge: Signer) -> None:
    answers = set()
    for number in range(13):
        headers = _wrong(bridge.headers("GET", "/ui/status", b"", ADMIN))[number]
        answer = bridge.client.get("/ui/status", headers=headers)
        answers.add((answer.status_code, answer.data, tuple(sorted(answer.headers.keys()))))
    assert len(answers) == 1, "the answer tells what was wrong"
    assert answers.pop()[0] == 401


def test_signed_with_another_secret(bridge: Signer) -> None:
    headers = signing.headers(bridge.key.key_id, "00" * 32, "GET", "/ui/status", b"", now=time.time(), who=ADMIN)
    assert bridge.client.get("/ui/status", headers=headers).status_code == 401
    # The stand-in secret for keys that nobody has opens nothing either.
    headers = signing.headers("0" * 16, "0" * 64, "GET", "/ui/status", b"", now=time.time(), who=ADMIN)
    assert bridge.client.get("/ui/status", headers=headers).status_code == 401


def test_signed_for_something_else(bridge: Signer) -> None:
    headers = bridge.headers("GET", "/ui/status", b"", ADMIN)
    for method, target, body in (("GET", "/ui/status?x=1", b""), ("GET", "/ui/events", b""), ("POST", "/ui/status", b""),
                                 ("GET", "/ui/status", b"body"), ("GET", "/ui/%73tatus", b"")):  # fmt: skip
        assert bridge.client.open(target, method=method, data=body, headers=headers).status_code == 401
    assert bridge.client.get("/ui/status", headers=headers).status_code == 200


def test_replayed(bridge: Signer) -> None:
    """Pain 39."""
    headers = bridge.headers("GET", "/ui/status", b"", ADMIN)
    assert bridge.client.get("/ui/status", headers=headers).status_code == 200
    again = bridge.client.get("/ui/status", headers=headers)
    assert (again.status_code, again.json) == (401, REFUSED)


def test_replayed_at_the_same_moment(app: Flask, bridge: Signer) -> None:
    headers = bridge.headers("GET", "/api/v1/events", b"", ADMIN)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(
            pool.map(lambda _: app.test_client().get("/api/v1/events", headers=headers).status_code, range(16))
        )
    assert sorted(codes) == [200] + [401] * 15


@pytest.mark.parametrize(("skew", "status"), [(-299, 200), (299, 200), (-302, 401), (302, 401), (-86400, 401)])
def test_expired(bridge: Signer, skew: int, status: int) -> None:
    assert bridge.ask("GET", "/ui/events", now=time.time() + skew).status_code == status


def test_an_old_request_stays_old_however_the_clock_is_fixed(bridge: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_NOW", "2020-01-01T00:00:00Z")
    assert bridge.ask("GET", "/ui/events", now=1577836800).status_code == 401


def test_oversized(bridge: Signer) -> None:
    body = b"x" * (signing.MAX_BODY + 1)
    answer = bridge.ask("POST", "/api/v1/mapping/check", body, content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"] if answer.json else "") == (413, "too_large")
    # One byte less is read, and judged by what it says.
    fits = bridge.ask("POST", "/api/v1/mapping/check", body[:-1], content_type="application/json")
    assert fits.status_code == 400


def test_nothing_is_open_without_a_pairing(runtime: Runtime) -> None:
    client = create_app(runtime).test_client()
    signer = Signer(client, pairing.first("http://127.0.0.1:8765").current)
    assert signer.get("/ui/status").status_code == 401
    assert client.get("/healthz").status_code == 200
    pairing.path(runtime.config.state.dir).write_text("{broken")
    answer = signer.get("/ui/status")
    assert (answer.status_code, answer.json) == (401, REFUSED)


def test_metrics_need_their_token(bridge: Signer) -> None:
    get = bridge.client.get
    assert get("/metrics").status_code == 401
    assert get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401
    answer = get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert re.search(r"^fcsc_lag_seconds \d", answer.text, re.MULTILINE)
    assert 'fcsc_requests_total{method="GET",route="/metrics",status="401"} 2.0' in answer.text


def test_without_a_token_there_are_no_metrics(runtime: Runtime) -> None:
    import msgspec

    config = msgspec.structs.replace(runtime.config, service=type(runtime.config.service)())
    with type(runtime)(config) as other:
        client = create_app(other).test_client()
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            assert client.get("/metrics", headers=headers).status_code == 404


def test_a_rotated_key_opens_for_a_quarter_of_an_hour(bridge: Signer, state_dir: Path) -> None:
    known = pairing.read(state_dir)
    assert known is not None
    now = time.time()
    rotated = pairing.promoted(pairing.with_next(known, known.endpoint, now), now - 899)
    pairing.write(state_dir, rotated)
    assert bridge.get("/ui/events").status_code == 200
    assert Signer(bridge.client, rotated.current).get("/ui/events").status_code == 200
    pairing.write(state_dir, pairing.promoted(pairing.with_next(known, known.endpoint, now), now - 902))
    assert bridge.get("/ui/events").status_code == 401


def test_the_first_request_with_a_pasted_key_makes_it_the_current_one(bridge: Signer, state_dir: Path) -> None:
    known = pairing.read(state_dir)
    assert known is not None
    waiting = pairing.with_next(known, known.endpoint)
    pairing.write(state_dir, waiting)
    assert bridge.get("/ui/events").status_code == 200
    assert pairing.read(state_dir) == waiting, "our own requests are signed with the key that the plugin has"
    assert Signer(bridge.client, waiting.keys[-1]).get("/ui/events").status_code == 200
    after = pairing.read(state_dir)
    assert after is not None and after.current.key_id == waiting.keys[-1].key_id
    assert bridge.get("/ui/events").status_code == 200
    assert pairing.path(state_dir).stat().st_mode & 0o777 == 0o600


def test_nonces_are_forgotten_when_they_can_do_no_harm(runtime: Runtime) -> None:
    state = runtime.state
    assert nonces.spend(state, "a" * 32, 1000) and not nonces.spend(state, "a" * 32, 1600)
    assert nonces.prune(state, 1600) == 0
    assert nonces.prune(state, 1601) == 1
    assert nonces.spend(state, "a" * 32, 1601)


@pytest.mark.parametrize("target", ["/ui/status", "/api/v1/status"])
def test_a_state_that_fails_is_told_to_the_bridge_by_a_signed_answer(
    bridge: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Else the page says that a stranger sits on the port, and to pair again."""

    def full(*_: object) -> bool:
        with closing(sqlite3.connect(tmp_path / "small.sqlite3")) as disk:
            disk.execute("PRAGMA max_page_count = 1")
            disk.execute("CREATE TABLE nonce (nonce TEXT)")
        return True

    with monkeypatch.context() as patch:
        patch.setattr(nonces, "spend", full)
        answer = bridge.get(target)
    assert answer.status_code == 500
    assert "disk is full" in answer.text
    assert "make room" in answer.text
    assert bridge.client.get(target).status_code == 401


def test_pages_need_a_user(synced: Signer) -> None:
    """A form that no user stands behind: what a forged request through the machine's own key would be."""
    for method in ("GET", "POST"):
        answer = synced.ask(method, "/ui/sync", b"action=start" if method == "POST" else b"", who="-",
                            content_type="application/x-www-form-urlencoded")  # fmt: skip
        assert answer.status_code == 403
    assert synced.data("/api/v1/sync")["job"] is None
    assert synced.get("/api/v1/status", who="-").status_code == 200


def test_forms_are_taken_as_forms_only(synced: Signer) -> None:
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        assert synced.ask("POST", "/ui/sync", b"action=start", content_type=kind).status_code == 415
    assert synced.form("sync", action="nothing").status_code == 400
    assert synced.data("/api/v1/sync")["job"] is None


TRICKS = ["/ui/..%2fapi/v1/status", "/ui/./status", "/ui//status", "/ui/status/", "/ui/status/../sync",
          "/ui/%2e%2e/healthz", "/ui/status%00", "/ui/status%0d%0aX: y", "/UI/status", "/ui/status;x=1", "/ui/contact/-1",
          "/ui/contact/5e0", "/ui/contact/%D9%A5", "/ui/contact/99999999999999999999", "/ui/contact/5/../6",
          "/api/v1/explore/../status", "/api/v1/explore/users%2f..", "/ui/contact/5%20OR%201=1"]  # fmt: skip


@pytest.mark.parametrize("target", TRICKS)
def test_path_tricks(bridge: Signer, target: str) -> None:
    answer = bridge.get(target)
    assert answer.status_code == 404, (answer.status_code, answer.headers.get("Location"))


def test_every_answer_has_the_headers(bridge: Signer) -> None:
    for answer in (bridge.get("/ui/events"), bridge.client.get("/ui/events"), bridge.client.get("/healthz"),
                   bridge.get("/nothing")):  # fmt: skip
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Set-Cookie" not in answer.headers


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST"]),
    tail=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30),
)
def test_whatever_is_asked_has_an_answer_of_the_one_shape(bridge: Signer, method: str, tail: str) -> None:
    from urllib.parse import quote

    answer = bridge.ask(method, "/api/v1/" + quote(tail, safe="/?=&;:@"), content_type="application/json")
    assert answer.status_code < 500, answer.text
    body = json.loads(answer.text)
    assert set(body) in ({"data", "next"}, {"error"}) or "openapi" in body
    if "error" in body:
        assert set(body["error"]) == {"code", "message", "hint"}


def test_the_bridge_can_be_mounted_below_a_path(app: Flask, bridge: Signer) -> None:
    """Passenger: the target is what comes after the endpoint."""
    headers = bridge.headers("GET", "/ui/events?type=order", b"", ADMIN)
    answer = bridge.client.get("/ui/events?type=order", headers=headers, base_url="http://localhost/mounted")
    assert answer.status_code == 200
    assert ACTORS["administrator"] == ADMIN
