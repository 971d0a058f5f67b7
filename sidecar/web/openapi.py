"""`/api/v1/openapi.json`, written from the routes and structs themselves: it cannot say what is not so."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
from flask import Response

from sidecar import __version__, signing
from sidecar.web.errors import ErrorBody
from sidecar.web.roles import ABOUT, TABLE
from sidecar.web.routes import MOST_ID, Nothing, Noun, Route

noun = Noun("openapi.json")

_PART = re.compile(r"<(?:(?P<type>int)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_REFUSALS = {
    "400": "The parameters or the body are not right.",
    "401": "Not signed, wrongly signed, too old, or sent before.",
    "403": "The user's role may not do this.",
    "404": "What was asked for is not there.",
    "409": "Somebody else is at it, or it has changed meanwhile.",
    "413": "The body is too large.",
    "422": "The rules are not in order.",
    "500": "A fault of the sidecar, or of its configuration.",
    "503": "The shop's database or the bridge cannot be reached.",
}


@noun.get_("", may="see", answers=dict[str, Any])
def openapi() -> Response:
    """This document, as tools expect it: not within `data`."""
    return Response(msgspec.json.encode(document()), content_type="application/json")


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    from sidecar.web.api import NOUNS

    routes = [route for one in NOUNS for route in one.routes]
    types = [type_ for route in routes for type_ in (route.body, route.answers) if type_ is not None]
    queries = {route.query: None for route in routes if route.query is not Nothing}
    schemas, components = msgspec.json.schema_components(
        [*types, ErrorBody, *queries], ref_template="#/components/schemas/{name}"
    )
    by_type = iter(schemas)
    found: dict[str, dict[str, Any]] = {}
    for route in routes:
        body = next(by_type) if route.body is not None else None
        data = next(by_type)
        path = _PART.sub(lambda part: "{" + part["name"] + "}", route.path)
        found.setdefault(path, {})[route.method.lower()] = _operation(route, body, data, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FluentCRM Sidecar",
            "version": __version__,
            "description": "Signed requests only (docs/service.md). Times are UTC.",
            "license": {"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"},
        },
        "paths": found,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "signature": {
                    "type": "apiKey", "in": "header", "name": signing.SIGNATURE_HEADER,
                    "description": "HMAC-SHA256 over the request; see docs/service.md.",
                }
            },
        },
        "security": [{"signature": []}],
    }  # fmt: skip


def _operation(route: Route, body: Any, data: Any, components: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {
            "name": part["name"], "in": "path", "required": True,
            "schema": {"type": "integer", "minimum": 0, "maximum": MOST_ID} if part["type"] == "int" else {"type": "string"},
        }
        for part in _PART.finditer(route.path)
    ]  # fmt: skip
    parameters += _query(route.query, components)
    answer_schema = {
        "type": "object",
        "properties": {"data": data, "next": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        "required": ["data", "next"],
    }
    if route.view is openapi:
        answer_schema = {"type": "object"}
    operation: dict[str, Any] = {
        "operationId": f"{route.view.__module__.rpartition('.')[2]}_{route.view.__name__}",
        "summary": route.about.partition("\n")[0],
        "description": f"Who may {ABOUT[route.may]}: {', '.join(sorted(TABLE[route.may]))}.",
        "parameters": parameters,
        "responses": {
            "200": {"description": "It is done.", "content": {"application/json": {"schema": answer_schema}}},
            **{
                status: {
                    "description": why,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
                }
                for status, why in _REFUSALS.items()
            },
        },
    }
    if route.body is not None and route.body is not Nothing:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _query(type_: Any, components: dict[str, Any]) -> list[dict[str, Any]]:
    if type_ is Nothing:
        return []
    schema = components[type_.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema["properties"].items()
    ]
