"""How an SMS gateway is spoken to, as a TOML file describes it: what is sent, and what its answers mean. Pure.

Texts may hold `{to}` (the number as `numbers` writes it), `{text}`, `{sender}`, `{key}` (the same however often one message
is tried), `{account}`, `{secret}`, `{basic}` (account and secret for HTTP's basic authentication), and in reports `{id}` or
`{ids}`. A path into an answer is names and places joined by dots: `entries.0.messageid`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from sidecar import toml_file
from sidecar.automations.channels.model import HandedState
from sidecar.errors import ConfigError, Problem

_PRESETS = "presets"
_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}")
_HOLE = re.compile(r"\{([^{}]*)\}")
_KNOWN = frozenset({"to", "text", "sender", "key", "account", "secret", "basic"})


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request: `fields` go into the query, a form or a JSON object, as `body` says."""

    url: str
    method: Literal["GET", "POST"] = "POST"
    body: Literal["form", "json", "query"] = "form"
    headers: dict[str, str] = {}
    fields: dict[str, Any] = {}


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What answers to a message mean. `code` is the path of the gateway's own code and `id` that of its name for the message.
    The lists hold codes, its own or HTTP's. An answer below 300 without a code, or with one of `ok`, is a message that was
    taken. fatal: nobody's messages get through until the owner has mended it. What is in no list is refused below 500, else
    nobody can tell."""

    id: str = ""
    code: str = ""
    ok: tuple[str, ...] = ()
    taken_before: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    fatal: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Reports(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it is asked what became of messages: `most` at a time; `list` is the path of the answers ('' the whole is the
    answer), in each of which `id` and `status` are. The lists hold its words."""

    request: Request
    most: int = 1
    list: str = ""
    id: str
    status: str
    sent: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Gateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway. `numbers`: {how a number begins: what it becomes}, the first that fits (numbers are like +48601234567).
    `knows_keys`: it refuses a second message with the same {key}. `needs`: of sender, account and secret."""

    name: str
    send: Request
    answers: Answers
    numbers: dict[str, str] = {}
    knows_keys: bool = False
    needs: tuple[Literal["sender", "account", "secret"], ...] = ("sender", "secret")
    reports: Reports | None = None


def presets() -> list[str]:
    """The names of those that come along."""
    folder = resources.files("sidecar.automations.channels") / _PRESETS
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load(preset: str, file: str) -> Gateway:
    """The preset, or the owner's file. Raises ConfigError with everything that is wrong with it."""
    if file:
        text = toml_file.read_text(Path(file))
    elif preset in presets():
        item = resources.files("sidecar.automations.channels") / _PRESETS / f"{preset}.toml"
        text, file = item.read_text("utf-8"), f"{preset}.toml"
    else:
        near = toml_file.did_you_mean(preset, presets())
        raise ConfigError(
            f"[channels.sms] preset {preset!r} is none of {', '.join(presets())}",
            hint=near or "describe another gateway in a file and name it with `gateway`",
        )
    found, problems = toml_file.problems(text, Gateway, file)
    if found is not None:
        problems = _faults(found, file)
    if problems or found is None:
        raise ConfigError(f"{file} does not describe a gateway", problems, hint="docs/channels.md explains each key")
    return found


def _faults(found: Gateway, file: str) -> list[Problem]:
    faults = []
    if not _NAME.fullmatch(found.name):
        faults.append(
            Problem(file, None, "name", f"{found.name!r} cannot be a name", "a-z, 0-9 and -, like my-gateway")
        )
    asked = [("send", found.send, _KNOWN)]
    if found.reports is not None:
        asked.append(("reports.request", found.reports.request, _KNOWN - {"to", "text", "key"} | {"id", "ids"}))
    for place, request, known in asked:
        if not re.match(r"https?://", request.url):
            faults.append(Problem(file, None, f"{place}.url", "is no address", "https://…"))
        for key, text in _texts(request):
            for hole in _HOLE.findall(text):
                if hole not in known:
                    hint = toml_file.did_you_mean(hole, sorted(known)) or f"known here: {', '.join(sorted(known))}"
                    faults.append(Problem(file, None, f"{place}.{key}", f"nothing fills {{{hole}}}", hint))
    return faults


def _texts(request: Request) -> list[tuple[str, str]]:
    found = [("url", request.url), *((f"headers.{name}", text) for name, text in request.headers.items())]

    def walk(path: str, item: Any) -> None:
        if isinstance(item, str):
            found.append((path, item))
        elif isinstance(item, Mapping):
            for name, one in item.items():
                walk(f"{path}.{name}", one)
        elif isinstance(item, list):
            for one in item:
                walk(path, one)

    walk("fields", request.fields)
    return found


def number(gateway: Gateway, e164: str) -> str:
    """A number as the gateway wants it."""
    for begins, becomes in gateway.numbers.items():
        if e164.startswith(begins):
            return becomes + e164.removeprefix(begins)
    return e164


def basic(account: str, secret: str) -> str:
    """What follows `Basic ` in a header Authorization."""
    return base64.b64encode(f"{account}:{secret}".encode()).decode("ascii")


def built(request: Request, values: Mapping[str, str]) -> tuple[str, bytes, dict[str, str]]:
    """(url, body, headers) of a request. Whatever is in a text, it stays one value."""
    url = _HOLE.sub(lambda hole: quote(values[hole[1]], safe=""), request.url)
    headers = {name: _put(text, values) for name, text in request.headers.items()}
    fields = _put_all(request.fields, values)
    if request.body == "query":
        query = urlencode(fields)
        return url + ("&" if "?" in url else "?") + query if query else url, b"", headers
    if request.body == "json":
        return url, msgspec.json.encode(fields), {"Content-Type": "application/json", **headers}
    return url, urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded", **headers}


def _put(text: str, values: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda hole: values[hole[1]], text)


def _put_all(item: Any, values: Mapping[str, str]) -> Any:
    if isinstance(item, str):
        return _put(item, values)
    if isinstance(item, Mapping):
        return {name: _put_all(one, values) for name, one in item.items()}
    return [_put_all(one, values) for one in item] if isinstance(item, list) else item


def at(data: Any, path: str) -> str:
    """What stands at a path of an answer, as text; '' when nothing does."""
    for part in path.split(".") if path else ():
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return ""
    return "" if data is None or isinstance(data, Mapping | list | bool) else str(data)


def listed(data: Any, path: str) -> Sequence[Any]:
    """The answers to a question for reports."""
    for part in path.split(".") if path else ():
        data = data.get(part) if isinstance(data, Mapping) else None
    return data if isinstance(data, list) else [data] if path == "" else []


def verdict(answers: Answers, knows_keys: bool, status: int, data: Any) -> tuple[HandedState, str]:
    """What an answer means, and the code that says so."""
    own = at(data, answers.code) if answers.code else ""
    good = status < 300 and (own in answers.ok if own else not (answers.code and answers.ok))
    if own in answers.taken_before and own:
        return "sent", own
    if good:
        # Without a name for it nobody can be sure that it was taken.
        sure = not answers.id or at(data, answers.id)
        return ("sent" if sure else "again" if knows_keys else "unsure"), own
    for code in (own, str(status)):
        if code and code in (*answers.again, *answers.down, *answers.fatal):
            return "again", code
    if (own and status < 500) or 300 <= status < 500:
        return "refused", own or str(status)
    return ("again" if knows_keys else "unsure"), own or str(status)
