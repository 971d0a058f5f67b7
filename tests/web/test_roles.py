"""Who may do what: every route and every form for every role, against the table of the contract, written down here again."""

from __future__ import annotations

import re
from itertools import product
from urllib.parse import quote

import pytest
from flask import Flask
from signer import ACTORS, Signer
from support import ShopDatabase
from syncing import checksums

from sidecar.runtime import Runtime
from sidecar.web import roles
from sidecar.web.dashboard import pages

ALL = set(ACTORS)
SYNC = {"administrator", "shop_manager", "crm_manager"}
UNDO = {"administrator", "shop_manager"}
MAPPING = {"administrator", "crm_manager"}
ADMIN = {"administrator"}
ROUTES = {
    "GET /ui/status": ALL, "POST /ui/status": ALL, "GET /ui/events": ALL, "GET /ui/sync": ALL, "POST /ui/sync": ALL,
    "GET /ui/mapping": MAPPING, "POST /ui/mapping": MAPPING, "GET /ui/contact/<id>": ALL,
    "GET /api/v1/status": ALL, "GET /api/v1/events": ALL, "GET /api/v1/sync": ALL, "POST /api/v1/sync/start": SYNC,
    "POST /api/v1/sync/pause": SYNC, "POST /api/v1/sync/resume": SYNC, "POST /api/v1/sync/cancel": SYNC,
    "POST /api/v1/sync/undo": UNDO, "GET /api/v1/letters": ALL, "POST /api/v1/letters/retry": SYNC,
    "GET /api/v1/mapping": MAPPING, "POST /api/v1/mapping/check": MAPPING, "POST /api/v1/mapping/preview": MAPPING,
    "POST /api/v1/mapping/save": MAPPING, "GET /api/v1/explore/<kind>": MAPPING, "POST /api/v1/explore/<kind>": MAPPING,
    "GET /api/v1/contacts/<id>": ALL, "GET /api/v1/explain/<id>": ALL, "GET /api/v1/doctor": ALL,
    "POST /api/v1/privacy/erase": ADMIN, "GET /api/v1/site": ALL, "POST /api/v1/site/confirm": ADMIN,
    "GET /api/v1/openapi.json": ALL, "GET /ui/segments": ALL, "POST /ui/segments": ALL, "GET /api/v1/segments": ALL,
    "GET /api/v1/segments/<slug>": ALL, "GET /api/v1/segments/<slug>/people": ALL, "POST /api/v1/segments/refresh": SYNC,
    "GET /api/v1/segment-rules": MAPPING, "POST /api/v1/segment-rules/preview": MAPPING,
    "POST /api/v1/segment-rules/save": MAPPING, "POST /api/v1/segment-rules/remove": MAPPING,
    "GET /ui/automations": ALL, "POST /ui/automations": ALL, "GET /api/v1/automations": ALL,
    "GET /api/v1/automations/<name>": ALL, "GET /api/v1/automations/<name>/people": ALL,
    "GET /api/v1/automations/<name>/people/<id>": ALL, "GET /api/v1/automations/<name>/messages": ALL,
    "GET /api/v1/automations/<name>/preflight": ALL, "POST /api/v1/automations/on": SYNC,
    "POST /api/v1/automations/off": SYNC, "POST /api/v1/automations/why": ALL, "GET /api/v1/automation-texts/<name>": MAPPING,
    "POST /api/v1/automation-texts/check": MAPPING, "POST /api/v1/automation-texts/preview": MAPPING,
    "POST /api/v1/automation-texts/save": MAPPING, "POST /api/v1/automation-texts/reset": MAPPING,
    "POST /api/v1/automation-texts/copy": MAPPING, "POST /api/v1/automation-texts/remove": MAPPING,
}  # fmt: skip
FORMS = {
    "status": {"confirm": ADMIN, "retry": SYNC, "pause": SYNC, "resume": SYNC},
    "events": {},
    "sync": {"start": SYNC, "pause": SYNC, "resume": SYNC, "cancel": SYNC, "undo": UNDO},
    "segments": {"refresh": SYNC, "preview": MAPPING, "save": MAPPING, "remove": MAPPING},
    "automations": {
        "on": SYNC,
        "off": SYNC,
        "enable": SYNC,
        "why": ALL,
        "backtest": SYNC,
        "test": ADMIN,
        "preview": MAPPING,
        "save": MAPPING,
        "reset": MAPPING,
        "copy": MAPPING,
        "remove": MAPPING,
    },
    "mapping": {"check": MAPPING, "preview": MAPPING, "save": MAPPING, "explore": MAPPING},
}


