"""The one way to register a URL of the API: with who may, what it takes, and what it answers.

From the same words the checks run, the answers are shaped and the OpenAPI document is written:

    @noun.get("", may="see", answers=list[Event], query=Paging, paged=True)
    def events(query: Paging) -> Page[Event]: ...

One success shape, `{"data": …, "next": cursor or null}`; errors as in `errors.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta

from sidecar.errors import UsageError
from sidecar.web.roles import Permission

T = TypeVar("T")
PREFIX = "/api/v1"
MOST_ID = 2**53
CONTACT = f"/<int(max={MOST_ID}):contact_id>"
"""The part of a URL that names a contact."""
View = Callable[..., Any]
F = TypeVar("F", bound=View)


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """An answer: `next` is what to give as `after` for the rows that follow, null at the end."""

    data: T
    next: int | None = None


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No parameters."""


class Paging(msgspec.Struct, forbid_unknown_fields=True):
    """Keyset paging: `after` is the `next` of the page before, 0 for the first."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    after: Annotated[int, Meta(ge=0, le=MOST_ID)] = 0


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a URL. `query`, `body` and `answers` are types; `view` does the work."""

    method: str
    path: str
    may: Permission
    query: Any
    body: Any
    answers: Any
    view: Any
    paged: bool
    about: str


class Noun(Blueprint):
    """The URLs of one noun. `routes` is what the OpenAPI document is made of."""

    def __init__(self, name: str) -> None:
        super().__init__(f"api_{name.replace('.', '_')}", __name__, url_prefix=f"{PREFIX}/{name}")
        self.noun = name
        self.routes: list[Route] = []

    def get_(
        self, path: str, *, may: Permission, answers: Any, query: Any = Nothing, paged: bool = False
    ) -> Callable[[F], F]:
        """Register something to see. `path` is below the noun; `<int:contact_id>` parts go to the view by name."""
        return self._register("GET", path, may, query, None, answers, paged=paged)

    def post_(self, path: str, *, may: Permission, answers: Any, body: Any = Nothing) -> Callable[[F], F]:
        """Register something to do; the body is JSON."""
        return self._register("POST", path, may, Nothing, body, answers)

    def _register(
        self, method: str, path: str, may: Permission, query: Any, body: Any, answers: Any, *, paged: bool = False
    ) -> Callable[[F], F]:
        def decorate(view: F) -> F:
            about = (view.__doc__ or "").strip()
            route = Route(
                method=method, path=f"{PREFIX}/{self.noun}{path}", may=may, query=query, body=body, answers=answers,
                view=view, paged=paged, about=about,
            )  # fmt: skip
            self.routes.append(route)
            answer = _answerer(route)
            answer.fcsc_permission = may  # type: ignore[attr-defined]
            self.add_url_rule(
                path, endpoint=view.__name__, view_func=answer, methods=[method], provide_automatic_options=False
            )
            return view

        return decorate


def _answerer(route: Route) -> View:
    def answer(**parts: Any) -> Response:
        given = dict(parts)
        query = _query(route.query)
        if route.query is not Nothing:
            given["query"] = query
        if route.body is not None:
            body = _body(route.body)
            if route.body is not Nothing:
                given["body"] = body
        found = route.view(**given)
        if isinstance(found, Response):
            return found
        page = found if isinstance(found, Page) else Page(data=found)
        return Response(msgspec.json.encode(page, enc_hook=str), content_type="application/json")

    answer.__name__ = route.view.__name__
    return answer


def _query(type_: Any) -> Any:
    flat = {}
    for name, values in request.args.lists():
        if len(values) != 1:
            raise UsageError(f"the parameter {name[:40]!r} stands there twice")
        flat[name] = values[0]
    try:
        return msgspec.convert(flat, type_, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"the parameters are not right: {error}") from error


def _body(type_: Any) -> Any:
    raw = request.get_data()
    if not raw and type_ is Nothing:
        return Nothing()
    if (request.mimetype or "") != "application/json":
        raise UsageError("the body must be JSON", hint="Content-Type: application/json")
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.MsgspecError as error:
        # msgspec names the place and the types, never the value.
        raise UsageError(f"the body is not right: {error}") from error
    except UnicodeDecodeError as error:
        raise UsageError("the body is not UTF-8") from error
