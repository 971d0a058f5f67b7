"""SMS by the gateways that come along, against stand-ins that answer as their documentation says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from outgoing import TEXTS, message
from pytest_httpserver import HTTPServer
from support import ROOT
from werkzeug import Request, Response

from sidecar.automations.channels import gateway
from sidecar.automations.channels.model import Outgoing
from sidecar.automations.channels.sms import Sms
from sidecar.config_channels import Sms as Config
from sidecar.errors import ConfigError

PRESETS = ROOT / "sidecar/automations/channels/presets"
HOSTS = {
    "kavenegar": "https://api.kavenegar.com",
    "smsapi": "https://api.smsapi.com",
    "twilio": "https://api.twilio.com",
}
SECRET = "gEh31m-s3cret"
Make = Callable[[str], Sms]


@pytest.fixture
def make(httpserver: HTTPServer, tmp_path: Path) -> Make:
    """A preset whose host is the stand-in."""

    def made(preset: str) -> Sms:
        text = (PRESETS / f"{preset}.toml").read_text()
        assert HOSTS[preset] in text
        file = tmp_path / f"{preset}.toml"
        file.write_text(text.replace(HOSTS[preset], httpserver.url_for("").rstrip("/")))
        config = Config(gateway=str(file), sender="10004346", account="AC123", secret=SECRET)
        return Sms(gateway.load("", str(file)), config)

    return made


def sms(number: int = 1, text: str = "سلام، سبد خریدتان هنوز هست", to: str = "+989121234567") -> Outgoing:
    return message(number, channel="sms", to=to, text=text)


def form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.get_data().decode(), keep_blank_values=True).items()}


def answer(status: int, data: object) -> Response:
    return Response(json.dumps(data, ensure_ascii=False), status, content_type="application/json; charset=utf-8")


# --- Kavenegar -------------------------------------------------------------------------------------------


def test_kavenegar_takes_a_message(make: Make, httpserver: HTTPServer) -> None:
    heard: list[dict[str, str]] = []

    def send(request: Request) -> Response:
        heard.append(form(request))
        entry = {"messageid": 8792343, "message": heard[-1]["message"], "status": 1, "statustext": "در صف ارسال",
                 "sender": "10004346", "receptor": heard[-1]["receptor"], "date": 1356619709, "cost": 120}  # fmt: skip
        return answer(200, {"return": {"status": 200, "message": "تایید شد"}, "entries": [entry]})

    httpserver.expect_request(f"/v1/{SECRET}/sms/send.json", method="POST").respond_with_handler(send)
    found = make("kavenegar").send([sms(), sms(2, to="+48601234567")])
    assert [(one.state, one.ref) for one in found] == [("sent", "8792343")] * 2
    assert heard[0] == {"receptor": "09121234567", "sender": "10004346", "message": "سلام، سبد خریدتان هنوز هست"}
    assert heard[1]["receptor"] == "0048601234567"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (411, ("refused", False, False, True)), (413, ("refused", False, False, False)), (422, ("refused", False, False, False)),
        (403, ("again", True, False, False)), (401, ("again", True, False, False)), (407, ("again", True, False, False)),
        (412, ("again", True, False, False)), (418, ("again", True, False, False)), (409, ("again", False, True, False)),
        (451, ("again", False, False, False)),
    ],
)  # fmt: skip
def test_kavenegar_says_no(make: Make, httpserver: HTTPServer, code: int, wanted: tuple[str, bool, bool, bool]) -> None:
    data = {"return": {"status": code, "message": "خطا 09121234567"}, "entries": None}
    httpserver.expect_request(f"/v1/{SECRET}/sms/send.json").respond_with_response(answer(code, data))
    provider = make("kavenegar")
    first, second = provider.send([sms(), sms(2)])
    assert (first.state, first.fatal, first.down, first.gone) == wanted
    assert len(httpserver.log) == (1 if first.fatal or first.down else 2)
    assert (second.state == "again") if first.fatal or first.down else (second.state == first.state)
    assert "0912" not in first.reason
    assert SECRET not in repr([first, second]) + repr(provider)


def test_kavenegar_reports(make: Make, httpserver: HTTPServer) -> None:
    heard: list[dict[str, str]] = []
    states = {"11": 1, "12": 4, "13": 10, "14": 11, "15": 14, "16": 100, "17": 5}

    def status(request: Request) -> Response:
        heard.append(form(request))
        entries = [
            {"messageid": int(ref), "status": states[ref], "statustext": "…"}
            for ref in heard[-1]["messageid"].split(",")
        ]
        return answer(
            200,
            {"return": {"status": 200, "message": "تایید شد"}, "entries": [*entries, {"messageid": 99, "status": 10}]},
        )

    httpserver.expect_request(f"/v1/{SECRET}/sms/status.json").respond_with_handler(status)
    found = make("kavenegar").reports(list(states), 0)
    assert {(one.ref, one.state) for one in found} == {
        ("12", "sent"), ("17", "sent"), ("13", "delivered"), ("14", "failed"), ("15", "failed"),
    }  # fmt: skip
    assert len(heard) == 1


# --- SMSAPI ----------------------------------------------------------------------------------------------


def test_smsapi_takes_a_message_once(make: Make, httpserver: HTTPServer) -> None:
    seen: set[str] = set()

    def send(request: Request) -> Response:
        fields = form(request)
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        assert (fields["to"], fields["encoding"], fields["format"], fields["check_idx"]) == (
            "48601234567",
            "utf-8",
            "json",
            "1",
        )
        if fields["idx"] in seen:
            return answer(200, {"error": 53, "message": "Not unique idx parameter"})
        seen.add(fields["idx"])
        item = {"id": "1460978572913968440", "points": 0.16, "number": "48601234567", "date_sent": 1460978579,
                "submitted_number": "601234567", "status": "QUEUE", "error": None, "idx": fields["idx"], "parts": 1}  # fmt: skip
        return answer(200, {"count": 1, "list": [item]})

    httpserver.expect_request("/sms.do", method="POST").respond_with_handler(send)
    provider = make("smsapi")
    assert provider.knows_keys
    first = provider.send([sms(to="+48601234567")])[0]
    assert (first.state, first.ref) == ("sent", "1460978572913968440")
    # The answer was lost, say; handing over again sends nothing and is no failure.
    assert provider.send([sms(to="+48601234567")])[0].state == "sent"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (13, ("refused", False, False, True)), (11, ("refused", False, False, False)), (94, ("refused", False, False, False)),
        (101, ("again", True, False, False)), (103, ("again", True, False, False)), (14, ("again", True, False, False)),
        (105, ("again", True, False, False)), (201, ("again", False, True, False)), (203, ("again", False, True, False)),
        (52, ("again", False, False, False)),
    ],
)  # fmt: skip
def test_smsapi_says_no_with_200(
    make: Make, httpserver: HTTPServer, code: int, wanted: tuple[str, bool, bool, bool]
) -> None:
    data = {"invalid_numbers": [{"number": "601234567"}], "error": code, "message": "No correct phonenumbers"}
    httpserver.expect_request("/sms.do").respond_with_response(answer(200, data))
    found = make("smsapi").send([sms()])[0]
    assert (found.state, found.fatal, found.down, found.gone) == wanted


def test_smsapi_is_out_of_order(make: Make, httpserver: HTTPServer) -> None:
    """It knows keys, so what nobody can tell is tried again."""
    httpserver.expect_request("/sms.do").respond_with_data("<h1>502</h1>", status=502)
    found = make("smsapi").send([sms(), sms(2)])
    assert [(one.state, one.down) for one in found] == [("again", True), ("again", False)]


def test_smsapi_reports(make: Make, httpserver: HTTPServer) -> None:
    words = {"a1": "DELIVERED", "a2": "SENT", "a3": "UNDELIVERED", "a4": "QUEUE", "a5": "EXPIRED"}

    def status(request: Request) -> Response:
        ref = form(request)["status"]
        return answer(200, {"count": 1, "list": [{"id": ref, "number": "48601234567", "status": words[ref]}]})

    httpserver.expect_request("/sms.do").respond_with_handler(status)
    found = make("smsapi").reports(list(words), 0)
    assert {(one.ref, one.state) for one in found} == {
        ("a1", "delivered"),
        ("a2", "sent"),
        ("a3", "failed"),
        ("a5", "failed"),
    }


# --- Twilio ----------------------------------------------------------------------------------------------


def test_twilio_takes_a_message(make: Make, httpserver: HTTPServer) -> None:
    heard: list[dict[str, str]] = []

    def send(request: Request) -> Response:
        heard.append(form(request))
        assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"AC123:{SECRET}".encode()).decode()
        return answer(
            201,
            {
                "sid": "SM0123456789abcdef0123456789abcdef",
                "status": "queued",
                "error_code": None,
                "to": heard[-1]["To"],
            },
        )

    httpserver.expect_request("/2010-04-01/Accounts/AC123/Messages.json", method="POST").respond_with_handler(send)
    found = make("twilio").send([sms(to="+14155550100", text="Hi & bye; 100% = {to}")])
    assert [(one.state, one.ref) for one in found] == [("sent", "SM0123456789abcdef0123456789abcdef")]
    assert heard == [{"To": "+14155550100", "From": "10004346", "Body": "Hi & bye; 100% = {to}"}]


@pytest.mark.parametrize(
    ("status", "data", "wanted"),
    [
        (400, {"code": 21211, "message": "Invalid 'To'", "status": 400}, ("refused", False, False, True)),
        (400, {"code": 21610, "message": "unsubscribed", "status": 400}, ("refused", False, False, True)),
        (400, {"code": 21617, "message": "too long", "status": 400}, ("refused", False, False, False)),
        (400, {"code": 21606, "message": "From", "status": 400}, ("again", True, False, False)),
        (401, {"code": 20003, "message": "Authenticate", "status": 401}, ("again", True, False, False)),
        (429, {"code": 20429, "message": "Too Many Requests", "status": 429}, ("again", False, True, False)),
        (429, "slow down", ("again", False, True, False)),
        (503, "unavailable", ("again", False, True, False)),
        (500, {"code": 20500, "message": "Internal", "status": 500}, ("unsure", False, False, False)),
        (502, "bad gateway", ("unsure", False, True, False)),
        (302, "elsewhere", ("refused", False, False, False)),
        (200, "not json", ("unsure", False, False, False)),
        (201, {"status": "queued"}, ("unsure", False, False, False)),
    ],
)  # fmt: skip
def test_twilio_says_no(
    make: Make, httpserver: HTTPServer, status: int, data: object, wanted: tuple[str, bool, bool, bool]
) -> None:
    reply = (
        answer(status, data) if isinstance(data, dict) else Response(str(data), status, headers={"Retry-After": "7"})
    )
    httpserver.expect_request("/2010-04-01/Accounts/AC123/Messages.json").respond_with_response(reply)
    found = make("twilio").send([sms()])[0]
    assert (found.state, found.fatal, found.down, found.gone) == wanted
    assert found.wait == (0 if isinstance(data, dict) else 7)


def test_twilio_reports(make: Make, httpserver: HTTPServer) -> None:
    for ref, word in (("SM1", "delivered"), ("SM2", "undelivered"), ("SM3", "sending")):
        httpserver.expect_request(f"/2010-04-01/Accounts/AC123/Messages/{ref}.json", method="GET").respond_with_json(
            {"sid": ref, "status": word}
        )
    httpserver.expect_request("/2010-04-01/Accounts/AC123/Messages/SM4.json").respond_with_json(
        {"code": 20404}, status=404
    )
    found = make("twilio").reports(["SM1", "SM2", "SM3", "SM4"], 0)
    assert {(one.ref, one.state) for one in found} == {("SM1", "delivered"), ("SM2", "failed")}
    assert make("twilio").tells == 10, "a request each"
    assert make("kavenegar").tells == 1000


# --- any gateway -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("body", ["form", "json", "query"])
def test_hostile_texts_stay_one_value(httpserver: HTTPServer, tmp_path: Path, body: str, text: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        f'name = "own"\nneeds = []\n[send]\nurl = "{httpserver.url_for("/in")}"\nbody = "{body}"\n'
        'headers = { X-Key = "{secret}" }\nfields = { message = { text = "{text}" }, n = 1, list = ["{to}"] }\n[answers]\n'
        if body == "json"
        else f'name = "own"\nneeds = []\n[send]\nurl = "{httpserver.url_for("/in")}"\nbody = "{body}"\nfields = {{ text = "{{text}}" }}\n[answers]\n'
    )
    heard: list[object] = []

    def take(request: Request) -> Response:
        if body == "json":
            data = request.get_json()
            assert (data["n"], data["list"]) == (1, ["+989121234567"])
            heard.append(data["message"]["text"])
        else:
            values = request.args if body == "query" else form(request)
            assert list(values) == ["text"]
            heard.append(values["text"])
        return Response("ok")

    httpserver.expect_request("/in").respond_with_handler(take)
    found = Sms(gateway.load("", str(file)), Config(secret=SECRET)).send([sms(text=text)])
    assert [one.state for one in found] == ["sent"]
    assert str(heard[0]) == text.replace("\x00", "").replace("\ud83d", "?").replace("\r\n", "\n")


@pytest.mark.parametrize("text", ["", "  \n", "\x00"])
def test_nothing_is_no_message(make: Make, httpserver: HTTPServer, text: str) -> None:
    assert make("twilio").send([sms(text=text)])[0].state == "refused"
    assert httpserver.log == []


def test_nobody_answers(tmp_path: Path) -> None:
    text = (PRESETS / "twilio.toml").read_text().replace(HOSTS["twilio"], "http://127.0.0.1:9")
    (tmp_path / "t.toml").write_text(text)
    found = Sms(gateway.load("", str(tmp_path / "t.toml")), Config(account="AC", secret=SECRET)).send([sms(), sms(2)])
    assert [(one.state, one.down) for one in found] == [("again", True), ("again", False)]


def test_every_preset_is_whole() -> None:
    assert gateway.presets() == sorted(HOSTS)
    for name in gateway.presets():
        found = gateway.load(name, "")
        assert found.name == name
        assert found.reports is not None
        codes = [
            *found.answers.ok,
            *found.answers.taken_before,
            *found.answers.again,
            *found.answers.down,
            *found.answers.fatal,
        ]
        assert len(codes) == len(set(codes)), "a code means one thing"
        words = [*found.reports.sent, *found.reports.delivered, *found.reports.failed]
        assert len(words) == len(set(words))


def test_the_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    text = (ROOT / "docs/channels.md").read_text()
    block = next(part for part in text.split("```toml\n")[1:] if part.startswith('name = "my-gateway"')).partition(
        "```"
    )[0]
    (tmp_path / "own.toml").write_text(block)
    found = gateway.load("", str(tmp_path / "own.toml"))
    assert found.name == "my-gateway"
    for field in ("Request", "Answers", "Reports", "Gateway"):
        for name in getattr(gateway, field).__struct_fields__:
            assert name in block, f"{field}.{name} is not in the example"


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('name = "a b"\n[send]\nurl = "https://x"\n[answers]\n', "name", "a-z"),
        ('name = "own"\n[send]\nurl = "ftp://x"\n[answers]\n', "send.url", "https"),
        ('name = "own"\n[send]\nurl = "https://x"\nfields = { m = "{txt}" }\n[answers]\n', "send.fields.m", "text"),
        ('name = "own"\n[send]\nurl = "https://x"\n[answers]\nfatel = ["1"]\n', "answers.fatel", "fatal"),
        ('name = "own"\n[send]\nurl = "https://x"\n[answers]\n[reports]\nid = "i"\nstatus = "s"\n[reports.request]\nurl = "https://x/{text}"\n', "reports.request.url", "id"),
    ],
)  # fmt: skip
def test_a_wrong_description_is_told(tmp_path: Path, text: str, key: str, hint: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        gateway.load("", str(file))
    assert [problem.key for problem in caught.value.problems] == [key]
    assert hint in caught.value.problems[0].hint


def test_an_unknown_preset() -> None:
    with pytest.raises(ConfigError, match="none of kavenegar, smsapi, twilio") as caught:
        gateway.load("kavenagar", "")
    assert caught.value.hint == "did you mean kavenegar?"
