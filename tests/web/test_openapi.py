"""The OpenAPI document says what is so: every route is in it, and what it allows is answered as it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from signer import Signer
from support import ROOT

from sidecar.web.openapi import document
from sidecar.web.roles import ABOUT

OPERATIONS = [
    (path, method) for path, methods in document()["paths"].items() for method in methods if path != "/api/v1/doctor"
]


def test_every_route_is_in_it(app: Flask, bridge: Signer) -> None:
    served = json.loads(bridge.get("/api/v1/openapi.json").text)
    assert served == json.loads(json.dumps(document()))
    routes = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1"):
            (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            routes.add((re.sub(r"<(?:int\([^)]*\):)?(\w+)>", r"{\1}", rule.rule), method.lower()))
    assert routes == {(path, method) for path, methods in served["paths"].items() for method in methods}
    ids = [operation["operationId"] for methods in served["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)
    assert all(operation["summary"] for methods in served["paths"].values() for operation in methods.values())


def test_the_plugin_lets_all_of_it_pass_with_the_same_permission() -> None:
    """Its list of what may be asked through WordPress' REST API, but for the description itself."""
    source = (ROOT / "wp-bridge/src/Proxy.php").read_text("utf-8")
    listed = re.findall(r"array\( '(GET|POST)', '#(\^.*\$)#D', '(\w+)' \)", source)
    for path, methods in document()["paths"].items():
        example = re.sub(r"\{(?:contact_id|enrolment)\}", "7", re.sub(r"\{(?:slug|name|kind)\}", "orders", path))[1:]
        for method, operation in methods.items():
            lets = [may for verb, pattern, may in listed if verb == method.upper() and re.match(pattern, example)]
            if path == "/api/v1/openapi.json":
                assert lets == []
            else:
                assert [ABOUT[may] for may in lets] == [operation["description"].split("Who may ")[1].split(": ")[0]], (
                    path
                )  # type: ignore[index]


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: str(part))
def test_schemathesis_finds_nothing(bridge: Signer, path: str, method: str) -> None:
    """Requests made from the document, right ones and wrong ones; each answer is held against it."""
    schema = schemathesis.openapi.from_dict(document())
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    operation = schema[path][method]

    strategy = operation.as_strategy()

    @settings(
        max_examples=12, deadline=None, database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
    )  # fmt: skip
    @given(case=strategy)
    def run(case: Any) -> None:
        # What an earlier example has started would answer 409 to all that follow.
        bridge.post("/api/v1/sync/pause")
        bridge.post("/api/v1/sync/cancel")
        prepared = case.as_transport_kwargs(base_url="http://localhost")
        target, body = _sent(prepared)
        answer = bridge.ask(method.upper(), target, body, content_type="application/json")
        case.validate_response(_response(case, answer), checks=checks)

    run()


def _sent(prepared: dict[str, Any]) -> tuple[str, bytes]:
    import requests

    names = ("method", "url", "params", "json", "data")
    request = requests.Request(**{name: prepared[name] for name in names if name in prepared}).prepare()
    body = request.body or b""
    return request.path_url, body.encode() if isinstance(body, str) else body


def _response(case: Any, answer: Any) -> Any:
    import requests

    return schemathesis.Response(
        status_code=answer.status_code,
        headers={name.lower(): [value] for name, value in answer.headers.items()},
        content=answer.data,
        request=requests.Request(case.method, "http://localhost/").prepare(),
        elapsed=0.01,
        verify=False,
    )