def _routes(app: Flask) -> dict[str, str]:
    """{`GET /ui/contact/<id>`: a URL of it}."""
    found = {}
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert len(methods) == 1, rule
        name = re.sub(r"<int\([^)]*\):\w+>", "<id>", rule.rule)
        url = (
            re.sub(r"<id>", "5", name).replace("<kind>", "users").replace("<slug>", "vip").replace("<name>", "welcome")
        )
        found[f"{methods.pop()} {name}"] = url
    return found


def test_the_table_is_whole(app: Flask) -> None:
    """A new route or form must be written down here, with who may."""
    assert set(_routes(app)) == set(ROUTES) | {"GET /healthz", "GET /metrics"}
    assert {view: set(actions) for view, actions in pages.ACTIONS.items()} == {v: set(a) for v, a in FORMS.items()}


def test_every_route_for_every_role(app: Flask, bridge: Signer) -> None:
    urls = _routes(app)
    for route, (role, who) in product(ROUTES, ACTORS.items()):
        method, _, _ = route.partition(" ")
        # Bodies that no view accepts: who may gets an error of the request's, who may not never gets that far.
        answer = bridge.ask(method, urls[route], b"[" if method == "POST" else b"", who=who)
        allowed = answer.status_code != 403
        assert allowed == (role in ROUTES[route]), (route, role, answer.status_code)


def test_every_form_for_every_role(bridge: Signer) -> None:
    for view, actions in FORMS.items():
        for (action, who_may), (role, who) in product(actions.items(), ACTORS.items()):
            if (view, action) in (("sync", "start"), ("status", "retry"), ("segments", "refresh")):
                bridge.form("sync", action="pause")  # whatever was started before: the next may start
                bridge.form("sync", action="cancel")
            answer = bridge.form(view, action=action, who=who)
            allowed = answer.status_code != 403
            assert allowed == (role in who_may), (view, action, role, answer.status_code)


def test_reading_changes_nothing(app: Flask, synced: Signer, demo_hpos: ShopDatabase, runtime: Runtime) -> None:
    """Pain 26: whatever a scanner or a browser fetches ahead, no GET writes into the shop or FluentCRM, touches the record
    of consent, pauses, starts or erases anything, whatever stands in its query."""

    def state() -> list[object]:
        # Not `nonce` and `setting`: each request is remembered. Not `job`: asking for a survey starts one.
        tables = ("consent", "person", "suppressed", "shop_order", "run", "dead_letter", "event", "alert")
        return [runtime.state.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]

    before = checksums(demo_hpos, lambda table: True), state()
    contact, email = demo_hpos.rows("SELECT id, email FROM wp_fc_subscribers WHERE status <> 'unsubscribed' LIMIT 1")[0]
    tempting = f"action=erase&status=unsubscribed&unsubscribe=1&confirm=1&sure=1&run=1&email={quote(email)}"
    for route, url in _routes(app).items():
        if route.startswith(("GET /ui", "GET /api")):
            for target in (url, f"{url}?{tempting}"):
                target = target.replace("/5", f"/{contact}")
                assert synced.get(target).status_code in (200, 400, 404, 422), target
        elif route.startswith("POST"):
            assert synced.get(url).status_code in (200, 404, 405), route
    assert (checksums(demo_hpos, lambda table: True), state()) == before
    assert runtime.health().paused is None


def test_what_one_may_not_is_not_offered(synced: Signer) -> None:
    support, manager = ACTORS["support"], ACTORS["shop_manager"]
    assert "<form" not in synced.page("status", who=support) and "<form" not in synced.page("sync", who=support)
    assert "view=mapping" not in synced.page("status", who=manager)
    assert "view=mapping" in synced.page("status", who=ACTORS["crm_manager"])
    assert 'value="undo"' in synced.page("sync", who=manager)
    assert 'value="undo"' not in synced.page("sync", who=ACTORS["crm_manager"])


def test_the_machine_may_all_but_pages(bridge: Signer) -> None:
    assert bridge.get("/api/v1/mapping", who="-").status_code == 200
    assert bridge.get("/ui/mapping", who="-").status_code == 403
    assert all(roles.may(None, permission) for permission in roles.PERMISSIONS)


@pytest.mark.parametrize("permission", roles.PERMISSIONS)
def test_the_table_in_the_documentation(permission: roles.Permission) -> None:
    from support import ROOT

    text = (ROOT / "docs" / "service.md").read_text("utf-8")
    row = re.search(rf"^\| {re.escape(roles.ABOUT[permission])} \|(.+)\|$", text, re.MULTILINE)
    assert row, f"docs/service.md has no row: {roles.ABOUT[permission]}"
    cells = [cell.strip() == "x" for cell in row[1].split("|")]
    assert cells == [role in roles.TABLE[permission] for role in roles.ROLES]
